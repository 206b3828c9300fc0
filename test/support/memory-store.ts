/** The store's port in memory: the same rules, no durability. For tests of the engine alone. */
import type { Confirmation } from "../../src/core/confirmation.ts";
import type { EvaluationStep, StepPlace } from "../../src/core/evaluate/cell.ts";
import type { SelfTest } from "../../src/core/guarantees.ts";
import type { Group, Node, Reply, RootInForce, Run } from "../../src/core/history.ts";
import type {
  ClosedGroup,
  EvaluationRecords,
  Evidence,
  GroupClosing,
  Outcome,
  SampleOptions,
  Store,
  StoredScore,
} from "../../src/core/ports.ts";
import type { TuningRecords } from "../../src/core/tuning/ports.ts";
import { createMemoryJournal } from "./memory-journal.ts";

interface Held {
  group: Group;
  sampling: SampleOptions;
  closing: GroupClosing | null;
  evidence: Map<number, Outcome["evidence"]>;
}

export function createMemoryStore(): Store & { readonly log: string[] } {
  const runs = new Map<string, Run>();
  const nodes: Node[] = [];
  const groups = new Map<string, Held>();
  const scores = new Map<string, StoredScore>();
  const passed = new Set<string>();
  const confirmations = new Map<string, Confirmation>();
  const selfTests = new Map<string, SelfTest>();
  const roots: RootInForce[] = [];
  const log: string[] = [];
  let buffer: GroupClosing["buffer"] = [];
  let applied: ReturnType<Store["applied"]> = null;

  const held = (id: string): Held => {
    const found = groups.get(id);
    if (found === undefined) throw new Error(`no group ${id}`);
    return found;
  };
  const change = (id: string, index: number, update: Partial<Reply>): void => {
    const entry = held(id);
    const replies = entry.group.replies.map((reply) =>
      reply.index === index ? { ...reply, ...update } : reply,
    );
    entry.group = { ...entry.group, replies };
  };

  return {
    log,
    openRun: (run) => void runs.set(run.id, run),
    runs: () => [...runs.values()],
    updateRun: (id, update) => {
      const run = runs.get(id);
      if (run) runs.set(id, { ...run, ...update });
    },
    addRoot: (node) => {
      if (!nodes.some(({ id }) => id === node.id)) nodes.push(node);
      const before = roots.findLast(({ task }) => task === node.task)?.node;
      if (before === node.id) return;
      const after = Math.max(0, ...[...groups.values()].map(({ closing }) => closing?.closedSeq ?? 0));
      roots.push({ seq: roots.length + 1, task: node.task, node: node.id, after });
      const evaluator = nodes.find(({ id }) => id === before)?.evaluator;
      if (before !== undefined && evaluator !== node.evaluator)
        buffer = buffer.filter(({ task }) => task !== node.task);
    },
    rootsInForce: () => [...roots],
    nodes: () => [...nodes],
    openGroup: (opening, prompt, sampling) => {
      log.push(`open ${opening.id}`);
      const blank = {
        state: "open",
        closedSeq: null,
        learnability: null,
        informative: null,
        replies: [],
      } as const;
      groups.set(opening.id, {
        group: { ...opening, prompt, ...blank },
        sampling,
        closing: null,
        evidence: new Map(),
      });
    },
    addReply: (id, sampled) => {
      log.push(`reply ${id} ${sampled.index}`);
      const entry = held(id);
      const blank = {
        ...{ answer: null, edit: null, snapshot: null, verdict: null, score: null, quality: null },
        ...{ qualitySE: null, feedback: null, node: null, reward: null, advantage: null, diversity: null },
        distance: null,
      };
      const replies = [...entry.group.replies, { ...sampled, ...blank }];
      entry.group = { ...entry.group, replies: replies.sort((a, b) => a.index - b.index) };
    },
    addOutcome: (id, index, { evidence, ...outcome }) => {
      log.push(`outcome ${id} ${index}`);
      change(id, index, outcome);
      held(id).evidence.set(index, evidence);
    },
    closeGroup: (closing) => {
      log.push(`close ${closing.group}`);
      const entry = held(closing.group);
      entry.closing = closing;
      for (const { index, ...update } of closing.replies) change(closing.group, index, update);
      const { state, closedSeq, learnability, informative } = closing;
      entry.group = { ...entry.group, state, closedSeq, learnability, informative };
      nodes.push(...closing.nodes);
      buffer = closing.buffer;
      const run = runs.get(entry.group.run);
      if (run) runs.set(run.id, { ...run, spent: closing.spent });
    },
    closedGroups: () =>
      [...groups.values()]
        .flatMap(({ group, closing }): ClosedGroup[] => {
          if (closing === null) return [];
          const { replies, prompt: _, state, closedSeq, learnability, informative, ...opening } = group;
          const { draws } = closing;
          const children = replies.map(({ index, node, quality }) => ({ index, node, quality }));
          return [
            {
              ...opening,
              state: closing.state,
              closedSeq: closing.closedSeq,
              learnability: closing.learnability,
              informative: closing.informative,
              children,
              closingDraws: draws,
              embedding: closing.embedding,
              bufferChanges: closing.bufferChanges,
            },
          ];
        })
        .sort((a, b) => a.closedSeq - b.closedSeq),
    openGroups: (run) =>
      [...groups.values()]
        .filter(({ group, closing }) => closing === null && group.run === run)
        .map(({ group, sampling }) => ({ group, sampling })),
    group: (id) => groups.get(id)?.group ?? null,
    groupIds: () => [...groups.keys()],
    evidence: (id, index): { run: Evidence | null; score: Evidence | null } | null =>
      groups.get(id)?.evidence.get(index) ?? null,
    buffer: () => buffer,
    score: (key) => scores.get(key) ?? null,
    putScore: (score) => void scores.set(score.key, score),
    applied: () => applied,
    setApplied: (value) => {
      applied = value;
    },
    auditPassed: (task, digest) => passed.has(`${task} ${digest}`),
    setAuditPassed: (task, digest) => void passed.add(`${task} ${digest}`),
    selfTest: (key) => selfTests.get(key) ?? null,
    putSelfTest: (key, selfTest) => void selfTests.set(key, selfTest),
    confirmation: (task) => confirmations.get(task) ?? null,
    putConfirmation: (confirmation) => void confirmations.set(confirmation.task, confirmation),
    journal: createMemoryJournal(),
    evaluations: memoryEvaluations(),
    tuning: memoryTuning(),
    close: () => undefined,
  };
}

/** Evaluations in memory, by the same rules: what is there stays as it is. */
function memoryEvaluations(): EvaluationRecords {
  const cells = new Map<string, Map<string, EvaluationStep>>();
  const cell = (id: string): Map<string, EvaluationStep> => {
    const found = cells.get(id);
    if (found === undefined) throw new Error(`no cell ${id}`);
    return found;
  };
  const keyOf = ({ chain, k, attempt }: StepPlace): string => `${chain} ${k} ${attempt}`;
  return {
    openCell: ({ id }) => {
      if (!cells.has(id)) cells.set(id, new Map());
    },
    steps: (id) =>
      [...cell(id).values()].sort((a, b) => a.chain - b.chain || a.k - b.k || a.attempt - b.attempt),
    addReply: (id, step) => {
      if (!cell(id).has(keyOf(step))) cell(id).set(keyOf(step), { ...step, outcome: null });
    },
    addOutcome: (id, place, outcome) => {
      const step = cell(id).get(keyOf(place));
      if (step?.outcome === null) cell(id).set(keyOf(place), { ...step, outcome });
    },
    snapshots: () => [],
  };
}

function memoryTuning(): TuningRecords {
  const models = new Map<string, ReturnType<TuningRecords["models"]>[number]>();
  const gates = new Map<string, ReturnType<TuningRecords["gates"]>[number]>();
  const bootstraps = new Map<string, ReturnType<TuningRecords["bootstraps"]>[number]>();
  const promotions: ReturnType<TuningRecords["promotions"]>[number][] = [];
  return {
    models: () => [...models.values()],
    putModel: (model) => void models.set(model.id, model),
    gates: () => [...gates.values()],
    putGate: (gate) => void gates.set(gate.id, gate),
    promotions: () => [...promotions],
    addPromotion: (promotion) => void promotions.push(promotion),
    bootstraps: () => [...bootstraps.values()],
    putBootstrap: (bootstrap) => void bootstraps.set(bootstrap.id, bootstrap),
  };
}
