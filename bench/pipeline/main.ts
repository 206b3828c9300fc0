/**
 * How busy the engine keeps the slower of model and sandbox: `npm run bench:pipeline`.
 *
 * Runs of 20 groups of 8 with a sampler and a sandbox of set speeds (they only wait; everything between them is real:
 * git, SQLite with synchronous FULL, the loop), at pipeline depth 1 and 2. The sampler gives its replies either one
 * after the other or, as a server with as many slots as members does, nearly all at the end.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { openSnapshots } from "../../src/adapters/git/snapshots.ts";
import { openStore } from "../../src/adapters/sqlite/store.ts";
import { runLoop } from "../../src/core/loop.ts";
import { slots } from "../../src/core/slots.ts";
import { instantPolicy, instantScorer, memoryWorld } from "../../test/support/memory-world.ts";

const groups = 20;
const members = 8;

interface Speeds {
  readonly name: string;
  /** Milliseconds of a group at the model, and of one revision in the sandbox, one at a time. */
  readonly group: number;
  readonly trial: number;
  readonly replies: "one by one" | "at the end";
}

const cases: readonly Speeds[] = [
  { name: "equal", group: 1600, trial: 200, replies: "one by one" },
  { name: "equal", group: 1600, trial: 200, replies: "at the end" },
  { name: "model twice as slow", group: 1600, trial: 100, replies: "at the end" },
  { name: "sandbox twice as slow", group: 800, trial: 200, replies: "at the end" },
];

console.log(
  "speeds                 replies     depth  model busy  sandbox busy  slower side  ms a candidate",
);
for (const speeds of cases) for (const depth of [1, 2]) await measure(speeds, depth);

async function measure({ name, group, trial, replies }: Speeds, depth: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "exit-ml-bench-"));
  const store = openStore(join(folder, "history.db"));
  try {
    const oneAtATime = slots(1);
    const { context } = await memoryWorld({
      store: Object.assign(store, { log: [] }),
      snapshots: await openSnapshots(join(folder, "snapshots.git")),
      iterations: groups,
      run: { strategy: "exit" },
      settings: { groupSize: members, pipelineDepth: depth },
      policy: instantPolicy({
        // Replies that differ: an answer known already would not be scored, and the sandbox would stand idle.
        text: (seed) => JSON.stringify({ x: (seed % 14) * 7 + 1 + (seed % 6) }),
        before: async ({ index }) => {
          const share = replies === "one by one" ? 1 / members : index === 0 ? 0.9 : 0.1 / (members - 1);
          await wait(group * share);
          return undefined;
        },
      }),
      scorer: instantScorer(() => oneAtATime(() => wait(trial))),
    });
    const clock = { ...context.clock, monotonic: () => performance.now() };
    await runLoop({ ...context, clock }, new AbortController().signal);
    const spent = store.runs()[0]?.spent;
    if (spent === undefined) throw new Error("the run was not stored");
    const model = spent.modelMs / spent.ms;
    const sandbox = spent.sandboxMs / spent.ms;
    const percent = (share: number): string => `${(share * 100).toFixed(1)} %`.padStart(10);
    console.log(
      `${name.padEnd(22)} ${replies.padEnd(12)} ${depth}    ${percent(model)}    ${percent(sandbox)}   ` +
        `${percent(group >= trial * members ? model : sandbox)}  ${(spent.ms / groups / members).toFixed(0).padStart(14)}`,
    );
  } finally {
    store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
