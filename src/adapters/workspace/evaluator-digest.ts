/** What the score of a revision depends on besides the revision itself. */
import { parseDuration, parseSize, type TaskDefinition } from "../../core/task.ts";
import { hashText } from "./hashing.ts";

/**
 * SHA-256 over commands, limits, image, data and the scale, so that a verdict and its quality can be reused as
 * long as they stay. Instruction, context, reward and the metric's name are left out: they change no score.
 */
export function evaluatorDigest(definition: TaskDefinition, inputs: string, hidden: string): string {
  const { run, score, sandbox, solution, metric } = definition;
  const parts = [
    "evaluator 2",
    solution.format,
    run.command,
    parseDuration(run.timeout),
    [...run.outputs].sort(),
    "command" in score ? [score.command, parseDuration(score.timeout)] : score.fromRun,
    sandbox.image ?? null,
    sandbox.build ? [sandbox.build.from, sandbox.build.requirements] : null,
    [sandbox.cpus, parseSize(sandbox.memory), parseSize(sandbox.disk), sandbox.pids, sandbox.gpus],
    [sandbox.network, sandbox.runtime ?? null],
    [metric.worst, metric.best, metric.plausible ?? null],
    inputs,
    hidden,
  ];
  return hashText(JSON.stringify(parts));
}
