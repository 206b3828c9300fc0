// Which runtime serves the demo's model: the embedded one, an Ollama server that answers, or one of ours.
import fs from "node:fs";
import { inCache } from "../setup/cache.mjs";
import { modelsOf, smallModel } from "../setup/ollama-server.mjs";

/** @typedef {{ host: string, models: string[] }} Answering an Ollama server of the user's */

/**
 * @typedef {object} Runtime
 * @property {"embedded" | "ollama"} name
 * @property {string[]} parts what has to be set up for it
 * @property {string | undefined} host of the Ollama server that answers; undefined where one has to be started
 * @property {string | undefined} model for --model; undefined: left to the runtime
 * @property {string} reason
 */

/**
 * A server that happens to run is never chosen by itself: what it serves may be slow, or cost money.
 * @param {{ model: string | undefined, runtime: string | undefined }} wish of the user
 * @param {Answering | undefined} answering
 * @returns {Runtime}
 */
export function chooseRuntime({ model, runtime }, answering) {
  const wanted = runtime ?? (model === undefined || isFile(model) ? "embedded" : "ollama");
  if (wanted !== "ollama") {
    const also =
      answering && ` The Ollama server at ${answering.host} is used with --runtime ollama or --model NAME.`;
    const parts = model === undefined ? ["embedded", "model"] : ["embedded"];
    const what = model ? `the model you named, ${model}` : "SmolLM2-135M-Instruct";
    const reason = `${what}, in the embedded runtime on this machine.${also ?? ""}`;
    return { name: "embedded", parts, host: undefined, model, reason };
  }
  if (answering) {
    const named = checkModel(model, answering);
    const reason = `${named}, served by the Ollama at ${answering.host}.`;
    return { name: "ollama", parts: [], host: answering.host, model: named, reason };
  }
  const named = model ?? smallModel;
  const reason = `${named}, served by an Ollama of the demo's own: none answers on this machine.`;
  return { name: "ollama", parts: ["ollama", "model"], host: undefined, model: named, reason };
}

/**
 * @param {string | undefined} model
 * @param {Answering} server
 * @param {string} [mend] how it comes to have another
 * @returns {string} the model, which the server has
 */
export function checkModel(model, { host, models }, mend = `\`ollama pull ${model}\` brings it.`) {
  const list = models.length > 0 ? `It has: ${models.join(", ")}.` : "It has none.";
  if (model === undefined)
    throw new Error(`Name a model of the Ollama server at ${host} with --model. ${list}`);
  if (models.includes(model) || models.includes(`${model}:latest`)) return model;
  throw new Error(`The Ollama server at ${host} has no model ${model}. ${list} ${mend}`);
}

/** @returns {Promise<Answering | undefined>} the Ollama server of this user, if it answers */
export async function answeringOllama() {
  const host = ollamaHost(process.env.OLLAMA_HOST);
  try {
    return { host, models: await modelsOf(host, 2) };
  } catch {
    return undefined;
  }
}

/**
 * @param {string | undefined} setting as in OLLAMA_HOST: a host, a port, both, or a URL
 * @returns {string} a URL without a slash at its end
 */
export function ollamaHost(setting) {
  const [, scheme, rest = ""] = /^(https?:\/\/)?(.*?)\/*$/.exec(setting?.trim() ?? "") ?? [];
  const [, name, port] = /^(\[.*\]|[^:/]*)(?::(\d+))?/.exec(rest) ?? [];
  const usual = scheme === "https://" ? "443" : scheme ? "80" : "11434";
  // What a server listens on everywhere is no address to call.
  const host = !name || name === "0.0.0.0" || name === "[::]" ? "127.0.0.1" : name;
  return `${scheme ?? "http://"}${host}:${port ?? usual}`;
}

/** @param {string} model is it one that the embedded runtime opens? */
function isFile(model) {
  return model.endsWith(".gguf") || fs.existsSync(inCache("models", `${model}.gguf`));
}
