/** Is everything there that a run needs? Each part is looked at for itself, so that all that is missing is named. */
import { isExitError, messageOf } from "../core/errors.ts";
import type { Policy, Sandbox, Workspace } from "../core/ports.ts";
import type { Readiness } from "../core/reports.ts";
import { usableTasks } from "./choose-task.ts";

export interface DoctorParts {
  readonly workspace: Workspace;
  readonly sandbox: () => Promise<Sandbox>;
  readonly openPolicy: () => Promise<Policy>;
}

type Part = Readiness["parts"][number];

export async function examine(parts: DoctorParts, signal: AbortSignal): Promise<Readiness> {
  const [tasks, model] = await Promise.all([examineTasks(parts, signal), examineModel(parts)]);
  return { parts: [...tasks, model] };
}

async function examineTasks({ workspace, sandbox }: DoctorParts, signal: AbortSignal): Promise<Part[]> {
  let names: readonly string[];
  try {
    names = await usableTasks(workspace);
  } catch (error) {
    return [{ part: "task", ok: false, message: messageOf(error) }];
  }
  const found: Part[] = [{ part: "task", ok: true, message: names.join(", ") }];
  for (const name of names) {
    try {
      const [opened, task] = await Promise.all([sandbox(), workspace.resolve(name)]);
      const { engine, version, boundary, image } = await opened.describe(task, signal);
      if (name === names[0])
        found.push({ part: "engine", ok: true, message: `version ${version} at ${engine}, ${boundary}` });
      found.push({ part: "image", ok: true, message: `${image} for ${name}` });
    } catch (error) {
      signal.throwIfAborted();
      const part = partAtFault(error);
      found.push({ part, ok: false, message: messageOf(error) });
      if (part === "engine") break; // it would fail every other task too
    }
  }
  return found;
}

function partAtFault(error: unknown): "engine" | "image" | "task" {
  const reason = isExitError(error) ? error.reason : "";
  if (reason.startsWith("docker-")) return "engine";
  return reason.startsWith("image-") ? "image" : "task";
}

/** Opening a policy looks for its model and its runtime; nothing is loaded before a call needs it. */
async function examineModel({ openPolicy }: DoctorParts): Promise<Part> {
  try {
    await (await openPolicy()).close();
    return { part: "model", ok: true, message: "a model is there" };
  } catch (error) {
    // Several models are there: which one is asked when a run begins.
    const ok = isExitError(error, "model-needed");
    return { part: "model", ok, message: messageOf(error) };
  }
}
