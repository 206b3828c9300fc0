/** What is particular to the embedded runtime: its child process, and log-probabilities under a grammar. */
import { execFile, fork } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, vi } from "vitest";
import { createEmbeddedPolicy } from "../../../src/adapters/embedded/policy.ts";
import { renderChat } from "../../../src/adapters/template/render.ts";
import { isExitError } from "../../../src/core/errors.ts";
import type { SampledReply } from "../../../src/core/history.ts";
import type { Policy, SampleOptions } from "../../../src/core/ports.ts";
import { testWith } from "../../support/without.ts";
import { isRunning, model, openEmbedded, runtimeFolder } from "./parts.ts";

const it = testWith("model");

const program = (name: string) => join(import.meta.dirname, name);
const prompt = { messages: [], rendered: "Once upon a time there was a small robot who" };
const never = new AbortController().signal;
const members = (count: number) => Array.from({ length: count }, (_, index) => ({ index, seed: index + 1 }));

let folder: string;
let policy: Policy | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "exit-ml-test-"));
});
afterEach(async () => {
  await policy?.close();
  policy = null;
  rmSync(folder, { recursive: true });
});

async function draw(from: Policy, options: Partial<SampleOptions>): Promise<SampledReply[]> {
  const replies: SampledReply[] = [];
  for await (const reply of from.sample(
    prompt,
    members(4),
    { maxTokens: 24, schema: null, ...options },
    never,
  ))
    replies.push(reply);
  return replies;
}

describe("log-probabilities are the bare model's", () => {
  /** Greatest difference to the recount: batches of other sizes round differently. */
  async function difference(reply: SampledReply | undefined): Promise<number> {
    const job = join(folder, "job.json");
    const tokens = reply?.tokens?.map((token) => token.id);
    writeFileSync(job, JSON.stringify({ runtimeFolder, model, prompt: prompt.rendered, tokens }));
    const { stdout } = await promisify(execFile)(process.execPath, [program("recount.ts"), job]);
    const recounted: number[] = JSON.parse(stdout);
    expect(recounted).toHaveLength(reply?.logprobs?.length ?? -1);
    return Math.max(...recounted.map((logprob, at) => Math.abs(logprob - (reply?.logprobs?.[at] ?? 0))));
  }

  it("of a free reply", async () => {
    policy = await openEmbedded();
    const [reply] = await draw(policy, {});
    expect(await difference(reply)).toBeLessThan(0.01);
  });

  it("of a reply under a grammar, before the grammar", async () => {
    policy = await openEmbedded();
    const schema = {
      type: "object",
      properties: { name: { type: "string", maxLength: 20 }, size: { type: "integer" } },
    };
    const [reply] = await draw(policy, { schema, maxTokens: 80 });
    expect(await difference(reply)).toBeLessThan(0.01);
  });
});

it("repeats a reply for the same seed", async () => {
  policy = await openEmbedded({ parallel: 1 });
  const [first, second] = await draw(policy, {});
  const again = await draw(policy, {});
  expect([again[0]?.text, again[1]?.text]).toEqual([first?.text, second?.text]);
});

it("keeps a fractional number of a schema within its bounds", async () => {
  policy = await openEmbedded();
  const schema = { type: "object", properties: { rate: { type: "number", minimum: 0, maximum: 1 } } };
  for (const reply of await draw(policy, { schema, maxTokens: 100 })) {
    const { rate } = JSON.parse(reply.text);
    expect(rate >= 0 && rate <= 1).toBe(true);
  }
});

describe("the child process", () => {
  it("costs only the replies under way when it is killed: the next call starts another", async () => {
    const pids: number[] = [];
    policy = await openEmbedded({ parallel: 1, onStart: (pid) => pids.push(pid) });
    const finishes: string[] = [];
    for await (const reply of policy.sample(prompt, members(3), { maxTokens: 160, schema: null }, never)) {
      finishes.push(reply.finish);
      if (finishes.length === 1) process.kill(pids[0] ?? 0, "SIGKILL");
      if (finishes.length > 1) expect(reply).toMatchObject({ text: "", tokens: null, logprobs: null });
    }
    expect(finishes.slice(1)).toEqual(["lost", "lost"]);

    expect(await draw(policy, {})).toHaveLength(4);
    expect(pids).toHaveLength(2);
  });

  it("is gone when the policy is closed", async () => {
    const pids: number[] = [];
    policy = await openEmbedded({ onStart: (started) => pids.push(started) });
    await policy.describe();
    const pid = pids[0] ?? 0;
    expect(isRunning(pid)).toBe(true);
    await policy.close();
    expect(isRunning(pid)).toBe(false);
    await expect(policy.describe()).rejects.toMatchObject({ reason: "policy-closed" });
  });

  it("goes with its parent, however that ends", async () => {
    const parent = fork(program("orphan.ts"), { stdio: "inherit" });
    const pid = await new Promise<number>((resolve) => {
      let child = 0;
      parent.on("message", (message) => {
        if (message === "ready") resolve(child);
        else child = Number(message);
      });
    });
    expect(isRunning(pid)).toBe(true);
    parent.kill("SIGKILL");
    await vi.waitFor(() => expect(isRunning(pid)).toBe(false), { timeout: 20_000, interval: 100 });
  });
});

describe("with a fake child", () => {
  async function openFake(fault: string): Promise<Policy> {
    mkdirSync(join(folder, "node_modules", "node-llama-cpp"), { recursive: true });
    writeFileSync(join(folder, "node_modules", "node-llama-cpp", "package.json"), "{}");
    const file = join(folder, `${fault}.gguf`);
    writeFileSync(file, "GGUF");
    const childEntry = program("fake-child.ts");
    return createEmbeddedPolicy({ model: file, runtimeFolder: folder, renderChat, childEntry });
  }

  it("a crash while sampling keeps the replies that came and calls the others lost, each time anew", async () => {
    policy = await openFake("crash-sampling");
    for (const _ of [1, 2]) {
      const replies = await draw(policy, {});
      expect(replies.map((reply) => reply.finish)).toEqual(["stop", "lost", "lost", "lost"]);
    }
  });

  it("a crash while loading is an error with the last words of the runtime", async () => {
    policy = await openFake("crash-loading");
    await expect(policy.describe()).rejects.toMatchObject({
      reason: "runtime-crashed",
      message: expect.stringContaining("ggml: out of things"),
    });
  });

  it("a model partly on the GPU is told, and one without template is refused", async () => {
    policy = await openFake("crash-sampling");
    expect((await policy.describe()).warnings[0]).toContain("50 %");
    await expect(policy.plan([])).rejects.toMatchObject({ reason: "template-missing" });
  });
});

describe("what is missing is named with its mend", () => {
  const open = (options: object) =>
    openEmbedded(options).then(
      () => null,
      (error: unknown) => error,
    );

  it("the runtime", async () => {
    const error = await open({ runtimeFolder: folder });
    expect(isExitError(error, "runtime-missing")).toBe(true);
    expect(String(error)).toContain("setup.mjs embedded");
  });

  it("the model", async () => {
    expect(isExitError(await open({ model: join(folder, "none.gguf") }), "model-missing")).toBe(true);
    expect(isExitError(await open({ adapter: join(folder, "none.gguf") }), "model-missing")).toBe(true);
  });

  it("a file that is no model", async () => {
    const file = join(folder, "text.gguf");
    writeFileSync(file, "hello");
    expect(isExitError(await open({ model: file }), "model-unreadable")).toBe(true);
  });

  it("a model that is cut off", async () => {
    const file = join(folder, "cut.gguf");
    writeFileSync(file, "GGUF\x03\0\0\0");
    policy = await openEmbedded({ model: file });
    await expect(policy.describe()).rejects.toMatchObject({ reason: "model-unreadable" });
  });
});
