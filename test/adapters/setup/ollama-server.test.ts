/** The Ollama server that the set-up starts for tests and demo: a real one, with the small model. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { modelsOf } from "../../../scripts/setup/ollama-server.mjs";
import { beginSuite, endSuite, environmentOf, processesOf } from "../../../scripts/test/leftovers.mjs";
import { openOllamaServer } from "../../support/ollama.ts";
import { testWith } from "../../support/without.ts";

const test = testWith("ollama", "model");

async function generate(server: { host: string; model: string }): Promise<unknown> {
  const body = JSON.stringify({
    model: server.model,
    prompt: "Hi",
    stream: false,
    options: { num_predict: 3 },
  });
  return (await fetch(`${server.host}/api/generate`, { method: "POST", body })).json();
}

test("two at once serve the model and do not meet; stopped, each is gone with all it started", async () => {
  const first = await openOllamaServer();
  const second = await openOllamaServer();
  try {
    expect(second.host).not.toBe(first.host);
    expect(await modelsOf(first.host)).toContain(first.model);
    expect(await generate(first)).toMatchObject({ done: true, eval_count: 3 });
    await first.stop();
    await expect(fetch(first.host)).rejects.toThrow("fetch failed");
    expect(await generate(second)).toMatchObject({ done: true, eval_count: 3 });
  } finally {
    await first.stop();
    await second.stop();
  }
});

/** Elsewhere there is no /proc to look for its processes in. */
const testOnLinux = process.platform === "linux" ? test : test.skip;

testOnLinux("it ends with its owner, even one that is killed", async () => {
  const suite = await beginSuite(undefined);
  const env = { ...process.env, ...environmentOf(suite) };
  const owner = fork(join(import.meta.dirname, "ollama-owner.ts"), { env, execArgv: ["--no-warnings"] });
  try {
    const [server] = (await once(owner, "message")) as [{ host: string; model: string }];
    await generate(server);
    // Owner, keeper, server, and what the server runs the model in.
    expect(processesOf(suite).length).toBeGreaterThanOrEqual(4);
    owner.kill("SIGKILL");
    await vi.waitFor(() => expect(processesOf(suite)).toEqual([]), { timeout: 30_000 });
  } finally {
    owner.kill("SIGKILL");
    endSuite(suite);
  }
});
