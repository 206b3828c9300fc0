/** The way from an empty file to the newest schema: step `n` (from 1) leads to `user_version = n`. */
import { history } from "./001-history.ts";
import { selfTests } from "./002-self-tests.ts";
import { records } from "./003-records.ts";
import { evaluations } from "./004-evaluations.ts";
import { confirmations } from "./005-confirmations.ts";
import { bareRequests } from "./006-bare-requests.ts";
import { tuning } from "./007-tuning.ts";

export const migrations: readonly string[] = [
  ...[history, selfTests, records, evaluations, confirmations, bareRequests, tuning],
];
