/** `clean` on a real workspace: its history in SQLite, its snapshots in git, its leftovers in a real engine. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import Docker from "dockerode";
import { afterEach, beforeEach, expect } from "vitest";
import { openSnapshots } from "../../../src/adapters/git/snapshots.ts";
import { openStore } from "../../../src/adapters/sqlite/store.ts";
import type { App, RunRequest } from "../../../src/app/app.ts";
import { openApp } from "../../../src/app/compose.ts";
import { sha256, solutionOf } from "../../support/memory-world.ts";
import { testWith } from "../../support/without.ts";
import { opening, outcome, prompt, reply, root, run, sampling } from "../sqlite/samples.ts";

const test = testWith("docker");
const examples = join(import.meta.dirname, "..", "..", "..", "examples");
const never = new AbortController().signal;
const docker = new Docker();

let folder: string;
let app: App;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "exit-ml-clean-")));
  cpSync(join(examples, "digits-config"), folder, {
    recursive: true,
    filter: (source) => !source.includes("/.exit"),
  });
});
afterEach(async () => {
  await app?.close();
  rmSync(folder, { recursive: true, force: true });
});

const open = async (): Promise<App> => {
  app = await openApp(folder, { log: () => undefined });
  return app;
};
const inState = (...path: string[]): string => join(folder, ".exit", ...path);
function leave(...path: string[]): string {
  const file = inState(...path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, "x".repeat(5000));
  return file;
}
const counts = ({ freed }: Awaited<ReturnType<App["clean"]>>): Record<string, number> =>
  Object.fromEntries(freed.filter(({ count }) => count > 0).map(({ kind, count }) => [kind, count]));

/** A root, a reply of an open group that is no node yet, and a snapshot nobody needs. */
async function history() {
  await (await open()).close();
  const snapshots = await openSnapshots(inState("snapshots.git"));
  const [start, answered, orphan] = [
    await snapshots.save(solutionOf(1), null),
    await snapshots.save(solutionOf(2), null),
    await snapshots.save(solutionOf(3), null),
  ];
  const store = openStore(inState("history.db"));
  store.openRun(run());
  store.addRoot(root("n1", start));
  store.openGroup({ ...opening(0), startSnapshot: start }, prompt, sampling);
  store.addReply("r1i0", reply(0));
  store.addOutcome("r1i0", 0, { ...outcome(0), snapshot: answered });
  store.close();
  return { start, answered, orphan };
}

test("removes what nothing needs, keeps what the history, the task and the user need, and counts it", async () => {
  const { start, answered, orphan } = await history();
  await open();
  await app.score({ task: null, from: null }, never);
  const staged = readdirSync(inState("staging")).sort();
  const [old, young] = [leave("logs", "old.log"), leave("logs", "young.log")];
  utimesSync(old, new Date(0), new Date(0));
  leave("logs", "runner.log");
  leave("staging", "0".repeat(64), "data.csv");
  leave("kept", "digits-config-000000000000-root", "predictions.csv");
  leave("outputs", "r1i9-3", "predictions.csv");
  leave("exports", "mine", "groups.jsonl");
  leave("exports", "mine.unfinished-abc", "groups.jsonl");
  const keptOutputs = readdirSync(inState("kept")).filter((name) => !name.includes("000000000000"));
  expect(keptOutputs).toHaveLength(1);
  const expected = { snapshots: 2, staging: 1, kept: 1, outputs: 1, logs: 1, unfinished: 1 };

  const told = await app.clean({ dryRun: true, exports: false });
  expect(told.dryRun).toBe(true);
  expect(counts(told)).toMatchObject(expected);
  expect(existsSync(old)).toBe(true);
  expect(existsSync(inState("staging", "0".repeat(64)))).toBe(true);

  const done = await app.clean({ dryRun: false, exports: false });
  expect(counts(done)).toMatchObject(expected);
  const bytes = Object.fromEntries(done.freed.map((each) => [each.kind, each.bytes]));
  for (const kind of ["staging", "kept", "logs", "unfinished"])
    expect(bytes[kind]).toBeGreaterThanOrEqual(5000);
  expect(bytes.snapshots).toBeGreaterThan(0);
  expect(done.notes).toEqual([]);
  expect(readdirSync(inState("staging")).sort()).toEqual(staged);
  expect(readdirSync(inState("kept"))).toEqual(keptOutputs);
  expect(readdirSync(inState("logs")).sort()).toEqual(["runner.log", "young.log"]);
  expect(readdirSync(inState("exports"))).toEqual(["mine"]);
  expect(existsSync(young)).toBe(true);

  expect((await app.tree(null)).nodes).toHaveLength(1);
  expect((await app.solution("n1", null)).files).toHaveLength(1);
  expect((await app.showGroup("r1i0")).replies).toHaveLength(1);
  expect(await app.score({ task: null, from: null }, never)).toMatchObject({ cached: true });
  await app.close();
  const snapshots = await openSnapshots(inState("snapshots.git"));
  expect(await snapshots.read(start)).toHaveLength(1);
  expect(await snapshots.read(answered)).toHaveLength(1);
  await expect(snapshots.read(orphan)).rejects.toMatchObject({ reason: "snapshot-missing" });

  await open();
  expect(counts(await app.clean({ dryRun: false, exports: true }))).toMatchObject({ exports: 1 });
  expect(counts(await app.clean({ dryRun: false, exports: true }))).toEqual({});
});

test("removes volumes of this workspace that no process owns, and those of nobody else", async () => {
  const nameFor = (workspace: string): string => `exit-ml-test-${sha256(workspace + folder).slice(0, 16)}`;
  const make = (workspace: string) =>
    docker.createVolume({
      Name: nameFor(workspace),
      Labels: {
        "exit-ml.owner": sha256(`${hostname()}/${userInfo().uid}`).slice(0, 16),
        "exit-ml.workspace": workspace,
        "exit-ml.run": "",
      },
    });
  const [mine, other] = [sha256(folder).slice(0, 16), `not-${sha256(folder).slice(0, 12)}`];
  await make(mine);
  await make(other);
  try {
    await open();
    expect(counts(await app.clean({ dryRun: true, exports: false }))).toEqual({ volumes: 1 });
    expect(counts(await app.clean({ dryRun: false, exports: false }))).toEqual({ volumes: 1 });
    const { Volumes } = await docker.listVolumes();
    const names = (Volumes ?? []).map(({ Name }) => Name);
    expect(names).not.toContain(nameFor(mine));
    expect(names).toContain(nameFor(other));
  } finally {
    await docker.getVolume(nameFor(other)).remove();
  }
});

test("kept outputs stay when a task file cannot be read just now, and that is said", async () => {
  await open();
  writeFileSync(join(folder, "exit.task.json"), "{");
  leave("kept", "digits-config-000000000000-root", "predictions.csv");
  leave("staging", "0".repeat(64), "data.csv");
  const { notes, ...report } = await app.clean({ dryRun: false, exports: false });
  expect(notes.join()).toMatch(/Kept outputs were left alone.*exit\.task\.json/s);
  expect(counts({ ...report, notes })).toEqual({ staging: 1 });
});

test("a run under way, and one that is beginning, are left in peace", async () => {
  await open();
  const request: RunRequest = {
    ...{ tasks: [], all: false, strategy: "exit", settings: {}, fresh: false, seed: null },
    ...{ runtime: null, model: "/nowhere/none.gguf", endpoint: null, allowMissing: [] },
    budget: { iterations: 1, hours: null, tokens: null, target: null },
  };
  const starting = app.startRun(request).catch((error: unknown) => error);
  await expect(app.clean({ dryRun: false, exports: false })).rejects.toMatchObject({ reason: "run-active" });
  await app.stopRun();
  await starting;
  const scoring = app.score({ task: null, from: null }, never);
  await expect(app.clean({ dryRun: false, exports: false })).rejects.toMatchObject({
    reason: "workspace-busy",
  });
  await scoring;
  await app.clean({ dryRun: false, exports: false });
});
