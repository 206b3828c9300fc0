import type { Sha256 } from "./ports.ts";

/** What a reply sampled under a schema carries as `constrained`, whatever the runtime. */
export function schemaDigest(
  schema: Readonly<Record<string, unknown>> | null,
  sha256: Sha256,
): string | null {
  return schema && sha256(JSON.stringify(schema));
}
