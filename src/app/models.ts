/** The models there are to choose from, over all runtimes. */
import { readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Endpoint, endpointFrom } from "../adapters/ollama/endpoint.ts";
import { listModels } from "../adapters/ollama/list-models.ts";
import { ExitError, isExitError } from "../core/errors.ts";
import type { ModelChoice, ModelList } from "../core/reports.ts";
import { isEndpointAllowed } from "./consent.ts";

/** Where the parts that are not in the package live: runtime and models. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return env.EXIT_ML_CACHE || join(homedir(), ".cache", "exit-ml");
}

export function modelsFolder(env: NodeJS.ProcessEnv): string {
  return join(cacheFolder(env), "models");
}

/** The address that was asked for, or that of the environment. @throws ExitError `endpoint-invalid`. */
export function endpointOf(endpoint: string | null, env: NodeJS.ProcessEnv): Endpoint {
  return endpointFrom(endpoint ?? env.OLLAMA_HOST ?? null);
}

/** @throws ExitError `endpoint-invalid`, `endpoint-consent`. */
export async function allowedEndpoint(endpoint: string | null, env: NodeJS.ProcessEnv): Promise<Endpoint> {
  const found = endpointOf(endpoint, env);
  if (!found.isLocal && !(await isEndpointAllowed(found.address)))
    throw new ExitError(
      "endpoint-consent",
      `${found.place} is not this machine: prompts, which hold your code and previews of your data, would be sent there. If you agree, say so once with: exit-ml run --endpoint ${found.address} --allow-endpoint.`,
    );
  return found;
}

export async function listAllModels(
  endpoint: string | null,
  signal: AbortSignal,
  env: NodeJS.ProcessEnv = process.env,
): Promise<ModelList> {
  const [served, embedded] = await Promise.all([
    servedModels(endpoint, signal, env),
    embeddedModels(modelsFolder(env)),
  ]);
  return { models: [...served.models, ...embedded], problems: served.problems };
}

async function servedModels(
  endpoint: string | null,
  signal: AbortSignal,
  env: NodeJS.ProcessEnv,
): Promise<ModelList> {
  try {
    return await listModels(await allowedEndpoint(endpoint, env), signal);
  } catch (error) {
    if (isExitError(error)) return { models: [], problems: [error.message] };
    throw error;
  }
}

export async function embeddedModels(folder: string): Promise<readonly ModelChoice[]> {
  const files = await readdir(folder).catch(() => []);
  const names = files.filter((file) => file.endsWith(".gguf")).sort();
  return Promise.all(
    names.map(async (file) => ({
      runtime: "embedded" as const,
      name: file.slice(0, -".gguf".length),
      bytes: (await stat(join(folder, file))).size,
      quantisation: null,
      parameters: null,
    })),
  );
}
