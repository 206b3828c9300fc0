/** The `ModelKeeper` port on an Ollama server. */
import { createHash } from "node:crypto";
import type { Sha256 } from "../../core/ports.ts";
import type { ModelKeeper } from "../../core/tuning/ports.ts";
import { checkTakesAdapters } from "./adapters-taken.ts";
import type { Endpoint } from "./endpoint.ts";
import { installTuned } from "./install-model.ts";
import { showLocal } from "./model-facts.ts";
import { removeModel } from "./remove-model.ts";
import { connect } from "./server.ts";
import { unloadModels } from "./unload.ts";
import { findWeights } from "./weights.ts";

export interface OllamaKeeperOptions {
  readonly endpoint: Endpoint;
  /** Name of the base there. */
  readonly model: string;
  /** Milliseconds a model is given to leave the memory; default: a minute, for a reply under way has to end. */
  readonly patience?: number;
}

const usualPatience = 60_000;

const sha256: Sha256 = (data) => createHash("sha256").update(data).digest("hex");

export function createOllamaKeeper({
  endpoint,
  model,
  patience = usualPatience,
}: OllamaKeeperOptions): ModelKeeper {
  const server = connect(endpoint);
  return {
    weights: (signal) => findWeights(server, model, signal),
    async accept(form, signal) {
      if (form === "adapter")
        await checkTakesAdapters(server, model, await showLocal(server, model, signal), signal);
    },
    install: (tuned, say, signal) => installTuned(server, { ...tuned, base: model }, sha256, say, signal),
    remove: (installed, signal) => removeModel(server, model, installed, sha256, signal),
    unload: (models, say, signal) => unloadModels(server, models, patience, say, signal),
  };
}
