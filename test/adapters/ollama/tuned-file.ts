/** Model files that differ from each other in their name alone, so that each has a digest of its own. */
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { model } from "../embedded/parts.ts";

/** A copy of the small model in `folder`, under a name no other file has. */
export function writeTunedFile(folder: string): string {
  const bytes = readFileSync(model);
  const key = "general.name";
  // After the key: the type of the value (4 bytes) and its length (8 bytes).
  const at = bytes.indexOf(key) + key.length;
  const length = Number(bytes.readBigUInt64LE(at + 4));
  bytes.write(randomUUID().slice(0, length), at + 12);
  const file = join(folder, `${randomUUID()}.gguf`);
  writeFileSync(file, bytes);
  return file;
}

/** An adapter without any factors. */
export function emptyAdapter(): Buffer<ArrayBuffer> {
  const number = (value: number, bytes: 4 | 8) => {
    const buffer = Buffer.alloc(bytes);
    buffer.writeUInt32LE(value);
    return buffer;
  };
  const text = (value: string) => [number(value.length, 8), Buffer.from(value)];
  const facts = { "general.architecture": "llama", "general.type": "adapter", "adapter.type": "lora" };
  const entries = Object.entries(facts).flatMap(([key, value]) => [
    ...text(key),
    number(8, 4),
    ...text(value),
  ]);
  return Buffer.concat([Buffer.from("GGUF"), number(3, 4), number(0, 8), number(3, 8), ...entries]);
}
