/** A small run as data: a root, a group of four, and what is known before and after. */
import { nothingSpent } from "../../../src/core/history.ts";
import type { RunEvent } from "../../../src/protocol/events.ts";
import type { ListedNode, Run, Status } from "../../../src/protocol/results.ts";

export function node(id: string, change: Partial<ListedNode> = {}): ListedNode {
  return {
    id,
    task: "digits",
    parent: null,
    depth: 0,
    goal: null,
    verdict: "scored",
    score: 0.9,
    quality: change.score ?? 0.9,
    qualitySE: null,
    snapshot: `snapshot-${id}`,
    group: null,
    policy: null,
    heldOut: false,
    feedback: null,
    evaluator: "e1",
    iteration: null,
    best: false,
    comparable: true,
    ...change,
  };
}

export const root = node("n1");

export const run: Run = {
  id: "r1",
  seed: 7,
  tasks: ["digits"],
  strategy: "exit",
  settings: {
    groupSize: 4,
    capacity: null,
    minBuffer: 3,
    kappa: 5,
    p: null,
    pDiv: null,
    lambda: 0.1,
    insert: "one",
    maxPolicyAge: 1,
    pipelineDepth: 1,
    maxReplyTokens: 1024,
    embeddingModel: null,
    paper: false,
  },
  budget: { iterations: 3, hours: null, tokens: null, target: null },
  startedAt: "2026-01-01T00:00:00.000Z",
  endedAt: null,
  endedBy: null,
  provenance: null,
  spent: nothingSpent,
};

export const best = node("n4", { parent: "n1", depth: 1, goal: "improve", score: 0.95, best: true });

export const status: Status = {
  workspace: "/home/me/work",
  activeRun: null,
  runs: [run],
  tasks: [
    {
      name: "digits",
      file: "exit.task.json",
      nodes: 3,
      root,
      best,
      selfReported: false,
      metric: { name: "accuracy", direction: "maximize" },
    },
  ],
  problems: [],
  applied: null,
};

const scored = (
  index: number,
  outcome: Partial<Extract<RunEvent, { type: "replyScored" }>["outcome"]>,
): RunEvent[] => [
  { type: "replySampled", group: "g1", reply: { index, finish: "stop", ms: 900, tokens: 300 } },
  {
    type: "replyScored",
    group: "g1",
    index,
    outcome: { verdict: "scored", score: null, quality: null, snapshot: null, feedback: null, ...outcome },
  },
];

export const started: RunEvent = {
  type: "runStarted",
  run,
  continued: false,
  policy: {
    runtime: "embedded",
    model: "SmolLM2-135M-Instruct",
    digest: "d",
    templateDigest: "t",
    quantisation: "Q4_1",
    contextLength: 4096,
    parallel: 8,
    gpuShare: 0,
    license: null,
    warnings: ["The model runs on the CPU."],
  },
  sandbox: {
    engine: "/var/run/docker.sock",
    version: "27.1",
    boundary: "runc",
    image: "exit-ml/python:local",
    imageDigest: "sha256:1",
    warnings: [],
  },
};

export const opened: RunEvent = {
  type: "groupOpened",
  opening: {
    id: "g1",
    run: "r1",
    iteration: 0,
    attempt: 0,
    task: "digits",
    start: "n1",
    fromBuffer: false,
    goal: "improve",
    strategy: "exit",
    policy: "p1",
    startQuality: 0.9,
    startSnapshot: "snapshot-n1",
    startSE: null,
    reward: { rule: "relative", lambda: 0.1 },
    draws: {},
    seeds: [1, 2, 3, 4],
    basis: 0,
    roots: 1,
    evaluator: "e1",
  },
  promptTokens: 812,
};

export const replies: RunEvent[] = [
  ...scored(0, { score: 0.9, quality: 0.9, snapshot: "snapshot-n1" }),
  ...scored(1, { score: 0.95, quality: 0.95, snapshot: "snapshot-n4" }),
  ...scored(2, {
    verdict: "crash",
    quality: 0,
    feedback: "Traceback (most recent call last):\n  File x\n\u001b[2JValueError: no such solver\n",
  }),
  ...scored(3, { score: 0.91, quality: 0.91, snapshot: "snapshot-n5" }),
];

export const closed: RunEvent = {
  type: "groupClosed",
  group: "g1",
  iteration: 0,
  closing: { state: "closed", learnability: 0.0125, informative: true, nodes: [best] },
  best,
  spent: { iterations: 1, ms: 65_000, tokens: 1_200, modelMs: 52_000, sandboxMs: 39_000 },
};

export function ended(reason: Extract<RunEvent, { type: "runEnded" }>["reason"]): RunEvent {
  const error =
    reason === "error" ? { reason: "docker-unreachable", message: "Docker does not answer." } : null;
  return {
    type: "runEnded",
    run: { ...run, spent: { iterations: 1, ms: 65_000, tokens: 1_200, modelMs: 52_000, sandboxMs: 39_000 } },
    reason,
    error,
  };
}
