/** Starting a run, or going on with one (EXIT.md section 3). */
import { ExitError } from "../core/errors.ts";
import { guaranteeWarnings, refuseMissing, type SelfTest } from "../core/guarantees.ts";
import { refuseTooLarge, trialNeed } from "../core/need.ts";
import type { EngineResources, Policy, PolicyInfo, ResolvedTask, Sandbox } from "../core/ports.ts";
import type { RunRequest } from "./app.ts";
import { chosenTasks } from "./choose-task.ts";
import { type ActiveRun, drive } from "./drive.ts";
import { sharesGpus } from "./gpu-turns.ts";
import { newSettings, openRun } from "./open-run.ts";
import { ownFault, prepareTasks } from "./prepare-tasks.ts";
import type { RunParts } from "./run-parts.ts";
import { selfTestForRun } from "./self-tests.ts";
import { checkSpace } from "./space.ts";

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
    refuseUnpromoted(policyInfo);
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

/** What is learned from has to be of a version: an unproven model may only be evaluated. */
function refuseUnpromoted({ tuned }: PolicyInfo): void {
  if (tuned === undefined || tuned.version !== null) return;
  throw new ExitError(
    "not-promoted",
    `Tuned model ${tuned.id} is not promoted, so no run samples from it. "exit-ml gate ${tuned.id}" proves it; "exit-ml evaluate" measures it.`,
  );
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
