/**
 * A fake of the child process, for faults only: its behaviour is named by the model file it is asked to load,
 * `crash-loading.gguf`, `crash-sampling.gguf`, `hang-loading.gguf` or `hang-sampling.gguf`.
 */
import { basename } from "node:path";
import type { Request, Response } from "../../../src/adapters/embedded/protocol.ts";

let fault = "";

process.on("disconnect", () => process.exit(0));
process.on("message", (message) => {
  const request = message as Request;
  if (request.type === "load") {
    fault = basename(request.model, ".gguf");
    if (fault === "crash-loading") return crash("ggml: out of things");
    if (fault === "hang-loading") return;
    send({
      type: "loaded",
      loaded: {
        template: null,
        bosToken: "",
        eosToken: "",
        needsBos: false,
        quantisation: null,
        license: null,
        contextLength: 512,
        parallel: request.parallel,
        gpuShare: 0.5,
      },
    });
  }
  if (request.type === "count") send({ type: "counted", id: request.id, tokens: 1 });
  if (request.type === "sample" && fault !== "hang-sampling") {
    const [first] = request.members;
    if (first === undefined) return;
    const reply = {
      ...first,
      text: "ok",
      tokens: [{ id: 1, text: "ok" }],
      logprobs: [-1],
      finish: "stop",
      ms: 1,
    } as const;
    send({ type: "reply", id: request.id, reply }, () => crash("Segmentation fault"));
  }
});

function send(message: Response, then: () => void = () => {}): void {
  process.send?.(message, then);
}

function crash(lastWords: string): void {
  process.stderr.write(`${lastWords}\n`, () => process.kill(process.pid, "SIGSEGV"));
}
