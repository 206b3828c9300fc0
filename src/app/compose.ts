/** Composition: the adapters behind the ports, the use cases around them. Nothing is decided here. */
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { performance } from "node:perf_hooks";
import { openSnapshots } from "../adapters/git/snapshots.ts";
import { openStore } from "../adapters/sqlite/store.ts";
import { watchPaths } from "../adapters/watch/watch.ts";
import { createWorkspace } from "../adapters/workspace/workspace.ts";
import { ExitError } from "../core/errors.ts";
import type { Clock, Sha256, Snapshots, Store, Workspace } from "../core/ports.ts";
import type { RunEvent } from "../core/reports.ts";
import type { App, ModelRequest } from "./app.ts";
import { applyNode, revertApplied } from "./apply.ts";
import { auditTask } from "./check.ts";
import { onlyTask } from "./choose-task.ts";
import { clean } from "./clean.ts";
import { confirmTasks } from "./confirm.ts";
import { allowEndpoint } from "./consent.ts";
import { examine } from "./doctor.ts";
import { installEmbeddedRuntime } from "./embedded-runtime.ts";
import { evaluatePolicies } from "./evaluate.ts";
import { exportGroups } from "./export.ts";
import { buildImage } from "./image.ts";
import { initTask } from "./init.ts";
import { lazySandbox } from "./lazy-sandbox.ts";
import { endpointOf, listAllModels } from "./models.ts";
import { createOccupancy } from "./occupancy.ts";
import { replay } from "./replay.ts";
import { startRun } from "./run.ts";
import { createRuns } from "./runs.ts";
import { scoreFiles } from "./score-files.ts";
import { tryAnew } from "./self-tests.ts";
import { freeBytes } from "./space.ts";
import { openStateFolders, type StateFolders } from "./state.ts";
import { statusOf } from "./status.ts";
import { findNode, listNodes, rootOf, snapshotOf } from "./tree.ts";
import { estimateTraining } from "./tuning/estimate.ts";
import { createTuningJobs } from "./tuning/job.ts";
import { openPolicyInForce } from "./tuning/policy-in-force.ts";
import { promote, rollback } from "./tuning/promote.ts";
import { openTrainer } from "./tuning/trainer.ts";
import { trainingStatus } from "./tuning/training-status.ts";
import { workOn } from "./tuning/work.ts";

const sha256: Sha256 = (data) => createHash("sha256").update(data).digest("hex");
const clock: Clock = { monotonic: () => performance.now(), now: () => new Date().toISOString() };

/**
 * Opens the workspace: takes its lock and keeps it until `close`.
 * @throws ExitError `workspace-missing`, `workspace-locked`, and what the store says about a broken file.
 */
export async function openApp(folder: string, options: { log(line: string): void }): Promise<App> {
  const folders = await openStateFolders(folder);
  const store = openStore(folders.history);
  if (dirname(folders.history) !== dirname(folders.snapshots))
    options.log(`the workspace is on a network file system, so its history is kept in ${folders.history}`);
  try {
    const snapshots = await openSnapshots(folders.snapshots);
    const workspace = createWorkspace({ folder: folders.workspace, stagingFolder: folders.staging });
    return createApp({ folders, store, snapshots, workspace, log: options.log });
  } catch (error) {
    store.close();
    throw error;
  }
}

interface Parts {
  readonly folders: StateFolders;
  readonly store: Store;
  readonly snapshots: Snapshots;
  readonly workspace: Workspace;
  log(line: string): void;
}

function createApp({ folders, store, snapshots, workspace, log }: Parts): App {
  const listeners = new Set<(event: RunEvent) => void>();
  const emit = (event: RunEvent): void => {
    if (event.type === "message" || event.type === "progress") log(event.text);
    if (event.type === "runEnded") log(`run ${event.run.id} ended: ${event.error?.message ?? event.reason}`);
    if (event.type === "tuningEnded") log(`${event.job} ended: ${event.error?.message ?? "it is done"}`);
    for (const listener of listeners) listener(event);
  };
  const { sandbox, scorer, arbiter, reapSandbox, closeSandbox } = lazySandbox(
    folders,
    store,
    sha256,
    clock,
    log,
  );
  const { beside, alone } = createOccupancy();
  const closing = new AbortController();
  /** Why nothing else may have the model now, where a request has it; runs and jobs are asked for themselves. */
  let occupied: ExitError | null = null;
  const refuseBesideRun = (mend: string): void => {
    if (runs.isUnderWay()) throw new ExitError("run-active", `A run is under way in this workspace. ${mend}`);
  };
  const refuseBesideRequest = (): void => {
    if (occupied !== null) throw occupied;
  };
  const occupying = async <T>(refusal: ExitError, work: () => Promise<T>): Promise<T> => {
    occupied = refusal;
    try {
      return await beside(work);
    } finally {
      occupied = null;
    }
  };
  const evaluationActive = new ExitError(
    "evaluation-active",
    'An evaluation is under way in this workspace. "exit-ml stop" ends it; the same command goes on with it later.',
  );
  const settling = new ExitError(
    "tuning-active",
    "A tuned model is being estimated, promoted or rolled back in this workspace: wait until that has ended.",
  );

  const parts = { workspace, snapshots, store, clock, sha256 };
  const runParts = {
    ...parts,
    emit,
    sandbox,
    scorer,
    arbiter,
    freeBytes,
    stateFolders: [...new Set([folders.state, dirname(folders.history)])],
    openPolicy: (request: ModelRequest, signal: AbortSignal) =>
      openPolicyInForce(request, folders.workspace, store.tuning, signal),
    watch: (matches: (path: string) => boolean, onChange: (paths: readonly string[]) => void) =>
      watchPaths(folders.workspace, matches, onChange),
  };
  const tuningParts = {
    ...runParts,
    trainer: openTrainer(process.env),
    modelsFolder: folders.models,
    workspaceFolder: folders.workspace,
  };
  const jobs = createTuningJobs(emit);
  const runs = createRuns((request, signal) => beside(() => startRun(request, runParts, also(signal))));
  const taskNamed = async (name: string | null) => workspace.resolve(name ?? (await onlyTask(workspace)));
  const refuseBesideAll = (): void => {
    refuseBesideRun('End it with "exit-ml stop" first.');
    refuseBesideRequest();
    jobs.refuse();
  };
  const also = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, closing.signal]);

  return {
    init: (request) => initTask(folders.workspace, request),
    check: (name, signal) =>
      beside(async () => {
        const task = await taskNamed(name);
        const audit = { task, workspace, snapshots, scorer: await scorer(), signal: also(signal) };
        const result = await auditTask(audit);
        if (result.passed) store.setAuditPassed(task.id, task.evaluatorDigest);
        return { task: task.id, ...result };
      }),
    score: ({ task: name, from }, signal) =>
      beside(async () => {
        const task = await taskNamed(name);
        return scoreFiles(task, from, { workspace, snapshots, scorer: await scorer() }, also(signal));
      }),
    confirm: (name, signal) =>
      beside(async () => {
        const progress = (text: string): void => emit({ type: "progress", text });
        return confirmTasks(name, { ...parts, scorer: await scorer(), progress }, also(signal));
      }),
    async startRun(request) {
      refuseBesideRun('"exit-ml stop" ends it.');
      refuseBesideRequest();
      jobs.refuse();
      return runs.start(request);
    },
    // What runs is a job's own where there is one: that ends with it.
    stopRun: async () => ({ stopped: (await jobs.stop()) || (await runs.stop()) }),
    async evaluate(request, signal) {
      refuseBesideRun('End it with "exit-ml stop", then evaluate.');
      refuseBesideRequest();
      jobs.refuse();
      return occupying(evaluationActive, () => evaluatePolicies(request, runParts, also(signal)));
    },
    doctor: (request, signal) =>
      examine(
        {
          ...runParts,
          openPolicy: () => runParts.openPolicy(request, also(signal)),
          selfTest:
            request.selfTest === true
              ? (task, info, opened) => tryAnew(task, info, { ...parts, sandbox: opened }, also(signal))
              : null,
        },
        also(signal),
      ),
    status: () => statusOf(folders.workspace, workspace, store, runs.active()),
    tree: async (task) => ({ nodes: listNodes(store, task) }),
    async show(name, task) {
      const { id } = findNode(store, name, task);
      const node = listNodes(store, null).find((candidate) => candidate.id === id);
      if (node === undefined) throw new RangeError(`node ${id} is not listed`);
      const group = node.group === null ? null : store.group(node.group);
      const member = group?.replies.find((reply) => reply.node === id);
      const evidence = group && member ? store.evidence(group.id, member.index) : null;
      return { node, group, evidence };
    },
    async showGroup(id) {
      const group = store.group(id);
      if (group === null)
        throw new ExitError("group-unknown", `There is no iteration ${id}. "exit-ml tree" lists them.`);
      return group;
    },
    async solution(name, task) {
      const node = findNode(store, name, task);
      const files = await snapshots.read(snapshotOf(node));
      return {
        node: node.id,
        files: files.map(({ path, bytes }) => ({ path, base64: Buffer.from(bytes).toString("base64") })),
      };
    },
    async diff(name, against, task) {
      const nodes = store.nodes();
      const to = findNode(store, name, task);
      const from = against === null ? rootOf(nodes, to) : findNode(store, against, task);
      return { from: from.id, to: to.id, diff: await snapshots.diff(snapshotOf(from), snapshotOf(to)) };
    },
    apply: (node, task) => beside(() => applyNode(node, task, parts)),
    revert: () => beside(() => revertApplied(parts)),
    replay: async (run) => replay(run, parts),
    export: (request) => beside(() => exportGroups(request, parts)),
    training: async () => trainingStatus(store, jobs.active()),
    async estimateTraining(request, signal) {
      refuseBesideAll();
      return occupying(settling, () => estimateTraining(request, tuningParts, also(signal)));
    },
    async startTuning(request) {
      refuseBesideAll();
      jobs.start(request.job, (signal) =>
        beside(() => workOn(request, { ...tuningParts, runToItsEnd: runs.toItsEnd }, also(signal))),
      );
      return { job: request.job };
    },
    async promote(request, signal) {
      refuseBesideAll();
      return occupying(settling, () => promote(request, tuningParts, also(signal)));
    },
    async rollback(request, signal) {
      refuseBesideAll();
      return occupying(settling, () => rollback(request, tuningParts, also(signal)));
    },
    async clean(request) {
      refuseBesideRun('End it with "exit-ml stop", then clean up.');
      return alone(() =>
        clean(request, { folders, workspace, snapshots, store, reapSandbox, now: Date.now() }),
      );
    },
    models: (endpoint, signal) => listAllModels(endpoint, also(signal)),
    async allowEndpoint(endpoint) {
      await allowEndpoint(endpointOf(endpoint, process.env).address);
      return {};
    },
    async installRuntime(folder, signal) {
      emit({ type: "progress", text: "Fetching node-llama-cpp with npm" });
      return installEmbeddedRuntime(folder, also(signal));
    },
    buildImage: async (name, signal) =>
      buildImage(await taskNamed(name), (text) => emit({ type: "progress", text }), also(signal)),
    busy: () => runs.isUnderWay() || jobs.active() !== null,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closing.abort(new ExitError("closing", "The runner is closing."));
      await jobs.stop();
      await runs.stop();
      await closeSandbox();
      // After a crash they stay: the trials they belong to go on from there.
      await rm(folders.outputs, { recursive: true, force: true });
      store.close();
    },
  };
}
