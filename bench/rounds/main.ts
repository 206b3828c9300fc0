/**
 * Does a model learn from its own steps? `npm run bench:rounds [-- --long]`
 *
 * The whole circle on the family of small tasks (examples/family), with a real model and a real sandbox: rounds of
 * searching the 12 train tasks, training on the informative iterations, and proving the tuned model on the 12 tasks
 * that were held out. The settings are not the defaults: docs/TRAINING.md says why. Two rounds of one seed; with --long
 * three rounds of three seeds. Killed at any moment, the same command goes on. The result is that of the gates: mean
 * quality by step, base against each tuned model.
 *
 *   --dir DIR       where the workspaces lie (default: in the cache folder)
 *   --fresh         begin anew
 *   --rounds N, --seeds N, --groups N, --chains N, --k N, --group-size N
 *   --defaults      learn under the settings EXIT.md names instead
 *   --json FILE     also write the gates there
 */
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { cacheFolder } from "../../scripts/setup/cache.mjs";
import { repository } from "../../scripts/setup/repository.mjs";
import { setUp } from "../../scripts/setup/setup.mjs";
import type { Gate, TrainingStatus } from "../../src/protocol/results.ts";
import { load, option } from "../support/figures.ts";
import { resultLines } from "./result.ts";

const long = process.argv.includes("--long");
const rounds = option("rounds", long ? 3 : 2);
const seeds = option("seeds", long ? 3 : 1);
const text = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};
const folder = text("dir") ?? join(cacheFolder(), "bench-rounds");
/**
 * Under the settings of EXIT.md this model gets better at the first step only (docs/TRAINING.md): a copy costs more than a
 * change for the worse, and the training ends after a few updates, for only tokens with a choice count under a grammar.
 */
const learning = process.argv.includes("--defaults")
  ? []
  : [
      ...["--set", "lambda=0", "--learning-rate", "1e-4"],
      ...["--most-square", "1", "--least-effective", "0.1"],
    ];
const settings = [
  ...["--rounds", String(rounds), "--hours", "12", "--max-reply-tokens", "96"],
  ...["--groups", String(option("groups", 36)), "--group-size", String(option("group-size", 8))],
  ...["--chains", String(option("chains", 8)), "--k", String(option("k", 3))],
  ...learning,
];

// Results of other settings are other results: they lie in a folder of their own.
const digest = createHash("sha256").update(JSON.stringify(settings)).digest("hex").slice(0, 8);

const { model, trainer, node24, docker } = await setUp([
  ...["node24", "dependencies", "build", "docker", "sandboxImage", "model", "embedded", "trainer"],
]);
if (!model?.ok || !trainer?.ok || !node24?.ok || !docker?.ok)
  throw new Error("A part is missing; the reason stands above.");
const file = String(model.details?.file);
const program = join(repository, "dist", "cli.js");
const node = String(node24.details?.binary);
const environment = { ...process.env, EXIT_ML_CACHE: cacheFolder() };

console.log(`${rounds} rounds, ${seeds} seed(s), ${load()}; ${folder}\nexit-ml rounds ${settings.join(" ")}`);
const results: { seed: number; gates: readonly Gate[]; status: TrainingStatus }[] = [];
for (let seed = 1; seed <= seeds; seed++) {
  const workspace = join(folder, `${digest}-seed-${seed}`);
  if (process.argv.includes("--fresh")) rmSync(workspace, { recursive: true, force: true });
  if (!existsSync(join(workspace, "tasks"))) {
    mkdirSync(folder, { recursive: true });
    execFileSync("python3", [join(repository, "examples", "family", "make.py"), workspace]);
  }
  if (before(workspace).bootstraps.every(({ endedAt }) => endedAt === null)) await play(workspace, seed);
  const status = before(workspace);
  results.push({ seed, gates: status.gates, status });
}
for (const { seed, status } of results) console.log(["", `Seed ${seed}`, ...resultLines(status)].join("\n"));
const out = text("json");
if (out !== undefined) writeFileSync(out, `${JSON.stringify(results, null, 1)}\n`);

function exitMl(workspace: string, ...args: string[]): string {
  const whole = [program, "-C", workspace, ...args];
  return execFileSync(node, whole, { env: environment, encoding: "utf8", maxBuffer: 1 << 28 });
}

function before(workspace: string): TrainingStatus {
  const { training } = JSON.parse(exitMl(workspace, "models", "--json")) as { training: TrainingStatus };
  return training;
}

/** Plays the rounds of one seed, or what is left of them, and tells what happens with the time of day. */
async function play(workspace: string, seed: number): Promise<void> {
  const args = ["-C", workspace, "rounds", "--model", file, "--seed", String(seed), ...settings];
  const child = spawn(node, [program, ...args], { env: environment, stdio: ["ignore", "inherit", "pipe"] });
  for await (const line of createInterface({ input: child.stderr }))
    console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);
  const code = await new Promise((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    else child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`exit-ml rounds ended with ${code}; the same command goes on from there.`);
}
