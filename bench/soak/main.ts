/**
 * Does a long night leave anything behind? `npm run bench:soak [-- --runs N]`
 *
 * Trivial revisions, scored one after the other in this one process as a run scores them: the Docker sandbox, the
 * scorer, the leases and the records on disk. Every 50 runs, with nothing under way and after a collection of garbage,
 * its memory and open descriptors are noted. Starts are compared with those of `docker run`, measured all along: what
 * slows both is the machine.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { createArbiter } from "../../src/adapters/leases/arbiter.ts";
import { openStore } from "../../src/adapters/sqlite/store.ts";
import { createKeptOutputs } from "../../src/app/kept-outputs.ts";
import { createScorer } from "../../src/app/score.ts";
import { image, never } from "../../test/adapters/docker/trial.ts";
import { load, mebibytes, median, option, promise } from "../support/figures.ts";
import { plainRun } from "../support/plain-run.ts";
import { answer, openMeasured } from "../support/sandbox.ts";

const block = 50;
const runs = Math.max(3, Math.round(option("runs", 500) / block)) * block;
/** Replies of a group are scored as they come, two groups at a time; the leases decide how many run together. */
const workers = 8;
/** One start of `docker run` for so many runs. */
const referenceEvery = 5;

interface Look {
  readonly runs: number;
  readonly resident: number;
  readonly heap: number;
  readonly descriptors: number;
  /** Medians of the block, in ms. */
  readonly start: number;
  readonly plain: number;
}

const collect = globalThis.gc;
if (collect === undefined) throw new Error("Start it with --expose-gc, as npm run bench:soak does.");

const looks: Look[] = [];
const created = new Map<string, number>();
let starts: number[] = [];

const measured = openMeasured((key, step, data) => {
  store.journal.record(key, step, data);
  if (step === "created") created.set(key, performance.now());
  if (step !== "started") return;
  starts.push(performance.now() - (created.get(key) ?? Number.NaN));
  created.delete(key);
});
const store = openStore(join(measured.folder, "history.db"));
const leases = join(measured.folder, "leases");
const kept = join(measured.folder, "kept");
mkdirSync(kept);
const scorer = createScorer({
  sandbox: measured.sandbox,
  arbiter: createArbiter({ folder: leases, capacity: () => measured.sandbox.resources() }),
  store,
  keptOutputs: createKeptOutputs(kept),
  selfTest: (_task, { imageDigest }) =>
    Promise.resolve({
      at: "2030-01-01T00:00:00Z",
      image: imageDigest,
      digest: "not made here",
      guarantees: [],
    }),
  sha256: (data) => createHash("sha256").update(data).digest("hex"),
});
const task = measured.task();
let left: readonly string[] = [];
try {
  console.log(`${runs} runs, ${workers} asked for at once, ${load()}`);
  console.log("  runs   resident MiB   heap MiB   descriptors   start ms   docker run ms   ratio");
  while (looks.length * block < runs) {
    const look = await playBlock();
    looks.push(look);
    console.log(row(look));
  }
  const tickets = readdirSync(leases, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".json"),
  );
  // Evaluators' folders, counted when the sandbox is closed, and the program of process 1, kept for the next trial.
  const own = [".trials", ".warden"];
  const outputs = readdirSync(join(measured.folder, "outputs")).filter((name) => !own.includes(name));
  left = [...tickets, ...outputs];
} finally {
  store.close();
  left = [...left, ...(await measured.close())];
}
judge();

/** Scores `block` revisions no two of which are alike, then looks at this process. */
async function playBlock(): Promise<Look> {
  starts = [];
  const plain: number[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < block) {
      next += 1;
      if (next % referenceEvery === 0)
        plain.push(await plainRun(["run", "--rm", "--network", "none", image, "true"]));
      const key = randomUUID();
      const request = { key, run: "run-1", task, snapshot: key, solution: answer, isRoot: false };
      const { verdict, evidence } = await scorer.score(request, never);
      if (verdict !== "scored") throw new Error(`${verdict}: ${JSON.stringify(evidence)}`);
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
  await measured.settled();
  for (let round = 0; round < 4; round += 1) {
    // Gives the pages of what was collected back too: an idle heap keeps them for what may come.
    await collect?.({ type: "major", execution: "async", flavor: "last-resort" });
    await turn();
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return {
    runs: (looks.length + 1) * block,
    resident: rss,
    heap: heapUsed + external,
    descriptors: readdirSync("/proc/self/fd").length,
    start: median(starts),
    plain: median(plain),
  };
}

function row({ runs, resident, heap, descriptors, start, plain }: Look): string {
  const cells: [string, number][] = [
    [String(runs), 6],
    [mebibytes(resident), 15],
    [mebibytes(heap), 11],
    [String(descriptors), 14],
    [start.toFixed(0), 11],
    [plain.toFixed(0), 16],
    [(start / plain).toFixed(2), 8],
  ];
  return cells.map(([text, width]) => text.padStart(width)).join("");
}

function judge(): void {
  const [first, second, last] = [looks[0], looks[1], looks.at(-1)];
  if (first === undefined || second === undefined || last === undefined)
    throw new Error("nothing was measured");
  const grown = (of: (look: Look) => number): number => of(last) / of(first) - 1;
  const within = (what: string, change: number): void =>
    promise(
      `${what} ${percent(change)} from run ${first.runs} to run ${last.runs} (promised: within 10 %)`,
      change <= 0.1,
    );
  within(
    "resident memory",
    grown(({ resident }) => resident),
  );
  within(
    "heap and buffers",
    grown(({ heap }) => heap),
  );
  within(
    "open descriptors",
    grown(({ descriptors }) => descriptors),
  );
  const drift = last.start / last.plain / (second.start / second.plain) - 1;
  promise(
    `start latency against docker run ${percent(drift)} from runs ${first.runs + 1}-${second.runs} to the last ${block} (promised: less than 20 %); ` +
      `by the clock ${percent(last.start / second.start - 1)}`,
    drift < 0.2,
  );
  promise(`nothing is left behind${left.map((name) => `, but ${name}`).join("")}`, left.length === 0);
}

function percent(share: number): string {
  return `${share < 0 ? "" : "+"}${(share * 100).toFixed(1)} %`;
}
