/** Composition: the adapters behind the ports, the use cases around them. Nothing is decided here. */
import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { hostname, userInfo } from "node:os";
import { dirname } from "node:path";
import { performance } from "node:perf_hooks";
import { createDockerSandbox } from "../adapters/docker/sandbox.ts";
import { openSnapshots } from "../adapters/git/snapshots.ts";
import { openStore } from "../adapters/sqlite/store.ts";
import { watchPaths } from "../adapters/watch/watch.ts";
import { createWorkspace } from "../adapters/workspace/workspace.ts";
import { ExitError, messageOf } from "../core/errors.ts";
import type { Clock, Sandbox, Scorer, Sha256, Snapshots, Store, Workspace } from "../core/ports.ts";
import type { RunEvent, Status } from "../core/reports.ts";
import { isSelfReported } from "../core/task.ts";
import type { App } from "./app.ts";
import { applyNode, revertApplied } from "./apply.ts";
import { auditTask } from "./check.ts";
import { onlyTask } from "./choose-task.ts";
import { examine } from "./doctor.ts";
import { exportGroups } from "./export.ts";
import { buildImage } from "./image.ts";
import { initTask } from "./init.ts";
import { createKeptOutputs } from "./kept-outputs.ts";
import { openPolicy } from "./model.ts";
import { type ActiveRun, startRun } from "./run.ts";
import { createScorer } from "./score.ts";
import { scoreFiles } from "./score-files.ts";
import { openStateFolders, type StateFolders } from "./state.ts";
import { bestOf, findNode, listNodes, rootOf, snapshotOf } from "./tree.ts";

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
    // With the lock held, what an earlier process left under way is nobody's.
    await rm(folders.outputs, { recursive: true, force: true });
    await mkdir(folders.outputs);
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
    for (const listener of listeners) listener(event);
  };
  const { sandbox, scorer, closeSandbox } = lazySandbox(folders, store, log);
  const closing = new AbortController();
  let starting: { readonly controller: AbortController; readonly settled: Promise<unknown> } | null = null;
  let active: ActiveRun | null = null;

  const parts = { workspace, snapshots, store, clock, sha256 };
  const runParts = {
    ...parts,
    emit,
    sandbox,
    scorer,
    openPolicy: (runtime: string | null, model: string | null) =>
      openPolicy(runtime, model, folders.workspace),
    watch: (matches: (path: string) => boolean, onChange: (paths: readonly string[]) => void) =>
      watchPaths(folders.workspace, matches, onChange),
  };
  const taskNamed = async (name: string | null) => workspace.resolve(name ?? (await onlyTask(workspace)));
  const also = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, closing.signal]);

  return {
    init: (request) => initTask(folders.workspace, request),
    async check(name, signal) {
      const task = await taskNamed(name);
      const audit = { task, workspace, snapshots, scorer: await scorer(), signal: also(signal) };
      const result = await auditTask(audit);
      if (result.passed) store.setAuditPassed(task.id, task.evaluatorDigest);
      return { task: task.id, ...result };
    },
    async score({ task: name, from }, signal) {
      const task = await taskNamed(name);
      return scoreFiles(task, from, { workspace, snapshots, scorer: await scorer() }, also(signal));
    },
    async startRun(request) {
      if (starting !== null || active !== null)
        throw new ExitError("run-active", 'A run is under way in this workspace. "exit-ml stop" ends it.');
      const controller = new AbortController();
      const start = startRun(request, runParts, also(controller.signal));
      starting = { controller, settled: start.catch(() => undefined) };
      try {
        const started = await start;
        active = started.active;
        void active.ended.finally(() => {
          active = null;
        });
        return { run: active.run, continued: started.continued };
      } finally {
        starting = null;
      }
    },
    async stopRun() {
      const stopped = starting !== null || active !== null;
      starting?.controller.abort(new ExitError("stopped", "The run was stopped before it began."));
      await starting?.settled;
      await active?.stop();
      return { stopped };
    },
    doctor: (signal) =>
      examine({ workspace, sandbox, openPolicy: () => runParts.openPolicy(null, null) }, also(signal)),
    status: () => statusOf(folders.workspace, workspace, store, active),
    tree: async (task) => ({ nodes: listNodes(store, task) }),
    async show(name, task) {
      const { id } = findNode(store.nodes(), name, task);
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
      const node = findNode(store.nodes(), name, task);
      const files = await snapshots.read(snapshotOf(node));
      return {
        node: node.id,
        files: files.map(({ path, bytes }) => ({ path, base64: Buffer.from(bytes).toString("base64") })),
      };
    },
    async diff(name, against, task) {
      const nodes = store.nodes();
      const to = findNode(nodes, name, task);
      const from = against === null ? rootOf(nodes, to) : findNode(nodes, against, task);
      return { from: from.id, to: to.id, diff: await snapshots.diff(snapshotOf(from), snapshotOf(to)) };
    },
    apply: (node, task) => applyNode(node, task, parts),
    revert: () => revertApplied(parts),
    export: (request) => exportGroups(request, parts),
    buildImage: async (name, signal) =>
      buildImage(await taskNamed(name), (text) => emit({ type: "progress", text }), also(signal)),
    busy: () => starting !== null || active !== null,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closing.abort(new ExitError("closing", "The runner is closing."));
      await starting?.settled;
      await active?.stop();
      await closeSandbox();
      store.close();
    },
  };
}

/** The sandbox is looked for when it is first needed: a tree can be read without Docker. */
function lazySandbox(
  folders: StateFolders,
  store: Store,
  log: (line: string) => void,
): { sandbox: () => Promise<Sandbox>; scorer: () => Promise<Scorer>; closeSandbox: () => Promise<void> } {
  let opened: Promise<Sandbox> | null = null;
  let scorer: Promise<Scorer> | null = null;
  const open = async (): Promise<Sandbox> => {
    const sandbox = await createDockerSandbox({
      workspaceId: sha256(folders.workspace).slice(0, 16),
      owner: sha256(`${hostname()}/${userInfo().uid}`).slice(0, 16),
      journal: store.journal,
      outputsFolder: folders.outputs,
    });
    const { containers, volumes } = await sandbox.reap();
    if (containers + volumes > 0)
      log(`removed ${containers} containers and ${volumes} volumes of an earlier process`);
    return sandbox;
  };
  const sandbox = (): Promise<Sandbox> => {
    opened ??= open().catch((error: unknown) => {
      // Tried again the next time: the user may have started the engine meanwhile.
      opened = null;
      throw error;
    });
    return opened;
  };
  return {
    sandbox,
    scorer: async () => {
      const ready = await sandbox();
      scorer ??= Promise.resolve(
        createScorer({ sandbox: ready, store, keptOutputs: createKeptOutputs(folders.kept), sha256 }),
      );
      return scorer;
    },
    closeSandbox: async () => {
      const ready = await opened?.catch((error: unknown) => {
        log(messageOf(error));
        return null;
      });
      await ready?.close();
    },
  };
}

async function statusOf(
  folder: string,
  workspace: Workspace,
  store: Store,
  active: ActiveRun | null,
): Promise<Status> {
  const { tasks, problems } = await workspace.tasks();
  const nodes = store.nodes();
  const applied = store.applied();
  return {
    workspace: folder,
    activeRun: active === null ? null : (store.runs().find((run) => run.id === active.run.id) ?? null),
    runs: store.runs(),
    tasks: await Promise.all(
      tasks.map(async ({ name, file }) => {
        const definition = await workspace.resolve(name).then(
          (task) => task.definition,
          () => null,
        );
        const selfReported = definition !== null && isSelfReported(definition);
        const metric = definition && { name: definition.metric.name, direction: definition.metric.direction };
        const ofTask = nodes.filter((node) => node.task === name);
        const root = ofTask.findLast((node) => node.parent === null) ?? null;
        return { name, file, metric, nodes: ofTask.length, root, best: bestOf(nodes, name), selfReported };
      }),
    ),
    problems,
    applied: applied && { node: applied.node, task: applied.task, at: applied.at },
  };
}
