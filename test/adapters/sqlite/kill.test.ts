import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore } from "../../../src/adapters/sqlite/store.ts";
import { child, closing, opening, reply } from "./samples.ts";

type Step = readonly [kind: string, group: string, index: number];

const folder = mkdtempSync(join(tmpdir(), "exit-kill-"));
const program = join(folder, "writer.mjs");
const file = join(folder, "history.db");

beforeAll(async () => {
  await build({
    entryPoints: [fileURLToPath(new URL("./writer.ts", import.meta.url))],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    logLevel: "error",
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function startWriter(): ChildProcess {
  return spawn(process.execPath, ["--no-warnings", program, file], { stdio: ["ignore", "pipe", "inherit"] });
}

/** The steps a writer has finished by the time it is killed, which is after `count` of them. */
async function stepsUntilKilled(count: number): Promise<Step[]> {
  const writer = startWriter();
  const ended = once(writer, "exit");
  const steps: Step[] = [];
  if (!writer.stdout) throw new Error("the writer has no output");
  for await (const line of createInterface({ input: writer.stdout })) {
    const step: Step = JSON.parse(line);
    steps.push(step);
    if (steps.length === count) writer.kill("SIGKILL");
  }
  await ended;
  return steps;
}

test("killed ten times anywhere, it loses no finished step and keeps only whole groups", async () => {
  const finished: Step[] = [];
  for (let round = 0; round < 10; round++) {
    const seen = await stepsUntilKilled(2 + Math.floor(Math.random() * 40));
    expect(seen[0]).toEqual(["ready"]);
    finished.push(...seen.slice(1));

    const store = openStore(file);
    const groups = new Map(store.groupIds().map((id) => [id, store.group(id)]));
    for (const [kind, id, index] of finished) {
      const group = groups.get(id);
      expect(group).toBeDefined();
      if (kind === "closed") expect(group?.state).toBe("closed");
      if (kind === "reply") expect(group?.replies[index]).toMatchObject(reply(index));
      if (kind === "outcome") expect(group?.replies[index]?.verdict).toBeTruthy();
    }

    const closed = store.closedGroups();
    const whole = closed.flatMap(({ iteration, id }) => [
      child(`n${2 + 2 * iteration}`, id),
      child(`n${3 + 2 * iteration}`, id),
    ]);
    expect(closed.map(({ closedSeq }) => closedSeq)).toEqual(closed.map((_, place) => place + 1));
    expect(store.nodes().slice(1)).toEqual(whole);
    for (const { id } of closed) {
      expect(groups.get(id)?.replies.map(({ reward }) => reward)).toEqual([0.5, null]);
    }
    const last = closed.length - 1;
    expect(store.buffer()).toEqual(last < 0 ? [] : closing(last, last + 1, whole.slice(-2)).buffer);
    expect(store.openGroups("r1").length).toBeLessThanOrEqual(1);
    for (const { group } of store.openGroups("r1")) {
      expect(group).toMatchObject({ ...opening(closed.length), state: "open" });
    }
    store.close();
  }
});

test("another process is told the workspace is locked", async () => {
  const store = openStore(file);
  const writer = startWriter();
  const ended = once(writer, "exit");
  const lines: string[] = [];
  if (!writer.stdout) throw new Error("the writer has no output");
  for await (const line of createInterface({ input: writer.stdout })) lines.push(line);
  await ended;
  store.close();
  expect(lines).toEqual(['["refused","workspace-locked"]']);
});
