/** Nodes, tuned models and gates as the runner sends them. */
import {
  defaultTraining,
  type Gate,
  type ListedNode,
  type TrainingStatus,
  type TunedModel,
} from "../../../src/protocol/results.ts";

export function node(id: string, parent: string | null, change: Partial<ListedNode> = {}): ListedNode {
  return {
    id,
    task: "digits",
    parent,
    depth: parent === null ? 0 : 1,
    goal: parent === null ? null : "improve",
    verdict: "scored",
    score: 0.5,
    quality: 0.5,
    qualitySE: null,
    snapshot: `snapshot of ${id}`,
    group: parent === null ? null : "g1",
    policy: parent === null ? null : "m@1.2#v0",
    heldOut: false,
    feedback: null,
    iteration: parent === null ? null : 0,
    best: false,
    comparable: true,
    evaluator: "e1",
    ...change,
  };
}

export function tuned(id: string, change: Partial<TunedModel> = {}): TunedModel {
  return {
    id,
    base: {
      runtime: "ollama",
      model: "smollm2:135m",
      file: null,
      endpoint: "http://127.0.0.1:11434",
      line: "smollm2:135m@1a2b",
      digest: "1a2b",
      templateDigest: "3c4d",
      license: null,
    },
    parent: null,
    createdAt: "2026-11-20T10:00:00.000Z",
    made: "verified",
    failed: null,
    interruption: null,
    data: { groups: 6, seen: 9, tasks: ["apples"], policies: ["smollm2:135m@1a2b#v0"], sha256: "5e6f" },
    settings: defaultTraining,
    training: { updates: 2, ended: "groups", mismatch: 0.004, ms: 65_000 },
    merge: { bytes: 144_000_000, recovered: 0.98, noise: 0.01, types: { Q8_0: 210 } },
    served: { model: "exit-ml/m1", digest: "7a8b", adapter: null },
    fingerprint: { effect: 0.02, file: 0.0004, served: 0.001, servedFromBase: 0.02, proven: true },
    kept: true,
    ...change,
  };
}

export function gate(id: string, model: string, change: Partial<Gate> = {}): Gate {
  return {
    id,
    model,
    against: null,
    at: "2026-11-20T11:00:00.000Z",
    decision: "promote",
    reason: "It is better than the model in force.",
    overCurrent: { mean: 0.041, low: 0.012, high: 0.07 },
    overBase: { mean: 0.041, low: 0.012, high: 0.07 },
    sameTask: false,
    evaluation: null,
    ...change,
  };
}

export function training(change: Partial<TrainingStatus> = {}): TrainingStatus {
  return { models: [], gates: [], promotions: [], bootstraps: [], inForce: [], job: null, ...change };
}
