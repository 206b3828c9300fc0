/**
 * Replay: recomputes every decision of a run from its records alone and compares (EXIT.md section 2,
 * "Determinism"). What a group was worth is computed from its recorded outcomes, what a decision could see from what
 * was computed; so a record that was changed is named where it stands, and what it led to is not held against others.
 */
import { bufferChanges } from "./buffer.ts";
import { closeGroup } from "./closing.ts";
import { isExitError } from "./errors.ts";
import type { BufferChanges, BufferEntry, Group, GroupOpening, Node, Run } from "./history.ts";
import { decideNext, memberSeeds, rewardSetting } from "./opening.ts";
import { emptyPast, type Past } from "./past.ts";
import type { ClosedGroup, Sha256 } from "./ports.ts";
import { closingDraws, fold, followPast, type HistoryRecord, sightOf, stepsOf } from "./record.ts";
import type { Difference, ReplayReport } from "./reports.ts";
import { presetOf } from "./strategy.ts";

export interface ReplayInput {
  readonly run: Run;
  readonly record: HistoryRecord;
  /** The run's groups that are open, in the order of their iterations. */
  readonly open: readonly GroupOpening[];
  /** A closed group of the run with its replies. */
  readonly groupOf: (id: string) => Group;
  /** The buffer as it is stored. */
  readonly buffer: readonly BufferEntry[];
  readonly sha256: Sha256;
}

export function replayRun(input: ReplayInput): ReplayReport {
  const { run, record, sha256 } = input;
  const found = createFindings();
  const current = emptyPast();
  // The history as far as it is recomputed: the run's own groups give way to what their outcomes come to.
  const groups: ClosedGroup[] = [];
  const nodes: Node[] = record.nodes.filter((node) => node.group === null);
  const seen = { ...record, groups, nodes };
  const visible = followPast(record.runs);
  const decide = (opening: GroupOpening): void =>
    compareOpening(opening, run, visible(stepsOf(seen, sightOf(run, opening))), found);

  let own = 0;
  for (const step of stepsOf(record)) {
    if ("root" in step) {
      fold(current, record.runs, step);
      continue;
    }
    const { group } = step;
    if (group.run !== run.id) {
      fold(current, record.runs, step);
      groups.push(group);
      nodes.push(...step.nodes);
      continue;
    }
    own++;
    decide(group);
    const closed = compareClosing(group, step.nodes, input.groupOf(group.id), run, current, sha256, found);
    const before = current.buffer;
    const draws: Record<string, number> = {};
    fold(current, record.runs, closed, closingDraws(run, group.iteration, draws));
    compareBuffer(group, bufferChanges(before, current.buffer), draws, found);
    groups.push(closed.group);
    nodes.push(...closed.nodes);
  }
  for (const opening of input.open) decide(opening);
  const last = groups.at(-1)?.id ?? run.id;
  found.compare(last, "buffer as stored", input.buffer, current.buffer);
  return {
    run: run.id,
    groups: own + input.open.length,
    decisions: found.decisions(),
    differences: found.differences,
    notChecked: found.notChecked(),
  };
}

interface Findings {
  readonly differences: Difference[];
  decisions(): number;
  notChecked(): string[];
  compare(group: string, quantity: string, recorded: unknown, recomputed: unknown): void;
  /** Counts a group of which something was not recorded. */
  skip(what: string): void;
}

function createFindings(): Findings {
  const differences: Difference[] = [];
  const skipped = new Map<string, number>();
  let compared = 0;
  return {
    differences,
    decisions: () => compared,
    notChecked: () => [...skipped].map(([what, groups]) => `${what} (${groups} of the groups)`),
    compare(group, quantity, recorded, recomputed) {
      compared++;
      if (canonical(recorded) !== canonical(recomputed))
        differences.push({ group, quantity, recorded, recomputed });
    },
    skip: (what) => void skipped.set(what, (skipped.get(what) ?? 0) + 1),
  };
}

/** Equal texts for equal values, whatever the order of their fields. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

function compareOpening(opening: GroupOpening, run: Run, visible: Past, found: Findings): void {
  const { id, goal } = opening;
  found.compare(id, "seeds", opening.seeds, memberSeeds(run, opening.iteration, opening.attempt));
  if (opening.evaluator === null) {
    found.skip("The start, the goal and their draws: an older version did not record the evaluator in force");
    return;
  }
  const decision = decisionOf(opening, run, visible);
  const start = decision?.start ?? null;
  found.compare(id, "strategy", opening.strategy, decision?.strategy ?? null);
  found.compare(id, "start", opening.start, start?.id ?? null);
  found.compare(id, "fromBuffer", opening.fromBuffer, decision?.fromBuffer ?? null);
  found.compare(id, "goal", goal, decision?.goal ?? null);
  for (const name of new Set([...Object.keys(opening.draws), ...Object.keys(decision?.draws ?? {})]))
    found.compare(id, `draw ${name}`, opening.draws[name] ?? null, decision?.draws[name] ?? null);
  found.compare(id, "task", opening.task, start?.task ?? null);
  found.compare(id, "startQuality", opening.startQuality, start?.quality ?? null);
  found.compare(id, "startSnapshot", opening.startSnapshot, start?.snapshot ?? null);
  found.compare(id, "startSE", opening.startSE, start?.qualitySE ?? null);
  found.compare(id, "evaluator", opening.evaluator, start?.evaluator ?? null);
  if (decision === null) return;
  // Which of the two rules a task has by itself stands in its file; the rest follows.
  const rules = (["relative", "absolute"] as const).map((rule) =>
    rewardSetting(decision, rule, run.settings),
  );
  const rule = rules.find((setting) => setting.rule === opening.reward.rule) ?? rules[0];
  found.compare(id, "reward rule", opening.reward, rule);
}

function decisionOf(opening: GroupOpening, run: Run, visible: Past) {
  try {
    return decideNext(run, opening.iteration, visible, opening.policy);
  } catch (error) {
    if (isExitError(error, "no-start")) return null;
    throw error;
  }
}

/** Compares what was recorded when the group closed; returns what its outcomes come to. */
function compareClosing(
  group: ClosedGroup,
  recordedNodes: readonly Node[],
  { replies }: Group,
  run: Run,
  past: Past,
  sha256: Sha256,
  found: Findings,
): { readonly group: ClosedGroup; readonly nodes: readonly Node[] } {
  const { id } = group;
  if (!past.byId.has(group.start)) return { group, nodes: recordedNodes };
  const bonus = group.state === "closed" && presetOf(group.strategy, run.settings).bonus;
  const unmeasured = bonus && group.embedding === null;
  if (unmeasured) found.skip("The diversity factors: an older version did not record what they came from");
  const outdated = group.evaluator !== (past.roots.get(group.task)?.evaluator ?? null);
  found.compare(id, "state", group.state, replies.length < 2 || outdated ? "infra" : "closed");
  const { closing, closed } = closeGroup(
    {
      opening: group,
      replies,
      state: group.state,
      closedSeq: group.closedSeq,
      distances: bonus && !unmeasured ? replies.map((reply) => reply.distance) : null,
      embedding: group.embedding,
      paper: run.settings.paper,
    },
    past,
    sha256,
  );
  found.compare(id, "learnability S", group.learnability, closing.learnability);
  found.compare(id, "informative", group.informative, closing.informative);
  for (const [place, reply] of replies.entries()) {
    const computed = closing.replies[place];
    const of = (what: string): string => `${what} of reply ${reply.index}`;
    found.compare(id, of("node"), reply.node, computed?.node ?? null);
    found.compare(id, of("reward"), reply.reward, computed?.reward ?? null);
    const advantage = computed?.advantage ?? null;
    const given = unmeasured && advantage !== null ? advantage * (reply.diversity ?? 1) : advantage;
    found.compare(id, of("advantage"), reply.advantage, given);
    if (!unmeasured) found.compare(id, of("diversity"), reply.diversity, computed?.diversity ?? null);
  }
  const byId = new Map(recordedNodes.map((node) => [node.id, node]));
  const made = new Map(closing.nodes.map((node) => [node.id, node]));
  for (const name of new Set([...byId.keys(), ...made.keys()]))
    found.compare(id, `node ${name}`, byId.get(name) ?? null, made.get(name) ?? null);
  return { group: closed, nodes: closing.nodes };
}

function compareBuffer(
  group: ClosedGroup,
  changes: BufferChanges,
  draws: Readonly<Record<string, number>>,
  found: Findings,
): void {
  for (const name of new Set([...Object.keys(group.closingDraws), ...Object.keys(draws)]))
    found.compare(group.id, `draw ${name}`, group.closingDraws[name] ?? null, draws[name] ?? null);
  if (group.bufferChanges === null) {
    found.skip("The buffer after each group: an older version recorded only the newest");
    return;
  }
  const { left, set } = group.bufferChanges;
  found.compare(group.id, "entries that left the buffer", left, changes.left);
  const recorded = new Map(set.map((entry) => [entry.node, entry]));
  const recomputed = new Map(changes.set.map((entry) => [entry.node, entry]));
  for (const node of new Set([...recorded.keys(), ...recomputed.keys()]))
    found.compare(group.id, `buffer entry ${node}`, recorded.get(node) ?? null, recomputed.get(node) ?? null);
}
