/** The options of a training, the same for one and for rounds of them. */
import { type Command, Option } from "commander";
import type { TrainingSettings } from "../protocol/results.ts";
import { defaultTraining } from "../protocol/results.ts";
import { from0, positive, whole } from "./options.ts";

export interface TrainingFlags {
  readonly device?: TrainingSettings["device"];
  readonly rank?: number;
  readonly alpha?: number;
  readonly learningRate?: number;
  readonly updates?: number;
  readonly reduction?: TrainingSettings["reduction"];
  readonly beta?: number;
  readonly checkpointing?: boolean;
  readonly mostMismatch?: number;
  readonly mostSquare?: number;
  readonly leastEffective?: number;
  readonly form?: TrainingSettings["form"];
}

const given = defaultTraining;

export function trainingOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--device <name>",
        "what trains (default: the first there is; never the CPU instead of a GPU that was named)",
      ).choices(["auto", "cuda", "mps", "cpu"]),
    )
    .option("--rank <n>", `rank of a new adapter (default: ${given.rank})`, whole(1, 256))
    .option("--alpha <n>", `scale of a new adapter times its rank (default: ${given.alpha})`, whole(1))
    .option(
      "--learning-rate <x>",
      `default: ${given.learningRate}; scale it down above 3B parameters`,
      positive,
    )
    .option("--updates <n>", `at most so many (default: ${given.updates})`, whole(1))
    .addOption(
      new Option("--reduction <name>", `how token losses become one (default: ${given.reduction})`).choices([
        ...["grpo", "dr_grpo", "dapo", "bnpo", "gspo"],
      ]),
    )
    .option("--beta <x>", `weight of the KL divergence from the base (default: ${given.beta})`, from0())
    .option("--checkpointing", "less memory, a third more time")
    .option(
      "--most-mismatch <nats>",
      `difference to the server's log-probabilities above which nothing is trained (default: ${given.mostMismatch})`,
      positive,
    )
    .option(
      "--most-square <x>",
      `mean squared log-ratio to the policy it began as, beyond which it ends early (default: ${given.mostSquare})`,
      positive,
    )
    .option(
      "--least-effective <x>",
      `relative effective sample size of an update, below which it ends early (default: ${given.leastEffective})`,
      from0(1),
    )
    .addOption(
      new Option(
        "--form <name>",
        "a whole model (merged), or the update alone over the base (adapter: small and unrounded; embedded runtime, older Ollama)",
      )
        .choices(["merged", "adapter"])
        .default(undefined, given.form),
    );
}

/** What was named; the rest is left to the defaults. */
export function trainingFrom(flags: TrainingFlags): Partial<TrainingSettings> {
  const names = Object.keys(given) as (keyof TrainingSettings)[];
  return Object.fromEntries(
    names.flatMap((name) => (flags[name] === undefined ? [] : [[name, flags[name]]])),
  );
}
