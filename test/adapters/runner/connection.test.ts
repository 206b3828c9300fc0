/** A peer that dies in the middle of a message leaves nothing behind that would keep our process alive. */

import { mkdtempSync, rmSync } from "node:fs";
import { createServer, connect as dial, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openConnection } from "../../../src/protocol/connection.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "exit-ml-connection-"));
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
});

afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

test("a message that breaks off leaves no timer once the connection has closed", async () => {
  const path = join(folder, "socket");
  const server = createServer();
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const socket = dial(path);
  const connection = openConnection(socket);
  const closed = new Promise<void>((resolve) => connection.onClose(() => resolve()));
  connection.listen();
  const received = new Promise((resolve) => socket.once("data", resolve));
  const peer = await accepted;
  // Header and body are two writes; a kill -9 can come between them.
  peer.write("Content-Length: 100\r\n\r\n");
  await received;
  peer.destroy();
  await closed;
  server.close();
  expect(vi.getTimerCount()).toBe(0);
});
