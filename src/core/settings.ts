/** Every number of EXIT.md sections 2 and 3 that a run may change, with its default. Recorded with each run. */
import { z } from "zod";

export const settingsSchema = z.strictObject({
  /** `G`, replies of a group. */
  groupSize: z.int().min(2).max(64).default(8),
  /** `N`, capacity of the buffer; null: 24 + 4 * max(0, |M| - 8). */
  capacity: z.int().min(1).nullable().default(null),
  /** `B_min`: below, starts come from the task space. */
  minBuffer: z.int().min(1).default(3),
  /** Inverse temperature of the start draw. */
  kappa: z.number().min(0).default(5),
  /** `p`; null: the strategy's own. */
  p: z.number().min(0).max(1).nullable().default(null),
  /** `p_div`; null: the strategy's own. */
  pDiv: z.number().min(0).max(1).nullable().default(null),
  /** Cost of a failed or unchanged member under relative rewards. */
  lambda: z.number().min(0).default(0.1),
  /** Which children enter the buffer. */
  insert: z.enum(["one", "all"]).default("one"),
  /** Policy versions after which an entry is measured again first. */
  maxPolicyAge: z.int().min(0).default(1),
  /** Groups being sampled or scored at once. */
  pipelineDepth: z.int().min(1).max(2).default(2),
  /** Longest reply in tokens; longer ones are cut and invalid. */
  maxReplyTokens: z.int().min(16).default(1024),
  /** Every (ours) of EXIT.md back to the paper's literal rule (section 8). */
  paper: z.boolean().default(false),
});

export type Settings = z.infer<typeof settingsSchema>;

export const defaultSettings: Settings = settingsSchema.parse({});
