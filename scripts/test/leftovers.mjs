// Nothing that the tests start or make may outlive them: processes, files, and what they have in the container
// engine. Each suite gives its tests a folder for temporary files and a mark in the environment, by which
// what is theirs is told from what other people and other suites do on the same machine.
import { createHash, randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { removeFolder } from "../setup/cache.mjs";
import { request } from "../setup/engine.mjs";

const variable = "EXIT_ML_TEST_SUITE";

/** A runner ends by itself a few seconds after its last client. */
const usualPatienceMs = 20_000;

/** What tools keep there between their runs. */
const notOurs = ["node-compile-cache"];

/**
 * @typedef {object} Suite
 * @property {string} mark value of EXIT_ML_TEST_SUITE in everything that the suite starts
 * @property {string} folder where it keeps temporary files
 * @property {string | undefined} engine as in DOCKER_HOST; undefined when none is used
 * @property {Set<string>} known ids of what was in the engine before
 */

/** @param {string | undefined} engine @returns {Promise<Suite>} */
export async function beginSuite(engine) {
  const known = new Set(engine ? (await engineHoldings(engine)).map(({ id }) => id) : []);
  // Short and without links: sockets are made in it, whose paths may have about 100 bytes.
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "exit-ml-")));
  return { mark: randomBytes(8).toString("hex"), folder, engine, known };
}

/** @param {Suite} suite @returns {NodeJS.ProcessEnv} what its stages are given on top */
export function environmentOf({ mark, folder }) {
  return { [variable]: mark, TMPDIR: folder, TEMP: folder, TMP: folder, XDG_RUNTIME_DIR: folder };
}

/**
 * Waits a while for what is just ending.
 * @param {Suite} suite
 * @param {number} [patienceMs]
 * @returns {Promise<string[]>} a line for everything that is left
 */
export async function leftovers(suite, patienceMs = usualPatienceMs) {
  for (const until = Date.now() + patienceMs; ; await pause(500)) {
    const inEngine = await leftInEngine(suite).catch((error) => [`unknown what is in the engine: ${error}`]);
    const left = [...processesOf(suite), ...filesIn(suite.folder), ...inEngine];
    if (left.length === 0 || Date.now() > until) return left;
  }
}

/** @param {Suite} suite */
export function endSuite({ folder }) {
  removeFolder(folder);
}

/**
 * @param {{ mark: string, folder: string }} suite
 * @returns {string[]} a line for each of its processes that live; always empty where there is no /proc
 */
export function processesOf({ mark, folder }) {
  return processes()
    .filter(
      ({ command, environment }) => environment.includes(`${variable}=${mark}\0`) || command.includes(folder),
    )
    .map(({ pid, command }) => `process ${pid}: ${command.slice(0, 200)}`);
}

/** @returns {{ pid: number, command: string, environment: string }[]} those this user may look at, without us */
function processes() {
  const pids = list("/proc").map(Number).filter(Number.isInteger);
  return pids
    .filter((pid) => pid !== process.pid)
    .map((pid) => ({
      pid,
      command: read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim(),
      environment: read(`/proc/${pid}/environ`),
    }));
}

/** @param {string} folder */
function filesIn(folder) {
  return list(folder)
    .filter((name) => !notOurs.includes(name))
    .map((name) => `file: ${path.join(folder, name)}`);
}

/** @typedef {{ id: string, line: string, labels: Record<string, string> }} Holding */

/** @param {Suite} suite */
async function leftInEngine({ mark, engine, known }) {
  if (!engine) return [];
  const others = otherWorkspaces(mark);
  return (await engineHoldings(engine))
    .filter(({ id, labels }) => {
      const { "exit-ml.owner": owner = "", "exit-ml.workspace": workspace = "" } = labels;
      const otherTests = owner.startsWith("exit-ml-tests") && owner !== `exit-ml-tests-${mark}`;
      return !known.has(id) && !otherTests && !others.has(workspace);
    })
    .map(({ line }) => line);
}

/** Labels of workspaces at which a runner works that is not of the suite. @param {string} mark */
function otherWorkspaces(mark) {
  const runners = processes().flatMap(({ command, environment }) => {
    const [, folder] = /\brunner\.js (.+)$/.exec(command) ?? [];
    return folder && !environment.includes(`${variable}=${mark}\0`) ? [folder] : [];
  });
  return new Set(runners.map((folder) => createHash("sha256").update(folder).digest("hex").slice(0, 16)));
}

/** What the product and its tests have in the engine now. @param {string} engine @returns {Promise<Holding[]>} */
async function engineHoldings(engine) {
  const [containers, { Volumes }, images] = await Promise.all([
    ask(engine, "/containers/json?all=true", { label: ["exit-ml.owner"] }),
    // By name: one that the engine made by itself, for a container that asked for it, has no labels.
    ask(engine, "/volumes", { name: ["exit-ml-"] }),
    ask(engine, "/images/json", { label: ["exit-ml.recipe"] }),
  ]);
  return [
    ...containers.map((/** @type {any} */ { Id: id, Names, Labels }) => ({
      id,
      line: `container ${Names[0]}`,
      labels: Labels ?? {},
    })),
    ...(Volumes ?? []).map((/** @type {any} */ { Name: id, Labels }) => ({
      id,
      line: `volume ${id}`,
      labels: Labels ?? {},
    })),
    ...images.map((/** @type {any} */ { Id: id, RepoTags }) => ({
      id,
      line: `image ${RepoTags?.[0] ?? "without a name"} (${id.slice(0, 19)})`,
      labels: {},
    })),
  ];
}

/** @param {string} engine @param {string} url @param {Record<string, string[]>} filters */
async function ask(engine, url, filters) {
  const query = `filters=${encodeURIComponent(JSON.stringify(filters))}`;
  const answer = await request(engine, "GET", `${url}${url.includes("?") ? "&" : "?"}${query}`);
  if (answer.status !== 200) throw new Error(`The engine answered ${answer.status} to ${url}.`);
  return JSON.parse(answer.text);
}

/** @param {string} folder */
function list(folder) {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}

/** @param {string} file */
function read(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
