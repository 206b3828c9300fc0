/** The real policy on a server, with a short context. */
import { endpointFrom } from "../../../src/adapters/ollama/endpoint.ts";
import { createOllamaPolicy, type OllamaOptions } from "../../../src/adapters/ollama/policy.ts";
import { renderChat } from "../../../src/adapters/template/render.ts";
import type { Policy } from "../../../src/core/ports.ts";

export function openOllama(
  server: { readonly host: string; readonly model: string },
  options: Partial<OllamaOptions> = {},
): Promise<Policy> {
  return createOllamaPolicy({
    endpoint: endpointFrom(server.host),
    model: server.model,
    renderChat,
    contextLength: 1024,
    ...options,
  });
}
