/** What a starting runner tells the process that started it, over the channel of `child_process`. */
import { z } from "zod";
import { wireErrorSchema } from "./errors.ts";

export const startReportSchema = z.union([
  z.object({ ready: z.literal(true) }),
  z.object({ failed: wireErrorSchema }),
]);
export type StartReport = z.infer<typeof startReportSchema>;
