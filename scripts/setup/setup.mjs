// Brings every part that is asked for, each once, side by side where one does not need the other.
// Also a program: `node scripts/setup/setup.mjs [part…]` (when none is named, all parts but those on demand).
import path from "node:path";
import { browser } from "./browser.mjs";
import { build, extension } from "./build.mjs";
import { cacheFolder, prepareCache } from "./cache.mjs";
import { dependencies } from "./dependencies.mjs";
import { docker } from "./docker.mjs";
import { editor } from "./editor.mjs";
import { embedded } from "./embedded.mjs";
import { releaseAll } from "./lock.mjs";
import { model } from "./model.mjs";
import { node24 } from "./node24.mjs";
import { ollama } from "./ollama.mjs";
import { isMain, stopRunning } from "./process.mjs";
import { python } from "./python.mjs";
import { sandboxImage } from "./sandbox-image.mjs";
import { secondModel } from "./second-model.mjs";
import { trainer } from "./trainer.mjs";

/** @typedef {{ ok: boolean, skippedBecause?: string, details?: Record<string, any> }} Result */
/** @typedef {Record<string, Result>} Results */
/** @typedef {(text: string) => void} Progress */
/** @typedef {{ title: string, needs: string[], onDemand?: true, bring: (progress: Progress, results: Results) => Promise<object> }} Part */

/** @type {Record<string, Part>} */
const parts = {
  node24: { title: "Node", needs: [], bring: (progress) => node24({ progress }) },
  dependencies: { title: "packages", needs: [], bring: (progress) => dependencies({ progress }) },
  build: { title: "bundles", needs: ["dependencies"], bring: (progress) => build({ progress }) },
  extension: {
    title: "packed extension",
    // Packing empties dist/ and makes the bundles anew: never while they are being built.
    needs: ["node24", "build"],
    bring: (progress, { node24 }) => extension({ node: node24?.details?.binary, progress }),
  },
  docker: { title: "container engine", needs: [], bring: (progress) => docker({ progress }) },
  sandboxImage: {
    title: "sandbox image",
    needs: ["docker"],
    bring: (progress, { docker }) => sandboxImage({ host: docker?.details?.host, progress }),
  },
  model: { title: "model", needs: [], bring: (progress) => model({ progress }) },
  embedded: { title: "embedded runtime", needs: [], bring: (progress) => embedded({ progress }) },
  ollama: { title: "Ollama", needs: [], bring: (progress) => ollama({ progress }) },
  editor: {
    title: "editor",
    needs: ["node24"],
    bring: (progress, { node24 }) =>
      editor({ node: /** @type {{ binary: string, version: string }} */ (node24?.details), progress }),
  },
  browser: { title: "browser", needs: [], bring: (progress) => browser({ progress }) },
  // Only what is measured by hand needs it.
  secondModel: {
    title: "second model",
    needs: [],
    onDemand: true,
    bring: (progress) => secondModel({ progress }),
  },
  python: { title: "Python", needs: [], bring: (progress) => python({ progress }) },
  trainer: { title: "trainer", needs: [], bring: (progress) => trainer({ progress }) },
};

const partNames = Object.keys(parts);

/**
 * @param {string[]} wanted names of parts; what they need comes along
 * @param {{ print?: (line: string) => void }} [options]
 * @returns {Promise<Results>} a part that cannot be had does not reject: its result says why
 */
export async function setUp(wanted, { print = console.log } = {}) {
  const unknown = wanted.filter((name) => !(name in parts));
  if (unknown.length > 0)
    throw new Error(`No such part: ${unknown.join(", ")}. There are: ${partNames.join(", ")}.`);
  prepareCache();
  /** @type {Results} */
  const results = {};
  /** @type {Map<string, Promise<void>>} */
  const started = new Map();
  /** @param {string} name @returns {Promise<void>} */
  const start = (name) => {
    let work = started.get(name);
    if (!work) {
      work = bringOne(name, start, results, print);
      started.set(name, work);
    }
    return work;
  };
  const release = endOnSignal(print);
  try {
    await Promise.all(wanted.map(start));
  } finally {
    release();
  }
  return results;
}

/**
 * @param {string} name
 * @param {(name: string) => Promise<void>} start
 * @param {Results} results
 * @param {(line: string) => void} print
 */
async function bringOne(name, start, results, print) {
  const part = /** @type {Part} */ (parts[name]);
  await Promise.all(part.needs.map(start));
  const lacking = part.needs.find((need) => !results[need]?.ok);
  if (lacking) {
    const skippedBecause = `It needs the ${parts[lacking]?.title}, which is missing.`;
    results[name] = { ok: false, skippedBecause };
    print(`[setup] ${part.title}: left out. ${skippedBecause}`);
    return;
  }
  const began = Date.now();
  const seconds = () => Math.round((Date.now() - began) / 1000);
  let busy = false;
  /** @type {Progress} */
  const progress = (text) => {
    busy = true;
    print(`[setup] ${part.title}: ${text}…`);
  };
  const alive = setInterval(() => print(`[setup] ${part.title}: still working, ${seconds()} s`), 30_000);
  try {
    const details = await part.bring(progress, results);
    results[name] = { ok: true, details };
    print(`[setup] ${part.title}: ${busy ? `done in ${seconds()} s` : "ready"}`);
  } catch (error) {
    const skippedBecause = error instanceof Error ? error.message : String(error);
    results[name] = { ok: false, skippedBecause };
    print(`[setup] ${part.title}: not available. ${skippedBecause}`);
  } finally {
    clearInterval(alive);
  }
}

/** Told to stop in the middle: ends the installers and gives the locks back. @param {(line: string) => void} print */
function endOnSignal(print) {
  const signals = /** @type {const} */ ({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 });
  /** @param {NodeJS.Signals} signal */
  const end = (signal) => {
    stopRunning();
    releaseAll();
    print("[setup] stopped. What was not finished is done again next time.");
    process.exit(signals[/** @type {keyof typeof signals} */ (signal)]);
  };
  for (const signal of Object.keys(signals)) process.on(signal, end);
  return () => {
    for (const signal of Object.keys(signals)) process.off(signal, end);
  };
}

/**
 * @param {Results} results
 * @returns {NodeJS.ProcessEnv} what the product and the tests are started with
 */
export function environmentFor(results) {
  const env = { ...process.env, EXIT_ML_CACHE: cacheFolder(), ...results.docker?.details?.environment };
  const node = results.node24?.details?.binary;
  if (node) {
    env.EXIT_ML_NODE = node;
    const key = Object.keys(env).find((name) => /^path$/i.test(name)) ?? "PATH"; // Windows writes it Path
    env[key] = `${path.dirname(node)}${path.delimiter}${env[key] ?? ""}`;
  }
  const editor = results.editor?.details;
  if (editor) {
    env.EXIT_ML_TEST_EDITOR = editor.entry;
    env.EXIT_ML_TEST_EDITOR_NODE = editor.node;
  }
  if (results.browser?.details) env.EXIT_ML_TEST_BROWSER = results.browser.details.program;
  if (results.python?.details) env.EXIT_ML_TEST_PYTHON = results.python.details.program;
  if (results.trainer?.details) env.EXIT_ML_TRAINER_PYTHON = results.trainer.details.python;
  return env;
}

if (isMain(import.meta.url)) {
  const named = process.argv.slice(2);
  try {
    const usual = partNames.filter((name) => !parts[name]?.onDemand);
    const results = await setUp(named.length > 0 ? named : usual);
    process.exitCode = Object.values(results).every((result) => result.ok) ? 0 : 1;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  }
}
