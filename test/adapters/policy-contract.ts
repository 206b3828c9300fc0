/** What every `Policy` adapter must do, checked against its real runtime. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isExitError } from "../../src/core/errors.ts";
import type { SampledReply } from "../../src/core/history.ts";
import type { Policy, SampleOptions } from "../../src/core/ports.ts";

const story = "Once upon a time there was a small robot who";
const counting = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,";

const schema = {
  type: "object",
  properties: {
    model: { enum: ["svm", "forest", "knn"] },
    depth: { type: "integer", minimum: 2, maximum: 12 },
    rate: { type: "number", minimum: 0, maximum: 1 },
    scale: { type: "boolean" },
    steps: { type: "array", items: { enum: ["pca", "blur"] }, minItems: 1, maxItems: 2 },
  },
  required: ["model", "depth", "rate", "scale", "steps"],
  additionalProperties: false,
};

/** Draws a whole group from a raw prompt; seeds count up from `seed`. */
async function draw(
  policy: Policy,
  rendered: string,
  {
    count = 1,
    seed = 1,
    signal = new AbortController().signal,
    ...options
  }: Partial<SampleOptions> & {
    count?: number;
    seed?: number;
    signal?: AbortSignal;
  } = {},
): Promise<SampledReply[]> {
  const members = Array.from({ length: count }, (_, index) => ({ index, seed: seed + index }));
  const sampling = { maxTokens: 24, schema: null, ...options };
  const replies: SampledReply[] = [];
  for await (const reply of policy.sample({ messages: [], rendered }, members, sampling, signal))
    replies.push(reply);
  return replies.sort((a, b) => a.index - b.index);
}

function expectWellFormed(reply: SampledReply): void {
  const { tokens, logprobs, text } = reply;
  if (tokens === null) {
    // The runtime lost some, such as half of a character at the limit.
    expect(logprobs).toBeNull();
    return;
  }
  expect(tokens.length).toBe(logprobs?.length);
  expect(tokens.map((token) => token.text).join("")).toBe(text);
  for (const logprob of logprobs ?? []) {
    expect(logprob).toBeLessThanOrEqual(0);
    expect(Number.isFinite(logprob)).toBe(true);
  }
}

/** @param name of the runtime, as `describe()` gives it; @param open a policy with a context of at most 4,096 tokens. */
export function policyContract(name: string, open: () => Promise<Policy>): void {
  describe(`policy contract: ${name}`, () => {
    let policy: Policy;
    beforeAll(async () => {
      policy = await open();
    });
    afterAll(() => policy?.close());

    it("describes the model it serves", async () => {
      const info = await policy.describe();
      expect(info).toMatchObject({ runtime: name, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
      expect(info.templateDigest).toMatch(/^[0-9a-f]{64}$/);
      expect(info.contextLength).toBeGreaterThan(0);
      expect(info.parallel).toBeGreaterThanOrEqual(1);
    });

    it("renders a conversation with the model's own template and counts its tokens", async () => {
      const short = await policy.plan([{ role: "user", content: "Hello" }]);
      const long = await policy.plan([{ role: "user", content: `Hello ${"robot ".repeat(50)}` }]);
      expect(short.rendered).toContain("Hello");
      expect(long.tokens - short.tokens).toBeGreaterThanOrEqual(50);
    });

    it("evaluates the raw prompt, no template around it", async () => {
      const replies = await draw(policy, counting, { count: 8, maxTokens: 4 });
      const continued = replies.filter((reply) => /^\s?13/.test(reply.text));
      expect(continued.length).toBeGreaterThanOrEqual(4);
    });

    it("gives every member its own reply, with its seed, tokens and log-probabilities", async () => {
      const replies = await draw(policy, story, { count: 8, seed: 40 });
      expect(replies.map((reply) => reply.index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(replies.map((reply) => reply.seed)).toEqual([40, 41, 42, 43, 44, 45, 46, 47]);
      expect(new Set(replies.map((reply) => reply.text)).size).toBeGreaterThan(4);
      for (const reply of replies) {
        expectWellFormed(reply);
        expect(reply.logprobs).not.toBeNull();
        expect(reply.constrained).toBeNull();
        expect(reply.ms).toBeGreaterThan(0);
      }
    });

    it("gives more members than it samples at once", async () => {
      const { parallel } = await policy.describe();
      const replies = await draw(policy, story, { count: parallel + 2, maxTokens: 3 });
      expect(replies).toHaveLength(parallel + 2);
    });

    it("gives another reply for another seed", async () => {
      const [first] = await draw(policy, story, { seed: 7 });
      const [other] = await draw(policy, story, { seed: 8 });
      expect(other?.text).not.toBe(first?.text);
    });

    it("ends a reply at the limit and says so", async () => {
      const [reply] = await draw(policy, counting, { maxTokens: 5 });
      expect(reply).toMatchObject({ finish: "length" });
      expect(reply?.tokens).toHaveLength(5);
    });

    it("obeys the schema in every reply", async () => {
      const { rendered } = await policy.plan([
        { role: "user", content: "Write a configuration as JSON with model, depth, rate, scale and steps." },
      ]);
      const replies = await draw(policy, rendered, { count: 8, maxTokens: 400, schema });
      for (const reply of replies) {
        expect(reply.finish).toBe("stop");
        expect(reply.constrained).toMatch(/^[0-9a-f]{64}$/);
        expectObeys(JSON.parse(reply.text));
        if (reply.logprobs !== null) expectWellFormed(reply);
      }
    });

    it("keeps characters of any script whole", async () => {
      const prompt = "日本語、ελληνικά, русский, 🙂🚀, é. 日本語、ελληνικά, русский, 🙂🚀, é. 日本語、";
      const replies = await draw(policy, prompt, { count: 4 });
      for (const reply of replies) {
        expectWellFormed(reply);
        expect(reply.text).not.toMatch(/\p{Surrogate}/u);
      }
      expect(replies.some((reply) => /[^\0-\x7F\uFFFD]/.test(reply.text))).toBe(true);
    });

    it("refuses a prompt that leaves no room for the reply, with the numbers", async () => {
      const { contextLength } = await policy.describe();
      const refused = await draw(policy, "robot ".repeat(contextLength), { maxTokens: 8 }).catch(
        (error) => error,
      );
      expect(isExitError(refused, "context-overflow")).toBe(true);
      expect(refused.message).toContain(String(contextLength));
      expect(await draw(policy, story)).toHaveLength(1);
    });

    it("settles with the reason when aborted, while most of the replies is ungenerated, and stays usable", async () => {
      const options = { count: 4, maxTokens: 160 };
      const start = performance.now();
      await draw(policy, counting, options);
      const whole = performance.now() - start;

      const controller = new AbortController();
      const reason = new Error("enough");
      setTimeout(() => controller.abort(reason), whole / 10);
      const begun = performance.now();
      await expect(draw(policy, counting, { ...options, signal: controller.signal })).rejects.toBe(reason);
      expect(performance.now() - begun).toBeLessThan(whole / 2);
      expect(await draw(policy, story)).toHaveLength(1);
    });

    it("lets go of the weights when asked, and has them again for the next call", async () => {
      const before = await policy.describe();
      await policy.unload?.();
      const [reply] = await draw(policy, story);
      expect(reply?.text).not.toBe("");
      expect(await policy.describe()).toEqual(before);
      await policy.unload?.();
      await policy.unload?.();
      expect(await draw(policy, story)).toHaveLength(1);
    });

    it("does nothing for a signal that is aborted already", async () => {
      const reason = new Error("never");
      await expect(draw(policy, story, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    });
  });
}

function expectObeys(value: unknown): void {
  expect(Object.keys(value as object).sort()).toEqual(["depth", "model", "rate", "scale", "steps"]);
  const { model, depth, rate, scale, steps } = value as Record<string, unknown>;
  expect(schema.properties.model.enum).toContain(model);
  expect(Number.isInteger(depth) && Number(depth) >= 2 && Number(depth) <= 12).toBe(true);
  // Bounds of a fractional number are beyond the grammars of some runtimes.
  expect(typeof rate).toBe("number");
  expect(typeof scale).toBe("boolean");
  expect(Array.isArray(steps) && steps.length >= 1 && steps.length <= 2).toBe(true);
}
