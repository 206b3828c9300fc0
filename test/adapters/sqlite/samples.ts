/** Complete records for tests: every field filled, nothing repeated by accident. */
import {
  type BufferEntry,
  type GroupOpening,
  type Node,
  nothingSpent,
  type Prompt,
  type Run,
  type SampledReply,
} from "../../../src/core/history.ts";
import type { Evidence, GroupClosing, Outcome, StoredScore } from "../../../src/core/ports.ts";
import { defaultSettings } from "../../../src/core/settings.ts";

export const run = (id = "r1"): Run => ({
  id,
  seed: 4294967291,
  tasks: ["digits", "größe"],
  strategy: "balanced",
  settings: { ...defaultSettings, capacity: 24 },
  budget: { iterations: 6, hours: null, tokens: null, target: 0.95 },
  startedAt: "2030-01-02T03:04:05.678Z",
  endedAt: null,
  endedBy: null,
  provenance: null,
  spent: nothingSpent,
});

export const root = (id = "n1", snapshot: string | null = "tree-root"): Node => ({
  id,
  task: "digits",
  parent: null,
  depth: 0,
  goal: null,
  verdict: null,
  score: null,
  quality: null,
  qualitySE: null,
  snapshot,
  group: null,
  policy: null,
  heldOut: false,
  feedback: null,
  evaluator: "e1",
});

export const child = (id: string, group: string, parent = "n1"): Node => ({
  ...root(id, `tree-${id}`),
  parent,
  depth: 1,
  goal: "improve",
  verdict: "scored",
  score: 0.1 + 0.2,
  quality: 1 / 3,
  qualitySE: 1e-17,
  group,
  policy: "base",
  heldOut: true,
  feedback: "one line\nand another: ü",
});

export const opening = (iteration: number, runId = "r1", attempt = 0): GroupOpening => ({
  id: `${runId}i${iteration}${attempt === 0 ? "" : "b"}`,
  run: runId,
  iteration,
  attempt,
  task: "digits",
  start: "n1",
  fromBuffer: iteration > 0,
  goal: "improve",
  strategy: "greedy",
  policy: "base",
  startQuality: 0.25,
  startSnapshot: "tree-root",
  startSE: null,
  reward: { rule: "relative", lambda: 0.1 },
  draws: { start: 0.123456789012345, goal: 0 },
  seeds: [1, 2147483647, 4294967295],
  basis: 0,
  roots: 1,
  evaluator: "e1",
});

export const prompt: Prompt = {
  messages: [
    { role: "system", content: "Improve it." },
    { role: "user", content: "x = 1\r\n" },
  ],
  rendered: "<|im_start|>system\nImprove it.<|im_end|>\u0000\n",
};

export const sampling = { maxTokens: 1024, schema: { type: "object" } };

export const reply = (index: number): SampledReply => ({
  index,
  seed: 1000 + index,
  text: `answer ${index}: 数\u0000"quoted"\r\n`,
  tokens: [
    { id: 17, text: "answer" },
    { id: null, text: " \ud83d" },
  ],
  logprobs: [-0.1 - 0.2, Number.NEGATIVE_INFINITY],
  finish: "stop",
  constrained: index === 0 ? "sha256:abc" : null,
  ms: 12.5,
});

const evidence: Evidence = {
  exitCode: 0,
  killedFor: null,
  oomKilled: false,
  stdout: "val_acc=0.9\n",
  stderr: "",
  ms: 812.25,
  note: "It ended by itself.",
};

export const outcome = (index: number): Outcome => ({
  answer: `x = ${index}\n`,
  edit: { kind: "json", repairs: ["fence"], problem: null, paths: ["solution/config.json"] },
  snapshot: `tree-n${index + 2}`,
  verdict: "scored",
  score: 0.9,
  quality: 0.9,
  qualitySE: 0.01,
  feedback: null,
  evidence: { run: evidence, score: { ...evidence, exitCode: null, killedFor: "deadline", oomKilled: true } },
});

export const unread: Outcome = {
  answer: null,
  edit: { kind: "none", repairs: [], problem: "It is empty.", paths: [] },
  snapshot: null,
  verdict: "invalid",
  score: null,
  quality: 0,
  qualitySE: null,
  feedback: "It is empty.",
  evidence: null,
};

export const entry = (node: string, S: number): BufferEntry => ({
  task: "digits",
  node,
  snapshot: `tree-${node}`,
  failed: node === "n1",
  S,
  policy: "base",
  timesDrawn: 2,
  dullGroups: 1,
  insertedAt: 1,
});

export const closing = (iteration: number, closedSeq: number, nodes: readonly Node[]): GroupClosing => ({
  group: opening(iteration).id,
  state: "closed",
  closedSeq,
  learnability: 0.02,
  informative: true,
  draws: { insert: 0.75 },
  nodes,
  replies: [
    { index: 0, node: nodes[0]?.id ?? null, reward: 0.5, advantage: 1.25, diversity: 0.5, distance: 1 / 3 },
    { index: 1, node: null, reward: null, advantage: null, diversity: null, distance: null },
  ],
  embedding: { model: "minilm", digest: "d1" },
  buffer: [entry(nodes[0]?.id ?? "n1", 0.02), entry("n1", 1 / 7)],
  bufferChanges: { left: ["n7"], set: [entry("n1", 1 / 7)] },
  spent: { iterations: iteration + 1, ms: 1234.5, tokens: 99, modelMs: 1001, sandboxMs: 567.25 },
});

export const score = (key: string): StoredScore => ({
  key,
  selfTest: "t1",
  verdict: "scored",
  score: 0.9,
  quality: 0.9,
  qualitySE: null,
  metrics: { accuracy: 0.9, loss: -0.25 },
  feedback: null,
  evidence: { run: evidence, score: null },
  ms: 900.5,
});
