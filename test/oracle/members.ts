/** Members of a group as the engine has them once they are scored, and as the oracle reads them. */
import { createHash } from "node:crypto";
import { closeGroup } from "../../src/core/closing.ts";
import type { GroupOpening, Node, Reply } from "../../src/core/history.ts";
import type { Past } from "../../src/core/past.ts";
import type { ClosedGroup, GroupClosing, Sha256 } from "../../src/core/ports.ts";
import { centroidDistances } from "../../src/core/reward.ts";
import { qualityOf, type Verdict } from "../../src/core/verdict.ts";
import { type Content, type Deed, rawScore, type TaskPlan } from "./scenarios.ts";

/** What a solution or a reply came to. */
export type Outcome = Pick<Node, "snapshot" | "verdict" | "score" | "quality" | "qualitySE">;

export interface Member {
  readonly reply: Reply;
  /** Of its solution; null without one. */
  readonly embedding: readonly number[] | null;
}

export const snapshotOf = (place: number): string => `s${place}`;
const placeOf = (snapshot: string): number => Number(snapshot.slice(1));

/** Before any answer there is only the request. */
export const bareRequest: Outcome = {
  snapshot: null,
  verdict: null,
  score: null,
  quality: null,
  qualitySE: null,
};

/** The outcome of handing a solution in. */
export function outcomeOf(contents: readonly Content[], place: number, task: TaskPlan): Outcome {
  const content = contents[place];
  if (content === undefined) throw new RangeError(`no content ${place}`);
  const { verdict, place: where } = content.result;
  const score = rawScore(task.range, where);
  const quality = qualityOf(verdict, score, task.range);
  return { snapshot: snapshotOf(place), verdict, score, quality, qualitySE: content.qualitySE };
}

/** Makes the members of a group of what they do; `contents` are the solutions that can be handed in. */
export function membersOf(
  deeds: readonly Deed[],
  start: Outcome,
  task: TaskPlan,
  contents: readonly Content[],
): Member[] {
  return deeds.map((deed, index) => {
    const place =
      deed.does === "keep" && start.snapshot !== null
        ? placeOf(start.snapshot)
        : "content" in deed
          ? deed.content % contents.length
          : null;
    if (place === null) {
      const unreadable = { ...bareRequest, verdict: "invalid", quality: 0 } as const;
      return { reply: replyOf(index, unreadable, "none"), embedding: null };
    }
    const embedding = contents[place]?.embedding ?? null;
    if (snapshotOf(place) === start.snapshot) return { reply: replyOf(index, start, "unchanged"), embedding };
    const outcome = outcomeOf(contents, place, task);
    if (deed.does === "revise") return { reply: replyOf(index, outcome, "file"), embedding };
    const verdict = deed.does as Verdict;
    const without = { ...outcome, verdict, score: null, quality: null, qualitySE: null };
    return { reply: replyOf(index, without, "file"), embedding };
  });
}

function replyOf(index: number, outcome: Outcome, kind: "file" | "none" | "unchanged"): Reply {
  return {
    ...{
      index,
      seed: index,
      text: "",
      tokens: null,
      logprobs: null,
      finish: "stop",
      constrained: null,
      ms: 0,
    },
    ...{ answer: null, edit: { kind, repairs: [], problem: null, paths: [] } },
    ...outcome,
    ...{ feedback: null, node: null, reward: null, advantage: null, diversity: null, distance: null },
  };
}

export function rootNode(id: string, task: string, outcome: Outcome): Node {
  const blank = { parent: null, depth: 0, goal: null, group: null, policy: null, heldOut: false } as const;
  return { id, task, ...blank, ...outcome, feedback: null, evaluator };
}

/** All scores are of one evaluator. */
export const evaluator = "e";

export const sha256: Sha256 = (data) => createHash("sha256").update(data).digest("hex");

export const policyOf = (version: number): string => `model@weights.template#v${version}`;

/** Closes a group; `answer` is what was worked out of it, in the oracle's words. */
export function close(
  opening: GroupOpening,
  members: readonly Member[],
  { bonus, paper, closedSeq }: { bonus: boolean; paper: boolean; closedSeq: number },
  past: Past,
): { closed: ClosedGroup; nodes: GroupClosing["nodes"]; answer: object } {
  const replies = members.map(({ reply }) => reply);
  const embeddings = members.map(({ reply, embedding }) =>
    reply.snapshot === null || reply.quality === null ? null : embedding,
  );
  const { closed, closing } = closeGroup(
    {
      ...{ opening, replies, closedSeq, paper },
      state: members.length < 2 ? "infra" : "closed",
      distances: bonus ? centroidDistances(embeddings) : null,
      embedding: null,
    },
    past,
    sha256,
  );
  const answer = {
    q: replies.map((reply) => reply.quality),
    S: closing.learnability,
    r: closing.replies.map((reply) => reply.reward),
    d: closing.replies.map((reply) => reply.diversity ?? 1),
    A: closing.replies.map((reply) => reply.advantage),
    informative: closing.informative,
    relative: opening.reward.rule === "relative",
  };
  return { closed, nodes: closing.nodes, answer };
}

/** The task as the oracle reads it. */
export function taskForOracle(name: string, { format, reward, range }: TaskPlan): object {
  return { name, format, split: "train", reward, ...range };
}

/** The members as the oracle reads them. */
export function membersForOracle(members: readonly Member[]): object[] {
  return members.map(({ reply: { snapshot, verdict, score }, embedding }) => ({
    ...{ snapshot, verdict, score, embedding },
  }));
}

/** A start as the oracle reads it. */
export function startForOracle({ snapshot, verdict, score }: Outcome): object {
  return { snapshot, verdict, score };
}
