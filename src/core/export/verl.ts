/**
 * The prompts, for trainers that sample by themselves: the columns of verl's RLHF dataset (verl.readthedocs.io,
 * Prepare Data for Post-Training). A stored task has no ground truth: its rewards come from running a solution.
 */
import type { Goal, Group, Message } from "../history.ts";
import type { Convert } from "./examples.ts";

export interface VerlRow {
  readonly data_source: string;
  readonly prompt: readonly Message[];
  readonly ability: Goal;
  readonly reward_model: { readonly style: "rule"; readonly ground_truth: "" };
  readonly extra_info: {
    readonly split: "train";
    /** Place in the file. */
    readonly index: number;
    readonly task: string;
    readonly goal: Goal;
    readonly group: string;
    readonly policy: string;
    readonly startSnapshot: string | null;
    readonly startQuality: number | null;
    readonly learnability: number;
  };
}

/** One example for each prompt: the first group that has it stands for all. */
export function toVerl(): Convert<VerlRow> {
  const prompts = new Set<string>();
  return (group) => {
    const known = prompts.has(group.prompt.rendered);
    const index = prompts.size;
    prompts.add(group.prompt.rendered);
    return {
      rows: known ? [] : [rowOf(group, index)],
      left: group.replies.map(() => (known ? "its prompt is there already" : "this form has prompts only")),
    };
  };
}

function rowOf(group: Group, index: number): VerlRow {
  const { id, task, goal, policy, startSnapshot, startQuality, learnability } = group;
  return {
    data_source: `exit-ml/${task}`,
    prompt: [...group.prompt.messages],
    ability: goal,
    reward_model: { style: "rule", ground_truth: "" },
    extra_info: {
      ...{ split: "train", index, task, goal, group: id, policy, startSnapshot, startQuality },
      learnability: learnability ?? 0,
    },
  };
}
