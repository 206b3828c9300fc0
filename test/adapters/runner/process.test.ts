/** Real runner processes, started by the real client; only the use cases are fake. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { type Client, connect } from "../../../src/client/connect.ts";
import { runnerFilePath, runnerFileSchema } from "../../../src/protocol/runner-file.ts";

let programs: string;
let script: string;
let folder: string;
let clients: Client[];

beforeAll(async () => {
  programs = mkdtempSync(join(tmpdir(), "exit-ml-programs-"));
  script = join(programs, "runner.js");
  await build({
    entryPoints: [join(import.meta.dirname, "fake-runner.ts")],
    outfile: script,
    bundle: true,
    platform: "node",
    format: "cjs",
  });
});

afterAll(() => rmSync(programs, { recursive: true }));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "exit-ml-process-"));
  clients = [];
  vi.stubEnv("EXIT_ML_IDLE_MS", "60000");
});

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const pid of new Set(clients.map((client) => client.runner.pid))) end(pid, "SIGTERM");
  await Promise.all(clients.map((client) => client.closed));
  rmSync(folder, { recursive: true, maxRetries: 5 });
});

async function attach(start = true): Promise<Client> {
  const client = await connect(folder, { start, script });
  clients.push(client);
  return client;
}

function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already.
  }
}

const run = {
  tasks: [],
  all: false,
  strategy: "exit",
  budget: { iterations: 3, hours: null, tokens: null, target: null },
  settings: {},
  runtime: null,
  model: null,
  endpoint: null,
  fresh: false,
  allowMissing: [],
  seed: null,
} as const;

const startRun = (client: Client) => client.call("startRun", { ...run, tasks: [], allowMissing: [] });

test("the first client starts the runner, the next one finds it", async () => {
  await expect(attach(false)).rejects.toMatchObject({ reason: "runner-absent" });
  const first = await attach();
  const second = await attach(false);
  expect(second.runner.pid).toBe(first.runner.pid);
  expect(first.runner.pid).not.toBe(process.pid);
  expect(readFileSync(join(folder, ".exit", ".gitignore"), "utf8")).toBe("*\n");
});

test("of many clients that start one at once, all end at the same runner", async () => {
  const all = await Promise.all([attach(), attach(), attach(), attach()]);
  expect(new Set(all.map((client) => client.runner.pid)).size).toBe(1);
});

test("a run outlives the client that began it", async () => {
  const client = await attach();
  await startRun(client);
  client.close();
  const next = await attach(false);
  expect((await next.call("status", {})).activeRun).toMatchObject({ id: "r1" });
});

test("a runner that refuses to start says why", async () => {
  vi.stubEnv("FAKE_OPEN", "refuse");
  await expect(attach()).rejects.toMatchObject({
    reason: "disk-full",
    message: "The disk is full; make room and repeat the command.",
  });
});

test("a runner that dies at its start leaves its last words", async () => {
  vi.stubEnv("FAKE_OPEN", "crash");
  await expect(attach()).rejects.toMatchObject({
    reason: "runner-crashed",
    message: expect.stringMatching(/SIGKILL[\s\S]*Illegal instruction/),
  });
});

test("the announcement of a dead process is ignored", async () => {
  mkdirSync(join(folder, ".exit"));
  const dead = { pid: 2 ** 22, socket: "/nowhere/s", protocol: 1, token: "t" };
  writeFileSync(runnerFilePath(folder), JSON.stringify(dead));
  expect((await attach()).runner.pid).not.toBe(dead.pid);
});

test("after a kill the next client gets a new runner, and the old socket is gone", async () => {
  const client = await attach();
  const { socket } = runnerFileSchema.parse(JSON.parse(readFileSync(runnerFilePath(folder), "utf8")));
  end(client.runner.pid, "SIGKILL");
  await client.closed;
  const next = await attach();
  expect(next.runner.pid).not.toBe(client.runner.pid);
  expect(existsSync(dirname(socket))).toBe(false);
});

test("SIGTERM ends the run, tells the clients and closes the workspace", async () => {
  const client = await attach();
  await startRun(client);
  const heard = new Promise((resolve) => client.onEvent(resolve));
  end(client.runner.pid, "SIGTERM");
  expect(await heard).toMatchObject({ type: "runEnded", reason: "stopped" });
  await client.closed;
  expect(existsSync(join(folder, ".exit", "fake.lock.closed"))).toBe(true);
  expect(existsSync(runnerFilePath(folder))).toBe(false);
});

test("without clients and work the process ends", async () => {
  vi.stubEnv("EXIT_ML_IDLE_MS", "50");
  const client = await attach();
  const { pid } = client.runner;
  client.close();
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(), { timeout: 30_000 });
  expect(existsSync(join(folder, ".exit", "fake.lock"))).toBe(false);
});

test("a client that comes while the runner closes gets the next one", async () => {
  vi.stubEnv("EXIT_ML_IDLE_MS", "1");
  for (let round = 0; round < 5; round++) (await attach()).close();
});

test("the environment of an editor does not reach the runner", async () => {
  vi.stubEnv("VSCODE_IPC_HOOK", "/somewhere");
  vi.stubEnv("NODE_OPTIONS", "--no-warnings");
  expect((await (await attach()).call("status", {})).problems).toEqual([]);
});

test("a folder that is not there is named", async () => {
  await expect(connect(join(folder, "nowhere"), { start: true, script })).rejects.toMatchObject({
    reason: "folder-missing",
  });
});
