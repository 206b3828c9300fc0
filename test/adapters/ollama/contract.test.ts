import { afterAll, beforeAll } from "vitest";
import { openOllamaServer } from "../../support/ollama.ts";
import { describeWith } from "../../support/without.ts";
import { policyContract } from "../policy-contract.ts";
import { openOllama } from "./parts.ts";

describeWith("ollama", "model")("with a server of its own and the small model", () => {
  let server: Awaited<ReturnType<typeof openOllamaServer>>;
  beforeAll(async () => {
    server = await openOllamaServer();
  });
  afterAll(() => server?.stop());

  policyContract("ollama", () => openOllama(server));
});
