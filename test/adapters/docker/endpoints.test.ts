/** Where an engine is looked for. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { endpoints } from "../../../src/adapters/docker/endpoints.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "exit-ml-home-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function context(name: string, host: string): void {
  const folder = join(home, ".docker", "contexts", "meta", createHash("sha256").update(name).digest("hex"));
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "meta.json"),
    JSON.stringify({ Name: name, Endpoints: { docker: { Host: host } } }),
  );
}

const looking = (env: Record<string, string>, socket: string | null = null): Promise<string[]> =>
  endpoints(socket, { env, home, uid: 1000, platform: "linux" });

test("what the user names stands alone, the nearest name first", async () => {
  context("work", "unix:///work.sock");
  const env = { DOCKER_HOST: "tcp://127.0.0.1:2375", DOCKER_CONTEXT: "work" };
  expect(await looking(env, "/my.sock")).toEqual(["unix:///my.sock"]);
  expect(await looking(env)).toEqual(["tcp://127.0.0.1:2375"]);
  expect(await looking({ DOCKER_CONTEXT: "work" })).toEqual(["unix:///work.sock"]);
});

test("a context that does not exist is an error, not a reason to use another engine", async () => {
  await expect(looking({ DOCKER_CONTEXT: "gone" })).rejects.toMatchObject({ reason: "docker-unreachable" });
});

test("the current context comes before the usual places, of which none is left out", async () => {
  context("desktop-linux", "unix:///desktop.sock");
  writeFileSync(join(home, ".docker", "config.json"), JSON.stringify({ currentContext: "desktop-linux" }));
  expect(await looking({ XDG_RUNTIME_DIR: "/run/user/1000" })).toEqual([
    "unix:///desktop.sock",
    "unix:///run/user/1000/docker.sock",
    `unix://${home}/.docker/run/docker.sock`,
    `unix://${home}/.docker/desktop/docker.sock`,
    "unix:///var/run/docker.sock",
  ]);
});

test("a broken configuration of the command line is passed over", async () => {
  mkdirSync(join(home, ".docker"));
  writeFileSync(join(home, ".docker", "config.json"), "{");
  expect((await looking({})).at(-1)).toBe("unix:///var/run/docker.sock");
});
