/** The durable writes of all runners of one workspace, in their order, as doomed.ts tells them. */
import { existsSync, readFileSync } from "node:fs";

export interface Write {
  readonly what: string;
  /** Of the trial, the member, the group or the run. */
  readonly key: string;
}

/** In place of a write: the process kills itself, and the key is the moment. */
export const killed = "killed";

export function readTrace(file: string): readonly Write[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Write);
}

/** Names of the writes of an undisturbed run in the order in which they first occurred. */
export function kindsOf(trace: readonly Write[]): readonly string[] {
  return [...new Set(trace.map(({ what }) => what))];
}

/** What was done again though its result was stored already, as sentences. */
export function doubled(trace: readonly Write[]): readonly string[] {
  const finished = new Set<string>();
  const scored = new Set<string>();
  const faults: string[] = [];
  for (const { what, key } of trace) {
    if (what === "run started" && finished.has(key))
      faults.push(`${key} was run again after its outcome was stored`);
    if (what === "outcome stored" && finished.has(key)) faults.push(`${key} got a second outcome`);
    if (what === "score stored" && scored.has(key)) faults.push(`score ${key} was made twice`);
    if (what === "outcome stored") finished.add(key);
    if (what === "score stored") scored.add(key);
  }
  return faults;
}
