/** Which model a run gets, and what keeps prompts on this machine. */
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ModelRequest } from "../../../src/app/app.ts";
import { allowEndpoint, isEndpointAllowed } from "../../../src/app/consent.ts";
import { chooseModel, openServed } from "../../../src/app/model.ts";
import { endpointOf, listAllModels } from "../../../src/app/models.ts";

const never = new AbortController().signal;
/** A port nothing listens at. */
const nowhere = "127.0.0.1:9";

let folder: string;
let before: string | undefined;
let env: NodeJS.ProcessEnv;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "exit-ml-test-"));
  before = process.env.XDG_STATE_HOME;
  process.env.XDG_STATE_HOME = join(folder, "state");
  env = { EXIT_ML_CACHE: folder, OLLAMA_HOST: nowhere };
  mkdirSync(join(folder, "models"));
});
afterEach(() => {
  if (before === undefined) delete process.env.XDG_STATE_HOME;
  else process.env.XDG_STATE_HOME = before;
  rmSync(folder, { recursive: true });
});

const put = (name: string) => writeFileSync(join(folder, "models", `${name}.gguf`), "GGUF");
/** Why no policy was opened. */
const refusal = (request: Partial<ModelRequest>) =>
  chooseModel({ runtime: null, model: null, endpoint: null, ...request }, folder, never, env)
    .then((served) => openServed(served, never, env))
    .then(
      () => null,
      (error: unknown) => error,
    );

describe("the runtime of a model", () => {
  it("of a name in the models folder, or of a path, is the embedded one", async () => {
    put("small");
    expect(await refusal({ model: "small" })).toMatchObject({ reason: "runtime-missing" });
    expect(await refusal({ model: "elsewhere.gguf" })).toMatchObject({ reason: "runtime-missing" });
  });

  it("of any other name is Ollama", async () => {
    expect(await refusal({ model: "qwen" })).toMatchObject({ reason: "ollama-unreachable" });
  });

  it("of the only model there is, without naming it, is its own", async () => {
    put("small");
    expect(await refusal({})).toMatchObject({ reason: "runtime-missing" });
  });

  it("must be known", async () => {
    expect(await refusal({ runtime: "magic" })).toMatchObject({ reason: "runtime-unknown" });
  });
});

it("several models are listed for a choice", async () => {
  put("one");
  put("two");
  expect(await refusal({})).toMatchObject({
    reason: "model-needed",
    message: expect.stringMatching(/one \(embedded\), two \(embedded\).*exit-ml models/),
  });
});

it("a model tuned from the only one of Ollama is no second choice: the base's name means it", async () => {
  const names = ["smollm2:135m", "smollm2-135m-exit:m1-3fa9c2d07b5e"];
  const fakeOllama = createServer((request, response) => {
    const models = names.map((name) => ({ name, size: 1, details: {} }));
    response.end(JSON.stringify(request.url === "/api/tags" ? { models } : { capabilities: ["completion"] }));
  });
  await once(fakeOllama.listen(0, "127.0.0.1"), "listening");
  const endpoint = `127.0.0.1:${(fakeOllama.address() as AddressInfo).port}`;
  try {
    const request = { runtime: null, model: null, endpoint };
    expect(await chooseModel(request, folder, never, env)).toMatchObject({ model: "smollm2:135m" });
    // Whoever has no base of it may still mean it.
    names.shift();
    expect(await chooseModel(request, folder, never, env)).toMatchObject({ model: names[0] });
  } finally {
    fakeOllama.close();
  }
});

it("where there is none, both ways to one are named", async () => {
  expect(await refusal({})).toMatchObject({
    reason: "model-missing",
    message: expect.stringMatching(/ollama serve.*\.gguf/),
  });
});

describe("an address on another machine", () => {
  const endpoint = "gpu-box:11434";

  it("is not asked for anything without consent", async () => {
    expect(await refusal({ model: "qwen", endpoint })).toMatchObject({
      reason: "endpoint-consent",
      message: expect.stringMatching(
        /your code.*exit-ml run --endpoint http:\/\/gpu-box:11434 --allow-endpoint/,
      ),
    });
    const { models, problems } = await listAllModels(endpoint, never, env);
    expect(models).toEqual([]);
    expect(problems.join()).toContain("gpu-box:11434 is not this machine");
  });

  it("is asked for consent also where the environment names it", async () => {
    env = { ...env, OLLAMA_HOST: endpoint };
    expect(await refusal({ runtime: "ollama" })).toMatchObject({ reason: "endpoint-consent" });
  });

  it("is allowed by a file of the user's alone, which keeps what else is in it", async () => {
    const { address } = endpointOf(endpoint, env);
    const file = join(folder, "state", "exit-ml", "consent.json");
    expect(await isEndpointAllowed(address)).toBe(false);
    await allowEndpoint(address);
    await allowEndpoint(endpointOf("https://other.example", env).address);
    expect(await isEndpointAllowed(address)).toBe(true);
    expect(await isEndpointAllowed(endpointOf("gpu-box:8080", env).address)).toBe(false);
    if (process.platform !== "win32") expect(statSync(file).mode & 0o777).toBe(0o600);
    writeFileSync(file, JSON.stringify({ endpoints: [address], networks: ["bridge"] }));
    await allowEndpoint("http://third:11434");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
      endpoints: [address, "http://third:11434"],
      networks: ["bridge"],
    });
  });
});
