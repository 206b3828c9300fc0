/** What a revision's container is made for, as one digest: only exactly the same request may take it over. */
import { createHash } from "node:crypto";
import type { RunRequest } from "../../core/ports.ts";
import type { NamedOptions } from "./lifecycle.ts";

/** @param options of the container, the working directory's name left out */
export function requestDigest(options: NamedOptions, { task, solution }: RunRequest): string {
  const { run, sandbox } = task.definition;
  const files = solution.map(({ path, bytes, executable }) => [path, sha256(bytes), executable]);
  return sha256(JSON.stringify([options, run, sandbox, task.inputs.digest, files]));
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
