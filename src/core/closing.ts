/**
 * Closing a group: from its members' outcomes to nodes, learnability, rewards and advantages (EXIT.md sections
 * 2.4 to 2.8). The buffer follows when the closed group is folded into the past.
 */
import type { EmbeddingSource, GroupOpening, Node, Reply } from "./history.ts";
import { childOf, type Past } from "./past.ts";
import type { ClosedGroup, GroupClosing, Sha256 } from "./ports.ts";
import {
  advantages,
  diversityFactors,
  isInformative,
  learnability,
  type RewardMember,
  rewards,
} from "./reward.ts";
import { isFailed, type Verdict } from "./verdict.ts";

export interface ClosingInput {
  readonly opening: GroupOpening;
  /** The members that came back, by index, each with its outcome. */
  readonly replies: readonly Reply[];
  /** `infra`: too few members came back, or they cannot be scored alike; nothing is learnt from the group. */
  readonly state: "closed" | "infra";
  readonly closedSeq: number;
  /** Of the members' solutions from their centroid, in the order of `replies`; null: no diversity bonus. */
  readonly distances: readonly (number | null)[] | null;
  /** What they were measured with. */
  readonly embedding: EmbeddingSource | null;
  readonly paper: boolean;
}

/** Verdicts that say nothing about the revision make no node: it may be scored another time. */
const withoutNode: ReadonlySet<Verdict> = new Set<Verdict>(["infra", "eval_error", "cancelled"]);

/** One snapshot in five below a root is held out from training from birth (section 5). */
export function isHeldOut(snapshot: string, sha256: Sha256): boolean {
  return Number.parseInt(sha256(snapshot).slice(0, 8), 16) % 5 === 0;
}

export function closeGroup(
  input: ClosingInput,
  past: Past,
  sha256: Sha256,
): { closing: Omit<GroupClosing, "buffer" | "bufferChanges" | "draws" | "spent">; closed: ClosedGroup } {
  const { opening, replies, state, closedSeq, distances, embedding } = input;
  const { nodes, nodeOf } = makeNodes(opening, replies, past, sha256);

  const qualities = replies.map((reply) => reply.quality);
  const S = state === "closed" ? learnability(qualities) : null;
  const members: RewardMember[] = replies.map((reply) => ({
    quality: reply.quality,
    failed: isFailed(reply.verdict),
    unchanged: reply.edit?.kind === "unchanged",
  }));
  const r = rewards(members, opening.reward, opening.startQuality);
  const A = S === null ? replies.map(() => null) : advantages(r);
  const d = distances === null ? null : diversityFactors(distances, input.paper);
  const informative = S !== null && isInformative(r, opening.reward, opening.startQuality, opening.startSE);

  return {
    closing: {
      group: opening.id,
      state,
      closedSeq,
      learnability: S,
      informative,
      nodes,
      replies: replies.map((reply, place) => ({
        index: reply.index,
        node: nodeOf.get(reply.index) ?? null,
        reward: r[place] ?? null,
        advantage: weighted(A[place] ?? null, d?.[place]),
        diversity: d?.[place] ?? null,
        distance: distances?.[place] ?? null,
      })),
      embedding,
    },
    closed: {
      ...opening,
      state,
      closedSeq,
      learnability: S,
      informative,
      children: replies.map((reply) => ({
        index: reply.index,
        node: nodeOf.get(reply.index) ?? null,
        quality: reply.quality,
      })),
      closingDraws: {},
      embedding,
      bufferChanges: null,
    },
  };
}

function weighted(advantage: number | null, factor: number | undefined): number | null {
  return advantage === null ? null : advantage * (factor ?? 1);
}

function makeNodes(
  opening: GroupOpening,
  replies: readonly Reply[],
  past: Past,
  sha256: Sha256,
): { nodes: Node[]; nodeOf: Map<number, string> } {
  const nodes: Node[] = [];
  const nodeOf = new Map<number, string>();
  const start = past.byId.get(opening.start);
  if (start === undefined) throw new RangeError(`group ${opening.id} starts at an unknown node`);
  for (const reply of replies) {
    if (reply.snapshot === null || reply.verdict === null || withoutNode.has(reply.verdict)) continue;
    if (reply.edit?.kind === "unchanged") {
      nodeOf.set(reply.index, start.id);
      continue;
    }
    const { snapshot } = reply;
    const known = nodes.find((node) => node.snapshot === snapshot) ?? childOf(past, start.id, snapshot);
    if (known !== undefined) {
      nodeOf.set(reply.index, known.id);
      continue;
    }
    const node: Node = {
      id: `n${past.nodes.length + nodes.length + 1}`,
      task: opening.task,
      parent: start.id,
      depth: start.depth + 1,
      goal: opening.goal,
      verdict: reply.verdict,
      score: reply.score,
      quality: reply.quality,
      qualitySE: reply.qualitySE,
      snapshot,
      group: opening.id,
      policy: opening.policy,
      heldOut: start.parent === null ? isHeldOut(snapshot, sha256) : start.heldOut,
      feedback: reply.feedback,
      evaluator: opening.evaluator,
    };
    nodes.push(node);
    nodeOf.set(reply.index, node.id);
  }
  return { nodes, nodeOf };
}
