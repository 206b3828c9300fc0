/** Where a Docker engine may listen. Nothing is contacted here. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ExitError } from "../../core/errors.ts";

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly uid: number | null;
  readonly platform: NodeJS.Platform;
}

async function json(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch {
    return null;
  }
}

function at(value: unknown, ...path: readonly string[]): unknown {
  let here = value;
  for (const name of path) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Record<string, unknown>)[name];
  }
  return here;
}

/** Endpoint of a context of the docker command line, null if there is no such context. */
async function contextEndpoint(folder: string, context: string): Promise<string | null> {
  const digest = createHash("sha256").update(context).digest("hex");
  const host = at(
    await json(join(folder, "contexts", "meta", digest, "meta.json")),
    "Endpoints",
    "docker",
    "Host",
  );
  return typeof host === "string" && host !== "" ? host : null;
}

/**
 * Endpoints to try, best first. What the user named (`socket`, `DOCKER_HOST`, `DOCKER_CONTEXT`) stands alone:
 * falling back from it would run on an engine nobody asked for.
 * @param socket path of a socket, or null.
 * @throws ExitError `docker-unreachable` if `DOCKER_CONTEXT` names no context.
 */
export async function endpoints(socket: string | null, where: Surroundings): Promise<string[]> {
  const { env, home, uid, platform } = where;
  if (socket !== null) return [socket.includes("://") ? socket : `unix://${socket}`];
  if (env.DOCKER_HOST) return [env.DOCKER_HOST];
  const folder = env.DOCKER_CONFIG || join(home, ".docker");
  const named = env.DOCKER_CONTEXT;
  if (named && named !== "default") {
    const endpoint = await contextEndpoint(folder, named);
    if (endpoint !== null) return [endpoint];
    throw new ExitError(
      "docker-unreachable",
      `DOCKER_CONTEXT names "${named}", but there is no such context. Choose one that "docker context ls" shows.`,
    );
  }
  const current = at(await json(join(folder, "config.json")), "currentContext");
  const chosen =
    !named && typeof current === "string" && current !== "default"
      ? await contextEndpoint(folder, current)
      : null;
  const known =
    platform === "win32"
      ? ["npipe:////./pipe/docker_engine", "npipe:////./pipe/dockerDesktopLinuxEngine"]
      : [
          ...(env.XDG_RUNTIME_DIR ? [`unix://${env.XDG_RUNTIME_DIR}/docker.sock`] : []),
          `unix://${home}/.docker/run/docker.sock`,
          `unix://${home}/.docker/desktop/docker.sock`,
          ...(uid === null ? [] : [`unix:///run/user/${uid}/docker.sock`]),
          "unix:///var/run/docker.sock",
        ];
  return [...new Set([...(chosen === null ? [] : [chosen]), ...known])];
}
