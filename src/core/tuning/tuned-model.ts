/** A model fine-tuned from the one that searched (EXIT.md sections 6 and 7). Plain data, no behaviour. */

/** What is trained: always the original weights, whatever was promoted since. */
export interface BaseModel {
  readonly runtime: "ollama" | "embedded";
  /** As its runtime calls it. */
  readonly model: string;
  /** Absolute path of its file where that is how a run names it; null for a model of a server. */
  readonly file: string | null;
  /** Address of the Ollama server; null for the embedded runtime. */
  readonly endpoint: string | null;
  /** Everything of a policy version's name before `#v` (policy-version.ts). */
  readonly line: string;
  /** Of the weights. */
  readonly digest: string;
  readonly templateDigest: string;
  readonly license: string | null;
}

/** Steps of the making, in this order; each is stored as it ends, so that a killed fine-tune goes on with the next. */
const makings = ["exported", "trained", "merged", "installed", "verified"] as const;
export type Making = (typeof makings)[number];

/** Whether a model that was made as far as `made` has this step behind it. */
export function hasMade(made: Making, step: Making): boolean {
  return makings.indexOf(made) >= makings.indexOf(step);
}

export interface TunedModel {
  /** `m1`, `m2`, ...: also the name of its folder in `.exit/models`. */
  readonly id: string;
  readonly base: BaseModel;
  /** Id of the tuned model whose adapter it goes on from; null: it began with a new one. */
  readonly parent: string | null;
  /** ISO 8601. */
  readonly createdAt: string;
  /** The last step that ended. */
  readonly made: Making;
  /** Why it is no use; null while it is. */
  readonly failed: string | null;
  /** What it was cut off by and can be gone on after; null: nothing, or its runner was killed. */
  readonly interruption: string | null;
  /** What it learned from. */
  readonly data: {
    readonly groups: number;
    readonly seen: number;
    readonly tasks: readonly string[];
    readonly policies: readonly string[];
    /** SHA-256 of `groups.jsonl`. */
    readonly sha256: string;
  };
  readonly settings: TrainingSettings;
  /** Null before it is trained. */
  readonly training: TrainingResult | null;
  /** Null before it is merged. */
  readonly merge: MergeResult | null;
  /** Null before it is installed. */
  readonly served: ServedAs | null;
  /** Null before it is verified. */
  readonly fingerprint: Fingerprint | null;
  /** Its weights are still there; the adapter always is. */
  readonly kept: boolean;
}

/** How a runtime finds a tuned model. */
export interface ServedAs {
  /** Its name on the server, or the absolute path of the file that is loaded. */
  readonly model: string;
  /** Of all the weights that answer. */
  readonly digest: string;
  /** Absolute path of the adapter to load over that file; null where the weights are merged, or a server has it. */
  readonly adapter: string | null;
}

/**
 * `merged`: a whole model, which every server takes. `adapter`: the update alone, small and unrounded, over the base
 * as it lies; for the embedded runtime, and for servers that take adapters.
 */
export type TunedForm = "merged" | "adapter";

/**
 * The newest model of a line, where it was begun alike and can still be gone on with: one that a promotion or rollback
 * came between would begin with another adapter and other data.
 */
export function unfinishedOf(
  models: readonly TunedModel[],
  begun: { readonly line: string; readonly parent: string | null; readonly settings: TrainingSettings },
): TunedModel | null {
  const newest = models.findLast((model) => model.base.line === begun.line);
  if (newest === undefined || newest.made === "verified" || newest.failed !== null) return null;
  const isAlike =
    newest.parent === begun.parent && JSON.stringify(newest.settings) === JSON.stringify(begun.settings);
  return isAlike ? newest : null;
}

/** Tasks that a tuned model learned from, itself or through the ones its adapter goes on from. */
export function tasksLearned(model: TunedModel, models: readonly TunedModel[]): ReadonlySet<string> {
  const learned = new Set<string>();
  for (let one: TunedModel | undefined = model; one !== undefined; ) {
    for (const task of one.data.tasks) learned.add(task);
    const { parent }: TunedModel = one;
    one = models.find(({ id }) => id === parent);
  }
  return learned;
}

/** What of a training a user may set; everything else is EXIT.md section 6. */
export interface TrainingSettings {
  readonly device: "auto" | "cuda" | "mps" | "cpu";
  readonly rank: number;
  readonly alpha: number;
  readonly learningRate: number;
  /** At most. */
  readonly updates: number;
  readonly reduction: "grpo" | "dr_grpo" | "dapo" | "bnpo" | "gspo";
  /** Weight of the KL divergence from the base. */
  readonly beta: number;
  /** Less memory, a third more time. */
  readonly checkpointing: boolean;
  /** Nats by which the server's log-probabilities and the trainer's may differ in the mean. */
  readonly mostMismatch: number;
  /** Mean squared log-ratio of the policy to the one it began as, beyond which a training ends early. */
  readonly mostSquare: number;
  /** Share of its tokens that an update must still weigh like (relative effective sample size); else it ends early. */
  readonly leastEffective: number;
  readonly form: TunedForm;
}

export const defaultTraining: TrainingSettings = {
  device: "auto",
  rank: 16,
  alpha: 32,
  learningRate: 2e-4,
  updates: 16,
  reduction: "grpo",
  beta: 0.001,
  checkpointing: false,
  mostMismatch: 0.1,
  mostSquare: 0.04,
  leastEffective: 0.5,
  form: "merged",
};

export interface TrainingResult {
  readonly updates: number;
  /** `groups` (every group was taken), `drift` or `sample size`. */
  readonly ended: string;
  /** Nats; null where the runtime recorded no log-probabilities. */
  readonly mismatch: number | null;
  readonly ms: number;
}

export interface MergeResult {
  readonly bytes: number;
  /** Least share of an update that is in the file. */
  readonly recovered: number;
  /** Rounding noise against the size of an update, at most. */
  readonly noise: number;
  /** Tensors that changed, by the type they were written in. */
  readonly types: Readonly<Record<string, number>>;
}

/** Mean differences of log-probabilities, in nats. */
export interface Fingerprint {
  /** Between base and tuned weights. */
  readonly effect: number;
  /** Between tuned weights and the file read back; null where an adapter is served. */
  readonly file: number | null;
  /** Between tuned weights and what the server answers with. */
  readonly served: number;
  /** Between the base and what the server answers with. */
  readonly servedFromBase: number;
  /** The answers say which of the two it is; otherwise the file has to do, and what was learned is below their noise. */
  readonly proven: boolean;
}
