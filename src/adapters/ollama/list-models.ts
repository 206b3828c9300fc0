/** The models of a server that can write: what a user may choose from. */
import { isExitError } from "../../core/errors.ts";
import type { ModelList } from "../../core/reports.ts";
import type { Endpoint } from "./endpoint.ts";
import { connect, remoteHost } from "./server.ts";

/**
 * Models that only embed texts, and those the server only forwards to, are left out.
 * @returns a problem instead of models where no server answers.
 */
export async function listModels(endpoint: Endpoint, signal: AbortSignal): Promise<ModelList> {
  try {
    const server = connect(endpoint);
    const { models } = await server.ask((client) => client.list(), signal);
    const usable = await Promise.all(
      models.map(async (model) => {
        if (remoteHost(model) !== null) return false;
        const { capabilities } = await server.ask((client) => client.show({ model: model.name }), signal);
        return capabilities === undefined || capabilities.includes("completion");
      }),
    );
    return {
      models: models
        .filter((_, at) => usable[at])
        .map(({ name, size, details }) => ({
          runtime: "ollama" as const,
          name,
          bytes: size,
          quantisation: details.quantization_level || null,
          parameters: details.parameter_size || null,
        }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
      problems: [],
    };
  } catch (error) {
    signal.throwIfAborted();
    if (isExitError(error)) return { models: [], problems: [error.message] };
    throw error;
  }
}
