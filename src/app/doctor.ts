/** Is everything there that a run needs? Each part is looked at for itself, so that all that is missing is named. */
import { isExitError, messageOf } from "../core/errors.ts";
import { type Guarantee, missing, type SelfTest, sentence } from "../core/guarantees.ts";
import type { Policy, ResolvedTask, Sandbox, SandboxInfo, Workspace } from "../core/ports.ts";
import type { Readiness } from "../core/reports.ts";
import { usableTasks } from "./choose-task.ts";

export interface DoctorParts {
  readonly workspace: Workspace;
  readonly sandbox: () => Promise<Sandbox>;
  readonly openPolicy: () => Promise<Policy>;
  /** Tries what the sandbox enforces; null: not asked for. */
  readonly selfTest:
    | ((task: ResolvedTask, info: SandboxInfo, sandbox: Sandbox) => Promise<Pick<SelfTest, "guarantees">>)
    | null;
}

type Part = Readiness["parts"][number];

export async function examine(parts: DoctorParts, signal: AbortSignal): Promise<Readiness> {
  const [tasks, model] = await Promise.all([examineTasks(parts, signal), examineModel(parts)]);
  return { parts: [...tasks, model] };
}

async function examineTasks(
  { workspace, sandbox, selfTest }: DoctorParts,
  signal: AbortSignal,
): Promise<Part[]> {
  let names: readonly string[];
  try {
    names = await usableTasks(workspace);
  } catch (error) {
    return [{ part: "task", ok: false, message: messageOf(error) }];
  }
  const found: Part[] = [{ part: "task", ok: true, message: names.join(", ") }];
  const tried = new Set<string>();
  for (const name of names) {
    try {
      const [opened, task] = await Promise.all([sandbox(), workspace.resolve(name)]);
      const info = await opened.describe(task, signal);
      const { engine, version, boundary, image, imageDigest } = info;
      if (name === names[0])
        found.push({ part: "engine", ok: true, message: `version ${version} at ${engine}, ${boundary}` });
      found.push({ part: "image", ok: true, message: `${image} for ${name}` });
      const setting = `${imageDigest} ${boundary} ${task.definition.sandbox.gpus}`;
      if (selfTest === null || tried.has(setting)) continue;
      tried.add(setting);
      const { guarantees } = await selfTest(task, info, opened);
      found.push(...guarantees.map(guaranteePart));
    } catch (error) {
      signal.throwIfAborted();
      const part = partAtFault(error);
      found.push({ part, ok: false, message: messageOf(error) });
      if (part === "engine") break; // it would fail every other task too
    }
  }
  return found;
}

function guaranteePart(guarantee: Guarantee): Part {
  return { part: "sandbox", ok: missing([guarantee]).length === 0, message: sentence(guarantee) };
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
