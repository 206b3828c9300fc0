/** Which groups are exported, and the row of one (EXIT.md section 5). */
import { z } from "zod";
import { type Group, goals, type Node, type Run, strategies } from "./history.ts";
import { versionsBehind } from "./policy-version.ts";
import type { ClosedGroup, Sha256 } from "./ports.ts";
import { verdicts } from "./verdict.ts";

/** Raised when a field changes its meaning. */
export const exportVersion = 1;

const nullable = <T extends z.ZodType>(type: T): z.ZodNullable<T> => type.nullable();
const text = z.string();
const number = z.number();

const replySchema = z.object({
  index: z.int(),
  text,
  answer: nullable(text),
  snapshot: nullable(text),
  tokens: nullable(z.array(z.object({ id: nullable(z.int()), text }))),
  logprobs: nullable(z.array(number)),
  seed: z.int(),
  finish: text,
  constrained: nullable(text),
  edit: nullable(
    z.object({ kind: text, repairs: z.array(text), problem: nullable(text), paths: z.array(text) }),
  ),
  node: nullable(text),
  verdict: nullable(z.enum(verdicts)),
  score: nullable(number),
  quality: nullable(number),
  reward: nullable(number),
  advantage: nullable(number),
  diversity: nullable(number),
  /** False where `tokens` and `logprobs` do not match one to one: the trainer leaves such a reply out. */
  tokensMatch: z.boolean(),
  ms: number,
});

export const groupRowSchema = z.object({
  version: z.literal(exportVersion),
  id: text,
  run: text,
  iteration: z.int(),
  task: text,
  start: text,
  fromBuffer: z.boolean(),
  goal: z.enum(goals),
  strategy: z.enum(strategies),
  policy: text,
  prompt: z.object({ messages: z.array(z.object({ role: text, content: text })), rendered: text }),
  startQuality: nullable(number),
  startSnapshot: nullable(text),
  startSE: nullable(number),
  reward: z.object({ rule: z.enum(["relative", "absolute"]), lambda: number }),
  learnability: number,
  draws: z.record(text, number),
  replies: z.array(replySchema),
});

export type GroupRow = z.infer<typeof groupRowSchema>;

/** Row of a closed, informative group. */
export function groupRow(group: Group, learnability: number): GroupRow {
  const { id, run, iteration, task, start, fromBuffer, goal, strategy, policy, startQuality } = group;
  const { startSnapshot, startSE, reward, prompt } = group;
  return {
    version: exportVersion,
    ...{ id, run, iteration, task, start, fromBuffer, goal, strategy, policy, startQuality },
    ...{ startSnapshot, startSE, reward, learnability },
    prompt: { messages: [...prompt.messages], rendered: prompt.rendered },
    draws: { ...group.draws },
    replies: group.replies.map((reply) => {
      const { feedback: _, qualitySE: __, distance: ___, edit, tokens, logprobs, ...rest } = reply;
      return {
        ...rest,
        edit: edit && { ...edit, repairs: [...edit.repairs], paths: [...edit.paths] },
        tokens: tokens && [...tokens],
        logprobs: logprobs && [...logprobs],
        tokensMatch: logprobs === null || tokens?.length === logprobs.length,
      };
    }),
  };
}

export type DropReason =
  | "held-out task"
  | "held-out start"
  | "too few members"
  | "not informative"
  | "other model or prompt template"
  | "older policy"
  | "duplicate";

export interface ExportView {
  readonly groups: readonly ClosedGroup[];
  readonly runs: readonly Run[];
  readonly nodes: readonly Node[];
  /** Names of the tasks whose split is `heldout`. */
  readonly heldOutTasks: ReadonlySet<string>;
  /** With one task only, the subtrees held out from birth stay out. */
  readonly oneTask: boolean;
  /** Version the groups are measured against; null: that of the newest group. */
  readonly policy: string | null;
  /** Prompt and reply texts of a group, for the duplicate check. */
  readonly textsOf: (group: ClosedGroup) => readonly string[];
  readonly sha256: Sha256;
}

/** Sorts the closed groups into those to export and those dropped, each with its reason. */
export function selectGroups(view: ExportView): {
  kept: readonly ClosedGroup[];
  dropped: ReadonlyMap<DropReason, number>;
} {
  const kept: ClosedGroup[] = [];
  const dropped = new Map<DropReason, number>();
  const nodes = new Map(view.nodes.map((node) => [node.id, node]));
  const settings = new Map(view.runs.map((run) => [run.id, run.settings]));
  const current = view.policy ?? view.groups.at(-1)?.policy ?? "";
  const seen = new Set<string>();
  for (const group of view.groups) {
    const reason = reasonToDrop(group);
    if (reason === null) kept.push(group);
    else dropped.set(reason, (dropped.get(reason) ?? 0) + 1);
  }
  return { kept, dropped };

  function reasonToDrop(group: ClosedGroup): DropReason | null {
    if (view.heldOutTasks.has(group.task)) return "held-out task";
    if (view.oneTask && nodes.get(group.start)?.heldOut) return "held-out start";
    if (group.learnability === null) return "too few members";
    const behind = versionsBehind(current, group.policy);
    if (behind === Number.POSITIVE_INFINITY) return "other model or prompt template";
    if (behind > (settings.get(group.run)?.maxPolicyAge ?? 0)) return "older policy";
    if (!group.informative) return "not informative";
    const [prompt, ...replies] = view.textsOf(group);
    const identity = view.sha256(JSON.stringify([prompt, ...replies.sort()]));
    if (seen.has(identity)) return "duplicate";
    seen.add(identity);
    return null;
  }
}
