/**
 * One iteration in motion: sample the members that are missing, make an edit, a snapshot and a score of each as
 * it arrives (EXIT.md sections 2.3 to 2.5). Every finished step is stored before the next is taken.
 */
import type { BusyMeters } from "./busy.ts";
import { EvaluatorBroken } from "./evaluator-broken.ts";
import type { Group, GroupOpening, Node, Reply, SampledReply } from "./history.ts";
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
  /** Another evaluator than the group's is in force: what its members were worth cannot be told. */
  readonly outdated: boolean;
}

/** A group whose evaluator is no longer in force: it keeps what it has, and nothing is added to it. */
export function landOutdated(group: Group): Flight {
  const scored = Promise.resolve(group.replies);
  return { opening: group, sampled: Promise.resolve(0), scored, outdated: true };
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
    distance: null,
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
  const finish = async (sampled: SampledReply): Promise<void> => {
    const { outcome, broken } = await outcomeOf(sampled, group, start, await solution, task, ports, signal);
    store.addOutcome(group.id, sampled.index, outcome);
    members.set(sampled.index, { ...unscored(sampled), ...withoutEvidence(outcome) });
    observer.replyScored?.(group.id, sampled.index, outcome);
    if (broken !== null) throw broken;
  };
  const begin = (sampled: SampledReply): void => {
    const scoring = finish(sampled);
    // Failures surface in `scored`; until someone waits there they must not count as unhandled.
    scoring.catch(() => undefined);
    scorings.push(scoring);
  };

  for (const reply of group.replies) {
    // Not judged yet, or not by an evaluator that worked.
    if (reply.verdict === null || reply.verdict === "eval_error") begin(reply);
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
  return { opening: group, sampled, scored, outdated: false };
}

function withoutEvidence(outcome: Outcome): Omit<Outcome, "evidence"> {
  const { evidence: _, ...rest } = outcome;
  return rest;
}

/**
 * reply -> edit -> snapshot -> verdict. A reply without an edit never reaches the sandbox. `broken`: the evaluator
 * failed, so the run has to pause once the outcome is stored.
 */
async function outcomeOf(
  sampled: SampledReply,
  group: GroupOpening,
  start: Node,
  startSolution: Solution,
  task: ResolvedTask,
  ports: IterationPorts,
  signal: AbortSignal,
): Promise<{ readonly outcome: Outcome; readonly broken: EvaluatorBroken | null }> {
  const read = readReply(sampled.text, {
    task,
    start: startSolution,
    finish: sampled.finish,
    goal: group.goal,
  });
  const { answer, edit } = read;
  if (read.solution === null) {
    const outcome: Outcome = {
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
    return { outcome, broken: null };
  }
  if (edit.kind === "unchanged") {
    const { snapshot, score, quality, qualitySE, feedback } = start;
    const verdict = start.verdict ?? "invalid";
    const same = { snapshot, verdict, score, quality, qualitySE, feedback };
    return { outcome: { answer, edit, ...same, evidence: null }, broken: null };
  }
  const solution = read.solution;
  const snapshot = await ports.snapshots.save(solution, start.snapshot);
  signal.throwIfAborted();
  const key = `${group.id}-${sampled.index}`;
  const request = { key, run: group.run, task, snapshot, solution, isRoot: false };
  let broken: EvaluatorBroken | null = null;
  const result = await ports.busy.sandbox
    .during(() => ports.scorer.score(request, signal))
    .catch((error: unknown) => {
      if (!(error instanceof EvaluatorBroken)) throw error;
      broken = error;
      return error.result;
    });
  const { verdict, score, quality, qualitySE, feedback, evidence } = result;
  const outcome = { answer, edit, snapshot, verdict, score, quality, qualitySE, feedback, evidence };
  return { outcome, broken };
}
