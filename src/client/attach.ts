/** Finds the runner that serves a workspace, if one does. */
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { openConnection } from "../protocol/connection.ts";
import { ExitError, fromResponseError } from "../protocol/errors.ts";
import { type HelloRequest, type HelloResponse, helloMethod } from "../protocol/hello.ts";
import { parseRunnerFile, type RunnerFile, runnerFilePath } from "../protocol/runner-file.ts";
import { protocolVersion } from "../protocol/version.ts";
import { type Client, openClient } from "./client.ts";

const longestHello = 15_000;

/**
 * A greeted connection, or null if nobody serves the workspace (any more).
 * @throws ExitError `runner-silent` if a runner is there and does not answer, `token-refused`.
 */
export async function attach(workspace: string): Promise<Client | null> {
  const entry = readRunnerFile(workspace);
  if (entry === null || !isAlive(entry.pid)) return null;
  const socket = await dial(entry.socket);
  return socket === null ? null : greet(socket, entry);
}

function readRunnerFile(workspace: string): RunnerFile | null {
  try {
    return parseRunnerFile(readFileSync(runnerFilePath(workspace), "utf8"));
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM"; // alive, and not ours
  }
}

/** Null if nobody listens there. */
function dial(path: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.removeAllListeners();
      resolve(socket);
    });
    socket.once("error", () => resolve(null));
  });
}

async function greet(socket: Socket, entry: RunnerFile): Promise<Client | null> {
  const connection = openConnection(socket);
  connection.onClose(() => connection.dispose());
  connection.listen();
  const hello: HelloRequest = { token: entry.token, protocol: protocolVersion };
  let silent = false;
  const timer = setTimeout(() => {
    silent = true;
    socket.destroy();
  }, longestHello);
  try {
    const welcome: HelloResponse = await connection.sendRequest(helloMethod, hello);
    return openClient(socket, connection, welcome);
  } catch (thrown) {
    socket.destroy();
    if (silent)
      throw new ExitError(
        "runner-silent",
        `The runner of this workspace (process ${entry.pid}) does not answer. End that process and repeat the command; what was finished is kept.`,
      );
    const error = fromResponseError(thrown);
    if (error.reason === "runner-closing" || error.reason === "runner-gone") return null;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
