/** Every number of EXIT.md sections 2 and 3 that a run may change, with its default. Recorded with each run. */
import { z } from "zod";
import { ExitError } from "./errors.ts";

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
  /** Model of the model server that embeds solutions for the diversity bonus; null: the built-in lexical embedding. */
  embeddingModel: z.string().min(1).nullable().default(null),
  /** Every (ours) of EXIT.md back to the paper's literal rule (section 8). */
  paper: z.boolean().default(false),
});

export type Settings = z.infer<typeof settingsSchema>;
type SettingName = keyof Settings;

export const defaultSettings: Settings = settingsSchema.parse({});

/** A setting in words. */
export interface SettingNote {
  readonly name: SettingName;
  readonly meaning: string;
  /** What it may be, to stand after "must be". */
  readonly values: string;
  /** In words where it is not the schema's. */
  readonly usually: string;
  /** Where the default comes from. */
  readonly source: string;
}

const note = (
  name: SettingName,
  meaning: string,
  values: string,
  source: string,
  usually = String(defaultSettings[name]),
): SettingNote => ({ name, meaning, values, usually, source });

/** All settings, in the order EXIT.md brings them up. */
export const settingNotes: readonly SettingNote[] = [
  note("groupSize", "G, replies of an iteration", "a whole number from 2 to 64", "the paper's group size"),
  note(
    "capacity",
    "N, entries of the buffer",
    "a whole number of at least 1, or null",
    "the paper's for MLE-bench, ours beyond 8 tasks",
    "24, and 4 more for each task beyond 8",
  ),
  note(
    "minBuffer",
    "B_min, entries before starts are drawn from it",
    "a whole number of at least 1",
    "the paper's for MLE-bench",
  ),
  note(
    "kappa",
    "inverse temperature of the start draw",
    "a number of at least 0",
    "ours; the paper states none",
  ),
  note(
    "p",
    "chance that a start comes from the buffer",
    "a number from 0 to 1, or null",
    "the paper's",
    "the strategy's",
  ),
  note(
    "pDiv",
    "chance that a start from the buffer diverges",
    "a number from 0 to 1, or null",
    "the paper's for MLE-bench",
    "the strategy's",
  ),
  note("lambda", "cost of a failed or unchanged reply", "a number of at least 0", "ours; the paper has none"),
  note("insert", "children that enter the buffer", '"one" or "all"', "the paper's Algorithm 1"),
  note(
    "maxPolicyAge",
    "model versions after which an entry is measured again",
    "a whole number of at least 0",
    "ours; the paper has none",
  ),
  note("pipelineDepth", "iterations under way at once", "1 or 2", "ours"),
  note("maxReplyTokens", "longest reply in tokens", "a whole number of at least 16", "ours"),
  note(
    "embeddingModel",
    "model of the Ollama server that measures how far replies are apart",
    "a model's name, or null",
    "ours; the paper uses an embedding model",
    "a built-in measure",
  ),
  note("paper", "the paper's rules to the letter", "true or false", "arXiv 2509.04575"),
];

/** @throws ExitError `setting-invalid` for a name that is no setting, or a value it cannot have. */
export function checkSetting(name: string, value: unknown): Partial<Settings> {
  const known = settingNotes.find((candidate) => candidate.name === name);
  if (known === undefined) {
    const names = settingNotes.map((candidate) => candidate.name).join(", ");
    throw new ExitError("setting-invalid", `There is no setting "${name}". There are: ${names}.`);
  }
  const parsed = settingsSchema.shape[known.name].safeParse(value);
  if (parsed.success) return { [known.name]: parsed.data };
  throw new ExitError(
    "setting-invalid",
    `The setting ${name} must be ${known.values}, not ${JSON.stringify(value)}.`,
  );
}
