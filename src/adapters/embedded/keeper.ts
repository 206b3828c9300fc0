/** The `ModelKeeper` port of the embedded runtime, which serves files as they lie. */
import type { ModelKeeper } from "../../core/ports.ts";
import { checkModelFile, modelDigest } from "./model-file.ts";

/** @param model absolute path of the base's GGUF file */
export function createEmbeddedKeeper(model: string): ModelKeeper {
  return {
    async weights() {
      await checkModelFile(model);
      return { file: model, digest: await modelDigest(model) };
    },

    async install(_id, file) {
      await checkModelFile(file);
      return { model: file, digest: await modelDigest(file) };
    },

    /** The file is the tuned model's own, and goes with it. */
    async remove() {},

    /** Its memory is that of a policy's child process, and ends with it. */
    async unload() {
      return async () => {};
    },
  };
}
