/** Chats as OpenAI's supervised fine-tuning reads them, which allows no further columns. */
import type { Message } from "../history.ts";
import { asAssistant, bestOf, type Convert } from "./examples.ts";
import type { ExportFilter } from "./select.ts";

export interface ChatRow {
  readonly messages: readonly Message[];
}

/** The same replies as for SFT. */
export const toChat =
  (filter: ExportFilter): Convert<ChatRow> =>
  (group) => {
    const { best, left } = bestOf(group, filter);
    return {
      rows: best.map(({ text }) => ({ messages: [...group.prompt.messages, asAssistant(text)] })),
      left,
    };
  };
