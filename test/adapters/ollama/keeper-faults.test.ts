/** What a server may do wrong while models are put in and out, shown by a fake one. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { endpointFrom } from "../../../src/adapters/ollama/endpoint.ts";
import { createOllamaKeeper } from "../../../src/adapters/ollama/keeper.ts";
import type { ModelKeeper } from "../../../src/core/tuning/ports.ts";
import { type FakeOllama, type Faults, startFakeOllama } from "./fake-ollama.ts";

const never = new AbortController().signal;
const silent = () => {};

let folder: string;
let server: FakeOllama | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "exit-ml-test-"));
});
afterEach(async () => {
  await server?.stop();
  server = null;
  rmSync(folder, { recursive: true });
});

async function open(faults: Faults, patience = 1): Promise<ModelKeeper> {
  server = await startFakeOllama(faults);
  return createOllamaKeeper({ endpoint: endpointFrom(server.host), model: server.model, patience });
}

/** Of several pieces. */
function tunedFile(): string {
  const file = join(folder, "tuned.gguf");
  writeFileSync(file, Buffer.alloc(5 << 20));
  return file;
}

const refuse: Faults["upload"] = (request, response) => {
  request.resume();
  request.once("end", () => {
    response.writeHead(500, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: "no space left on device" }));
  });
};

describe("a model that is not unloaded", () => {
  it("is named with what gives its memory back", async () => {
    const keeper = await open({});
    await expect(keeper.unload(["small"], silent, never)).rejects.toMatchObject({
      reason: "model-memory",
      message: expect.stringContaining("ollama stop small:latest"),
    });
  });

  it("is not waited for any longer than the caller does", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const keeper = await open({ unloadAsked: () => controller.abort(reason) }, 600_000);
    await expect(keeper.unload(["small"], silent, controller.signal)).rejects.toBe(reason);
  });
});

describe("an upload fails with words and can be done again:", () => {
  it("one that is cut", async () => {
    const keeper = await open({
      upload: (request) => request.once("data", () => request.destroy()),
    });
    await expect(
      keeper.install({ id: "m1", file: tunedFile(), form: "merged" }, silent, never),
    ).rejects.toMatchObject({
      reason: "ollama-failed",
      message: expect.stringContaining("Look whether the disk that holds Ollama's models is full"),
    });
  });

  it("one the server refuses", async () => {
    const keeper = await open({ upload: refuse });
    await expect(
      keeper.install({ id: "m1", file: tunedFile(), form: "merged" }, silent, never),
    ).rejects.toMatchObject({
      reason: "ollama-failed",
      message: expect.stringContaining("no space left on device."),
    });
  });

  it("one that is aborted", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const keeper = await open({ upload: () => controller.abort(reason) });
    await expect(
      keeper.install({ id: "m1", file: tunedFile(), form: "merged" }, silent, controller.signal),
    ).rejects.toBe(reason);
  });
});

it("a file that is not there any more is named", async () => {
  const keeper = await open({});
  await expect(
    keeper.install({ id: "m1", file: join(folder, "gone.gguf"), form: "merged" }, silent, never),
  ).rejects.toMatchObject({
    reason: "model-unreadable",
    message: expect.stringContaining("gone.gguf"),
  });
});

describe("an adapter is taken by", () => {
  const qwen3 = { model_info: { "general.architecture": "qwen3" } };

  it.each([
    ["0.24.0", "llama", {}, true],
    ["0.24.0", "qwen3", { show: qwen3 }, false],
    ["0.30.0", "qwen3", { show: qwen3 }, true],
    ["0.34.0", "llama", {}, true],
    ["0.34.1", "llama", {}, false],
    ["1.0.0-rc1", "llama", {}, false],
  ])("version %s for %s or not", async (version, _, faults, taken) => {
    const keeper = await open({ ...faults, version, upload: refuse });
    // Asked before anything is trained, it says the same.
    const accepting = keeper.accept("adapter", never);
    if (taken) await accepting;
    else await expect(accepting).rejects.toMatchObject({ reason: "adapter-refused" });
    await keeper.accept("merged", never);
    await expect(
      keeper.install({ id: "m1", file: tunedFile(), form: "adapter" }, silent, never),
    ).rejects.toMatchObject(
      taken
        ? { message: expect.stringContaining("no space left") }
        : { reason: "adapter-refused", message: expect.stringContaining("in the form merged instead") },
    );
  });
});

describe("weights are refused, with the mend,", () => {
  const blob = (name: string) => `${name}/sha256-${"cd".repeat(32)}`;

  it.each([
    ["that cannot be read", { modelfile: `FROM ${blob("/nowhere")}` }, "usermod"],
    ["of several files", { modelfile: `FROM ${blob("/a")}\nFROM ${blob("/b")}` }, "one file"],
    ["that are no GGUF file", { modelfile: "FROM small" }, "GGUF"],
  ])("%s", async (_, faults, mend) => {
    const keeper = await open(faults);
    await expect(keeper.weights(never)).rejects.toMatchObject({
      reason: "model-unsuitable",
      message: expect.stringContaining(mend),
    });
  });

  it("of a model the server only forwards to", async () => {
    const keeper = await open({ show: { remote_host: "https://cloud.example" } });
    await expect(keeper.weights(never)).rejects.toMatchObject({ reason: "model-remote" });
  });
});
