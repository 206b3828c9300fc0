import type { Convert } from "./examples.ts";
import type { ExportFormat } from "./format.ts";
import { toNative } from "./native.ts";
import { toChat } from "./openai.ts";
import type { ExportFilter } from "./select.ts";
import { toDpo, toKto, toSft } from "./trl.ts";

/** The converter of a form whose examples are lines of JSON. */
export function toLines(format: Exclude<ExportFormat, "verl">, filter: ExportFilter): Convert<object> {
  switch (format) {
    case "native":
      return toNative;
    case "trl-sft":
      return toSft(filter);
    case "trl-dpo":
      return toDpo(filter);
    case "trl-kto":
      return toKto(filter);
    case "openai":
      return toChat(filter);
  }
}
