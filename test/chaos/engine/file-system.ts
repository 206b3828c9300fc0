/** Small file systems of the suite's own, to be filled, copied and mounted. Takes root. */
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** An ext4 of `bytes` in the file `image`, mounted at `folder`. The file grows only by what is written. */
export async function mountImage(image: string, folder: string, bytes: number): Promise<void> {
  writeFileSync(image, "");
  truncateSync(image, bytes);
  await execute("mkfs.ext4", ["-q", "-F", "-m", "0", image]);
  await remount(image, folder);
}

/** Mounts a file system that is in `image` already. */
export async function remount(image: string, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await execute("mount", ["-o", "loop", image, folder]);
}

/** A file system in memory. */
export async function mountMemory(folder: string, bytes: number): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await execute("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", folder]);
}

/** Unmounts everything at and below `folder`, the innermost first. */
export async function unmount(folder: string): Promise<void> {
  const places = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((place) => place === folder || place.startsWith(`${folder}/`));
  for (const place of places.reverse())
    await execute("umount", [place]).catch(() => execute("umount", ["-l", place]));
}
