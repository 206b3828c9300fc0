/**
 * What an environment holds: a file in it with a digest a line, of each list of requirements that was installed. It is
 * written last, so a folder without it is half made. scripts/setup/trainer.mjs writes it as well.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const markerOf = (folder: string): string => join(folder, "exit-ml-requirements");

/** The environment's Python. */
export function programOf(folder: string): string {
  return process.platform === "win32" ? join(folder, "Scripts", "python.exe") : join(folder, "bin", "python");
}

export function isReady(folder: string, requirements: string): boolean {
  let marker: string;
  try {
    marker = readFileSync(markerOf(folder), "utf8");
  } catch {
    return false;
  }
  return marker.split("\n").includes(digestOf(requirements)) && existsSync(programOf(folder));
}

export function mark(folder: string, requirements: string): void {
  writeFileSync(markerOf(folder), `${digestOf(requirements)}\n`);
}

export function digestOf(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}
