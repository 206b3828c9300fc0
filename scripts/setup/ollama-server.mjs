// An Ollama server of ours: a port, models and settings of its own, so that the user's stays untouched and
// two at once do not meet. It has SmolLM2, and ends with the process that started it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { inCache, logFile } from "./cache.mjs";
import { withLock } from "./lock.mjs";
import { tail } from "./process.mjs";

/** Where Ollama keeps its models and its key. */
const home = () => inCache("ollama-home");

/** What Ollama calls the model of the part `model`. */
export const smallModel = "smollm2:135m";

const keeper = fileURLToPath(new URL("keeper.mjs", import.meta.url));
const startSeconds = 60;

/**
 * @typedef {object} OllamaServer
 * @property {string} host http://127.0.0.1:PORT
 * @property {string} model a name it serves: `smallModel`
 * @property {() => Promise<void>} stop on return, no process of it is left
 */

/**
 * @param {{ binary: string, model: { file: string, sha256: string } }} parts of the set-up: `ollama` and `model`
 * @returns {Promise<OllamaServer>}
 */
export async function startOllama({ binary, model }) {
  const server = await serve(binary);
  try {
    // One at a time: they share the folder of models.
    await withLock(inCache("locks", "ollama-models.lock"), {}, () => bringModel(server.host, model));
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { ...server, model: smallModel };
}

/** @param {string} binary @returns {Promise<{ host: string, stop: () => Promise<void> }>} */
async function serve(binary) {
  const log = logFile("ollama-server");
  // Between finding a free port and listening on it, somebody else may take it.
  for (let attempt = 0; attempt < 3; attempt++) {
    const address = `127.0.0.1:${await freePort()}`;
    const output = fs.openSync(log, "a");
    const child = spawn(process.execPath, [keeper, binary, "serve"], {
      env: environment(address),
      stdio: ["pipe", output, output],
      detached: true,
    });
    fs.closeSync(output);
    const ended = once(child, "exit").then(() => true);
    const held = /** @type {net.Socket} */ (child.stdin);
    const stop = async () => {
      child.ref();
      held.end();
      await ended;
    };
    // Who forgets to stop it must still be able to end: that ends it, too.
    child.unref();
    held.unref();
    const host = `http://${address}`;
    if (await answers(host, ended)) return { host, stop };
    await stop();
  }
  throw new Error(`The Ollama server did not start. Its log, ${log}, ends with:\n${tail(log)}`);
}

/** @param {string} address @returns {NodeJS.ProcessEnv} */
function environment(address) {
  fs.mkdirSync(home(), { recursive: true });
  const kept = Object.entries(process.env).filter(([name]) => !/^OLLAMA_/i.test(name));
  return {
    ...Object.fromEntries(kept),
    HOME: home(),
    USERPROFILE: home(),
    OLLAMA_HOST: address,
    OLLAMA_MODELS: path.join(home(), "models"),
    OLLAMA_NUM_PARALLEL: "8",
    // Starting, it would delete what another one is just bringing in.
    OLLAMA_NOPRUNE: "1",
  };
}

/** @returns {Promise<number>} */
async function freePort() {
  const probe = net.createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = /** @type {net.AddressInfo} */ (probe.address());
  probe.close();
  await once(probe, "close");
  return port;
}

/** @param {string} host @param {Promise<boolean>} ended @returns {Promise<boolean>} false: it ended, or stays silent */
async function answers(host, ended) {
  for (const until = Date.now() + startSeconds * 1000; Date.now() < until; ) {
    if (await Promise.race([ended, pause(100, false)])) return false;
    try {
      if ((await fetch(`${host}/api/version`, { signal: AbortSignal.timeout(2000) })).ok) return true;
    } catch {
      // Not yet.
    }
  }
  return false;
}

/** @param {string} host @param {{ file: string, sha256: string }} model */
async function bringModel(host, { file, sha256 }) {
  const blob = `/api/blobs/sha256:${sha256}`;
  const named = (await modelsOf(host)).includes(smallModel);
  const held = (await fetch(host + blob, { method: "HEAD" })).ok;
  if (named && held) return;
  if (!held) await call(host, "POST", blob, { body: fs.readFileSync(file) });
  const files = { [path.basename(file)]: `sha256:${sha256}` };
  const body = JSON.stringify({ model: smallModel, files, stream: false });
  await call(host, "POST", "/api/create", { body });
}

/**
 * @param {string} host of any Ollama server
 * @param {number} [limitSeconds]
 * @returns {Promise<string[]>} names of the models it has
 */
export async function modelsOf(host, limitSeconds) {
  const answer = await call(host, "GET", "/api/tags", { limitSeconds });
  const { models } = /** @type {{ models: { name: string }[] }} */ (await answer.json());
  return models.map(({ name }) => name);
}

/**
 * @param {string} host
 * @param {string} method
 * @param {string} url
 * @param {{ body?: string | Buffer<ArrayBuffer>, limitSeconds?: number | undefined }} [options]
 */
async function call(host, method, url, { body, limitSeconds = 120 } = {}) {
  const signal = AbortSignal.timeout(limitSeconds * 1000);
  const answer = await fetch(host + url, { method, signal, ...(body !== undefined && { body }) });
  if (!answer.ok) {
    throw new Error(`Ollama answered ${answer.status} to ${method} ${url}: ${(await answer.text()).trim()}`);
  }
  return answer;
}
