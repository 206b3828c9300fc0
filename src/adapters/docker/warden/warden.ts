/** Process 1 of the containers in which commands of a task run; what it does is said in warden.c. */
import { randomUUID } from "node:crypto";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { programs } from "./programs.ts";

/** Where it lies in a container. */
export const wardenPath = "/exit-ml-warden";
/** Its exit code when the time is over. */
export const timedOut = 124;

/** Processors there is a warden for. */
export type Processor = keyof typeof programs;

/** @param name as Docker or, the second of each pair, Podman calls it */
export function processorOf(name: unknown): Processor | null {
  if (name === "x86_64" || name === "amd64") return "x86_64";
  if (name === "aarch64" || name === "arm64") return "aarch64";
  return null;
}

/** Puts the program into a folder of ours, from where containers mount it. @returns its path */
export async function placeWarden(folder: string, processor: Processor): Promise<string> {
  const program = Buffer.from(programs[processor], "base64");
  const place = join(folder, ".warden");
  const file = join(place, processor);
  const there = await readFile(file).catch(() => null);
  if (there?.equals(program)) return file;
  await mkdir(place, { recursive: true });
  const fresh = join(place, randomUUID());
  await writeFile(fresh, program);
  // Whatever the umask: it is executed as nobody.
  await chmod(fresh, 0o555);
  await rename(fresh, file);
  return file;
}
