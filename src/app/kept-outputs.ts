/**
 * Outputs that are known to score, one set a task and evaluator: what a suspicious evaluation is compared with
 * (DESIGN.md section 4). A root's outputs are kept in preference; without them the newest scored revision's.
 */
import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Outputs, ResolvedTask } from "../core/ports.ts";

export interface KeptOutputs {
  find(task: ResolvedTask): Promise<Outputs | null>;
  /** Takes the outputs over; their folder moves. */
  keep(task: ResolvedTask, outputs: Outputs, isRoot: boolean): Promise<void>;
}

/** Name of the folder of one set. */
export function keptName(task: ResolvedTask, owner: "root" | "newest"): string {
  return `${task.id}-${task.evaluatorDigest.slice(0, 12)}-${owner}`;
}

/** @param folder an existing folder of ours, on the same file system as the outputs. */
export function createKeptOutputs(folder: string): KeptOutputs {
  const placeOf = (task: ResolvedTask, owner: "root" | "newest"): string =>
    join(folder, keptName(task, owner));
  const at = async (place: string): Promise<Outputs | null> => {
    try {
      const entries = await readdir(place, { recursive: true, withFileTypes: true });
      const files = entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(place.length + 1));
      return { folder: place, files: files.sort() };
    } catch {
      return null;
    }
  };
  return {
    find: async (task) => (await at(placeOf(task, "root"))) ?? at(placeOf(task, "newest")),
    async keep(task, outputs, isRoot) {
      const place = placeOf(task, isRoot ? "root" : "newest");
      await rm(place, { recursive: true, force: true });
      await rename(outputs.folder, place);
    },
  };
}
