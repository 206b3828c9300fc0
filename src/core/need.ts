/** What a trial takes of the engine, and whether the engine has as much. */
import { ExitError } from "./errors.ts";
import type { Capacity, Need } from "./ports.ts";
import { parseSize, type TaskDefinition } from "./task.ts";

const gibibyte = 2 ** 30;

/** A working directory of up to 1 GiB is kept in memory, with a hard limit. */
export function scratchInMemory({ sandbox }: TaskDefinition): boolean {
  return parseSize(sandbox.disk) <= gibibyte;
}

/** Of the run and of the evaluation after it, which takes no more. */
export function trialNeed(definition: TaskDefinition): Need {
  const { cpus, memory, disk, gpus } = definition.sandbox;
  const scratch = scratchInMemory(definition) ? parseSize(disk) : 0;
  return { cpus, memory: parseSize(memory) + scratch, gpus };
}

/**
 * What is more than there is would be waited for without end.
 * @param who begins the sentence. @throws ExitError `sandbox-too-large`.
 */
export function refuseTooLarge(need: Need, has: Capacity, who: string): void {
  const lacking = [
    need.cpus > has.cpus && `${need.cpus} processors and the engine has ${has.cpus}`,
    need.memory > has.memory &&
      `${mebibytes(need.memory)} of memory (its disk of up to 1g included) and the engine has ${mebibytes(has.memory)}`,
    need.gpus > has.gpus.length && `${need.gpus} GPUs and the engine has ${has.gpus.length}`,
  ].filter((part) => part !== false);
  if (lacking.length === 0) return;
  throw new ExitError(
    "sandbox-too-large",
    `${who} asks for ${lacking.join(", ")}. Lower the limits under "sandbox" in the task file, or give the engine more.`,
  );
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
