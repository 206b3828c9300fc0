/** Tuned models beside their base, on a real server. */
import { createHash, randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";
import { endpointFrom } from "../../../src/adapters/ollama/endpoint.ts";
import { createOllamaKeeper } from "../../../src/adapters/ollama/keeper.ts";
import type { SampledReply } from "../../../src/core/history.ts";
import { openOllamaServer } from "../../support/ollama.ts";
import { describeWith, testWith } from "../../support/without.ts";
import { openOllama } from "./parts.ts";
import { emptyAdapter, writeTunedFile } from "./tuned-file.ts";

const it = testWith("ollama", "model");
const never = new AbortController().signal;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

interface Shown {
  readonly template: string;
  readonly system?: string;
  readonly license?: string;
  readonly parameters?: string;
  readonly messages?: readonly object[];
  readonly modelfile: string;
}

interface Loaded {
  readonly name: string;
  readonly context_length: number;
  readonly expires_at: string;
}

describeWith("ollama", "model")("on a real server", () => {
  let server: Awaited<ReturnType<typeof openOllamaServer>>;
  let folder: string;
  /** Other tests share the server's models. */
  const family = `keeper-${randomUUID().slice(0, 8)}`;
  const base = `${family}:135m`;
  const described = {
    template: "{{ .System }} says: {{ .Prompt }}",
    system: 'Be brief.\nNever say "FROM here".',
    license: "Apache License\nADAPTER of nothing",
    parameters: { temperature: 0.3, num_ctx: 1024, use_mmap: true, stop: ["</s>", 'the "end"\n'] },
    messages: [{ role: "user", content: "Hello" }],
  };

  beforeAll(async () => {
    server = await openOllamaServer();
    folder = mkdtempSync(join(tmpdir(), "exit-ml-test-"));
    await create({ model: base, from: server.model, ...described });
  });
  afterEach(async () => {
    const unloaded = async () => {
      const models = await loaded();
      // One that was deleted is listed until its process is gone, and nobody can be asked for it.
      for (const { name } of models)
        await ask("/api/generate", { model: name, keep_alive: 0 }).catch(() => undefined);
      return models;
    };
    await expect.poll(unloaded).toEqual([]);
  });
  afterAll(async () => {
    for (const { name } of (await ask<{ models: { name: string }[] }>("/api/tags")).models)
      if (name.startsWith(family)) await ask("/api/delete", { model: name }, "DELETE");
    await server?.stop();
    rmSync(folder, { recursive: true });
  });

  async function ask<T>(path: string, body?: object, method = body ? "POST" : "GET"): Promise<T> {
    const sent = body && JSON.stringify({ stream: false, ...body });
    const answer = await fetch(server.host + path, { method, ...(sent && { body: sent }) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${answer.status} ${text}`);
    return text === "" ? ({} as T) : JSON.parse(text);
  }
  const create = (request: object) => ask("/api/create", request);
  const show = (model: string) => ask<Shown>("/api/show", { model });
  const loaded = async () => (await ask<{ models: Loaded[] }>("/api/ps")).models;
  const keeperOf = (model: string) => createOllamaKeeper({ endpoint: endpointFrom(server.host), model });
  const beside = ({ template, system, license, messages, parameters }: Shown) => ({
    template,
    system,
    license,
    messages,
    // The server shows them in any order.
    parameters: parameters?.split("\n").sort(),
  });

  it("the weights of a model are a file that can be read here, named by its digest", async () => {
    const { file, digest } = await keeperOf(base).weights(never);
    expect(sha256(readFileSync(file))).toBe(digest);
  });

  it("an installed file answers, described as its base, until it is removed; a second time changes nothing", async () => {
    const keeper = keeperOf(base);
    const file = writeTunedFile(folder);
    const said: string[] = [];
    const installed = await keeper.install(
      { id: "m1", file: file, form: "merged" },
      (text) => said.push(text),
      never,
    );
    expect(installed.digest).toBe(sha256(readFileSync(file)));
    expect(installed.model).toBe(`${family}-135m-exit:m1-${installed.digest.slice(0, 12)}`);
    expect(said).toContain("50 % of 99 MB copied to Ollama.");
    expect(beside(await show(installed.model))).toEqual(beside(await show(base)));
    expect((await show(installed.model)).system).toBe(described.system);

    const before = await ask<{ models: object[] }>("/api/tags");
    expect(await keeper.install({ id: "m1", file: file, form: "merged" }, () => {}, never)).toEqual(
      installed,
    );
    expect(await ask("/api/tags")).toEqual(before);

    const policy = await openOllama({ host: server.host, model: installed.model });
    try {
      const { digest } = await policy.describe();
      expect(digest).toBe(installed.digest);
      expect(digest).not.toBe((await keeper.weights(never)).digest);
      const replies: SampledReply[] = [];
      const prompt = { messages: [], rendered: "Once upon a time" };
      const sampling = { maxTokens: 8, schema: null };
      for await (const reply of policy.sample(prompt, [{ index: 0, seed: 1 }], sampling, never))
        replies.push(reply);
      expect(replies[0]?.tokens).toHaveLength(8);
    } finally {
      await policy.close();
    }

    await keeper.remove(installed.model, never);
    await expect(show(installed.model)).rejects.toThrow("404");
    const names = async () => (await loaded()).map(({ name }) => name);
    await expect.poll(names, { timeout: 30_000 }).not.toContain(installed.model);
    await keeper.remove(installed.model, never);
  });

  it("a base without stop texts gets none from the template in the file", async () => {
    const plain = `${family}:plain`;
    await create({ model: plain, from: server.model, template: "{{ .Prompt }}!", parameters: { stop: [] } });
    expect((await show(plain)).parameters).toBeUndefined();
    const { model } = await keeperOf(plain).install(
      { id: "m1", file: writeTunedFile(folder), form: "merged" },
      () => {},
      never,
    );
    expect(beside(await show(model))).toEqual(beside(await show(plain)));
  });

  it("an adapter over its base is installed and removed as a file is, and leaves the base", async () => {
    const keeper = keeperOf(base);
    const file = join(folder, "adapter.gguf");
    writeFileSync(file, emptyAdapter());
    const installed = await keeper.install({ id: "m1", file: file, form: "adapter" }, () => {}, never);
    expect(beside(await show(installed.model))).toEqual(beside(await show(base)));
    expect(await keeper.install({ id: "m1", file: file, form: "adapter" }, () => {}, never)).toEqual(
      installed,
    );
    const policy = await openOllama({ host: server.host, model: installed.model });
    try {
      expect((await policy.describe()).digest).toBe(installed.digest);
    } finally {
      await policy.close();
    }
    await expect(
      keeperOf(installed.model).install({ id: "m2", file: file, form: "adapter" }, () => {}, never),
    ).rejects.toMatchObject({ reason: "adapter-refused" });
    await keeper.remove(installed.model, never);
    await expect(show(installed.model)).rejects.toThrow("404");
    await keeper.weights(never);
  });

  it("a base that was described anew is followed", async () => {
    const changing = `${family}:changing`;
    const file = writeTunedFile(folder);
    const keeper = keeperOf(changing);
    await create({ model: changing, from: server.model, system: "One." });
    const first = await keeper.install({ id: "m1", file: file, form: "merged" }, () => {}, never);
    await create({ model: changing, from: server.model, system: "Two." });
    expect(await keeper.install({ id: "m1", file: file, form: "merged" }, () => {}, never)).toEqual(first);
    expect((await show(first.model)).system).toBe("Two.");
  });

  describe("what was not installed here stays:", () => {
    it.each([
      ["the base", () => base],
      ["a model of another family", () => `${family}-other-exit:m1-0123456789ab`],
      ["a model that only has such a name", () => `${family}-135m-exit:m1-0123456789ab`],
    ])("%s", async (_, name) => {
      if (name() !== base) await ask("/api/copy", { source: base, destination: name() });
      await expect(keeperOf(base).remove(name(), never)).rejects.toMatchObject({
        reason: "model-foreign",
        message: expect.stringContaining(`ollama rm ${name()}`),
      });
      expect((await show(name())).template).toBe(described.template);
    });
  });

  describe("weights are refused, with the mend,", () => {
    it("of a model with an adapter", async () => {
      const adapted = `${family}:adapted`;
      const bytes = emptyAdapter();
      const digest = `sha256:${sha256(bytes)}`;
      await fetch(`${server.host}/api/blobs/${digest}`, { method: "POST", body: bytes });
      await create({ model: adapted, from: server.model, adapters: { "adapter.gguf": digest } });
      await expect(keeperOf(adapted).weights(never)).rejects.toMatchObject({
        reason: "model-unsuitable",
        message: expect.stringContaining("Choose the model it was made from"),
      });
    });

    it("of a server on another machine", async () => {
      const endpoint = { ...endpointFrom(server.host), isLocal: false };
      await expect(createOllamaKeeper({ endpoint, model: base }).weights(never)).rejects.toMatchObject({
        reason: "model-remote",
        message: expect.stringContaining(`ollama pull ${base}`),
      });
    });
  });

  it("models are unloaded and come back as they were; others stay, and are said", async () => {
    const keeper = keeperOf(base);
    const { model: other } = await keeper.install(
      { id: "m2", file: writeTunedFile(folder), form: "merged" },
      () => {},
      never,
    );
    await ask("/api/generate", { model: base, keep_alive: "20m", options: { num_ctx: 512 } });
    await ask("/api/generate", { model: other, keep_alive: "20m", options: { num_ctx: 256 } });
    const names = async () => (await loaded()).map(({ name }) => name).sort();
    expect(await names()).toEqual([base, other].sort());

    const said: string[] = [];
    const putBack = await keeper.unload([base, "not-loaded"], (text) => said.push(text), never);
    expect(await names()).toEqual([other]);
    expect(said).toEqual([expect.stringContaining(`ollama stop ${other}`)]);

    await putBack();
    const again = (await loaded()).find(({ name }) => name === base);
    expect(again?.context_length).toBe(512);
    // The server's own habit is five.
    const minutes = (Date.parse(again?.expires_at ?? "") - Date.now()) / 60_000;
    expect(minutes).toBeGreaterThan(10);
  });
});
