/** Chats as OpenAI's supervised fine-tuning reads them, which allows no further columns. */
import { z } from "zod";
import { asAssistant, bestOf, type Convert, messagesSchema } from "./examples.ts";
import type { ExportFilter } from "./select.ts";

export const chatRowSchema = z.object({ messages: messagesSchema });
type ChatRow = z.infer<typeof chatRowSchema>;

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
