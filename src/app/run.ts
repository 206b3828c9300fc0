/** Runs: opening or continuing one, driving its loop in the background, ending it (EXIT.md section 3). */
import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { defaultCapacity } from "../core/buffer.ts";
import { ExitError, isExitError, messageOf } from "../core/errors.ts";
import { guaranteeWarnings, refuseMissing, type SelfTest } from "../core/guarantees.ts";
import { type Node, nothingSpent, type Provenance, type Run } from "../core/history.ts";
import { type LoopContext, type LoopEnd, runLoop } from "../core/loop.ts";
import { refuseTooLarge, trialNeed } from "../core/need.ts";
import { settingsFor } from "../core/paper.ts";
import { policyVersion } from "../core/policy-version.ts";
import type {
  Arbiter,
  Clock,
  EngineResources,
  FreeBytes,
  Observer,
  Policy,
  ResolvedTask,
  Sandbox,
  Scorer,
  Sha256,
  Snapshots,
  Store,
  Workspace,
} from "../core/ports.ts";
import type { RunEvent } from "../core/reports.ts";
import type { Settings } from "../core/settings.ts";
import type { ModelRequest, RunRequest } from "./app.ts";
import { onlyTask, usableTasks } from "./choose-task.ts";
import { confirmTask } from "./confirm.ts";
import { modelTurns, sharesGpus } from "./gpu-turns.ts";
import { ownFault, prepareTasks } from "./prepare-tasks.ts";
import { selfTestForRun } from "./self-tests.ts";
import { checkSpace } from "./space.ts";
import { bestOf, comparableIn } from "./tree.ts";

export interface RunParts {
  readonly workspace: Workspace;
  readonly snapshots: Snapshots;
  readonly store: Store;
  readonly clock: Clock;
  readonly sha256: Sha256;
  readonly emit: (event: RunEvent) => void;
  readonly sandbox: () => Promise<Sandbox>;
  readonly scorer: () => Promise<Scorer>;
  readonly arbiter: Arbiter;
  readonly freeBytes: FreeBytes;
  /** Folders the run writes to. */
  readonly stateFolders: readonly string[];
  readonly openPolicy: (request: ModelRequest, signal: AbortSignal) => Promise<Policy>;
  /** Tells when files that match change while the run lasts. */
  readonly watch: (
    matches: (path: string) => boolean,
    onChange: (paths: readonly string[]) => void,
  ) => Promise<{ close(): Promise<void> }>;
}

/** A run under way. */
export interface ActiveRun {
  readonly run: Run;
  /** Ends it early; what is finished is kept and the run stays unfinished. */
  stop(): Promise<void>;
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<void>;
}

/**
 * Starts or continues a run and returns once its loop is going.
 * @throws ExitError for anything that keeps the run from starting; nothing is opened then.
 */
export async function startRun(
  request: RunRequest,
  parts: RunParts,
  signal: AbortSignal,
): Promise<{ active: ActiveRun; continued: boolean }> {
  const leftOut = new Set<string>();
  // Of all tasks those that can be run are run; a task that was named must be fit.
  const refused = (task: string, error: ExitError): void => {
    if (!request.all) throw error;
    leftOut.add(error.message);
    parts.emit({ type: "message", level: "warn", text: `${task} is left out. ${error.message}` });
  };
  const chosen = await chosenTasks(request, parts, refused);
  // Refused before anything is scored.
  newSettings(request, chosen);
  await checkSpace({ state: parts.stateFolders, engine: null }, parts.freeBytes);
  parts.emit({ type: "progress", text: "Looking for the sandbox engine" });
  const sandbox = await parts.sandbox();
  const engine = await sandbox.resources();
  const fitting = await fittingTasks(chosen, engine, sandbox, refused, signal);
  await checkSpace({ state: [], engine: engine.dataFolder }, parts.freeBytes);
  const selfTests = await examineSandbox(request, fitting, sandbox, parts, signal);
  const scorer = await parts.scorer();
  const tasks = await prepareTasks(fitting, { ...parts, scorer }, refused, signal);
  const [first] = tasks;
  if (first === undefined)
    throw new ExitError("no-train-task", `No task can be run.\n${[...leftOut].join("\n")}`);
  const described = await sandbox.describe(first, signal);
  const lacks = selfTests.flatMap(({ guarantees }) => guaranteeWarnings(guarantees));
  const sandboxInfo = { ...described, warnings: [...new Set([...described.warnings, ...lacks])] };
  parts.emit({ type: "progress", text: "Loading the model" });
  const policy = await parts.openPolicy(request, signal);
  try {
    const policyInfo = await policy.describe(signal);
    signal.throwIfAborted();
    const { allowMissing: allowedMissing } = request;
    const provenance = { policy: policyInfo, sandbox: sandboxInfo, selfTests, allowedMissing };
    await tryEmbedding(request.settings.embeddingModel ?? null, policy, signal);
    const { run, continued } = openRun(request, tasks, provenance, parts);
    if (continued) await tryEmbedding(run.settings.embeddingModel, policy, signal);
    if (continued) {
      const text = `Going on with run ${run.id}, under the settings and the budget it was begun with; --fresh begins a new one.`;
      parts.emit({ type: "message", level: "info", text });
    }
    const crew = { tasks, scorer, policy, policyInfo, engine };
    if (sharesGpus(crew)) {
      const text =
        "The revisions need the GPU the model may be on, so they take turns: each group is sampled, the model is unloaded, then the group is scored.";
      parts.emit({ type: "message", level: "warn", text });
    }
    const active = drive(run, crew, parts);
    parts.emit({ type: "runStarted", run, continued, policy: policyInfo, sandbox: sandboxInfo });
    return { active, continued };
  } catch (error) {
    await policy.close();
    throw error;
  }
}

/** The tasks that this engine can run. */
async function fittingTasks(
  tasks: readonly ResolvedTask[],
  engine: EngineResources,
  sandbox: Sandbox,
  refused: (task: string, error: ExitError) => void,
  signal: AbortSignal,
): Promise<readonly ResolvedTask[]> {
  const fitting: ResolvedTask[] = [];
  for (const task of tasks) {
    try {
      refuseTooLarge(trialNeed(task.definition), engine, `Task ${task.id}`);
      await sandbox.describe(task, signal);
      fitting.push(task);
    } catch (error) {
      refused(task.id, ownFault(error));
    }
  }
  return fitting;
}

/** What the sandbox enforces for each task's image. @throws ExitError `guarantee-missing`. */
export async function examineSandbox(
  { allowMissing }: Pick<RunRequest, "allowMissing">,
  tasks: readonly ResolvedTask[],
  sandbox: Sandbox,
  parts: Pick<RunParts, "store" | "clock" | "sha256" | "emit">,
  signal: AbortSignal,
): Promise<SelfTest[]> {
  const found = new Map<string, SelfTest>();
  const trying = (): void =>
    parts.emit({ type: "progress", text: "Trying what the sandbox engine enforces" });
  for (const task of tasks) {
    const info = await sandbox.describe(task, signal);
    const selfTest = await selfTestForRun(task, info, { ...parts, sandbox }, trying, signal);
    refuseMissing(selfTest.guarantees, allowMissing);
    found.set(`${selfTest.image} ${selfTest.digest}`, selfTest);
  }
  return [...found.values()];
}

async function chosenTasks(
  request: RunRequest,
  { workspace, emit }: Pick<RunParts, "workspace" | "emit">,
  refused: (task: string, error: ExitError) => void,
): Promise<readonly ResolvedTask[]> {
  if (!request.all) {
    const names = request.tasks.length > 0 ? request.tasks : [await onlyTask(workspace)];
    return Promise.all([...new Set(names)].map((name) => workspace.resolve(name)));
  }
  const { problems } = await workspace.tasks();
  for (const text of problems) emit({ type: "message", level: "warn", text: `Left out: ${text}` });
  const train: ResolvedTask[] = [];
  let heldOut = 0;
  for (const name of await usableTasks(workspace)) {
    try {
      const task = await workspace.resolve(name);
      if (task.definition.split === "train") train.push(task);
      else heldOut++;
    } catch (error) {
      refused(name, ownFault(error));
    }
  }
  if (train.length === 0 && heldOut > 0)
    throw new ExitError(
      "no-train-task",
      'No task of this workspace is one to train on: those that can be used are held out ("split": "heldout"). Name one with --task to search on it all the same.',
    );
  return train;
}

/** Embeds a word, so that a model that cannot is named before the run begins. */
async function tryEmbedding(model: string | null, policy: Policy, signal: AbortSignal): Promise<void> {
  if (model === null) return;
  if (policy.embed === undefined)
    throw new ExitError(
      "embedding-unsupported",
      `The runtime of this model embeds no texts, so embeddingModel ("${model}") cannot be used. Leave the setting out, or run with --runtime ollama.`,
    );
  await policy.embed(model, ["solution"], signal);
}

/** The unfinished run of the same tasks, or a new one. */
function openRun(
  request: RunRequest,
  tasks: readonly ResolvedTask[],
  provenance: Provenance,
  parts: Pick<RunParts, "store" | "clock">,
): { run: Run; continued: boolean } {
  const names = tasks.map((task) => task.id).sort();
  const runs = parts.store.runs();
  const unfinished = runs.findLast(
    (run) => run.endedAt === null && run.tasks.join("\n") === names.join("\n"),
  );
  if (unfinished !== undefined) {
    const { spent, budget } = unfinished;
    // Killed between its last iteration and the note that it had ended.
    const exhausted = budget.iterations !== null && spent.iterations >= budget.iterations;
    if (!request.fresh && !exhausted)
      return { run: withAllowed(unfinished, provenance, parts.store), continued: true };
    const endedBy = exhausted ? "iterations" : "replaced";
    parts.store.updateRun(unfinished.id, { spent, endedAt: parts.clock.now(), endedBy });
  }
  const settings = newSettings(request, tasks);
  const run: Run = {
    id: `r${runs.length + 1}`,
    seed: request.seed ?? randomInt(2 ** 31),
    tasks: names,
    strategy: request.strategy,
    settings: { ...settings, capacity: settings.capacity ?? defaultCapacity(names.length) },
    budget: request.budget,
    startedAt: parts.clock.now(),
    endedAt: null,
    endedBy: null,
    provenance,
    spent: nothingSpent,
  };
  parts.store.openRun(run);
  return { run, continued: false };
}

function newSettings({ settings, strategy }: RunRequest, tasks: readonly ResolvedTask[]): Settings {
  return settingsFor(
    settings,
    strategy,
    tasks.map((task) => task.definition.solution.format),
  );
}

/** A run that goes on keeps what it was begun with, and adds what the user allowed it since. */
function withAllowed(run: Run, now: Provenance, store: Store): Run {
  const before = run.provenance?.allowedMissing ?? [];
  const added = now.allowedMissing.filter((name) => !before.includes(name));
  if (added.length === 0) return run;
  const provenance = { ...(run.provenance ?? now), allowedMissing: [...before, ...added] };
  store.updateRun(run.id, { spent: run.spent, provenance });
  return { ...run, provenance };
}

interface Crew {
  readonly tasks: readonly ResolvedTask[];
  readonly scorer: Scorer;
  readonly policy: Policy;
  readonly policyInfo: Awaited<ReturnType<Policy["describe"]>>;
  readonly engine: EngineResources;
}

function drive(run: Run, crew: Crew, parts: RunParts): ActiveRun {
  const stopping = new AbortController();
  const spaces = { state: parts.stateFolders, engine: crew.engine.dataFolder };
  const context: LoopContext = {
    ...parts,
    ...crew,
    run,
    policyVersion: policyVersion(crew.policyInfo, 0),
    observer: observe(parts),
    checkSpace: () => checkSpace(spaces, parts.freeBytes),
    withModel: modelTurns({ ...crew, arbiter: parts.arbiter, capacity: crew.engine }),
  };
  const ended = (async () => {
    const end = await loopToItsEnd(context, crew.tasks, parts, stopping.signal);
    // Nothing is sampled any more: whatever the model held is there for the last scores.
    await crew.policy.close().catch((error: unknown) => warn(parts, error));
    if (end.error === null && end.reason !== "stopped") await confirmAtEnd(run, crew, parts, stopping.signal);
    parts.emit({ type: "runEnded", run: currentRun(parts.store, run), ...end });
  })();
  return {
    run,
    ended,
    stop: async () => {
      stopping.abort(new ExitError("stopped", "The run was stopped."));
      await ended;
    },
  };
}

/** Milliseconds a run waits for an engine that went away in the middle of it: an update, or a restart by the user. */
const outageLimit = 15 * 60_000;
const askEvery = 5_000;

/** Drives the loop, and waits for the engine where that goes away; then the loop goes on from the records. */
async function loopThroughOutages(
  context: LoopContext,
  tasks: readonly ResolvedTask[],
  parts: RunParts,
  signal: AbortSignal,
): Promise<LoopEnd> {
  for (;;) {
    try {
      return await runLoop({ ...context, run: currentRun(parts.store, context.run) }, signal);
    } catch (error) {
      const [task] = tasks;
      if (signal.aborted || task === undefined || !isExitError(error, "docker-unreachable")) throw error;
      const text = `${error.message} The run itself waits ${outageLimit / 60_000} minutes for it.`;
      parts.emit({ type: "message", level: "warn", text });
      const late = parts.clock.monotonic() + outageLimit;
      while (!(await answersFor(task, parts, signal))) {
        if (parts.clock.monotonic() > late) throw error;
        await pause(askEvery, undefined, { signal });
      }
      parts.emit({ type: "message", level: "info", text: "The engine answers again: the run goes on." });
    }
  }
}

async function answersFor(task: ResolvedTask, parts: RunParts, signal: AbortSignal): Promise<boolean> {
  try {
    await (await parts.sandbox()).describe(task, signal);
    return true;
  } catch (error) {
    if (!isExitError(error, "docker-unreachable")) throw error;
    return false;
  }
}

type End = Pick<Extract<RunEvent, { type: "runEnded" }>, "reason" | "error">;

/** Drives the loop with the workspace watched; never rejects. */
async function loopToItsEnd(
  context: LoopContext,
  tasks: readonly ResolvedTask[],
  parts: RunParts,
  signal: AbortSignal,
): Promise<End> {
  const watches = await Promise.all(
    tasks.map((task) =>
      parts
        .watch(
          (path) => task.isSolutionPath(path) || path === task.file,
          (paths) => parts.emit({ type: "workspaceMoved", task: task.id, paths }),
        )
        // The run does not need it: a revision never takes up the user's edits.
        .catch((error: unknown) => warn(parts, error)),
    ),
  );
  try {
    const reason = await loopThroughOutages(context, tasks, parts, signal);
    const { spent } = currentRun(parts.store, context.run);
    parts.store.updateRun(context.run.id, { spent, endedAt: parts.clock.now(), endedBy: reason });
    return { reason, error: null };
  } catch (error) {
    return signal.aborted ? { reason: "stopped", error: null } : { reason: "error", error: wireError(error) };
  } finally {
    for (const watch of watches) await watch?.close().catch((error: unknown) => warn(parts, error));
  }
}

/** Never rejects. Its scores are kept as they are made: what is cut short goes on with `exit-ml confirm`. */
async function confirmAtEnd(run: Run, crew: Crew, parts: RunParts, signal: AbortSignal): Promise<void> {
  const progress = (text: string): void => parts.emit({ type: "progress", text });
  for (const task of crew.tasks)
    await confirmTask(task, run.id, { ...parts, ...crew, progress }, signal).catch((error: unknown) => {
      if (!signal.aborted) warn(parts, error);
    });
}

function warn(parts: Pick<RunParts, "emit">, error: unknown): void {
  parts.emit({ type: "message", level: "warn", text: messageOf(error) });
}

function currentRun(store: Store, run: Run): Run {
  return store.runs().find((candidate) => candidate.id === run.id) ?? run;
}

function wireError(error: unknown): { reason: string; message: string } {
  return { reason: isExitError(error) ? error.reason : "internal", message: messageOf(error) };
}

function observe({ emit, store }: Pick<RunParts, "emit" | "store">): Observer {
  const best = new Map<string, Node | null>();
  // No root comes into force while a run lasts.
  const comparable = comparableIn(store);
  const bestWith = (task: string, made: readonly Node[]): Node | null => {
    const known = best.has(task) ? (best.get(task) ?? null) : bestOf(store.nodes(), task, comparable);
    const now = bestOf(known === null ? made : [known, ...made], task, comparable);
    best.set(task, now);
    return now;
  };
  return {
    groupOpened: (opening, promptTokens) => emit({ type: "groupOpened", opening, promptTokens }),
    replySampled: (group, reply) => {
      const { index, finish, ms } = reply;
      emit({
        type: "replySampled",
        group,
        reply: { index, finish, ms, tokens: reply.tokens?.length ?? null },
      });
    },
    replyScored: (group, index, outcome) => {
      const { verdict, score, quality, snapshot, feedback } = outcome;
      emit({ type: "replyScored", group, index, outcome: { verdict, score, quality, snapshot, feedback } });
    },
    groupClosed: (closing, opening) => {
      const { group, state, learnability, informative, nodes, spent } = closing;
      const brief = { state, learnability, informative, nodes };
      const { iteration, task } = opening;
      emit({ type: "groupClosed", group, iteration, closing: brief, best: bestWith(task, nodes), spent });
    },
    message: (level, text) => emit({ type: "message", level, text }),
  };
}
