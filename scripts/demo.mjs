// The main job on real parts, from a fresh clone: sets up what is missing, runs it on an example, shows
// what came of it. `npm run demo -- [--example NAME] [any option of exit-ml run]`
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { demoOptions } from "./demo/options.mjs";
import { resultOf } from "./demo/result.mjs";
import { answeringOllama, checkModel, chooseRuntime } from "./demo/runtime.mjs";
import { runInForeground } from "./foreground.mjs";
import { cacheFolder } from "./setup/cache.mjs";
import { modelsOf, startOllama } from "./setup/ollama-server.mjs";
import { repository } from "./setup/repository.mjs";
import { environmentFor, setUp } from "./setup/setup.mjs";

const usage = `npm run demo -- [options]

  --example NAME       a folder under examples/ (default: digits-config)
  -C DIR               a folder of your own with a task in it
  --iterations N       how many iterations (default: 6)
  --group-size N       replies per iteration (default: 8)
  --model NAME         another model: the path of a .gguf file, a name in the models folder, or one that an
                       Ollama server has (one is set up with SmolLM2, smollm2:135m, where none answers)
  --runtime NAME       embedded or ollama
  any other option of "exit-ml run" is passed through`;

/** @param {string[]} args @returns {Promise<number>} exit status */
async function demo(args) {
  const options = demoOptions(args);
  if (options.help) {
    console.log(usage);
    return 0;
  }
  checkWorkspace(options.workspace);
  const runtime = chooseRuntime(options, await answeringOllama());
  const needed = ["node24", "dependencies", "build", "docker", "sandboxImage", ...runtime.parts];
  const results = await setUp(needed);
  const missing = needed.filter((name) => !results[name]?.ok);
  if (missing.length > 0) {
    console.error(
      `\nThe demo needs all of its parts; missing: ${missing.join(", ")}. The reasons stand above.`,
    );
    return 1;
  }
  console.log(`\nModel: ${runtime.reason}`);
  const server = runtime.parts.includes("ollama") ? await ownServer(results) : undefined;
  try {
    if (server) {
      const models = await modelsOf(server.host);
      checkModel(runtime.model, { host: server.host, models }, "To use those of your own Ollama, start it.");
    }
    return await runAndShow(options, runtime, results, server?.host ?? runtime.host);
  } finally {
    await server?.stop();
  }
}

/** @param {import("./setup/setup.mjs").Results} results */
function ownServer({ ollama, model }) {
  const { file, sha256 } = model?.details ?? {};
  return startOllama({ binary: ollama?.details?.binary, model: { file, sha256 } });
}

/**
 * @param {import("./demo/options.mjs").DemoOptions} options
 * @param {import("./demo/runtime.mjs").Runtime} runtime
 * @param {import("./setup/setup.mjs").Results} results
 * @param {string | undefined} ollamaHost
 * @returns {Promise<number>} exit status
 */
async function runAndShow(options, runtime, results, ollamaHost) {
  const env = { ...environmentFor(results), ...(ollamaHost && { OLLAMA_HOST: ollamaHost }) };
  const node = results.node24?.details?.binary ?? process.execPath;
  const cli = path.join(repository, "dist", "cli.js");
  const args = ["run", ...options.run, ...runtimeArguments(options, runtime)];
  console.log(`\n$ exit-ml ${args.join(" ")}`);
  const run = await runInForeground(node, [cli, ...args], { cwd: repository, env });
  if (run.stopped || run.status !== 0) {
    const end = run.stopped
      ? `The run was stopped. What it had finished is kept in ${options.workspace}/.exit; the same command goes on from there.`
      : `The demo ends here: the run did (status ${run.status}).`;
    console.error(`\n${end}`);
    return run.status || 130;
  }
  return show({ node, cli, env, workspace: options.workspace });
}

/**
 * What the command line has not said about the model yet.
 * @param {import("./demo/options.mjs").DemoOptions} options
 * @param {import("./demo/runtime.mjs").Runtime} runtime
 */
function runtimeArguments(options, { name, model }) {
  const runtime = name === "ollama" && options.runtime === undefined ? ["--runtime", name] : [];
  return model !== undefined && options.model === undefined ? [...runtime, "--model", model] : runtime;
}

/** @param {string} workspace */
function checkWorkspace(workspace) {
  if (fs.existsSync(path.resolve(repository, workspace))) return;
  const examples = fs
    .readdirSync(path.join(repository, "examples"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory());
  const names = examples.map((entry) => entry.name).join(", ");
  throw new Error(`There is no folder ${workspace}. The examples are: ${names}.`);
}

/**
 * The tree, the best revision against the baseline, and the way on.
 * @param {{ node: string, cli: string, env: NodeJS.ProcessEnv, workspace: string }} how
 * @returns {Promise<number>}
 */
async function show({ node, cli, env, workspace }) {
  /** @param {string} title @param {string[]} args */
  const command = async (title, ...args) => {
    console.log(`\n${title}\n`);
    return (await runInForeground(node, [cli, ...args, "-C", workspace], { cwd: repository, env })).status;
  };
  const treeStatus = await command("The tree of partial histories", "tree");
  if (treeStatus !== 0) return treeStatus;
  const asked = [cli, "tree", "--json", "-C", workspace];
  const { stdout } = await promisify(execFile)(node, asked, { cwd: repository, env, maxBuffer: 1 << 28 });
  const result = resultOf(JSON.parse(stdout).nodes);
  if (!result) {
    console.error("\nNothing is scored yet: `exit-ml check` tells what stands in the way.");
    return 1;
  }
  const { best, baseline, deepest, verdicts } = result;
  const counts = Object.entries(verdicts).map(([verdict, count]) => `${count} ${verdict}`);
  console.log(`\nRevisions: ${counts.join(", ")}; the tree is ${deepest} deep.`);
  console.log(
    `Best score: ${best.score} (revision ${best.id}), baseline: ${baseline?.score ?? "not scored"}.`,
  );
  if (best.parent !== null) {
    const diffStatus = await command("What the best revision changes", "diff", best.id);
    if (diffStatus !== 0) return diffStatus;
  } else {
    console.log("No revision beats the baseline yet: more iterations may.");
  }
  const say = "node dist/cli.js";
  console.log(`
Where everything is kept
  history, snapshots and logs   ${path.join(workspace, ".exit")}
  engine parts and the model    ${cacheFolder()}

What to do next
  take the best revision        ${say} apply ${best.id} -C ${workspace}
  take it back                  ${say} revert -C ${workspace}
  search on                     ${say} run --iterations 12 -C ${workspace}
  training data                 ${say} export --out DIR -C ${workspace}
  free the cached parts         delete ${cacheFolder()}`);
  return 0;
}

try {
  process.exitCode = await demo(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
