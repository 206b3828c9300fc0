/** One revision in one fresh container, and what it leaves behind. */
import { rm } from "node:fs/promises";
import type { Container, MountSettings } from "dockerode";
import { isExitError, messageOf } from "../../core/errors.ts";
import { scratchInMemory } from "../../core/need.ts";
import type { Evidence, RunOutcome, RunRequest, Solution } from "../../core/ports.ts";
import { parseDuration, parseSize } from "../../core/task.ts";
import type { Verdict } from "../../core/verdict.ts";
import { searched, searchFor } from "./canary.ts";
import { type Collected, collect } from "./collect.ts";
import { briefly } from "./engine.ts";
import { holdsStill, openOutputFolder, outputFolder } from "./folders.ts";
import type { Image } from "./image.ts";
import { type Inherited, ranFor } from "./inherit.ts";
import { isEngineGone, isFull, type Kit, twiceIfLost } from "./kit.ts";
import { make, type NamedOptions, takeOver } from "./lifecycle.ts";
import { mountPoints, outputRoots } from "./mounts.ts";
import { labelsOf, requestLabel, runName } from "./names.ts";
import { createOptions, environment, innerLimit, type Limits, limitsOf, workdir } from "./recipe.ts";
import { requestDigest } from "./request.ts";
import { type Scratch, volumeMount } from "./scratch.ts";
import { seedArchive } from "./seed.ts";
import { createCapture } from "./stream.ts";
import { supervise } from "./supervise.ts";
import { evidenceOf, judge, nothingKnown } from "./verdict.ts";

/** Bytes a revision may print. */
const outputLimit = 8 * 2 ** 20;
/** Of each channel, what is kept. */
const headBytes = 16 * 2 ** 10;
const tailBytes = 48 * 2 ** 10;
/** Beyond the command's limit, for everything around it. */
const slackMs = 120_000;

function failed(verdict: Verdict, evidence: Evidence): RunOutcome {
  return { kind: "failed", verdict, evidence };
}

/** @param where the canary was found */
function leaked(evidence: Evidence, where: string): RunOutcome {
  const note = `The canary that lies beside the hidden files was found in ${where}: something let hidden files out. Look how before you believe any score of this task.`;
  return failed("quarantine", { ...evidence, note });
}

function isVerdict(outcome: RunOutcome, verdict: Verdict): boolean {
  return outcome.kind === "failed" && outcome.verdict === verdict;
}

/** Implements `Sandbox.run`. */
export function run(kit: Kit, request: RunRequest, signal: AbortSignal): Promise<RunOutcome> {
  return twiceIfLost(
    kit,
    () => attempt(kit, request, signal),
    (outcome) => isVerdict(outcome, "infra"),
    (error) => failed("infra", nothingKnown(messageOf(error))),
    signal,
  );
}

async function attempt(kit: Kit, request: RunRequest, signal: AbortSignal): Promise<RunOutcome> {
  const { definition } = request.task;
  kit.record(request.key, "intent", { role: "run", run: request.run });
  const image = await kit.image(definition);
  const trial = await trialOf(kit, request, image);
  const collected = await collectedBefore(kit, trial);
  if (collected !== null) {
    kit.forget(runName(kit.owner, request.key));
    return collected;
  }
  const inherited = await inheritedBy(kit, trial);
  const scratch = inherited?.scratch ?? (await kit.scratch(image, definition, request.run, trial.needMs));
  try {
    const outcome = await inContainer(kit, trial, inherited, scratch, signal);
    if (outcome.kind === "finished" || isVerdict(outcome, "infra") || (await scratch.isSound()))
      return outcome;
    return failed("infra", { ...outcome.evidence, note: "The container that kept /work is gone." });
  } finally {
    scratch.release(() => kit.record(request.key, "volumes-gone", { volume: scratch.volume }));
  }
}

/** A request, and what follows from it for its container. */
interface Trial {
  readonly request: RunRequest;
  readonly image: Image;
  readonly limitMs: number;
  /** How long the container and its volume are needed at most. */
  readonly needMs: number;
  /** Does the command end by its limit without us? */
  readonly isBounded: boolean;
  /** Paths at which inputs are mounted. */
  readonly points: readonly string[];
  /** Without labels. */
  optionsFor(volume: string): NamedOptions;
  /** Tells exactly this request from every other. */
  readonly digest: string;
}

async function trialOf(kit: Kit, request: RunRequest, image: Image): Promise<Trial> {
  const { key, task } = request;
  const { run: command, sandbox } = task.definition;
  const limitMs = parseDuration(command.timeout);
  const points = mountPoints(
    task.inputs.files,
    request.solution.map((file) => file.path),
    command.outputs,
  );
  const warden = await kit.warden(innerLimit(limitMs));
  const optionsFor = (volume: string): NamedOptions =>
    createOptions(kit.engine, {
      name: runName(kit.owner, key),
      image,
      command: command.command,
      warden,
      env: environment(request),
      runtime: sandbox.runtime,
      labels: {},
      mounts: [volumeMount(volume, workdir), ...points.map((point) => inputMount(task.inputs.folder, point))],
      limits: runLimits(request),
      gpus: request.gpus ?? sandbox.gpus,
    });
  return {
    ...{ request, image, limitMs, isBounded: warden !== null, points, optionsFor },
    needMs: innerLimit(limitMs) + slackMs,
    digest: requestDigest(optionsFor(""), request),
  };
}

function runLimits(request: RunRequest): Limits {
  const { definition } = request.task;
  return limitsOf(request, scratchInMemory(definition) ? parseSize(definition.sandbox.disk) : 0);
}

/** The outcome of a run whose outputs an earlier process had collected, if they lie there still. */
async function collectedBefore(kit: Kit, { request, digest }: Trial): Promise<RunOutcome | null> {
  const step = kit.recorded(request.key, "collected") as Partial<CollectedStep> | null;
  if (step?.request !== digest || step.files === undefined || step.evidence === undefined) return null;
  const folder = outputFolder(kit.outputsFolder, request.key);
  if (!(await holdsStill(folder, step.files))) return null;
  return finishedWith(folder, step.files, step.evidence);
}

/** What the journal keeps of a finished run. */
interface CollectedStep {
  readonly request: string;
  readonly files: readonly Collected[];
  readonly evidence: Evidence;
}

/** The container an earlier process started for exactly this. What nothing bounds in time is rather begun anew. */
async function inheritedBy(kit: Kit, trial: Trial): Promise<Inherited | null> {
  if (!trial.isBounded || kit.engine.logDriver === "none") return null;
  return kit.inherited(runName(kit.owner, trial.request.key), trial.digest, trial.limitMs);
}

async function inContainer(
  kit: Kit,
  trial: Trial,
  inherited: Inherited | null,
  scratch: Scratch,
  signal: AbortSignal,
): Promise<RunOutcome> {
  const { request, limitMs, points } = trial;
  const { key } = request;
  const labels = labelsOf(kit.owner, request.run, trial.needMs);
  const name = runName(kit.owner, key);
  const made =
    inherited === null
      ? make(kit.engine, kit.owner, {
          ...trial.optionsFor(scratch.volume),
          Labels: { ...labels, [requestLabel]: trial.digest },
        })
      : takeOver(name, inherited.container);
  const remove = async (): Promise<void> => {
    await made.remove();
    kit.record(key, "container-gone", { name: made.name });
  };
  let removed = false;
  let engineLost = false;
  try {
    const hatch = await scratch.hatch.created;
    const seeding = inherited === null ? seed(hatch, request.solution, points) : Promise.resolve(true);
    // Both at once; but nothing may be at work on the volume any more when it is given back.
    await Promise.allSettled([made.created, seeding]);
    const container = await made.created;
    const found = { role: "run", name, volume: scratch.volume, hatch: scratch.hatch.name };
    if (inherited === null) kit.record(key, "created", found);
    else kit.record(key, "taken-over", { ...found, state: inherited.state });
    signal.throwIfAborted();
    if (!(await seeding))
      return failed("disk_limit", nothingKnown("The solution files do not fit into /work."));
    const printed = { stdout: searchFor(kit.canary), stderr: searchFor(kit.canary) };
    const captures = {
      stdout: searched(createCapture(headBytes, tailBytes), printed.stdout),
      stderr: searched(createCapture(headBytes, tailBytes), printed.stderr),
    };
    const started = (): void => kit.record(key, "started", { role: "run" });
    const watch = {
      ...{ captures, outputLimit, diskFull: scratch.diskFull, started },
      limitMs: inherited?.state.Running ? limitMs - ranFor(inherited.state) : limitMs,
      takenOver: inherited !== null,
    };
    const ending = await supervise(kit.engine, container, watch, signal);
    kit.record(key, "exited", { cause: ending.cause, state: ending.state, events: ending.events });
    engineLost = ending.lost !== null;
    // What it printed about that proves nothing.
    const workFull = (ending.state?.ExitCode ?? 0) !== 0 && (await scratch.isFull());
    const judgement = judge(ending, limitMs, workFull);
    const evidence = evidenceOf(ending, captures, judgement);
    if (judgement.verdict !== "infra" && (printed.stdout.found() || printed.stderr.found()))
      return leaked(evidence, "what the run printed");
    if (judgement.verdict !== null) return failed(judgement.verdict, evidence);
    const [outcome] = await Promise.all([
      takeOutputs(kit, trial, hatch, evidence, signal),
      remove().then(
        () => {
          removed = true;
        },
        () => undefined,
      ),
    ]);
    return outcome;
  } finally {
    kit.tidying.add(() => scratch.hatch.remove());
    // A lost engine would only keep us waiting.
    if (engineLost || isEngineGone(signal.reason)) kit.tidying.add(remove);
    else if (!removed) await remove().catch(() => kit.tidying.add(remove));
  }
}

/** Puts the solution into the working directory; false if it does not fit. */
async function seed(hatch: Container, solution: Solution, points: readonly string[]): Promise<boolean> {
  try {
    await hatch.putArchive(await seedArchive(solution, points), { path: workdir, ...briefly() });
    return true;
  } catch (error) {
    if (!isFull(error)) throw error;
    return false;
  }
}

/** An input file or folder, read-only at its path. */
function inputMount(folder: string, path: string): MountSettings {
  return { Type: "bind", Source: `${folder}/${path}`, Target: `${workdir}/${path}`, ReadOnly: true };
}

async function takeOutputs(
  kit: Kit,
  { request, digest }: Trial,
  hatch: Container,
  evidence: Evidence,
  signal: AbortSignal,
): Promise<RunOutcome> {
  const { definition } = request.task;
  const patterns = definition.run.outputs;
  const folder = await openOutputFolder(kit.outputsFolder, request.key);
  const drop = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const keep = (files: readonly Collected[], leftOut: string): RunOutcome => {
    const whole = { ...evidence, note: `${evidence.note}${leftOut}` };
    const step: CollectedStep = { request: digest, files, evidence: whole };
    kit.record(request.key, "collected", { ...step });
    return finishedWith(folder, files, whole);
  };
  try {
    const limit = parseSize(definition.sandbox.disk);
    if (patterns.length === 0) return keep([], "");
    const wanted = { roots: outputRoots(patterns), limit, canary: kit.canary };
    const collected = await collect(hatch, request.task, wanted, folder, signal);
    if (collected.leak !== null) {
      await drop();
      return leaked(evidence, `the output ${collected.leak}`);
    }
    const leftOut = leftOutSentence(collected.leftOut);
    if (collected.files.length > 0) return keep(collected.files, leftOut);
    await drop();
    const note = `Ended with exit code 0 but left no file matching ${patterns.join(", ")}.${leftOut}`;
    return failed("invalid", { ...evidence, note });
  } catch (error) {
    await drop();
    if (!isExitError(error, "outputs-refused")) throw error;
    return failed("invalid", { ...evidence, note: `The outputs were refused. ${error.message}` });
  }
}

function finishedWith(folder: string, files: readonly Collected[], evidence: Evidence): RunOutcome {
  return { kind: "finished", outputs: { folder, files: files.map(({ path }) => path).sort() }, evidence };
}

/** Names the files that were not taken, some of them, after a space; nothing if there are none. */
function leftOutSentence(paths: readonly string[]): string {
  if (paths.length === 0) return "";
  const named = paths.slice(0, 3).join(", ");
  const more = paths.length > 3 ? ` and ${paths.length - 3} more` : "";
  return ` Not taken, since programs load such files by themselves: ${named}${more}.`;
}
