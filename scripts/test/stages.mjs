// What `npm test` runs, in this order, and the parts each stage needs to be set up.
import fs from "node:fs";
import path from "node:path";
import { repository } from "../setup/repository.mjs";

/**
 * @typedef {object} Stage
 * @property {string} name
 * @property {string} title
 * @property {string[]} parts
 * @property {number} limitSeconds
 * @property {[string, ...string[]]} tool npm package (or package/program, or a file of this repository that ends with
 *   .mjs) and its arguments
 * @property {boolean} [tests] writes what vitest's JSON reporter writes: its tests are counted
 */

const always = ["node24", "dependencies"];
const real = [...always, "build", "docker", "sandboxImage", "model", "embedded"];

/** @param {string} project @returns {[string, ...string[]]} */
const vitest = (project) => ["vitest", "run", "--project", project];

/** @type {Stage[]} */
export const stages = [
  {
    name: "lint",
    title: "Format and lint",
    parts: always,
    limitSeconds: 120,
    tool: ["@biomejs/biome", "check", "."],
  },
  { name: "types", title: "Types", parts: always, limitSeconds: 300, tool: ["typescript/tsc", "-p", "."] },
  {
    name: "walls",
    title: "Walls between the folders",
    parts: always,
    limitSeconds: 120,
    tool: ["dependency-cruiser/depcruise", "src", "--config", ".dependency-cruiser.cjs"],
  },
  { name: "exports", title: "Dead exports", parts: always, limitSeconds: 120, tool: ["knip"] },
  {
    name: "build",
    title: "Bundles and the packed extension",
    parts: always,
    limitSeconds: 180,
    tool: ["@vscode/vsce/vsce", "package", "--no-dependencies", "--out", "dist/exit-ml.vsix"],
  },
  { name: "unit", title: "Unit tests", parts: always, limitSeconds: 600, tool: vitest("unit"), tests: true },
  {
    name: "oracle",
    title: "Oracle: the engine against a second implementation of EXIT.md",
    parts: [...always, "python"],
    limitSeconds: 900,
    tool: vitest("oracle"),
    tests: true,
  },
  {
    name: "trainer",
    title: "Trainer: lint, types and tests of the Python package",
    parts: [...always, "trainer", "embedded", "ollama"],
    limitSeconds: 1200,
    tool: ["scripts/test/trainer.mjs"],
    tests: true,
  },
  {
    name: "adapters",
    title: "Adapter tests, against the real thing",
    parts: [...real, "extension", "ollama", "trainer"],
    limitSeconds: 1800,
    tool: vitest("adapters"),
    tests: true,
  },
  {
    name: "system",
    title: "System tests: runs with a real model",
    parts: [...real, "ollama"],
    limitSeconds: 2400,
    tool: vitest("system"),
    tests: true,
  },
  {
    name: "editor",
    title: "Editor tests: the packed extension in VS Code",
    parts: [...real, "extension", "ollama", "editor", "browser", "trainer"],
    limitSeconds: 2400,
    tool: vitest("editor"),
    tests: true,
  },
];

/**
 * @param {string[]} args
 * @returns {{ selected: Stage[], rest: string[] }} rest: for vitest
 */
export function chooseStages(args) {
  const at = args.indexOf("--only");
  if (at < 0) return { selected: stages, rest: args };
  const names = (args[at + 1] ?? "").split(",").filter(Boolean);
  const unknown = names.filter((name) => !stages.some((stage) => stage.name === name));
  if (unknown.length > 0 || names.length === 0) {
    const known = stages.map((stage) => stage.name).join(", ");
    throw new Error(`--only takes names of stages (${known}), not "${args[at + 1] ?? ""}".`);
  }
  const rest = [...args.slice(0, at), ...args.slice(at + 2)];
  return { selected: stages.filter((stage) => names.includes(stage.name)), rest };
}

/**
 * @param {Stage} stage
 * @returns {string[]} arguments for node. A tool's own file is named, as the wrappers in node_modules/.bin would
 *   start whatever Node comes first, and are batch files on Windows
 */
export function nodeArguments({ tool }) {
  const [name, ...args] = tool;
  if (name.endsWith(".mjs")) return [path.join(repository, name), ...args];
  const [, packageName = name, program] = /^((?:@[^/]+\/)?[^/]+)(?:\/(.+))?$/.exec(name) ?? [];
  const folder = path.join(repository, "node_modules", packageName);
  const { bin } = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"));
  const file = typeof bin === "string" ? bin : (bin[program ?? packageName] ?? Object.values(bin)[0]);
  return [path.join(folder, file), ...args];
}
