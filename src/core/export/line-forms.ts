/** The forms whose examples are lines of JSON: how a group becomes examples, and what is in one. */
import type { z } from "zod";
import type { Convert } from "./examples.ts";
import type { ExportFormat } from "./format.ts";
import { groupRowSchema, toNative } from "./native.ts";
import { chatRowSchema, toChat } from "./openai.ts";
import type { ExportFilter } from "./select.ts";
import { dpoRowSchema, ktoRowSchema, sftRowSchema, toDpo, toKto, toSft } from "./trl.ts";

interface LineForm {
  readonly row: z.ZodObject;
  readonly convert: (filter: ExportFilter) => Convert<object>;
}

export const lineForms: Readonly<Record<Exclude<ExportFormat, "verl">, LineForm>> = {
  native: { row: groupRowSchema, convert: () => toNative },
  "trl-sft": { row: sftRowSchema, convert: toSft },
  "trl-dpo": { row: dpoRowSchema, convert: toDpo },
  "trl-kto": { row: ktoRowSchema, convert: toKto },
  openai: { row: chatRowSchema, convert: toChat },
};
