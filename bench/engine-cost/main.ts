/**
 * What the engine itself costs: `npm run bench`.
 *
 * 1. Milliseconds per candidate with a model and a sandbox that answer at once, so that what is left is ours:
 *    prompt, reply, snapshot (real git), records (real SQLite, synchronous FULL), rewards, buffer.
 * 2. Recording a group, deciding the next start and listing the tree at 100 to 50,000 nodes.
 *
 * One disk flush of this machine stands beside the figures: records cost a few of them.
 */
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSnapshots } from "../../src/adapters/git/snapshots.ts";
import { openStore } from "../../src/adapters/sqlite/store.ts";
import { listNodes } from "../../src/app/tree.ts";
import { type Node, nothingSpent } from "../../src/core/history.ts";
import { runLoop } from "../../src/core/loop.ts";
import { decideNext } from "../../src/core/opening.ts";
import type { GroupClosing } from "../../src/core/ports.ts";
import { pastOf, readRecord } from "../../src/core/record.ts";
import { memoryWorld } from "../../test/support/memory-world.ts";

const folder = mkdtempSync(join(tmpdir(), "exit-ml-bench-"));
try {
  console.log(`one flush of ${folder}: ${format(flushTimes())} ms (p50 / p95)`);
  await candidates();
  for (const count of [100, 1_000, 10_000, 50_000]) await histories(count);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** [p50, p95] */
function percentiles(values: readonly number[]): [number, number] {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return [at(0.5), at(0.95)];
}

function format(values: readonly number[]): string {
  const [p50, p95] = percentiles(values);
  return `${p50.toFixed(2)} / ${p95.toFixed(2)}`;
}

function flushTimes(): number[] {
  const file = openSync(join(folder, "flush"), "w");
  const times = Array.from({ length: 50 }, () => {
    const began = performance.now();
    writeSync(file, Buffer.alloc(4096), 0, 4096, 0);
    fsyncSync(file);
    return performance.now() - began;
  });
  closeSync(file);
  return times;
}

/** Engine milliseconds per candidate, over whole groups of 8: the time from group to group, shared out. */
async function candidates(): Promise<void> {
  const groups = 60;
  const store = openStore(join(folder, "loop.db"));
  const snapshots = await openSnapshots(join(folder, "loop.git"));
  const { context } = await memoryWorld({
    store: Object.assign(store, { log: [] }),
    snapshots,
    iterations: groups,
    run: { strategy: "exit" },
  });
  const times: number[] = [];
  let last = performance.now();
  const observer = {
    groupClosed: () => {
      const now = performance.now();
      times.push((now - last) / context.run.settings.groupSize);
      last = now;
    },
  };
  await runLoop({ ...context, observer }, new AbortController().signal);
  store.close();
  console.log(`engine cost per candidate, ${groups} groups of 8: ${format(times.slice(5))} ms (p50 / p95)`);
}

/** Recording, deciding and listing in a history of `count` nodes. */
async function histories(count: number): Promise<void> {
  const store = openStore(join(folder, `${count}.db`));
  const { context } = await memoryWorld({ store: Object.assign(store, { log: [] }) });
  const { run } = context;
  const root = store.nodes()[0];
  if (root === undefined) throw new Error("the world has no root");
  const inserts: number[] = [];
  for (let made = 1; made < count; ) {
    const nodes = Array.from({ length: Math.min(8, count - made) }, (_, index) =>
      childOf(root, made + index),
    );
    const id = `r1i${inserts.length}`;
    const began = performance.now();
    store.openGroup(
      {
        ...{ id, run: run.id, iteration: inserts.length, attempt: 0, task: root.task, start: root.id },
        ...{
          fromBuffer: false,
          goal: "improve",
          strategy: "exit",
          policy: "instant@d#v0",
          startQuality: 0.1,
        },
        ...{ startSnapshot: root.snapshot, startSE: null, reward: { rule: "relative", lambda: 0.1 } },
        ...{ draws: {}, seeds: [], basis: 0, roots: 1, evaluator: root.evaluator },
      },
      { messages: [], rendered: "" },
      { maxTokens: 1, schema: null },
    );
    const closing: GroupClosing = {
      ...{ group: id, state: "closed", closedSeq: inserts.length + 1, learnability: 0.01, informative: true },
      ...{ draws: {}, nodes: nodes.map((node) => ({ ...node, group: id })), replies: [], buffer: [] },
      ...{ embedding: null, bufferChanges: { left: [], set: [] } },
      spent: nothingSpent,
    };
    store.closeGroup(closing);
    inserts.push(performance.now() - began);
    made += nodes.length;
  }
  const timed = (work: () => unknown, times: number): number[] =>
    Array.from({ length: times }, () => {
      const began = performance.now();
      work();
      return performance.now() - began;
    });
  const past = pastOf(readRecord(store));
  const selects = timed(() => decideNext({ ...run, strategy: "greedy" }, 0, past, "instant@d#v0"), 50);
  const folds = timed(() => pastOf(readRecord(store)), 5);
  const lists = timed(() => listNodes(store, null), 5);
  store.close();
  console.log(
    `${count} nodes, ms (p50 / p95): record a group ${format(inserts)}, ` +
      `decide ${format(selects)}, fold the history ${format(folds)}, list ${format(lists)}`,
  );
}

function childOf(root: Node, number: number): Node {
  return {
    ...root,
    ...{ id: `n${number + 1}`, parent: root.id, depth: 1, goal: "improve", policy: "instant@d#v0" },
    ...{ snapshot: `snapshot-${number}`, score: number % 97, quality: (number % 97) / 100 },
  };
}
