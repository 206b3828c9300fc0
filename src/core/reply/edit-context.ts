/** What reading one reply needs at every step, and the repairs it has noted so far. */
import type { ResolvedTask, Solution } from "../ports.ts";
import { parseTextFile, type TextFile } from "./text-file.ts";

export interface Context {
  readonly task: ResolvedTask;
  readonly start: Solution;
  /** Paths of `start`. */
  readonly known: ReadonlySet<string>;
  /** Rungs of the repair ladder taken, in order. */
  readonly repairs: string[];
}

/** Null if there is no such file or it is not text. */
export function textOf(path: string, context: Context): TextFile | null {
  const file = context.start.find((one) => one.path === path);
  return file === undefined ? null : parseTextFile(file.bytes);
}

export function note(repairs: readonly string[], context: Context): void {
  for (const repair of repairs) if (!context.repairs.includes(repair)) context.repairs.push(repair);
}
