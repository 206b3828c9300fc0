/**
 * kill -9 of the runner in the middle of an iteration, five times: nothing finished is lost, nothing of ours is
 * left, and what is opened next is what the records alone say.
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { openStore } from "../../src/adapters/sqlite/store.ts";
import { decideNext, memberSeeds } from "../../src/core/opening.ts";
import { openRunView } from "../../src/core/run-view.ts";
import type { RunEvent } from "../../src/protocol/events.ts";
import { testWith } from "../support/without.ts";
import { copyOfExample, gone, type Product } from "./product.ts";

const it = testWith("docker", "model");

let product: Product;
beforeAll(() => {
  product = copyOfExample("digits-config");
});
afterAll(() => product?.remove());

/** Kills after which the next opening is compared with what the records said. */
const kills = 5;

interface Expected {
  readonly iteration: number;
  readonly start: string;
  readonly goal: string;
  readonly seeds: readonly number[];
}

/** What a copy of the database, opened by this process, says the next group to open will be. */
function nextByRecord(folder: string): { expected: Expected | null; finished: Map<string, string> } {
  const copy = mkdtempSync(join(tmpdir(), "exit-ml-copy-"));
  onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
  for (const file of ["history.db", "history.db-wal"]) {
    cpSync(join(folder, ".exit", file), join(copy, file), { force: true });
  }
  const store = openStore(join(copy, "history.db"));
  try {
    const run = store.runs().at(-1);
    if (run === undefined) throw new Error("no run was recorded");
    const groups = store.groupIds().flatMap((id) => store.group(id) ?? []);
    const iteration = Math.max(...groups.map((group) => group.iteration)) + 1;
    const policy = groups[0]?.policy ?? "";
    const view = openRunView(run, store);
    const decision = decideNext(run, iteration, view.visibleAt(iteration), policy);
    const finished = new Map<string, string>();
    for (const group of groups) {
      for (const reply of group.replies)
        finished.set(
          `${group.id}-${reply.index}`,
          `${reply.text} ${reply.verdict ?? "?"} ${reply.score ?? "?"}`,
        );
    }
    const seeds = memberSeeds(run, iteration, 0);
    // Killed a moment later, the next decision hangs on scores that are still out.
    const closed = new Set(store.closedGroups().map((group) => group.iteration));
    const isDue = closed.has(iteration - run.settings.pipelineDepth);
    if (!isDue) return { expected: null, finished };
    return { expected: { iteration, start: decision.start.id, goal: decision.goal, seeds }, finished };
  } finally {
    store.close();
  }
}

/** The first group a session opens from `iteration` on. */
type Opened = Extract<RunEvent, { type: "groupOpened" }>["opening"] | null;

/**
 * Runs until a group has closed, the next one is under way and has a finished reply; then kills the runner.
 * That is a moment at which the decision after the one under way already follows from the records.
 */
async function runAndKill(from: number): Promise<Opened> {
  const running = product.run("--iterations", "60", "--group-size", "4", "--seed", "5");
  let first: Opened = null;
  let closed = -1;
  for await (const event of running.events) {
    if (event.type === "groupOpened" && event.opening.iteration >= from) first ??= event.opening;
    if (event.type === "groupClosed") closed = Math.max(closed, event.iteration);
    const enough = first !== null && closed >= first.iteration;
    if (enough && event.type === "replySampled" && event.group === `r1i${closed + 1}`) break;
  }
  const pid = product.runnerPid();
  process.kill(pid, "SIGKILL");
  await gone(pid);
  await running.ended;
  return first;
}

it("survives five kills without losing a finished sample or taking another turn", async () => {
  let expected: Expected | null = null;
  let finished = new Map<string, string>();
  for (let compared = 0; compared < kills; ) {
    const first = await runAndKill(expected?.iteration ?? 0);
    if (expected !== null) {
      expect(first).toMatchObject(expected);
      compared++;
    }
    const record = nextByRecord(product.folder);
    for (const [member, outcome] of finished) {
      const now = record.finished.get(member);
      // A reply whose score was still out may have one now; nothing else may differ.
      if (outcome.endsWith(" ? ?")) expect(now?.startsWith(outcome.slice(0, -4))).toBe(true);
      else expect(now).toBe(outcome);
    }
    ({ expected, finished } = record);
  }
  // The next process of this workspace sweeps what the killed one left.
  await product.json("score");
  process.kill(product.runnerPid(), "SIGTERM");
  await expect.poll(() => product.leftovers(), { timeout: 30_000 }).toEqual([]);
});
