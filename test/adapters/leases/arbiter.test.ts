/** Leases between arbiters of one folder, as runners of several workspaces have them, and between real processes. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createArbiter } from "../../../src/adapters/leases/arbiter.ts";
import { thisProcess } from "../../../src/adapters/leases/holder.ts";
import type { Arbiter, Capacity, Lease, LeasePurpose, Need } from "../../../src/core/ports.ts";

let root: string;
let folder: string;
/** Aborted when the test ends: what still waits then would make the folder anew. */
let ending: AbortController;
const children = new Set<ChildProcess>();

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "exit-ml-leases-"));
  folder = join(root, "leases");
  ending = new AbortController();
});
afterEach(async () => {
  ending.abort();
  for (const child of children) if (child.kill("SIGKILL")) await once(child, "exit");
  children.clear();
  rmSync(root, { recursive: true });
});

const runner = (capacity: Partial<Capacity> = {}): Arbiter =>
  createArbiter({ folder, capacity: async () => ({ cpus: 4, memory: 100, gpus: [], ...capacity }) });

function take(
  arbiter: Arbiter,
  need: Partial<Need>,
  purpose: LeasePurpose = "revision",
  signal = ending.signal,
): Promise<Lease> {
  const lease = arbiter.lease({ cpus: 0, memory: 0, gpus: 0, ...need }, purpose, signal);
  lease.catch(() => undefined);
  return lease;
}

/** What the tickets say, in their order: `cpus` of those that wait, `+cpus` of those granted. */
function tickets(): string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith("ticket-") && name.endsWith(".json"))
    .sort((a, b) => Number(a.split("-")[1]) - Number(b.split("-")[1]))
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as { cpus: number; granted: unknown })
    .map(({ cpus, granted }) => `${granted === null ? "" : "+"}${cpus}`);
}

/** The id of a process that has ended. */
const deadProcess = (): number => spawnSync(process.execPath, ["-e", ""]).pid;

function work(args: readonly string[], env: Record<string, string> = {}) {
  const program = join(import.meta.dirname, "worker.ts");
  const preload = env.DIE_AT === undefined ? [] : ["--import", join(import.meta.dirname, "die-at-step.ts")];
  const child = spawn(process.execPath, ["--no-warnings", ...preload, program, root, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.add(child);
  let printed = "";
  child.stdout.on("data", (data) => {
    printed += String(data);
  });
  const ended = once(child, "close").then(() => {
    children.delete(child);
    return printed;
  });
  return { child, ended, printed: () => printed };
}

describe("one runner", () => {
  test("has the whole machine, and what does not fit waits in the order it came", async () => {
    const arbiter = runner();
    const [first, second] = [await take(arbiter, { cpus: 3 }), await take(arbiter, { cpus: 1 })];
    const order: string[] = [];
    const large = take(arbiter, { cpus: 4 }).then((lease) => {
      order.push("large");
      return lease;
    });
    const small = take(arbiter, { cpus: 1 }).then((lease) => {
      order.push("small");
      return lease;
    });
    second.release();
    first.release();
    (await large).release();
    (await small).release();
    expect(order).toEqual(["large", "small"]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("is limited by memory as by processors", async () => {
    const arbiter = runner();
    const first = await take(arbiter, { cpus: 1, memory: 60 });
    const second = take(arbiter, { cpus: 1, memory: 60 });
    await expect.poll(tickets).toEqual(["+1", "1"]);
    first.release();
    first.release();
    (await second).release();
  });

  test("adds up shares of a processor without losing one to rounding", async () => {
    const arbiter = runner({ cpus: 1 });
    for (let share = 0; share < 10; share++) await take(arbiter, { cpus: 0.1 });
    expect(tickets()).toHaveLength(10);
  });

  test("refuses what is more than there is, with the numbers, instead of waiting for ever", async () => {
    const asked = [{ cpus: 5 }, { memory: 2 ** 40 }, { gpus: 1 }];
    const refusals = await Promise.all(
      asked.map((need) => take(runner({ memory: 2 ** 30 }), need).catch((error: unknown) => error)),
    );
    for (const refusal of refusals) expect(refusal).toMatchObject({ reason: "sandbox-too-large" });
    expect(String(refusals[0])).toMatch(/5 processors and the engine has 4/);
    expect(String(refusals[1])).toMatch(/1048576 MiB .* has 1024 MiB/);
  });

  test("stops waiting when aborted, wherever it stands in the queue, and holds up nobody", async () => {
    const arbiter = runner();
    const held = await take(arbiter, { cpus: 4 });
    const stops = [new AbortController(), new AbortController()];
    const [head, behind] = stops.map(({ signal }) => take(arbiter, { cpus: 1 }, "revision", signal));
    const last = take(arbiter, { cpus: 2 });
    await expect.poll(tickets).toEqual(["+4", "1"]);
    stops[1]?.abort(new Error("second thoughts"));
    await expect(behind).rejects.toThrow("second thoughts");
    stops[0]?.abort(new Error("enough"));
    await expect(head).rejects.toThrow("enough");
    await expect.poll(tickets).toEqual(["+4", "2"]);
    held.release();
    (await last).release();
    const aborted = AbortSignal.abort(new Error("too late"));
    await expect(take(arbiter, { cpus: 1 }, "revision", aborted)).rejects.toThrow("too late");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("is told where it cannot write", async () => {
    writeFileSync(folder, "a file in the way");
    await expect(take(runner(), { cpus: 1 })).rejects.toMatchObject({
      reason: "leases-unwritable",
      message: expect.stringContaining(folder),
    });
  });
});

describe("several runners", () => {
  test("never hold more than there is, and small needs do not starve a large one", async () => {
    const held = await take(runner(), { cpus: 3 });
    const large = take(runner(), { cpus: 2 });
    await expect.poll(tickets).toEqual(["+3", "2"]);
    const small = take(runner(), { cpus: 1 });
    await expect.poll(tickets).toEqual(["+3", "2", "1"]);
    held.release();
    await Promise.all([large, small]);
    expect(tickets()).toEqual(["+2", "+1"]);
  });

  test("take turns however many trials one of them has to make", async () => {
    const busy = runner();
    const first = await take(busy, { cpus: 4 });
    const many = Array.from({ length: 5 }, () => take(busy, { cpus: 4 }));
    await expect.poll(tickets).toEqual(["+4", "4"]);
    const other = take(runner(), { cpus: 3 });
    await expect.poll(tickets).toEqual(["+4", "4", "3"]);
    first.release();
    (await many[0])?.release();
    const lease = await other;
    expect(tickets()[0]).toBe("+3");
    lease.release();
    for (const each of many.slice(1)) (await each).release();
  });

  test("share GPUs by id: none is with two of them, be it model, revision or trainer", async () => {
    const gpus = ["0", "1", "2"];
    const model = await take(runner({ gpus }), { gpus: 1 }, "model");
    const revision = await take(runner({ gpus }), { cpus: 1, gpus: 1 });
    expect(new Set([...model.gpus, ...revision.gpus]).size).toBe(2);
    const trainer = take(runner({ gpus }), { gpus: 2 }, "trainer");
    await expect.poll(() => tickets().length).toBe(3);
    // What needs no GPU does not wait for one.
    await take(runner({ gpus }), { cpus: 1 });
    // The free one is kept for who came first.
    const late = take(runner({ gpus }), { gpus: 1 });
    await expect.poll(() => tickets().length).toBe(5);
    model.release();
    const given = (await trainer).gpus;
    expect(given).toHaveLength(2);
    expect(given).not.toContain(revision.gpus[0]);
    revision.release();
    expect((await late).gpus).toEqual(revision.gpus);
  });

  test("go by what each one's own engine has", async () => {
    const small = runner({ cpus: 2 });
    await take(small, { cpus: 2 });
    await take(runner({ cpus: 8 }), { cpus: 6 });
    const waiting = take(small, { cpus: 1 });
    await expect.poll(tickets).toEqual(["+2", "+6", "1"]);
    waiting.catch(() => undefined);
  });
});

describe("what dead processes and power cuts leave", () => {
  const ticket = { purpose: "revision", cpus: 4, memory: 0, gpus: 0, granted: [] };
  const lock = (holder: object): string => JSON.stringify({ token: "ab", ...holder });

  test.each<[string, () => Record<string, string>]>([
    [
      "a lease of a dead process",
      () => ({ "ticket-7-ab.json": JSON.stringify({ ...ticket, pid: deadProcess(), started: "" }) }),
    ],
    [
      "a lease of an earlier process with the same id",
      () => ({ "ticket-7-ab.json": JSON.stringify({ ...ticket, pid: process.pid, started: "long ago" }) }),
    ],
    ["half a ticket", () => ({ "ticket-7-ab.json": '{"pid": 12', "ticket-8-cd.json.draft": "" })],
    ["an empty ticket and a name that is none", () => ({ "ticket-7-ab.json": "", "ticket-x": "" })],
    ["the lock of a dead process", () => ({ mutex: lock({ pid: deadProcess(), started: "" }) })],
    [
      "the lock of an earlier process with the same id",
      () => ({ mutex: lock({ pid: process.pid, started: "long ago" }) }),
    ],
    ["a damaged lock", () => ({ mutex: "" })],
    [
      "a process that died while it cleared a dead lock",
      () => {
        const dead = { pid: deadProcess(), started: "" };
        return {
          mutex: lock(dead),
          "mutex.ab": lock({ ...dead, token: "cd" }),
          [`mutex.draft-${dead.pid}-ef`]: "{",
        };
      },
    ],
  ])("%s is passed over and removed", async (_, leave) => {
    if (process.platform !== "linux") return; // told by the process id alone there
    mkdirSync(folder);
    for (const [name, text] of Object.entries(leave())) writeFileSync(join(folder, name), text);
    (await take(runner(), { cpus: 4 })).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("the lock and the lease of a process that lives are respected", async () => {
    mkdirSync(folder);
    const { pid, started } = thisProcess();
    writeFileSync(join(folder, "mutex"), lock({ pid, started }));
    const waiting = take(runner(), { cpus: 1 });
    const stop = new AbortController();
    const stopped = take(runner(), { cpus: 1 }, "revision", stop.signal);
    stop.abort(new Error("enough"));
    await expect(stopped).rejects.toThrow("enough");
    expect(tickets()).toEqual([]);
    rmSync(join(folder, "mutex"));
    (await waiting).release();
  });

  test("a killed process gives back what it held", async () => {
    const { child, ended, printed } = work(["4", "hold"]);
    await expect.poll(printed, { timeout: 20_000 }).toContain("held");
    const waiting = take(runner(), { cpus: 1 });
    await expect.poll(tickets).toEqual(["+4", "1"]);
    child.kill("SIGKILL");
    await ended;
    (await waiting).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("killed at any step of taking and giving back, it blocks nobody and leaves nothing", async () => {
    let finished = false;
    let kills = 0;
    for (let step = 1; !finished; step++) {
      const { ended } = work(["4", "1"], { DIE_AT: String(step) });
      finished = (await ended).includes("done");
      if (!finished) kills++;
      (await take(runner(), { cpus: 4 })).release();
      expect(readdirSync(folder)).toEqual([]);
    }
    expect(kills).toBeGreaterThan(8);
  });

  test("processes that find the same dead lock, and each other's, never hold it together", async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, "mutex"), lock({ pid: deadProcess(), started: "" }));
    writeFileSync(join(folder, "count"), "0");
    const program = join(import.meta.dirname, "counter.ts");
    const all = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ["--no-warnings", program, folder, "100"], { stdio: "inherit" }),
    );
    for (const child of all) children.add(child);
    await Promise.all(all.map((child) => once(child, "exit").then(() => children.delete(child))));
    expect(readFileSync(join(folder, "count"), "utf8")).toBe("400");
    expect(readdirSync(folder)).toEqual(["count"]);
  });

  test("eight runners, some of them killed, never hold more than the machine has", async () => {
    // Those that are killed have more to do than there is time for.
    const all = [1, 2, 3, 4, 1, 2, 3, 4].map((cpus, at) => work([String(cpus), at < 3 ? "100000" : "6"]));
    for (const victim of all.slice(0, 3)) {
      await expect.poll(tickets, { timeout: 30_000 }).not.toEqual([]);
      victim.child.kill("SIGKILL");
      await victim.ended;
    }
    const printed = await Promise.all(all.map(({ ended }) => ended));
    expect(printed.join("")).not.toContain("over");
    for (const each of printed.slice(3)) expect(each).toBe("done\n");
    (await take(runner(), { cpus: 4 })).release();
    expect(readdirSync(folder)).toEqual([]);
  });
});
