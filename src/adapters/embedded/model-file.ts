/** What can be told about a model file without loading it. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { basename } from "node:path";
import { ExitError, messageOf } from "../../core/errors.ts";

/** @throws ExitError `model-missing`, `model-unreadable`. */
export async function checkModelFile(file: string): Promise<void> {
  let magic: string;
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
      magic = buffer.toString("latin1", 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (isMissing(error))
      throw new ExitError(
        "model-missing",
        `There is no model file ${file}. Name a GGUF file that is there; \`node scripts/setup/setup.mjs model\` in a clone of ExIt ML fetches a small one.`,
        { cause: error },
      );
    throw new ExitError(
      "model-unreadable",
      `The model file ${file} cannot be read: ${messageOf(error)}. Mend that, or name another GGUF file.`,
      { cause: error },
    );
  }
  if (magic !== "GGUF")
    throw new ExitError(
      "model-unreadable",
      `${file} is not a GGUF model file. Name a file that ends in .gguf, or fetch the model again.`,
    );
}

/** `SmolLM2-135M-Instruct.Q4_1` of `/models/SmolLM2-135M-Instruct.Q4_1.gguf`. */
export function modelName(file: string): string {
  return basename(file).replace(/\.gguf$/i, "");
}

const digests = new Map<string, Promise<string>>();

/** Hexadecimal SHA-256 of the file; computed once a process for the same path, size and time of change. */
export async function modelDigest(file: string): Promise<string> {
  const { size, mtimeMs } = await stat(file);
  const key = JSON.stringify([file, size, mtimeMs]);
  const known = digests.get(key) ?? digestOf(file);
  digests.set(key, known);
  known.catch(() => digests.delete(key));
  return known;
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest("hex");
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
