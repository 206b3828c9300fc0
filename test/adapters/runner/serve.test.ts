/** The server over a real socket with the real client; only the use cases are fake. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, connect as dial } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Client, connect } from "../../../src/client/connect.ts";
import type { RunEvent } from "../../../src/core/reports.ts";
import { openConnection } from "../../../src/protocol/connection.ts";
import { fromResponseError } from "../../../src/protocol/errors.ts";
import type { RequestOf } from "../../../src/protocol/methods.ts";
import { type RunnerFile, runnerFilePath, runnerFileSchema } from "../../../src/protocol/runner-file.ts";
import { protocolVersion } from "../../../src/protocol/version.ts";
import { type Serving, serve } from "../../../src/runner/serve.ts";
import { FakeApp } from "./fake-app.ts";

let folder: string;
let app: FakeApp;
let serving: Serving | null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "exit-ml-serve-"));
  mkdirSync(join(folder, ".exit"));
  app = new FakeApp(folder);
  serving = null;
});

afterEach(async () => {
  await serving?.close("the test is over");
  rmSync(folder, { recursive: true });
});

async function start(idleMs = 60_000): Promise<Serving> {
  serving = await serve(folder, () => Promise.resolve(app), { log: () => undefined, idleMs });
  return serving;
}

const attach = (): Promise<Client> => connect(folder, { start: false });

function announced(): RunnerFile {
  return runnerFileSchema.parse(JSON.parse(readFileSync(runnerFilePath(folder), "utf8")));
}

/** A peer that speaks the protocol by hand. */
function stranger() {
  const socket = dial(announced().socket);
  const connection = openConnection(socket);
  connection.listen();
  const ask = (method: string, params: unknown): Promise<unknown> =>
    connection.sendRequest<unknown>(method, params).catch((error: unknown) => {
      throw fromResponseError(error);
    });
  return { ask, connection, hangUp: () => socket.destroy() };
}

/** Resolves once the fake waits inside `call`. */
const untilWaiting = (): Promise<void> => new Promise((resolve) => (app.onWaiting = resolve));

const evaluation: RequestOf<"evaluate"> = {
  policies: [{ runtime: null, model: null, endpoint: null }],
  tasks: [],
  heldOutStarts: false,
  limit: null,
  K: 1,
  n: 1,
  protocols: ["chain"],
  seed: 0,
  maxReplyTokens: 64,
  allowMissing: [],
};

const run: RequestOf<"startRun"> = {
  tasks: [],
  all: false,
  strategy: "exit",
  budget: { iterations: 3, hours: null, tokens: null, target: null },
  settings: { groupSize: 4 },
  runtime: null,
  model: null,
  endpoint: null,
  fresh: false,
  allowMissing: [],
  seed: null,
};

test("a wrong token is refused, and nothing is answered without one", async () => {
  await start();
  const peer = stranger();
  await expect(peer.ask("status", {})).rejects.toMatchObject({ reason: "hello-missing" });
  await expect(peer.ask("hello", { token: "guess", protocol: protocolVersion })).rejects.toMatchObject({
    reason: "token-refused",
  });
  await expect(peer.ask("status", {})).rejects.toMatchObject({ reason: "hello-missing" });
  peer.hangUp();
});

test("only the user can read the token or reach the socket", async () => {
  await start();
  expect(statSync(runnerFilePath(folder)).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(announced().socket)).mode & 0o777).toBe(0o700);
  expect(announced()).toMatchObject({ pid: process.pid, protocol: protocolVersion });
});

test("parameters are checked before a use case sees them", async () => {
  await start();
  const client = await attach();
  const { token } = announced();
  const peer = stranger();
  await peer.ask("hello", { token, protocol: protocolVersion });
  const refused = { reason: "request-invalid" };
  await expect(peer.ask("apply", { node: 7, task: null })).rejects.toMatchObject(refused);
  await expect(peer.ask("apply", {})).rejects.toMatchObject(refused);
  await expect(peer.ask("startRun", { ...run, budjet: 1 })).rejects.toMatchObject(refused);
  await expect(peer.ask("startRun", { ...run, settings: { groupSize: 1 } })).rejects.toThrow(/groupSize/);
  await expect(
    client.call("startRun", { ...run, budget: { ...run.budget, iterations: null } }),
  ).rejects.toThrow(/needs an end/);
  await expect(peer.ask("clean", { dryRun: true })).rejects.toMatchObject(refused);
  await expect(peer.ask("clean", { dryRun: true, exports: false, all: true })).rejects.toMatchObject(refused);
  await expect(peer.ask("toString", {})).rejects.toMatchObject({ reason: "method-unknown" });
  expect(app.requests).toEqual([]);
  peer.hangUp();
});

test("settings that were not named are not filled in on the way", async () => {
  await start();
  await (await attach()).call("startRun", run);
  expect(app.requests).toEqual([run]);
});

test("clean hands its options on and brings the report back", async () => {
  await start();
  const request = { dryRun: true, exports: false };
  const report = await (await attach()).call("clean", request);
  expect(app.requests).toEqual([{ clean: request }]);
  expect(report).toEqual({ dryRun: true, freed: [], notes: [] });
});

test("an error comes out with the reason and the sentence it went in with", async () => {
  await start();
  const client = await attach();
  await expect(client.call("show", { node: "n9", task: null })).rejects.toMatchObject({
    name: "ExitError",
    reason: "node-unknown",
    message: "There is no node n9.",
  });
  await expect(client.call("showGroup", { group: "g1" })).rejects.toMatchObject({ reason: "internal" });
});

test("events reach every client", async () => {
  await start();
  const clients = [await attach(), await attach()];
  const heard = clients.map((client) => new Promise((resolve) => client.onEvent(resolve)));
  const event: RunEvent = { type: "message", level: "info", text: "hello" };
  app.tell(event);
  expect(await Promise.all(heard)).toEqual([event, event]);
});

test("a client of another version may look, but not touch, and gets no events", async () => {
  await start();
  const peer = stranger();
  const events: unknown[] = [];
  peer.connection.onNotification((...told) => events.push(told));
  const welcome = await peer.ask("hello", {
    token: announced().token,
    protocol: protocolVersion + 1,
    more: 1,
  });
  expect(welcome).toMatchObject({ readOnly: true, protocol: protocolVersion });
  app.tell({ type: "message", level: "info", text: "hello" });
  expect(await peer.ask("tree", { task: null, later: true })).toHaveProperty("nodes");
  await expect(peer.ask("apply", { node: "n1", task: null })).rejects.toMatchObject({
    reason: "protocol-mismatch",
  });
  expect(events).toEqual([]);
  peer.hangUp();
});

test("a call is cancelled by its signal", async () => {
  await start();
  const client = await attach();
  const cancel = new AbortController();
  const waiting = untilWaiting();
  const call = client.call("score", { task: null, from: null }, cancel.signal);
  await waiting;
  cancel.abort();
  await expect(call).rejects.toMatchObject({ reason: "cancelled" });
});

test("a client that hangs up cancels its call and leaves the run alone", async () => {
  await start();
  const client = await attach();
  await client.call("startRun", run);
  const waiting = untilWaiting();
  const call = client.call("check", { task: null });
  await waiting;
  const aborted = new Promise((resolve) => app.waiting.get("check")?.addEventListener("abort", resolve));
  client.close();
  await expect(call).rejects.toMatchObject({ reason: "runner-gone" });
  await aborted;
  expect(app.busy()).toBe(true);
  expect((await (await attach()).call("status", {})).activeRun).toMatchObject({ id: "r1" });
});

test("stopRun ends what other clients wait for, too", async () => {
  await start();
  const waiting = untilWaiting();
  const call = (await attach()).call("buildImage", { task: null });
  await waiting;
  const stopped = (await attach()).call("stopRun", {});
  await expect(call).rejects.toMatchObject({ reason: "cancelled" });
  expect(await stopped).toEqual({ stopped: true });
  expect(await (await attach()).call("stopRun", {})).toEqual({ stopped: false });
});

test("stopRun ends an evaluation", async () => {
  await start();
  const waiting = untilWaiting();
  const call = (await attach()).call("evaluate", evaluation);
  await waiting;
  const stopped = (await attach()).call("stopRun", {});
  await expect(call).rejects.toMatchObject({ reason: "cancelled" });
  expect(await stopped).toEqual({ stopped: true });
});

test("closing tells clients how their run ended, then hangs up and leaves nothing behind", async () => {
  const { close } = await start();
  const client = await attach();
  const { socket } = announced();
  await client.call("startRun", run);
  const events: unknown[] = [];
  client.onEvent((event) => events.push(event));
  await close("the test says so");
  await client.closed;
  expect(events).toMatchObject([{ type: "runEnded", reason: "stopped" }]);
  expect(app.closed).toBe(true);
  expect(statSync(dirname(socket), { throwIfNoEntry: false })).toBeUndefined();
  expect(statSync(runnerFilePath(folder), { throwIfNoEntry: false })).toBeUndefined();
  await expect(attach()).rejects.toMatchObject({ reason: "runner-absent" });
});

test("it ends by itself when the last client has gone and no run is at work", async () => {
  const { ended } = await start(20);
  const client = await attach();
  await client.call("startRun", run);
  client.close();
  const next = await attach(); // the run kept it alive without a client
  await next.call("stopRun", {});
  next.close();
  expect(await ended).toBe("idle");
  expect(app.closed).toBe(true);
});

test("what a killed predecessor left is cleaned up", async () => {
  const left = mkdtempSync(join(tmpdir(), "exit-ml-"));
  const old = join(left, "s");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(old, resolve));
  writeFileSync(
    runnerFilePath(folder),
    JSON.stringify({ pid: 2 ** 22, socket: old, protocol: 1, token: "t" }),
  );
  await start();
  expect(statSync(left, { throwIfNoEntry: false })).toBeUndefined();
  expect(announced().pid).toBe(process.pid);
  server.close();
});

test("a planted runner.json gets no file of the user deleted", async () => {
  const precious = join(folder, "thesis.tex");
  writeFileSync(precious, "");
  const entry = { pid: 2 ** 22, socket: precious, protocol: 1, token: "t" };
  writeFileSync(runnerFilePath(folder), JSON.stringify(entry));
  await start();
  expect(statSync(precious).isFile()).toBe(true);
});
