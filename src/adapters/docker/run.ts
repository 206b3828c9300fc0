/** One revision in one fresh container, and what it leaves behind. */
import { rm } from "node:fs/promises";
import type { Container, MountSettings } from "dockerode";
import { isExitError, messageOf } from "../../core/errors.ts";
import { scratchInMemory } from "../../core/need.ts";
import type { Evidence, RunOutcome, RunRequest } from "../../core/ports.ts";
import { parseDuration, parseSize } from "../../core/task.ts";
import type { Verdict } from "../../core/verdict.ts";
import { searched, searchFor } from "./canary.ts";
import { collect } from "./collect.ts";
import { briefly } from "./engine.ts";
import { outputFolder } from "./folders.ts";
import type { Image } from "./image.ts";
import { isFull, type Kit, twiceIfLost } from "./kit.ts";
import { make } from "./lifecycle.ts";
import { mountPoints, outputRoots } from "./mounts.ts";
import { labelsOf, trialName } from "./names.ts";
import { createOptions, environment, innerLimit, limitsOf, workdir } from "./recipe.ts";
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
    command: command.command,
    warden: await kit.warden(innerLimit(limitMs)),
    env: environment(request),
    runtime: sandbox.runtime,
    mounts: [
      volumeMount(scratch.volume, workdir),
      ...points.map((point) => inputMount(task.inputs.folder, point)),
    ],
    gpus: request.gpus ?? sandbox.gpus,
  });
  // Everything goes in and out of the volume through a second container that never starts and has nothing else
  // mounted: the engine's archive calls then meet neither a live process nor a folder of this machine.
  const hatchOptions = createOptions(kit.engine, {
    ...base,
    name: `${name}-hatch`,
    command: ["true"],
    warden: null,
    env: [],
    mounts: [volumeMount(scratch.volume, workdir)],
    gpus: 0,
  });
  const made = make(kit.engine, kit.owner, options);
  const hatchMade = make(kit.engine, kit.owner, hatchOptions);
  const remove = async (): Promise<void> => {
    await made.remove();
    kit.record(key, "container-gone", { name: made.name });
  };
  let removed = false;
  let engineLost = false;
  try {
    const [container, hatch] = await Promise.all([made.created, hatchMade.created]);
    kit.record(key, "created", { role: "run", name: made.name, volume: scratch.volume });
    signal.throwIfAborted();
    try {
      await hatch.putArchive(await seedArchive(request.solution, points), { path: workdir, ...briefly() });
    } catch (error) {
      if (!isFull(error)) throw error;
      return failed("disk_limit", nothingKnown("The solution files do not fit into /work."));
    }
    const printed = { stdout: searchFor(kit.canary), stderr: searchFor(kit.canary) };
    const captures = {
      stdout: searched(createCapture(headBytes, tailBytes), printed.stdout),
      stderr: searched(createCapture(headBytes, tailBytes), printed.stderr),
    };
    const started = (): void => kit.record(key, "started", { role: "run" });
    const watch = { limitMs, captures, outputLimit, diskFull: scratch.diskFull, started };
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
    kit.tidying.add(() => hatchMade.remove());
    // A lost engine would only keep us waiting.
    if (engineLost) kit.tidying.add(remove);
    else if (!removed) await remove().catch(() => kit.tidying.add(remove));
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
    const wanted = { roots: outputRoots(patterns), limit, canary: kit.canary };
    const collected = await collect(hatch, request.task, wanted, folder, signal);
    kit.record(request.key, "collected", { files: collected.files });
    if (collected.leak !== null) {
      await drop();
      return leaked(evidence, `the output ${collected.leak}`);
    }
    const leftOut = leftOutSentence(collected.leftOut);
    if (collected.files.length > 0)
      return {
        kind: "finished",
        outputs: { folder, files: collected.files.map((file) => file.path).sort() },
        evidence: { ...evidence, note: `${evidence.note}${leftOut}` },
      };
    await drop();
    const note = `Ended with exit code 0 but left no file matching ${patterns.join(", ")}.${leftOut}`;
    return failed("invalid", { ...evidence, note });
  } catch (error) {
    await drop();
    if (!isExitError(error, "outputs-refused")) throw error;
    return failed("invalid", { ...evidence, note: `The outputs were refused. ${error.message}` });
  }
}

/** Names the files that were not taken, some of them, after a space; nothing if there are none. */
function leftOutSentence(paths: readonly string[]): string {
  if (paths.length === 0) return "";
  const named = paths.slice(0, 3).join(", ");
  const more = paths.length > 3 ? ` and ${paths.length - 3} more` : "";
  return ` Not taken, since programs load such files by themselves: ${named}${more}.`;
}
