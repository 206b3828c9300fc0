/**
 * One iteration in motion: sample the members that are missing, make an edit, a snapshot and a score of each as
 * it arrives (EXIT.md sections 2.3 to 2.5). Every finished step is stored before the next is taken.
 */
import type { BusyMeters } from "./busy.ts";
import type { Goal, Group, GroupOpening, Node, Reply, SampledReply } from "./history.ts";
import type {
  Observer,
  Outcome,
  Policy,
  ResolvedTask,
  SampleOptions,
  Scorer,
  Snapshots,
  Solution,
  Store,
} from "./ports.ts";
import { readReply } from "./reply/read.ts";

export interface IterationPorts {
  readonly policy: Policy;
  readonly snapshots: Snapshots;
  readonly scorer: Scorer;
  readonly store: Store;
  readonly observer: Observer;
  readonly busy: BusyMeters;
}

/** The members of a group as they come in. */
export interface Flight {
  readonly opening: GroupOpening;
  /** Resolves to the number of members that came back, once none is being sampled any more. */
  readonly sampled: Promise<number>;
  /** Resolves to the members with their outcomes, by index, once all are scored. */
  readonly scored: Promise<readonly Reply[]>;
}

function unscored(sampled: SampledReply): Reply {
  return {
    ...sampled,
    answer: null,
    edit: null,
    snapshot: null,
    verdict: null,
    score: null,
    quality: null,
    qualitySE: null,
    feedback: null,
    node: null,
    reward: null,
    advantage: null,
    diversity: null,
  };
}

/**
 * Sets a group going: its stored replies and outcomes are kept, what is missing is made. `canSample` is false
 * when the policy that sampled the stored members is not the one at hand: a group has one policy.
 */
export function fly(
  group: Group,
  start: Node,
  sampling: SampleOptions,
  task: ResolvedTask,
  ports: IterationPorts,
  canSample: boolean,
  signal: AbortSignal,
): Flight {
  const { store, observer } = ports;
  const members = new Map<number, Reply>();
  const scorings: Promise<void>[] = [];
  const solution = start.snapshot === null ? Promise.resolve([]) : ports.snapshots.read(start.snapshot);
  solution.catch(() => undefined);
  const scorer: Scorer = {
    score: (request, until) => ports.busy.sandbox.during(() => ports.scorer.score(request, until)),
  };
  const finish = async (sampled: SampledReply): Promise<void> => {
    const revision = {
      key: `${group.id}-${sampled.index}`,
      run: group.run,
      goal: group.goal,
      start,
      solution: await solution,
      task,
    };
    const outcome = await outcomeOf(sampled, revision, { snapshots: ports.snapshots, scorer }, signal);
    store.addOutcome(group.id, sampled.index, outcome);
    members.set(sampled.index, { ...unscored(sampled), ...withoutEvidence(outcome) });
    observer.replyScored?.(group.id, sampled.index, outcome);
  };
  const begin = (sampled: SampledReply): void => {
    const scoring = finish(sampled);
    // Failures surface in `scored`; until someone waits there they must not count as unhandled.
    scoring.catch(() => undefined);
    scorings.push(scoring);
  };

  for (const reply of group.replies) {
    if (reply.verdict === null) begin(reply);
    else members.set(reply.index, reply);
  }
  const known = new Set(group.replies.map((reply) => reply.index));
  const missing = group.seeds
    .map((seed, index) => ({ index, seed }))
    .filter((member) => !known.has(member.index));

  const sampled = (async () => {
    let lost = 0;
    if (missing.length === 0 || !canSample) return group.replies.length;
    await ports.busy.model.during(async () => {
      for await (const reply of ports.policy.sample(group.prompt, missing, sampling, signal)) {
        if (reply.finish === "lost") {
          lost++;
          continue;
        }
        store.addReply(group.id, reply);
        observer.replySampled?.(group.id, reply);
        begin(reply);
      }
    });
    signal.throwIfAborted();
    if (lost > 0)
      observer.message?.(
        "warn",
        `${lost} of ${group.seeds.length} replies of ${group.id} were lost by the model.`,
      );
    return group.seeds.length - lost;
  })();
  sampled.catch(() => undefined);

  const scored = (async () => {
    // Even when sampling broke, the sandboxes under way are waited for: nothing goes on unseen.
    await sampled.catch(() => undefined);
    const broken = (await Promise.allSettled(scorings)).find((scoring) => scoring.status === "rejected");
    await sampled;
    if (broken !== undefined) throw broken.reason;
    return [...members.values()].sort((a, b) => a.index - b.index);
  })();
  scored.catch(() => undefined);
  return { opening: group, sampled, scored };
}

function withoutEvidence(outcome: Outcome): Omit<Outcome, "evidence"> {
  const { evidence: _, ...rest } = outcome;
  return rest;
}

/** What a reply revises. */
export interface Revision {
  /** Names the trial: unique among all trials of the workspace. */
  readonly key: string;
  /** Id of the run; null outside one. */
  readonly run: string | null;
  readonly goal: Goal;
  readonly start: Pick<Node, "snapshot" | "verdict" | "score" | "quality" | "qualitySE" | "feedback">;
  /** The start's. */
  readonly solution: Solution;
  readonly task: ResolvedTask;
}

/** reply -> edit -> snapshot -> verdict. A reply without an edit never reaches the sandbox. */
export async function outcomeOf(
  { text, finish }: Pick<SampledReply, "text" | "finish">,
  { key, run, goal, start, solution: before, task }: Revision,
  ports: Pick<IterationPorts, "snapshots" | "scorer">,
  signal: AbortSignal,
): Promise<Outcome> {
  const { answer, edit, solution } = readReply(text, { task, start: before, finish, goal });
  if (solution === null) {
    return {
      answer,
      edit,
      snapshot: null,
      verdict: "invalid",
      score: null,
      quality: 0,
      qualitySE: null,
      feedback: edit.problem,
      evidence: null,
    };
  }
  if (edit.kind === "unchanged") {
    const { snapshot, score, quality, qualitySE, feedback } = start;
    const verdict = start.verdict ?? "invalid";
    return { answer, edit, snapshot, verdict, score, quality, qualitySE, feedback, evidence: null };
  }
  const snapshot = await ports.snapshots.save(solution, start.snapshot);
  signal.throwIfAborted();
  const result = await ports.scorer.score({ key, run, task, snapshot, solution, isRoot: false }, signal);
  return {
    answer,
    edit,
    snapshot,
    verdict: result.verdict,
    score: result.score,
    quality: result.quality,
    qualitySE: result.qualitySE,
    feedback: result.feedback,
    evidence: result.evidence,
  };
}
