/** Where the embedded runtime is: in the cache folder, or where the user had it installed, which is kept in mind. */
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { installRuntime } from "../adapters/embedded/install.ts";
import { cacheFolder } from "./models.ts";
import { userStateFolder } from "./state.ts";

const placeFile = (): string => join(userStateFolder(), "embedded-runtime");

/** The folder to load it from; it need not be there. */
export async function runtimeFolder(env: NodeJS.ProcessEnv): Promise<string> {
  const own = join(cacheFolder(env), "embedded");
  if (existsSync(own)) return own;
  const kept = await readFile(placeFile(), "utf8").catch(() => "");
  return kept.trim() || own;
}

/** @param folder absolute; null: in the cache folder. @throws ExitError of the installation. */
export async function installEmbeddedRuntime(
  folder: string | null,
  signal: AbortSignal,
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ readonly folder: string; readonly version: string }> {
  const target = folder ?? join(cacheFolder(env), "embedded");
  const version = await installRuntime(target, signal);
  const file = placeFile();
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.${process.pid}`, `${target}\n`);
  await rename(`${file}.${process.pid}`, file);
  return { folder: target, version };
}
