/** A fake of the use cases: no Docker, no model, no history; what it is asked for is written down. */
import type { App, PromoteRequest, RunRequest, TuningRequest } from "../../../src/app/app.ts";
import { ExitError } from "../../../src/core/errors.ts";
import { type Group, type Node, nothingSpent, type Run } from "../../../src/core/history.ts";
import type { RunEvent } from "../../../src/core/reports.ts";
import { defaultSettings } from "../../../src/core/settings.ts";

export const fakeRoot: Node = {
  id: "n1",
  task: "digits",
  parent: null,
  depth: 0,
  goal: null,
  verdict: "scored",
  score: 0.5,
  quality: 0.5,
  qualitySE: null,
  snapshot: "s1",
  group: null,
  policy: null,
  heldOut: false,
  feedback: null,
  evaluator: "e1",
};

export function fakeRun(request: Pick<RunRequest, "strategy" | "budget">): Run {
  return {
    id: "r1",
    seed: 7,
    tasks: ["digits"],
    strategy: request.strategy,
    settings: defaultSettings,
    budget: request.budget,
    startedAt: "2026-01-01T00:00:00.000Z",
    endedAt: null,
    endedBy: null,
    provenance: null,
    spent: nothingSpent,
  };
}

export class FakeApp implements App {
  readonly requests: unknown[] = [];
  readonly problems: string[] = [];
  /** Calls that wait for their signal, by name. */
  readonly waiting = new Map<string, AbortSignal>();
  closed = false;
  onWaiting: () => void = () => undefined;
  readonly #folder: string;
  readonly #listeners = new Set<(event: RunEvent) => void>();
  #run: Run | null = null;

  constructor(folder: string) {
    this.#folder = folder;
  }

  tell(event: RunEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  async installRuntime(folder: string | null) {
    return { folder: folder ?? "/cache/embedded", version: "1.0.0" };
  }

  async doctor() {
    return { parts: [{ part: "engine" as const, ok: true, message: "fake" }] };
  }

  async solution(node: string) {
    return { node, files: [{ path: "solution/train.py", base64: "cHJpbnQoMSkK" }] };
  }

  init(request: Parameters<App["init"]>[0]) {
    this.requests.push(request);
    return Promise.resolve({ file: request.file ?? "exit.task.json" });
  }

  async confirm() {
    return { confirmations: [], nothingBetter: [] };
  }

  check(_task: string | null, signal: AbortSignal) {
    return this.#wait("check", signal);
  }

  score(_request: unknown, signal: AbortSignal) {
    return this.#wait("score", signal);
  }

  evaluate(_request: unknown, signal: AbortSignal) {
    return this.#wait("evaluate", signal);
  }

  buildImage(_task: string | null, signal: AbortSignal) {
    return this.#wait("buildImage", signal);
  }

  startRun(request: RunRequest) {
    this.requests.push(request);
    if (this.#run !== null) throw new ExitError("run-active", "A run is at work already.");
    this.#run = fakeRun(request);
    return Promise.resolve({ run: this.#run, continued: false });
  }

  stopRun() {
    const run = this.#run;
    this.#run = null;
    if (run !== null) this.tell({ type: "runEnded", run, reason: "stopped", error: null });
    return Promise.resolve({ stopped: run !== null });
  }

  status() {
    return Promise.resolve({
      workspace: this.#folder,
      activeRun: this.#run,
      runs: [],
      tasks: [],
      problems: this.problems,
      applied: null,
    });
  }

  tree() {
    return Promise.resolve({ nodes: [{ ...fakeRoot, iteration: null, best: true, comparable: true }] });
  }

  show(node: string): Promise<never> {
    throw new ExitError("node-unknown", `There is no node ${node}.`);
  }

  showGroup(): Promise<Group> {
    throw new TypeError("a bug");
  }

  diff(node: string, against: string | null) {
    return Promise.resolve({ from: against ?? "n1", to: node, diff: "" });
  }

  apply(node: string) {
    this.requests.push({ apply: node });
    return Promise.resolve({ node, paths: [], merged: false });
  }

  revert() {
    return Promise.resolve({ node: "n1", paths: [] });
  }

  export(request: { out: string }) {
    const nothing = { seen: 0, kept: 0, dropped: {} };
    return Promise.resolve({
      ...{ folder: request.out, format: "native" as const, ...nothing, examples: 0, replies: nothing },
      ...{ tasks: [], policies: [] },
    });
  }

  training() {
    return Promise.resolve({
      ...{ models: [], gates: [], promotions: [], bootstraps: [], inForce: [] },
      job: null,
    });
  }

  estimateTraining(): Promise<never> {
    throw new ExitError("nothing-to-export", "Nothing was searched yet.");
  }

  startTuning(request: TuningRequest) {
    this.requests.push(request);
    return Promise.resolve({ job: request.job });
  }

  promote({ model }: PromoteRequest) {
    return Promise.resolve({ line: "m@1.2", base: "m", version: 1, model });
  }

  rollback(): Promise<never> {
    throw new ExitError("nothing-to-roll-back", "No tuned model is in force.");
  }

  replay(run: string) {
    return Promise.resolve({ run, groups: 1, decisions: 9, differences: [], notChecked: [] });
  }

  clean(request: { dryRun: boolean; exports: boolean }) {
    this.requests.push({ clean: request });
    return Promise.resolve({ dryRun: request.dryRun, freed: [], notes: [] });
  }

  models() {
    return Promise.resolve({ models: [], problems: ["No Ollama answers."] });
  }

  allowEndpoint(endpoint: string | null) {
    this.requests.push({ allowEndpoint: endpoint });
    return Promise.resolve({});
  }

  busy(): boolean {
    return this.#run !== null;
  }

  subscribe(listener: (event: RunEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    await this.stopRun();
    this.closed = true;
  }

  #wait(name: string, signal: AbortSignal): Promise<never> {
    this.waiting.set(name, signal);
    this.onWaiting();
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    });
  }
}
