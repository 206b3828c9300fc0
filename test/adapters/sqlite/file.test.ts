import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDatabase } from "../../../src/adapters/sqlite/database.ts";
import { records } from "../../../src/adapters/sqlite/migrations/003-records.ts";
import { migrations } from "../../../src/adapters/sqlite/migrations/index.ts";
import { openStore } from "../../../src/adapters/sqlite/store.ts";
import { isExitError } from "../../../src/core/errors.ts";
import { child, closing, opening, prompt, reply, root, run, sampling } from "./samples.ts";

let folder = "";
let file = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "exit-file-"));
  file = join(folder, "history.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function refusal(action: () => unknown): { reason: string; message: string } {
  try {
    action();
  } catch (error) {
    if (isExitError(error)) return { reason: error.reason, message: error.message };
    throw error;
  }
  throw new Error("nothing was thrown");
}

function pragma(name: string): unknown {
  const connection = new DatabaseSync(file);
  try {
    return connection.prepare(`PRAGMA ${name}`).get()?.[name];
  } finally {
    connection.close();
  }
}

test("an empty file becomes a history at the newest schema, and closing leaves one file", () => {
  writeFileSync(file, "");
  openStore(file).close();
  expect(pragma("user_version")).toBe(migrations.length);
  expect(pragma("integrity_check")).toBe("ok");
  expect(readdirSync(folder)).toEqual(["history.db"]);
});

test("a history keeps its records through migrations, and each step runs once", () => {
  openDatabase(file, ["CREATE TABLE a (x TEXT) STRICT"]).close();
  const steps = ["CREATE TABLE a (x TEXT) STRICT", "ALTER TABLE a ADD COLUMN y TEXT"];
  const first = openDatabase(file, steps);
  first.insert("a", { x: "1", y: "2" }, "");
  first.close();
  const second = openDatabase(file, [...steps, "UPDATE a SET y = y || '!'"]);
  expect(second.all("SELECT x, y FROM a")).toMatchObject([{ x: "1", y: "2!" }]);
  second.close();
  const third = openDatabase(file, [...steps, "UPDATE a SET y = y || '!'"]);
  expect(third.all("SELECT y FROM a")).toMatchObject([{ y: "2!" }]);
  third.close();
  expect(pragma("user_version")).toBe(3);
});

test("a history from before the self-tests keeps its runs and scores, which were made under none", () => {
  const before = openDatabase(file, migrations.slice(0, 1));
  const json = { tasks: "[]", settings: "{}", budget: "{}", spent: "{}", startedAt: "2030-01-01" };
  const begun = { ...json, seed: 1, strategy: "exit" };
  before.insert("runs", { ...begun, id: "r1", provenance: '{"policy":{},"sandbox":{}}' }, "");
  before.insert("runs", { ...begun, id: "r2", provenance: "null" }, "");
  before.insert("scores", { key: "k", verdict: "scored", metrics: "{}", evidence: "{}", ms: 1 }, "");
  before.close();
  const store = openStore(file);
  expect(store.runs().map(({ provenance }) => provenance)).toEqual([
    { policy: {}, sandbox: {}, selfTests: [], allowedMissing: [] },
    null,
  ]);
  expect(store.score("k")?.selfTest).toBeNull();
  store.close();
});

test("a history from before the ordered records is carried over: what is known, and what is not", () => {
  // `records` is the step under test: what came before it made such histories.
  const before = openDatabase(file, migrations.slice(0, migrations.indexOf(records)));
  const json = { tasks: "[]", settings: '{"kappa":5}', budget: "{}", spent: "{}", startedAt: "2030-01-01" };
  before.insert(
    "runs",
    { ...json, id: "r1", seed: 1, strategy: "exit", provenance: "null", endedAt: null },
    "",
  );
  const node = { depth: 0, heldOut: 0 };
  const group = { run: "r1", attempt: 0, fromBuffer: 0, goal: "improve", strategy: "exit", policy: "p" };
  const fixed = { ...group, reward: "{}", draws: "{}", seeds: "[]", basis: 0, sampling: "{}" };
  const closed = { state: "closed", informative: 1, closingDraws: "{}" };
  before.insert("nodes", { ...node, id: "n1", task: "known", snapshot: "s1" }, "");
  before.insert("nodes", { ...node, id: "n2", task: "doubtful", snapshot: "s1" }, "");
  before.insert(
    "groups",
    { ...fixed, ...closed, id: "g1", iteration: 0, task: "known", start: "n1", closedSeq: 1 },
    "",
  );
  before.insert("nodes", { ...node, id: "n3", task: "known", parent: "n1", snapshot: "s2", group: "g1" }, "");
  before.insert("nodes", { ...node, id: "n4", task: "known", snapshot: "s3" }, "");
  before.insert("groups", { ...fixed, id: "g2", iteration: 1, task: "doubtful", start: "n2" }, "");
  before.insert("audits", { task: "known", evaluatorDigest: "e1" }, "");
  before.insert("audits", { task: "doubtful", evaluatorDigest: "e1" }, "");
  before.insert("audits", { task: "doubtful", evaluatorDigest: "e2" }, "");
  before.close();

  const store = openStore(file);
  expect(store.nodes().map(({ id, evaluator }) => [id, evaluator])).toEqual([
    ["n1", "e1"],
    ["n2", null],
    ["n3", "e1"],
    ["n4", "e1"],
  ]);
  expect(store.rootsInForce()).toEqual([
    { seq: 1, task: "known", node: "n1", after: 0 },
    { seq: 2, task: "doubtful", node: "n2", after: 0 },
    { seq: 3, task: "known", node: "n4", after: 1 },
  ]);
  expect(store.closedGroups()).toMatchObject([
    { id: "g1", evaluator: "e1", roots: 2, embedding: null, bufferChanges: null },
  ]);
  expect(store.runs()[0]?.settings).toEqual({ kappa: 5, embeddingModel: null });
  store.close();
  const after = openDatabase(file, migrations);
  expect(after.get("SELECT evaluator, roots FROM groups WHERE id = 'g2'")).toEqual({
    evaluator: null,
    roots: 3,
  });
  after.close();
});

test("a migration that fails leaves the history as it was", () => {
  openDatabase(file, ["CREATE TABLE a (x TEXT) STRICT"]).close();
  const steps = ["", "CREATE TABLE b (x TEXT) STRICT", "CREATE TABLE b (x TEXT) STRICT"];
  expect(() => openDatabase(file, steps)).toThrow("already exists");
  expect(pragma("user_version")).toBe(1);
  const again = openDatabase(file, ["", "CREATE TABLE b (x TEXT) STRICT"]);
  expect(again.all("SELECT name FROM sqlite_schema ORDER BY name")).toMatchObject([
    { name: "a" },
    { name: "b" },
  ]);
  again.close();
});

test("a history of a newer version is refused and not touched", () => {
  openDatabase(file, [...migrations, "CREATE TABLE later (x TEXT) STRICT"]).close();
  const before = readFileSync(file);
  const { reason, message } = refusal(() => openStore(file));
  expect(reason).toBe("history-newer");
  expect(message).toContain(file);
  expect(message).toContain("Update ExIt ML");
  expect(readFileSync(file).equals(before)).toBe(true);
});

test("another program's database is refused", () => {
  const theirs = new DatabaseSync(file);
  theirs.exec("CREATE TABLE bookmarks (url TEXT)");
  theirs.close();
  expect(refusal(() => openStore(file)).reason).toBe("history-foreign");
});

test("a file that is no database is refused with its name and the mend", () => {
  writeFileSync(file, "certainly not a database\n".repeat(100));
  const { reason, message } = refusal(() => openStore(file));
  expect(reason).toBe("history-damaged");
  expect(message).toContain(file);
  expect(message).toContain("move it aside");
});

test("damage inside the file is named when it is met", () => {
  const store = openStore(file);
  store.openRun(run());
  store.addRoot(root());
  store.openGroup(opening(0), prompt, sampling);
  store.addReply("r1i0", reply(0));
  store.addReply("r1i0", reply(1));
  const nodes = Array.from({ length: 2000 }, (_, place) => child(`n${place + 2}`, "r1i0"));
  store.closeGroup(closing(0, 1, nodes));
  store.close();
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.fill(0x5a, 4096 * 2));
  expect(refusal(() => openStore(file).nodes()).reason).toBe("history-damaged");
});

test("a folder that is not there is named", () => {
  const { reason, message } = refusal(() => openStore(join(folder, "absent", "history.db")));
  expect(reason).toBe("history-unwritable");
  expect(message).toContain("absent");
});

test("a second opener is told the workspace is locked, until the first closes", () => {
  const first = openStore(file);
  const { reason, message } = refusal(() => openStore(file));
  expect(reason).toBe("workspace-locked");
  expect(message).toContain(file);
  first.openRun(run());
  first.close();
  const second = openStore(file);
  expect(second.runs()).toHaveLength(1);
  second.close();
});
