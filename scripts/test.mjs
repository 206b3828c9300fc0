// Every check, from a fresh clone: sets up what is missing, then one stage after the other, up to the
// first that fails. `npm test -- [--only STAGE,…] [arguments for vitest]`
//
// With CI=true everything must have run: a part that is missing or a test that is skipped is a failure.
// Elsewhere, what this machine cannot have is named, and its tests are left out.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { runInForeground } from "./foreground.mjs";
import { startedEngine } from "./setup/docker-engine.mjs";
import { repository } from "./setup/repository.mjs";
import { environmentFor, setUp } from "./setup/setup.mjs";
import { beginSuite, endSuite, environmentOf, leftovers } from "./test/leftovers.mjs";
import { readReport } from "./test/report.mjs";
import { chooseStages, nodeArguments } from "./test/stages.mjs";

/** @typedef {import("./test/stages.mjs").Stage} Stage */
/** @typedef {import("./test/report.mjs").Count} Count */

const strict = !["", "0", "false"].includes((process.env.CI ?? "").toLowerCase());

/** The tests' name for what they cannot do without a part (the variable EXIT_ML_SKIP). */
const testsWithout = {
  docker: "docker",
  sandboxImage: "docker",
  model: "model",
  embedded: "model",
  ollama: "ollama",
  editor: "editor",
  browser: "editor",
  python: "oracle",
  trainer: "trainer",
};

/** @param {string[]} args @returns {Promise<number>} exit status */
async function test(args) {
  const { selected, rest } = chooseStages(args);
  const { env: prepared, missing, fatal, engine } = await prepare(selected);
  /** @type {Map<Stage, Count>} */
  const counts = new Map();
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "exit-ml-test-"));
  const suite = await beginSuite(engine);
  const env = { ...prepared, ...environmentOf(suite) };
  let failure = fatal;
  for (const stage of selected) {
    failure ??= await runStage(stage, { env, rest, temporary, counts });
    if (failure) break;
  }
  const left = failure ? [] : await leftovers(suite);
  if (left.length > 0) failure = `the tests left behind\n  ${left.join("\n  ")}`;
  endSuite(suite);
  fs.rmSync(temporary, { recursive: true, force: true });
  conclude({ counts, missing, failure, engineUsed: engine !== undefined });
  return failure ? 1 : 0;
}

/**
 * @param {Stage[]} selected
 * @returns {Promise<{ env: NodeJS.ProcessEnv, missing: string[], fatal: string | undefined, engine: string | undefined }>}
 *   engine: as in DOCKER_HOST
 */
async function prepare(selected) {
  // Where building is a stage of its own, that stage tells how it went.
  const building = selected.some((stage) => stage.name === "build");
  const parts = new Set(selected.flatMap((stage) => stage.parts));
  if (building) for (const part of ["build", "extension"]) parts.delete(part);
  const results = await setUp([...parts]);
  const lacking = Object.entries(results).filter(([, result]) => !result.ok);
  const missing = lacking.map(([name, { skippedBecause }]) => `${name}: ${skippedBecause}`);
  const fatal = lacking.filter(([name]) => strict || !(name in testsWithout)).map(([name]) => name);
  const skip = new Set(
    lacking.map(([name]) => testsWithout[/** @type {keyof typeof testsWithout} */ (name)]),
  );
  const env = environmentFor(results);
  if (skip.size > 0) env.EXIT_ML_SKIP = [...skip].filter(Boolean).join(",");
  return {
    env,
    missing,
    fatal: fatal.length > 0 ? `could not be set up: ${fatal.join(", ")}` : undefined,
    engine: results.docker?.details?.host,
  };
}

/**
 * @param {Stage} stage
 * @param {{ env: NodeJS.ProcessEnv, rest: string[], temporary: string, counts: Map<Stage, Count> }} how
 * @returns {Promise<string | undefined>} what failed
 */
async function runStage(stage, { env, rest, temporary, counts }) {
  console.log(`\n== ${stage.title}`);
  const began = Date.now();
  const report = path.join(temporary, `${stage.name}.json`);
  const args = nodeArguments(stage);
  if (stage.tests) args.push("--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...rest);
  const { limitSeconds } = stage;
  const node = env.EXIT_ML_NODE ?? process.execPath;
  const { status, stopped, late } = await runInForeground(node, args, { cwd: repository, env, limitSeconds });
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  const count = stage.tests ? (readReport(report) ?? { passed: 0, failed: 1, skipped: [] }) : undefined;
  if (count) counts.set(stage, count);
  const problem = stopped
    ? "was stopped"
    : late
      ? `did not end within ${limitSeconds} s`
      : status !== 0
        ? `ended with status ${status}`
        : count && judge(count);
  console.log(`== ${stage.title}: ${problem ?? "good"} (${seconds} s)`);
  return problem && `${stage.title} ${problem}`;
}

/** @param {Count} count @returns {string | undefined} what is wrong with a stage whose tests all went well */
function judge({ passed, failed, skipped }) {
  if (failed > 0) return `has ${failed} failed`;
  if (passed + skipped.length === 0) return "has no tests";
  if (strict && skipped.length > 0) return `skipped, which CI does not allow:\n  ${skipped.join("\n  ")}`;
  return undefined;
}

/**
 * @param {{ counts: Map<Stage, Count>, missing: string[], failure: string | undefined, engineUsed: boolean }} end
 */
function conclude({ counts, missing, failure, engineUsed }) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  console.log("");
  for (const [stage, { passed, failed, skipped }] of counts) {
    console.log(
      `${stage.name.padEnd(9)} ${passed} passed, ${failed} failed, ${skipped.length} skipped`.trimEnd(),
    );
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped.length;
  }
  for (const part of missing) console.log(`Not on this machine: ${part}`);
  if (engineUsed && startedEngine()) {
    console.log("The container engine that the set-up started keeps running for the next time;");
    console.log("`node scripts/setup/docker.mjs stop` ends it.");
  }
  console.log(failure ? `\nFailed: ${failure}` : "\nAll good.");
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
}

try {
  process.exitCode = await test(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
