/** The store's port in memory: the same rules, no durability. For tests of the engine alone. */
import type { SelfTest } from "../../src/core/guarantees.ts";
import type { Group, Node, Reply, Run } from "../../src/core/history.ts";
import type {
  ClosedGroup,
  Evidence,
  GroupClosing,
  Outcome,
  SampleOptions,
  Store,
  StoredScore,
} from "../../src/core/ports.ts";
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
  const selfTests = new Map<string, SelfTest>();
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
    addRoot: (node) => void nodes.push(node),
    setRootScore: (id, score) => {
      const place = nodes.findIndex((node) => node.id === id);
      const node = nodes[place];
      if (node) nodes[place] = { ...node, ...score };
    },
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
    journal: createMemoryJournal(),
    close: () => undefined,
  };
}
