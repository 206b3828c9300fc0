/** What a server may do wrong, shown by a fake one. */
import type { ServerResponse } from "node:http";
import { createServer } from "node:net";
import { setTimeout } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { endpointFrom } from "../../../src/adapters/ollama/endpoint.ts";
import { listModels } from "../../../src/adapters/ollama/list-models.ts";
import { connect, type Server } from "../../../src/adapters/ollama/server.ts";
import type { SampledReply } from "../../../src/core/history.ts";
import type { Policy } from "../../../src/core/ports.ts";
import {
  done,
  type FakeOllama,
  type Faults,
  faultyPrompt,
  line,
  startFakeOllama,
  token,
} from "./fake-ollama.ts";
import { openOllama } from "./parts.ts";

const never = new AbortController().signal;
const prompt = { messages: [], rendered: faultyPrompt };

let server: FakeOllama | null = null;
let policy: Policy | null = null;
afterEach(async () => {
  await policy?.close();
  await server?.stop();
  policy = null;
  server = null;
});

async function open(faults: Faults): Promise<Policy> {
  server = await startFakeOllama(faults);
  policy = await openOllama(server);
  return policy;
}

/** Three members with the seeds 1 to 3; sorted by index. */
async function draw(from: Policy, signal = never, maxTokens = 8): Promise<SampledReply[]> {
  const members = [1, 2, 3].map((seed, index) => ({ index, seed }));
  const replies: SampledReply[] = [];
  for await (const reply of from.sample(prompt, members, { maxTokens, schema: null }, signal))
    replies.push(reply);
  return replies.sort((a, b) => a.index - b.index);
}

const finishes = (replies: readonly SampledReply[]) => replies.map(({ finish }) => finish);

describe("a server that says nothing any more", () => {
  const request = {
    ...({ model: "m", prompt: faultyPrompt, raw: true, truncate: false, shift: false } as const),
    options: { seed: 1, num_predict: 8 },
  } as const;
  /** What came so far, by seed. */
  const texts = new Map<number, string>();
  const read = async (from: Server, seed = 1): Promise<string | undefined> => {
    texts.set(seed, "");
    const asked = { ...request, options: { ...request.options, seed } };
    for await (const chunk of from.generate(asked, never))
      texts.set(seed, `${texts.get(seed)}${chunk.response}`);
    return texts.get(seed);
  };

  /** As vi.waitUntil, which would move the clock on that this test holds. */
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await setTimeout(5);
  };

  it("is given up, be it before or in the middle of a reply", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
    try {
      for (const said of [[], ["a"]]) {
        let isAsked = false;
        server = await startFakeOllama({
          answer: (response) => {
            isAsked = true;
            for (const text of said) line(response, token(text));
          },
        });
        const reading = read(connect(endpointFrom(server.host), 1_000));
        await until(() => isAsked && texts.get(1)?.length === said.length);
        vi.advanceTimersByTime(2_000);
        await expect(reading).rejects.toMatchObject({ reason: "ollama-failed", status: null });
        await expect(reading).rejects.toThrow("it has sent nothing for");
        await server.untilAbandoned(1);
        await server.stop();
        server = null;
      }
    } finally {
      vi.useRealTimers();
    }
  });

  it("is not the one that makes a reply wait for another", async () => {
    const open = new Map<number, ServerResponse>();
    server = await startFakeOllama({
      answer: (response, { options }) => void open.set(options.seed, response),
    });
    const host = endpointFrom(server.host);
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
    try {
      const both = connect(host, 1_000);
      const reading = Promise.all([read(both), read(both, 2)]);
      await until(() => open.size === 2);
      const [speaking, queued] = [open.get(1), open.get(2)] as [ServerResponse, ServerResponse];
      for (let at = 1; at <= 5; at++) {
        line(speaking, token("a"));
        await until(() => texts.get(1)?.length === at);
        vi.advanceTimersByTime(700);
      }
      for (const response of [speaking, queued]) {
        line(response, done(1));
        response.end();
      }
      expect(await reading).toEqual(["aaaaa", ""]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a reply is lost, and the others are not,", () => {
  it.each<[string, NonNullable<Faults["answer"]>]>([
    [
      "when an error comes in the middle of it",
      (response) => {
        line(response, token("a"));
        line(response, { error: "prediction aborted, token repeat limit reached" });
        response.end();
      },
    ],
    [
      "when its stream ends without an end",
      (response) => {
        line(response, token("a"));
        response.end();
      },
    ],
    [
      "when its connection breaks",
      (response) => {
        line(response, token("a"));
        setImmediate(() => response.destroy());
      },
    ],
    [
      "when the runner behind the server has crashed",
      (response) => {
        response.writeHead(500, { "content-type": "application/json" });
        response.end(JSON.stringify({ error: "model runner has unexpectedly stopped" }));
      },
    ],
  ])("%s", async (_, breaks) => {
    const replies = await draw(
      await open({
        answer: (response, request) => {
          if (request.options.seed === 2) return breaks(response, request);
          line(response, token("ok"));
          line(response, done(2, "stop"));
          response.end();
        },
      }),
    );
    expect(finishes(replies)).toEqual(["stop", "lost", "stop"]);
    expect(replies[1]).toMatchObject({ text: "", tokens: null, logprobs: null });
    expect(replies[0]).toMatchObject({ text: "ok", tokens: [{ id: null, text: "ok" }], logprobs: [-1] });
  });
});

it("a full queue is tried again", async () => {
  let refusals = 2;
  const replies = await draw(
    await open({
      answer: (response) => {
        if (refusals-- > 0) {
          response.writeHead(503, { "content-type": "application/json" });
          return response.end(JSON.stringify({ error: "server busy, please try again" }));
        }
        line(response, token("ok"));
        line(response, done(1));
        response.end();
      },
    }),
  );
  expect(finishes(replies)).toEqual(["length", "length", "length"]);
});

it("a server that can do nothing for the whole group is an error with its own words", async () => {
  const opened = await open({
    answer: (response) => {
      response.writeHead(500, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: "invalid JSON schema in format" }));
    },
  });
  await expect(draw(opened)).rejects.toMatchObject({
    reason: "ollama-failed",
    message: expect.stringContaining("invalid JSON schema in format"),
  });
});

it("a server that went away is an error that names the mend", async () => {
  const opened = await open({});
  await opened.describe();
  await server?.stop();
  server = null;
  await expect(draw(opened)).rejects.toMatchObject({
    reason: "ollama-unreachable",
    message: expect.stringContaining("ollama serve"),
  });
});

it("aborting closes the connections of replies that hang", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  let hanging = 0;
  const opened = await open({
    answer: (response) => {
      line(response, token("a"));
      hanging += 1;
      if (hanging === 3) controller.abort(reason);
    },
  });
  await expect(draw(opened, controller.signal)).rejects.toBe(reason);
  await server?.untilAbandoned(3);
});

it("a reply in a loop is ended by us, and its request with it", async () => {
  const opened = await open({
    answer: (response) => {
      for (let at = 0; at < 300; at += 1) line(response, token(at % 2 === 0 ? "ha" : " "));
    },
  });
  const replies = await draw(opened, never, 900);
  expect(finishes(replies)).toEqual(["repetition", "repetition", "repetition"]);
  expect(replies[0]?.tokens).toHaveLength(194);
  expect(replies[0]?.logprobs).toHaveLength(194);
  await server?.untilAbandoned(3);
});

it("a character spread over tokens belongs to the last of them", async () => {
  const opened = await open({
    answer: (response) => {
      const pieces = ["\uFFFD\uFFFD", "\uFFFD"].map((piece) => ({ token: piece, logprob: -2 }));
      line(response, token("a"));
      line(response, { response: "日", done: false, logprobs: pieces });
      line(response, done(3));
      response.end();
    },
  });
  const [reply] = await draw(opened);
  expect(reply?.text).toBe("a日");
  expect(reply?.tokens?.map(({ text }) => text)).toEqual(["a", "", "日"]);
  expect(reply?.logprobs).toEqual([-1, -2, -2]);
});

it("a reply of which the server dropped tokens has neither tokens nor log-probabilities", async () => {
  const opened = await open({
    answer: (response) => {
      line(response, token("a"));
      line(response, done(3));
      response.end();
    },
  });
  expect((await draw(opened))[0]).toMatchObject({
    text: "a",
    tokens: null,
    logprobs: null,
    finish: "length",
  });
});

it("a version without log-probabilities is told of, and its replies have none", async () => {
  const opened = await open({ noLogprobs: true });
  expect((await opened.describe()).warnings.join()).toContain("0.12.11");
  expect((await draw(opened))[0]).toMatchObject({ text: " a".repeat(8), tokens: null, logprobs: null });
});

it("a smaller context than asked for, and a part on the CPU, are told of", async () => {
  const { contextLength, gpuShare, warnings } = await (await open({ contextLength: 512 })).describe();
  expect({ contextLength, gpuShare }).toEqual({ contextLength: 512, gpuShare: 0.5 });
  expect(warnings.join()).toMatch(/50 % .* context of 512 tokens/s);
});

it("a prompt the server refuses is planned as longer than the context, and not sampled from", async () => {
  const opened = await open({ room: 100, show: { template: "x" } });
  const rendered = "robot ".repeat(2000);
  const drawing = opened.sample(
    { messages: [], rendered },
    [{ index: 0, seed: 1 }],
    { maxTokens: 8, schema: null },
    never,
  );
  await expect(drawing[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    reason: "context-overflow",
    message: expect.stringContaining("1024"),
  });
});

it("a template that cannot be read here is applied by the server, and that is told", async () => {
  const opened = await open({});
  expect((await opened.plan([{ role: "user", content: "Hello" }])).rendered).toBe("<user>Hello</user>");
  expect((await opened.describe()).warnings.join()).toContain("rendered by Ollama's own");
});

describe("a model is refused", () => {
  it("that the server only forwards to another machine", async () => {
    await expect(open({ show: { remote_host: "https://cloud.example" } })).rejects.toMatchObject({
      reason: "model-remote",
      message: expect.stringContaining("cloud.example"),
    });
  });

  it("that only embeds", async () => {
    await expect(open({ show: { capabilities: ["embedding"] } })).rejects.toMatchObject({
      reason: "model-unsuitable",
    });
  });
});

it("where no server listens, a list of models says how to start one", async () => {
  const listener = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => listener.once("listening", resolve));
  const address = listener.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  await new Promise((resolve) => listener.close(resolve));
  const { models, problems } = await listModels(endpointFrom(`127.0.0.1:${port}`), never);
  expect(models).toEqual([]);
  expect(problems).toEqual([`No Ollama answers at 127.0.0.1:${port}. Start it with: ollama serve.`]);
});

describe("embeddings", () => {
  it.each([
    [
      "a text that is too long is never cut",
      400,
      "the input length exceeds the context length",
      "embedding-too-long",
    ],
    [
      "a model that embeds nothing is named",
      501,
      "this model does not support embeddings",
      "model-unsuitable",
    ],
    ["any other failure is the server's", 500, "out of memory", "ollama-failed"],
  ])("%s", async (_, status, error, reason) => {
    const policy = await open({ embed: { status, error } });
    await expect(policy.embed?.("other", ["a text"], never)).rejects.toMatchObject({ reason });
  });
});
