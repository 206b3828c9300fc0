/** The main job on real parts: a real model, a real sandbox, a user's repository around it. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, onTestFinished } from "vitest";
import type { GroupRow } from "../../src/core/export/native.ts";
import type { ExportReport } from "../../src/core/reports.ts";
import { isInformative, learnability, rewards } from "../../src/core/reward.ts";
import { isFailed } from "../../src/core/verdict.ts";
import type { RunEvent } from "../../src/protocol/events.ts";
import type { ReplayReport } from "../../src/protocol/results.ts";
import { testWith } from "../support/without.ts";
import { copyOfExample, digestOf, git, gone, type Product } from "./product.ts";

const it = testWith("docker", "model");

let product: Product;
const events: RunEvent[] = [];
let gitBefore: string;

beforeAll(async () => {
  product = copyOfExample("digits-config");
  await git(product.folder, "init", "-q");
  await git(product.folder, "add", "-A");
  await git(product.folder, "commit", "-qm", "mine");
  gitBefore = digestOf(join(product.folder, ".git"));
  const running = product.run("--iterations", "6", "--seed", "11");
  for await (const event of running.events) events.push(event);
  expect(await running.ended).toBe(0);
});
afterAll(() => product?.remove());

describe("a run of six iterations", () => {
  it("scores nine in ten of the replies, since they are constrained to the schema", () => {
    const outcomes = events.filter((event) => event.type === "replyScored");
    expect(outcomes).toHaveLength(48);
    const scored = outcomes.filter((event) => event.outcome.verdict === "scored");
    expect(scored.length).toBeGreaterThanOrEqual(44);
  });

  it("grows a tree deeper than one step with a best node better than the root", async () => {
    const nodes = await product.tree();
    const root = nodes.find((node) => node.parent === null);
    const best = nodes.find((node) => node.best);
    expect(Math.max(...nodes.map((node) => node.depth))).toBeGreaterThan(1);
    expect(best?.score ?? 0).toBeGreaterThan(root?.score ?? 1);
    for (const node of nodes) {
      expect(Object.keys(node)).toEqual(
        expect.arrayContaining(
          "id task parent depth goal verdict score quality snapshot group policy".split(" "),
        ),
      );
    }
  });

  it("leaves the user's repository byte-identical and no container behind", async () => {
    expect(digestOf(join(product.folder, ".git"))).toBe(gitBefore);
    expect(await git(product.folder, "status", "--porcelain")).toBe("");
    process.kill(product.runnerPid(), "SIGTERM");
    await expect.poll(() => product.leftovers(), { timeout: 30_000 }).toEqual([]);
  });

  it("replays without a difference, and names each record that is changed by hand", async () => {
    const report = await product.json<ReplayReport>("replay", "r1");
    expect(report).toMatchObject({ groups: 6, differences: [], notChecked: [] });
    expect((await product.call("replay", "r1")).stdout).toBe(
      `0 differences in 6 groups, ${report.decisions} decisions\n`,
    );
    const pid = product.runnerPid();
    process.kill(pid, "SIGTERM");
    await gone(pid);
    const changes: readonly [string, RegExp][] = [
      [
        `UPDATE replies SET reward = reward + 0.25 WHERE "group" = 'r1i2' AND "index" = 1`,
        /^r1i2: reward of reply 1$/,
      ],
      ["UPDATE groups SET learnability = learnability + 0.01 WHERE id = 'r1i3'", /^r1i3: learnability S$/],
      [
        `UPDATE groups SET start = (SELECT max(id) FROM nodes WHERE id <> start) WHERE id = 'r1i4'`,
        /^r1i4: start$/,
      ],
      ["UPDATE groups SET draws = json_set(draws, '$.source', 2) WHERE id = 'r1i4'", /^r1i4: draw source$/],
      ["UPDATE buffer SET S = S + 0.01 WHERE place = 0", /^r1i5: buffer as stored$/],
      [
        "UPDATE groups SET bufferChanges = json_set(bufferChanges, '$.set[0].S', 9) WHERE id = 'r1i0'",
        /^r1i0: buffer entry n1$/,
      ],
    ];
    for (const [sql, named] of changes) {
      const copy = copyOfExample("digits-config");
      try {
        cpSync(join(product.folder, ".exit"), join(copy.folder, ".exit"), { recursive: true });
        const database = new DatabaseSync(join(copy.folder, ".exit", "history.db"));
        expect(database.prepare(sql).run().changes, sql).toBe(1);
        database.close();
        const { code, stdout } = await copy.call("replay", "r1", "--json");
        const { differences } = JSON.parse(stdout) as ReplayReport;
        expect(differences.map(({ group, quantity }) => `${group}: ${quantity}`)).toContainEqual(
          expect.stringMatching(named),
        );
        expect(code).toBe(1);
      } finally {
        await copy.remove();
      }
    }
  });

  it("exports rows whose learnability, rewards and advantages follow from the row itself", async () => {
    const out = mkdtempSync(join(tmpdir(), "exit-ml-export-"));
    onTestFinished(() => rmSync(out, { recursive: true }));
    const report = await product.json<{ kept: number; seen: number }>("export", "--out", out);
    expect(report.seen).toBe(6);
    const rows = readFileSync(join(out, "groups.jsonl"), "utf8")
      .trim()
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as GroupRow);
    expect(rows).toHaveLength(report.kept);
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) {
      const qualities = row.replies.map((reply) => reply.quality);
      expect(learnability(qualities)).toBe(row.learnability);
      const members = row.replies.map((reply) => ({
        quality: reply.quality,
        failed: isFailed(reply.verdict),
        unchanged: reply.snapshot !== null && reply.snapshot === row.startSnapshot,
      }));
      const r = rewards(members, row.reward, row.startQuality);
      expect(row.replies.map((reply) => reply.reward)).toEqual(r);
      expect(isInformative(r, row.reward, row.startQuality, row.startSE)).toBe(true);
      const known = r.filter((value) => value !== null);
      const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
      const std = Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (known.length - 1));
      for (const [place, reply] of row.replies.entries()) {
        const reward = r[place] ?? null;
        if (reward === null) expect(reply.advantage).toBeNull();
        else
          expect(reply.advantage).toBeCloseTo(((reward - mean) / (std + 1e-4)) * (reply.diversity ?? 1), 9);
      }
    }
  });

  it.each(["trl-dpo", "verl"])("exports the form %s too, with every reply accounted for", async (format) => {
    const out = mkdtempSync(join(tmpdir(), "exit-ml-export-"));
    onTestFinished(() => rmSync(out, { recursive: true }));
    const report = await product.json<ExportReport>("export", "--out", out, "--format", format);
    const left = Object.values(report.replies.dropped).reduce((sum, count) => sum + count, 0);
    expect(report.replies.kept + left).toBe(report.replies.seen);
    expect(report.examples).toBeGreaterThan(0);
    const card = readFileSync(join(out, "README.md"), "utf8");
    expect(card).toContain(`Examples: ${report.examples}.`);
    expect(card).toContain("Model `");
  });

  it("shows, applies and takes back the best revision, and nothing else", async () => {
    const config = join(product.folder, "solution", "config.json");
    const before = readFileSync(config, "utf8");
    const { stdout } = await product.call("diff", "best");
    expect(stdout).toMatch(/^[-+] {2}"/m);
    const applied = await product.json<{ paths: string[]; merged: boolean }>("apply", "best");
    expect(applied).toMatchObject({ paths: ["solution/config.json"], merged: false });
    expect(readFileSync(config, "utf8")).not.toBe(before);
    expect((await git(product.folder, "status", "--porcelain")).trim()).toBe("M solution/config.json");
    const best = (await product.tree()).find((node) => node.best);
    const score = await product.json<{ verdict: string; score: number; snapshot: string }>("score");
    expect(score).toMatchObject({ verdict: "scored", score: best?.score, snapshot: best?.snapshot });
    await product.json("revert");
    expect(readFileSync(config, "utf8")).toBe(before);
    expect(await git(product.folder, "status", "--porcelain")).toBe("");
  });

  it("refuses to write over the user's own change of the same lines", async () => {
    const config = join(product.folder, "solution", "config.json");
    const mine = JSON.stringify(JSON.parse(readFileSync(config, "utf8")));
    writeFileSync(config, mine);
    const refused = await product.call("apply", "best");
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain("config.json");
    expect(readFileSync(config, "utf8")).toBe(mine);
  });
});

it("says what is wrong with a task file, where, and starts nothing", async () => {
  const file = join(product.folder, "exit.task.json");
  const whole = readFileSync(file, "utf8");
  writeFileSync(file, whole.replace('"instruction"', '"instructoin"'));
  const answer = await product.call("run", "--iterations", "1");
  writeFileSync(file, whole);
  expect(answer.code).not.toBe(0);
  expect(answer.stderr).toMatch(/exit\.task\.json:\d+:\d+: .*instruct/);
});

it("names the place where a task file breaks off", async () => {
  const broken = copyOfExample("digits-config");
  try {
    writeFileSync(join(broken.folder, "exit.task.json"), "{");
    const answer = await broken.call("score");
    expect(answer.code).not.toBe(0);
    expect(answer.stderr).toMatch(/exit\.task\.json:1:\d+/);
  } finally {
    await broken.remove();
  }
});
