/** Which Node runs the runner: it needs `node:sqlite`, which the starter's own Node may not have. */
import { existsSync } from "node:fs";
import { isBuiltin } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { ExitError } from "../protocol/errors.ts";

export interface NodeBinary {
  readonly path: string;
  /** True if it is an Electron that has to be told to act as Node. */
  readonly electron: boolean;
}

/** What is known about the process that starts the runner. */
export interface Starter {
  readonly execPath: string;
  readonly version: string;
  readonly electron: boolean;
  readonly hasSqlite: boolean;
}

function thisStarter(): Starter {
  return {
    execPath: process.execPath,
    version: process.versions.node,
    electron: process.versions.electron !== undefined,
    hasSqlite: isBuiltin("node:sqlite") && sqliteWithoutFlag(process.versions.node),
  };
}

/**
 * In this order: `nodePath` (a setting), the starter's own, `EXIT_ML_NODE`, the Node 24 in the cache folder.
 * @throws ExitError `node-missing`.
 */
export function chooseNode(
  nodePath: string | null,
  env: NodeJS.ProcessEnv = process.env,
  starter: Starter = thisStarter(),
  exists: (path: string) => boolean = existsSync,
): NodeBinary {
  if (nodePath !== null) return named(nodePath, "The setting runner.nodePath", exists);
  if (starter.hasSqlite) return { path: starter.execPath, electron: starter.electron };
  const fromEnv = env.EXIT_ML_NODE;
  if (fromEnv) return named(fromEnv, "EXIT_ML_NODE", exists);
  const cached = cachedNodes(env).find(exists);
  if (cached !== undefined) return { path: cached, electron: false };
  throw new ExitError(
    "node-missing",
    `The runner needs Node 22.13 or newer, for its built-in SQLite; this is Node ${starter.version}. Install a newer Node, or name one with EXIT_ML_NODE=/path/to/node.`,
  );
}

function named(path: string, source: string, exists: (path: string) => boolean): NodeBinary {
  if (!exists(path))
    throw new ExitError(
      "node-missing",
      `${source} names ${path}, which does not exist. Correct or remove it.`,
    );
  return { path, electron: false };
}

/** Where the project's own set-up puts Node 24: npm's package of the platform, alone or below the package `node`. */
function cachedNodes(env: NodeJS.ProcessEnv): string[] {
  const cache = env.EXIT_ML_CACHE || join(homedir(), ".cache", "exit-ml");
  const [platform, binary] = process.platform === "win32" ? ["win", "node.exe"] : [process.platform, "node"];
  const prefix = platform === "darwin" && process.arch === "arm64" ? "node-bin" : "node";
  const inPackage = join("node_modules", `${prefix}-${platform}-${process.arch}`, "bin", binary);
  const folder = join(cache, "node24");
  return [join(folder, inPackage), join(folder, "node_modules", "node", inPackage)];
}

/** 22.5 has it behind a flag; from 22.13 and 23.4 on it is simply there. */
function sqliteWithoutFlag(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major >= 24 || (major === 23 && minor >= 4) || (major === 22 && minor >= 13);
}
