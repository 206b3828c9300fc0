/** The way from an empty file to the newest schema: step `n` (from 1) leads to `user_version = n`. */
import { history } from "./001-history.ts";

export const migrations: readonly string[] = [history];
