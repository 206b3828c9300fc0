/** What the engine's client throws, told apart. */

function field(error: unknown, name: string): unknown {
  return typeof error === "object" && error !== null ? (error as Record<string, unknown>)[name] : undefined;
}

/** HTTP status of a refused call, null if there was no answer. */
export function statusOf(error: unknown): number | null {
  const status = field(error, "statusCode");
  return typeof status === "number" ? status : null;
}

/** System error code such as `ENOENT`, null if there is none. */
export function codeOf(error: unknown): string | null {
  const code = field(error, "code");
  return typeof code === "string" ? code : null;
}

/** True for trouble outside the program: the engine refused or is gone, a call timed out, the host's disk is full. */
export function isOutsideTrouble(error: unknown): boolean {
  return statusOf(error) !== null || codeOf(error) !== null || field(error, "name") === "TimeoutError";
}
