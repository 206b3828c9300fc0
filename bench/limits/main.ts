/**
 * What revisions without an end cost: `npm run bench:limits [-- --runs N]`.
 *
 * 1. Revisions that print, sleep or fork for ever, two at a time: how long after its limit the engine lists no
 *    container of the revision and no process of it lives. Of those that print, half print little and meet the time
 *    limit; the other half print all they can and meet the limit on output, if they are fast enough. When that
 *    was is not told, so these are counted from their start. How fast the engine itself is stands beside it.
 * 2. By how much this process grows while a single revision prints, against one that is silent.
 */
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { RunOutcome } from "../../src/core/ports.ts";
import { docker, files, image, never, requestFor } from "../../test/adapters/docker/trial.ts";
import { load, mebibytes, option, percentile, promise } from "../support/figures.ts";
import { plainRun } from "../support/plain-run.ts";
import { openMeasured } from "../support/sandbox.ts";

const runs = option("runs", 100);
const atOnce = 2;
/** One plain container is removed for so many runs. */
const referenceEvery = 5;
const limitMs = 2_000;
/** Promised: gone so long after the limit, and so many bytes of memory. */
const mostMs = 3_000;
const mostBytes = 4 * 10 ** 6;

/** Scripts of the shell. */
const endless = {
  "prints a little": "while :; do echo another line; sleep 0.05; done",
  "prints all it can": "exec yes 'a line of some length that is printed again and again'",
  sleeps: "exec sleep 3600",
  forks: `exec python3 -SEc 'import os
while True:
    try: os.fork()
    except OSError: pass'`,
} as const;
type Kind = keyof typeof endless;

/** Bytes printed; 8 MiB are allowed. */
const printed = {
  nothing: "true",
  "8 million bytes": "head -c 8000000 /dev/zero",
  "100 MB in one line": "head -c 100000000 /dev/zero",
  "lines without end": "exec yes",
  "both channels, no end": "yes >&2 & exec yes",
  "bytes one by one": "exec dd if=/dev/zero bs=1",
} as const;

/** Of one trial, by its key: what the journal tells while it is under way. */
interface Told {
  names: string[];
  startedAt: number;
  ended: string | null;
}

const trials = new Map<string, Told>();
const measured = openMeasured((key, step, data) => {
  const told = trials.get(key) ?? { names: [], startedAt: Number.NaN, ended: null };
  trials.set(key, told);
  if (step === "created") told.names = [data.name, data.hatch].filter((name) => typeof name === "string");
  if (step !== "exited") return;
  // By the engine's clock: the command has begun before its start call returns.
  told.startedAt = Date.parse((data.state as { StartedAt?: string } | null)?.StartedAt ?? "");
  told.ended = typeof data.cause === "string" ? data.cause : null;
});

try {
  await endAll();
  await flood();
} finally {
  const left = await measured.close();
  promise(`nothing is left behind${left.map((name) => `, but ${name}`).join("")}`, left.length === 0);
}

async function endAll(): Promise<void> {
  const kinds = Object.keys(endless) as Kind[];
  const queue = Array.from({ length: runs }, (_, index): Kind => {
    const turn = index % 6;
    return turn < 2 ? (kinds[turn] as Kind) : (kinds[2 + (turn % 2)] as Kind);
  }).values();
  const late = new Map<string, number[]>(kinds.map((kind) => [kind, []]));
  const plain: number[] = [];
  let begun = 0;
  const worker = async (): Promise<void> => {
    for (const kind of queue) {
      begun += 1;
      if (begun % referenceEvery === 0) plain.push(await plainRemoval());
      const { ms, cause } = await endOne(kind);
      const name = kind === "prints all it can" ? `${kind} (${cause})` : kind;
      late.set(name, [...(late.get(name) ?? []), ms]);
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, worker));
  for (const each of ended) if (each.status === "rejected") throw each.reason;
  console.log(`${runs} revisions without an end, ${atOnce} at a time, limit ${limitMs} ms, ${load()}`);
  console.log(
    `${"".padEnd(34)}${"count".padStart(6)}${"p50".padStart(8)}${"p95".padStart(8)}${"max".padStart(8)}`,
  );
  for (const [name, values] of [...late, ["docker rm -f of a plain sleeper", plain] as const])
    if (values.length > 0)
      console.log(
        `${name.padEnd(34)}${String(values.length).padStart(6)}` +
          [0.5, 0.95, 1].map((share) => percentile(values, share).toFixed(0).padStart(8)).join(""),
      );
  const all = [...late.values()].flat();
  const inTime = all.filter((ms) => ms <= mostMs).length;
  promise(
    `${inTime} of ${all.length} gone within ${mostMs} ms of the limit, the last after ${Math.max(...all).toFixed(0)} ms, p95 ${percentile(all, 0.95).toFixed(0)} ms`,
    inTime === all.length,
  );
}

/** Milliseconds in which a plain container is killed and removed: how fast the engine is just now. */
async function plainRemoval(): Promise<number> {
  const name = `exit-ml-bench-${randomUUID()}`;
  await plainRun(["run", "--detach", "--name", name, "--network", "none", image, "sleep", "60"]);
  return plainRun(["rm", "--force", name]);
}

/** Milliseconds from the limit until nothing of the revision is left, and what it was killed for. */
async function endOne(kind: Kind): Promise<{ ms: number; cause: string }> {
  const request = requestFor(shellTask(), script(endless[kind]));
  const running = measured.sandbox.run(request, never);
  const ids = await idsOf(request.key, running);
  expectVerdict(await running, ["timeout", "output_limit"]);
  const told = trials.get(request.key);
  if (told === undefined) throw new Error("the journal does not know the trial");
  while ((await listed(told.names)) || processesOf(ids) > 0) await pause(10);
  const gone = Date.now();
  const cause = told.ended ?? "nothing";
  return { ms: gone - told.startedAt - (cause === "deadline" ? limitMs : 0), cause };
}

/** Ids of the containers of a trial under way. */
async function idsOf(key: string, running: Promise<unknown>): Promise<string[]> {
  let over = false;
  const end = (): void => {
    over = true;
  };
  running.then(end, end);
  while (!over) {
    const names = trials.get(key)?.names ?? [];
    const found =
      names.length === 0 ? [] : await docker.listContainers({ all: true, filters: { name: names } });
    if (found.length > 0) return found.map(({ Id }) => Id);
    await pause(20);
  }
  throw new Error("the trial ended before its container was seen");
}

async function listed(names: readonly string[]): Promise<boolean> {
  return (await docker.listContainers({ all: true, filters: { name: [...names] } })).length > 0;
}

/** How many processes of this machine are in a control group of one of these containers. */
function processesOf(ids: readonly string[]): number {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const group = readFileSync(`/proc/${pid}/cgroup`, "utf8");
      return ids.some((id) => group.includes(id));
    } catch {
      return false; // It has ended meanwhile.
    }
  }).length;
}

async function flood(): Promise<void> {
  const times = 3;
  const task = shellTask("20s");
  const rounds = async (text: string): Promise<Growth[]> => {
    const grown: Growth[] = [];
    for (let time = 0; time < times; time += 1)
      grown.push(
        await growthDuring(async () => {
          const ran = await measured.sandbox.run(requestFor(task, script(text)), never);
          expectVerdict(ran, ["invalid", "output_limit", "timeout"]);
        }),
      );
    return grown;
  };
  // What every run needs is loaded before anything is counted.
  await rounds(printed.nothing);
  await rounds(printed["8 million bytes"]);
  console.log(`growth of this process while one revision prints, the most of ${times} runs, MiB, ${load()}`);
  console.log(`${"".padEnd(26)}${"resident".padStart(10)}${"buffers".padStart(10)}${"kept".padStart(10)}`);
  let most = 0;
  for (const [name, text] of Object.entries(printed)) {
    const grown = await rounds(text);
    const of = (part: keyof Growth): number => Math.max(...grown.map((each) => each[part]));
    most = Math.max(most, of("resident"), of("buffers"));
    console.log(
      name.padEnd(26) +
        (["resident", "buffers", "kept"] as const).map((part) => mebibytes(of(part)).padStart(10)).join(""),
    );
  }
  promise(
    `grows by at most ${mebibytes(most)} MiB of resident memory or buffers, whatever a revision prints (promised: 4 MB)`,
    most <= mostBytes,
  );
}

/** Bytes by which this process grew. */
interface Growth {
  /** Most resident at once. */
  readonly resident: number;
  /** Most held outside the heap at once: buffers, garbage not yet collected included. */
  readonly buffers: number;
  /** Of heap and buffers, what was still in use afterwards. */
  readonly kept: number;
}

async function growthDuring(work: () => Promise<void>): Promise<Growth> {
  await measured.settled();
  const before = await collected();
  let { rss: resident, external: buffers } = before;
  const timer = setInterval(() => {
    const { rss, external } = process.memoryUsage();
    resident = Math.max(resident, rss);
    buffers = Math.max(buffers, external);
  }, 10);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  await measured.settled();
  const after = await collected();
  return {
    resident: resident - before.rss,
    buffers: buffers - before.external,
    kept: after.heapUsed + after.external - before.heapUsed - before.external,
  };
}

async function collected(): Promise<NodeJS.MemoryUsage> {
  if (globalThis.gc === undefined)
    throw new Error("Start it with --expose-gc, as npm run bench:limits does.");
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc();
    // Buffers are given back after the collection that found them unused, on another thread.
    await pause(10);
  }
  return process.memoryUsage();
}

function shellTask(timeout = `${limitMs / 1000}s`) {
  return measured.task({ command: ["sh", "solution/main.sh"], timeout });
}

function script(text: string) {
  return files({ "solution/main.sh": `${text}\n` });
}

function expectVerdict(ran: RunOutcome, verdicts: readonly string[]): void {
  if (ran.kind === "finished" || !verdicts.includes(ran.verdict))
    throw new Error(`neither ${verdicts.join(" nor ")}: ${JSON.stringify(ran)}`);
}
