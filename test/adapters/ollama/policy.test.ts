/** What is particular to Ollama, with a real server and a real model. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { endpointFrom } from "../../../src/adapters/ollama/endpoint.ts";
import { listModels } from "../../../src/adapters/ollama/list-models.ts";
import type { SampledReply } from "../../../src/core/history.ts";
import type { Policy, SampleOptions } from "../../../src/core/ports.ts";
import { centroidDistances } from "../../../src/core/reward.ts";
import { openOllamaServer } from "../../support/ollama.ts";
import { describeWith, testWith } from "../../support/without.ts";
import { model as modelFile, openEmbedded, runtimeFolder } from "../embedded/parts.ts";
import { openOllama } from "./parts.ts";

const it = testWith("ollama", "model");
const never = new AbortController().signal;
const story = { messages: [], rendered: "Once upon a time there was a small robot who" };

describeWith("ollama", "model")("on a real server", () => {
  let server: Awaited<ReturnType<typeof openOllamaServer>>;
  let policy: Policy | null = null;
  beforeAll(async () => {
    server = await openOllamaServer();
  });
  afterEach(async () => {
    await policy?.close();
    policy = null;
  });
  afterAll(() => server?.stop());

  async function draw(from: Policy, options: Partial<SampleOptions>): Promise<SampledReply[]> {
    const replies: SampledReply[] = [];
    const sampling = { maxTokens: 24, schema: null, ...options };
    const members = [0, 1, 2, 3].map((index) => ({ index, seed: index + 1 }));
    for await (const reply of from.sample(story, members, sampling, never)) replies.push(reply);
    return replies.sort((a, b) => a.index - b.index);
  }

  describe("log-probabilities are the bare model's, as another runtime counts them,", () => {
    /** Mean of the differences: kernels of the two runtimes round differently. */
    async function difference(reply: SampledReply | undefined): Promise<number> {
      const folder = mkdtempSync(join(tmpdir(), "exit-ml-test-"));
      try {
        const job = join(folder, "job.json");
        const tokens = reply?.tokens?.map((token) => token.text);
        const facts = { runtimeFolder, model: modelFile, prompt: story.rendered, tokens };
        writeFileSync(job, JSON.stringify(facts));
        const recount = join(import.meta.dirname, "..", "embedded", "recount.ts");
        const { stdout } = await promisify(execFile)(process.execPath, [recount, job]);
        const recounted: number[] = JSON.parse(stdout);
        expect(recounted).toHaveLength(reply?.logprobs?.length ?? -1);
        const differences = recounted.map((logprob, at) => Math.abs(logprob - (reply?.logprobs?.[at] ?? 0)));
        return differences.reduce((sum, value) => sum + value, 0) / differences.length;
      } finally {
        rmSync(folder, { recursive: true });
      }
    }

    it("of a free reply", async () => {
      policy = await openOllama(server);
      const [reply] = await draw(policy, {});
      expect(await difference(reply)).toBeLessThan(0.1);
    });

    it("of a reply under a schema, before the grammar", async () => {
      policy = await openOllama(server);
      const schema = {
        type: "object",
        properties: { name: { type: "string", maxLength: 20 }, size: { type: "integer", maximum: 99 } },
        required: ["name", "size"],
      };
      const [reply] = await draw(policy, { schema, maxTokens: 300 });
      expect(JSON.parse(reply?.text ?? "")).toHaveProperty("size");
      expect(await difference(reply)).toBeLessThan(0.1);
    });
  });

  it("embeds solutions: equal ones alike, different ones apart, none that is too long", async () => {
    policy = await openOllama(server);
    const near = ["x = 1\n", "x = 1\n", "import numpy as np\nprint(np.zeros(3))\n"];
    const { digest, vectors } = (await policy.embed?.(server.model, near, never)) ?? {
      digest: "",
      vectors: [],
    };
    expect(digest).toBe((await policy.describe()).digest);
    expect(new Set(vectors.map((vector) => vector.length)).size).toBe(1);
    const [first, second, third] = centroidDistances(vectors);
    expect(second).toBeCloseTo(first ?? -1, 1);
    expect(third).toBeGreaterThan(first ?? 1);
    const long = ["x = 1\n".repeat(5000)];
    await expect(policy.embed?.(server.model, long, never)).rejects.toMatchObject({
      reason: "embedding-too-long",
    });
    const missing = policy.embed?.("no-such-model", near, never);
    await expect(missing).rejects.toMatchObject({ reason: "model-missing" });
  });

  it("the same model file has the same digests and prompts under both runtimes", async () => {
    policy = await openOllama(server);
    const embedded = await openEmbedded();
    try {
      const [here, there] = [await policy.describe(), await embedded.describe()];
      expect(here.digest).toBe(there.digest);
      expect(here.templateDigest).toBe(there.templateDigest);
      const messages = [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Hello  robot, 日本語!\n" },
      ] as const;
      expect(await policy.plan(messages)).toEqual(await embedded.plan(messages));
    } finally {
      await embedded.close();
    }
  });

  it("replies are sampled side by side, and that is measured", async () => {
    policy = await openOllama(server);
    expect((await policy.describe()).parallel).toBeGreaterThan(1);
  });

  it("a prompt beyond the context is planned as one, by an estimate that can be shortened by", async () => {
    policy = await openOllama(server);
    const { contextLength } = await policy.describe();
    const shorter = await policy.plan([{ role: "user", content: "robot ".repeat(600) }]);
    const long = await policy.plan([{ role: "user", content: "robot ".repeat(2400) }]);
    expect(shorter.tokens).toBeLessThan(contextLength);
    expect(long.tokens).toBeGreaterThan((3 * contextLength) / 2);
    expect(long.tokens).toBeLessThan(3 * contextLength);
  });

  it("after a run the server keeps the model as long as before it", async () => {
    const minutesKept = async () => {
      const answer = await fetch(`${server.host}/api/ps`);
      const { models } = (await answer.json()) as { models: { expires_at: string }[] };
      return Math.round((Date.parse(models[0]?.expires_at ?? "") - Date.now()) / 60_000);
    };
    policy = await openOllama(server);
    await draw(policy, {});
    expect(await minutesKept()).toBe(30);
    await policy.close();
    expect(await minutesKept()).toBe(5);
  });

  it("a model it does not have is named with the command that fetches it, and those there are", async () => {
    await expect(openOllama({ ...server, model: "nothing" })).rejects.toMatchObject({
      reason: "model-missing",
      message: expect.stringMatching(/ollama pull nothing.*smollm2:135m/),
    });
  });

  it("its models are listed with size and quantisation", async () => {
    const { models, problems } = await listModels(endpointFrom(server.host), never);
    expect(problems).toEqual([]);
    const expected = { runtime: "ollama", name: server.model, quantisation: "Q4_1", parameters: "134.52M" };
    expect(models.find(({ name }) => name === server.model)).toMatchObject(expected);
  });
});
