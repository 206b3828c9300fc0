/**
 * The trainer beside TRL's GRPOTrainer: `npm run bench:trainer [-- --rows 200x200,1000x200 --rounds N --json FILE]`
 *
 * One gradient of one group of 8, of prompts and replies of given lengths (a row: PROMPTxREPLY tokens), from the same
 * model with the same adapter on all linear layers, in the same precision, both with gradient checkpointing. TRL's side
 * is its real loss code, fed with the group; it takes the 8 rows at once. Each side is a process of its own; they take
 * turns and the other one sleeps. Without a GPU TRL computes logits of all positions, with Triton only of those that
 * count: where there is no GPU, a third side, once a row, does as TRL does with Triton, so that this is not taken for
 * our merit.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { repository } from "../../scripts/setup/repository.mjs";
import { setUp } from "../../scripts/setup/setup.mjs";
import { load, median, option, promise } from "../support/figures.ts";

const members = 8;
const speedTargets: Readonly<Record<string, number>> = { "200x200": 1.37, "1000x200": 2.7, "3000x200": 4.1 };
const memoryTargets: Readonly<Record<string, number>> = { "1000x200": 0.5 };
/** The last one has next to no prompt to share. */
const usualRows = "200x200,1000x200,3000x200,20x400";
/**
 * Rows of so many tokens and more are measured once, and on a CPU only beside the third side: one gradient takes minutes,
 * and TRL's logits of all positions would take some 27 GB (measured: 10.4 GB for 9,600 tokens).
 */
const long = 20_000;

interface Step {
  readonly seconds: number;
  /** Seconds of processor time, of all threads: what others on the machine do changes it little. */
  readonly busy: number;
  /** Bytes in use before and at most. */
  readonly before: number;
  readonly peak: number;
  readonly loss: number;
  /** Length of the gradient. */
  readonly gradient: number;
}

interface Ready {
  readonly device: string;
  readonly dtype: string;
  readonly versions: Readonly<Record<string, string>>;
}

interface Side {
  readonly name: string;
  readonly child: ChildProcess;
  readonly lines: AsyncIterator<string>;
  readonly ready: Ready;
}

const { values: options } = parseArgs({
  options: {
    rows: { type: "string", default: usualRows },
    rounds: { type: "string" },
    dtype: { type: "string", default: "auto" },
    json: { type: "string" },
  },
});
const rounds = option("rounds", 3);
const threads = availableParallelism();

const python = process.env.EXIT_ML_TRAINER_PYTHON ?? (await part("trainer", "python"));
const model = await part("model", "file");

const sides: Side[] = [];
try {
  const first = await start("exit");
  sides.push(first, await start("trl"));
  if (first.ready.device.startsWith("cpu")) sides.push(await start("trl-triton"));
  const { device, dtype, versions } = first.ready;
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  console.log(`${device}, ${dtype}, ${named.join(", ")}, ${load()}`);
  const rows = [];
  for (const row of options.rows.split(",")) rows.push(await measure(row));
  if (options.json !== undefined) {
    const result = { device, dtype, versions, members, checkpointing: true, rows };
    writeFileSync(options.json, `${JSON.stringify(result, undefined, 2)}\n`);
  }
} finally {
  for (const { child } of sides) child.stdin?.end();
}

/** What the set-up tells about a part it brought. */
async function part(name: string, detail: string): Promise<string> {
  const { [name]: brought } = await setUp([name]);
  return brought?.details?.[detail] ?? fail(brought?.skippedBecause);
}

async function start(name: string): Promise<Side> {
  const settings = { model, device: "auto", dtype: options.dtype, threads, checkpointing: true };
  const program = join(repository, "bench", "trainer", "side.py");
  const child = spawn(python, [program, name, JSON.stringify(settings)], {
    stdio: ["pipe", "pipe", "inherit"],
    env: {
      ...process.env,
      PYTHONPATH: join(repository, "trainer"),
      PYTHONDONTWRITEBYTECODE: "1",
      PYTHONWARNINGS: "ignore",
      HF_HUB_OFFLINE: "1",
      TQDM_DISABLE: "1",
      TRANSFORMERS_VERBOSITY: "error",
      // As the trainer sets it for itself: threads that wait sleep.
      OMP_WAIT_POLICY: "PASSIVE",
    },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { name, child, lines, ready: (await answer(name, lines)) as Ready };
}

async function answer(name: string, lines: AsyncIterator<string>): Promise<unknown> {
  const line = await lines.next();
  return line.done === true ? fail(`The process of ${name} ended early.`) : JSON.parse(line.value);
}

/** Prints the table of a row and what became of its promises. */
async function measure(row: string): Promise<{ row: string; steps: Record<string, Step[]> }> {
  const [prompt = Number.NaN, reply = Number.NaN] = row.split("x").map(Number);
  const logical = members * (prompt + reply);
  const forwarded = prompt - 1 + members * reply;
  console.log(
    `\nprompt ${prompt}, replies ${members} x ${reply}: ${logical} tokens, of which ours computes ${forwarded}`,
  );
  console.log("  side         tokens/s   GB before   GB at most   loss      gradient   seconds (processor)");
  const steps: Record<string, Step[]> = Object.fromEntries(sides.map(({ name }) => [name, []]));
  for (let round = 0; round < (logical < long ? rounds : 1); round++) {
    for (const { name, child, lines } of sides) {
      const isThird = name === "trl-triton";
      if (logical < long ? isThird && round > 0 : name === "trl" && sides.length > 2) continue;
      child.stdin?.write(`${JSON.stringify({ members, prompt, reply })}\n`);
      steps[name]?.push((await answer(name, lines)) as Step);
    }
  }
  const measured = Object.entries(steps).filter(([, taken]) => taken.length > 0);
  for (const [name, taken] of measured) printSide(name, taken, logical);
  const { exit = [] } = steps;
  const [, [rival = "trl", trl = []] = []] = measured;
  for (const [name, taken] of measured.slice(1)) {
    const [faster, thriftier, memory, added] = [
      middle(taken, "seconds") / middle(exit, "seconds"),
      middle(taken, "busy") / middle(exit, "busy"),
      middle(exit, "peak") / middle(taken, "peak"),
      adding(exit) / adding(taken),
    ].map((ratio) => ratio.toFixed(2));
    console.log(
      `  against ${name}: ${faster} x as fast (by processor time ${thriftier} x); ` +
        `${memory} x the memory, of what was added to that before ${added} x`,
    );
  }
  const faster = middle(trl, "seconds") / middle(exit, "seconds");
  const least = speedTargets[row];
  if (least !== undefined)
    promise(`${row}: at least ${least} x as fast as ${rival}: ${faster.toFixed(2)} x`, faster >= least);
  const memory = middle(exit, "peak") / middle(trl, "peak");
  const most = memoryTargets[row];
  if (most !== undefined)
    promise(`${row}: at most ${most} x the memory of ${rival}: ${memory.toFixed(2)} x`, memory <= most);
  return { row, steps };
}

function printSide(name: string, taken: readonly Step[], logical: number): void {
  const cells = [
    name.padEnd(11),
    (logical / middle(taken, "seconds")).toFixed(0).padStart(9),
    gigabytes(middle(taken, "before")).padStart(11),
    gigabytes(middle(taken, "peak")).padStart(12),
    middle(taken, "loss").toFixed(4).padStart(8),
    middle(taken, "gradient").toFixed(4).padStart(9),
    taken.map(({ seconds, busy }) => `${seconds.toFixed(1)} (${busy.toFixed(1)})`).join("  "),
  ];
  console.log(`  ${cells.join("  ")}`);
}

function middle(steps: readonly Step[], what: keyof Step): number {
  return median(steps.map((step) => step[what]));
}

function adding(steps: readonly Step[]): number {
  return median(steps.map(({ peak, before }) => peak - before));
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}

function fail(why: string | undefined): never {
  throw new Error(why ?? "The set-up does not say why.");
}
