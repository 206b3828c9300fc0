/** The `ModelKeeper` port of the embedded runtime, which serves files as they lie. */
import { createHash } from "node:crypto";
import type { ModelKeeper } from "../../core/tuning/ports.ts";
import { checkModelFile, modelDigest } from "./model-file.ts";

/** @param model absolute path of the base's GGUF file */
export function createEmbeddedKeeper(model: string): ModelKeeper {
  return {
    async weights() {
      await checkModelFile(model);
      return { file: model, digest: await modelDigest(model) };
    },

    async accept() {},

    async install({ file, form }) {
      await checkModelFile(file);
      const digest = await modelDigest(file);
      if (form === "merged") return { model: file, digest, adapter: null };
      const both = createHash("sha256").update(`${await modelDigest(model)}\n${digest}`);
      return { model, digest: both.digest("hex"), adapter: file };
    },

    /** The file is the tuned model's own, and goes with it. */
    async remove() {},

    /** Its memory is that of a policy's child process, and ends with it. */
    async unload() {
      return async () => {};
    },
  };
}
