/** The options of a gate, the same for one and for the gates of rounds. */
import { type Command, InvalidArgumentError } from "commander";
import { defaultGate } from "../protocol/results.ts";
import { whole } from "./options.ts";

export interface GateFlags {
  readonly chains: readonly [first: number, second: number];
  readonly k: number;
  readonly seed: number;
  readonly maxReplyTokens?: number;
}

export function gateOptions(command: Command): Command {
  return command
    .option("--chains <n,m>", "chains from each start, and of the second look", twoCounts, [
      ...defaultGate.chains,
    ])
    .option("--k <n>", "steps of a chain", whole(1), defaultGate.K)
    .option("--seed <n>", "seed of every draw", whole(0), defaultGate.seed)
    .option("--max-reply-tokens <n>", "longest reply (default: that of the newest run)", whole(16));
}

function twoCounts(text: string): [number, number] {
  const read = whole(2);
  const [first, second = first, ...more] = text.split(",").map(read);
  if (first === undefined || second === undefined || more.length > 0 || second < first)
    throw new InvalidArgumentError("It must be one count, or two with the larger one last, such as 16,64.");
  return [first, second];
}
