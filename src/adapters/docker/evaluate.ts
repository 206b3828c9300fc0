/** The score command in a fresh container that no process of a revision ever saw. */
import { rm } from "node:fs/promises";
import { ExitError, messageOf } from "../../core/errors.ts";
import type { EvaluateOutcome, Outputs, RunRequest } from "../../core/ports.ts";
import { parseDuration } from "../../core/task.ts";
import { canaryFile } from "./canary.ts";
import { fillTrialFolder, openTrialFolder } from "./folders.ts";
import { isEngineGone, type Kit, twiceIfLost } from "./kit.ts";
import { make } from "./lifecycle.ts";
import { labelsOf, trialName } from "./names.ts";
import { createOptions, environment, innerLimit, limitsOf, workdir } from "./recipe.ts";
import { createCapture } from "./stream.ts";
import { supervise } from "./supervise.ts";
import { evidenceOf, judge, nothingKnown } from "./verdict.ts";

type Request = Omit<RunRequest, "solution">;

/** Bytes a score command may print to standard output. */
const lineLimit = 64 * 2 ** 10;
const outputLimit = 8 * 2 ** 20;
const slackMs = 120_000;

/** Implements `Sandbox.evaluate`. */
export function evaluate(
  kit: Kit,
  request: Request,
  outputs: Outputs,
  signal: AbortSignal,
): Promise<EvaluateOutcome> {
  return twiceIfLost<EvaluateOutcome>(
    kit,
    () => attempt(kit, request, outputs, signal),
    (outcome) => outcome.kind === "infra",
    (error) => ({ kind: "infra", evidence: nothingKnown(messageOf(error)) }),
    signal,
  );
}

async function attempt(
  kit: Kit,
  request: Request,
  outputs: Outputs,
  signal: AbortSignal,
): Promise<EvaluateOutcome> {
  const { key, task } = request;
  const { score } = task.definition;
  if ("fromRun" in score)
    throw new ExitError("self-reported", `Task ${task.id} has no score command: its run prints the score.`);
  kit.record(key, "intent", { role: "evaluate", run: request.run });
  const image = await kit.image(task.definition);
  const limitMs = parseDuration(score.timeout);
  const name = `${trialName(kit.owner, key)}-score`;
  const folder = await openTrialFolder(kit.outputsFolder);
  let remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  let engineLost = false;
  try {
    const options = createOptions(kit.engine, {
      name,
      image,
      command: score.command,
      warden: await kit.warden(innerLimit(limitMs)),
      env: [...environment(request), "PYTHONNOUSERSITE=1"],
      runtime: task.definition.sandbox.runtime,
      labels: labelsOf(kit.owner, request.run, innerLimit(limitMs) + slackMs),
      mounts: [{ Type: "bind", Source: folder, Target: workdir, ReadOnly: true }],
      limits: limitsOf(request, 0),
      gpus: 0,
    });
    const made = make(kit.engine, kit.owner, options);
    remove = async () => {
      await made.remove();
      await rm(folder, { recursive: true, force: true });
    };
    const filling = fillTrialFolder(folder, task, outputs, kit.canary);
    // Both at once; but neither may be at work any more when the folder is removed.
    await Promise.allSettled([made.created, filling]);
    const container = await made.created;
    await filling;
    kit.record(key, "created", { role: "evaluate", name });
    signal.throwIfAborted();
    const captures = {
      stdout: createCapture(lineLimit, 0),
      stderr: createCapture(lineLimit / 4, (lineLimit * 3) / 4),
    };
    const started = (): void => kit.record(key, "started", { role: "evaluate" });
    const diskFull = new Promise<void>(() => undefined);
    const ending = await supervise(
      kit.engine,
      container,
      { limitMs, captures, outputLimit, diskFull, started },
      signal,
    );
    engineLost = ending.lost !== null;
    const judgement = judge(ending, limitMs, false);
    const evidence = evidenceOf(ending, captures, judgement);
    if (judgement.verdict === "infra") return { kind: "infra", evidence };
    const stdout = captures.stdout.text();
    kit.record(key, "evaluated", { stdout, note: judgement.note });
    if (stdout.includes(kit.canary)) {
      const note = `The score command printed what it found in ${canaryFile}: have it print a score, or a reason of its own, and nothing it reads.`;
      return { kind: "leaked", evidence: { ...evidence, note } };
    }
    if (judgement.verdict !== null) return { kind: "broke", evidence };
    if (captures.stdout.total() > lineLimit)
      return { kind: "broke", evidence: { ...evidence, note: `Printed more than ${lineLimit} bytes.` } };
    return { kind: "printed", stdout, evidence };
  } finally {
    // Its result is known and nothing waits for it: a finished container is removed in the background.
    if (signal.aborted && !engineLost && !isEngineGone(signal.reason))
      await remove().catch(() => kit.tidying.add(remove));
    else kit.tidying.add(remove);
  }
}
