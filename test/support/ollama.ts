/** A real Ollama server with a small real model, for one test file. */
import { model } from "../../scripts/setup/model.mjs";
import { installedOllama } from "../../scripts/setup/ollama.mjs";
import { type OllamaServer, startOllama } from "../../scripts/setup/ollama-server.mjs";

/** Starts one of its own, in seconds. The caller stops it; else it ends with the calling process. */
export async function openOllamaServer(): Promise<OllamaServer> {
  const binary = installedOllama();
  if (binary === undefined) {
    throw new Error(
      "No Ollama is installed. `npm test` brings it, and so does `node scripts/setup/setup.mjs ollama`.",
    );
  }
  return startOllama({ binary, model: await model({ progress: () => undefined }) });
}
