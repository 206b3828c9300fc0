/** One revision in one fresh container, and what it leaves behind. */
import { rm } from "node:fs/promises";
import type { Container, MountSettings } from "dockerode";
import { isExitError, messageOf } from "../../core/errors.ts";
import { scratchInMemory } from "../../core/need.ts";
import type { Evidence, RunOutcome, RunRequest, Solution } from "../../core/ports.ts";
import { parseDuration, parseSize } from "../../core/task.ts";
import type { Verdict } from "../../core/verdict.ts";
import { collect } from "./collect.ts";
import { briefly } from "./engine.ts";
import { outputFolder } from "./folders.ts";
import type { Image } from "./image.ts";
import { isFull, type Kit, twiceIfLost } from "./kit.ts";
import { make } from "./lifecycle.ts";
import { mountPoints, outputRoots } from "./mounts.ts";
import { labelsOf, trialName } from "./names.ts";
import { createOptions, environment, innerLimit, limitsOf, timed, workdir } from "./recipe.ts";
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

function isVerdict(outcome: RunOutcome, verdict: Verdict): boolean {
  return outcome.kind === "failed" && outcome.verdict === verdict;
}

/** Implements `Sandbox.run`. */
export function run(kit: Kit, request: RunRequest, signal: AbortSignal): Promise<RunOutcome> {
  return twiceIfLost(
    kit.engine,
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
  const needMs = innerLimit(parseDuration(definition.run.timeout)) + slackMs;
  const scratch = await kit.scratch(image, definition, request.run, needMs);
  try {
    const outcome = await inContainer(kit, request, image, scratch, needMs, signal);
    if (outcome.kind === "finished" || isVerdict(outcome, "infra") || (await scratch.isSound()))
      return outcome;
    return failed("infra", { ...outcome.evidence, note: "The container that kept /work is gone." });
  } finally {
    scratch.release(() => kit.record(request.key, "volumes-gone", { volume: scratch.volume }));
  }
}

async function inContainer(
  kit: Kit,
  request: RunRequest,
  image: Image,
  scratch: Scratch,
  needMs: number,
  signal: AbortSignal,
): Promise<RunOutcome> {
  const { key, task } = request;
  const { run: command, sandbox } = task.definition;
  const limitMs = parseDuration(command.timeout);
  const name = trialName(kit.owner, key);
  const points = mountPoints(
    task.inputs.files,
    request.solution.map((file) => file.path),
    command.outputs,
  );
  const base = {
    image,
    labels: labelsOf(kit.owner, request.run, needMs),
    limits: limitsOf(request, scratchInMemory(task.definition) ? parseSize(sandbox.disk) : 0),
  };
  const options = createOptions(kit.engine, {
    ...base,
    name: `${name}-run`,
    command: timed(command.command, limitMs, await kit.hasTimeout(image)),
    env: environment(request),
    mounts: [
      volumeMount(scratch.volume, workdir),
      ...points.map((point) => inputMount(task.inputs.folder, point)),
    ],
    gpus: request.gpus ?? sandbox.gpus,
  });
  const made = make(kit.engine, kit.owner, options);
  const remove = async (): Promise<void> => {
    await made.remove();
    kit.record(key, "container-gone", { name: made.name });
  };
  let removed = false;
  let engineLost = false;
  try {
    const hatch = await scratch.hatch.created;
    const seeding = seed(hatch, request.solution, points);
    // Both at once; but nothing may be at work on the volume any more when it is given back.
    await Promise.allSettled([made.created, seeding]);
    const container = await made.created;
    kit.record(key, "created", {
      ...{ role: "run", name: made.name, volume: scratch.volume, hatch: scratch.hatch.name },
    });
    signal.throwIfAborted();
    if (!(await seeding))
      return failed("disk_limit", nothingKnown("The solution files do not fit into /work."));
    const captures = {
      stdout: createCapture(headBytes, tailBytes),
      stderr: createCapture(headBytes, tailBytes),
    };
    const started = (): void => kit.record(key, "started", { role: "run" });
    const watch = { limitMs, captures, outputLimit, diskFull: scratch.diskFull, started };
    const ending = await supervise(kit.engine, container, watch, signal);
    kit.record(key, "exited", { cause: ending.cause, state: ending.state, events: ending.events });
    engineLost = ending.lost !== null;
    const judgement = judge(ending, limitMs, captures.stderr.text() + captures.stdout.text());
    const evidence = evidenceOf(ending, captures, judgement);
    if (judgement.verdict !== null) return failed(judgement.verdict, evidence);
    const [outcome] = await Promise.all([
      takeOutputs(kit, request, hatch, evidence, signal),
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
    if (engineLost) kit.tidying.add(remove);
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
  request: RunRequest,
  hatch: Container,
  evidence: Evidence,
  signal: AbortSignal,
): Promise<RunOutcome> {
  const { definition } = request.task;
  const patterns = definition.run.outputs;
  const folder = await outputFolder(kit.outputsFolder, request.key);
  if (patterns.length === 0) return { kind: "finished", outputs: { folder, files: [] }, evidence };
  const drop = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const limit = parseSize(definition.sandbox.disk);
    const collected = await collect(hatch, request.task, outputRoots(patterns), folder, limit, signal);
    kit.record(request.key, "collected", { files: collected });
    if (collected.length > 0)
      return {
        kind: "finished",
        outputs: { folder, files: collected.map((file) => file.path).sort() },
        evidence,
      };
    await drop();
    const note = `Ended with exit code 0 but left no file matching ${patterns.join(", ")}.`;
    return failed("invalid", { ...evidence, note });
  } catch (error) {
    await drop();
    if (!isExitError(error, "outputs-refused")) throw error;
    return failed("invalid", { ...evidence, note: `The outputs were refused. ${error.message}` });
  }
}
