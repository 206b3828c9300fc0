/**
 * The one error of the product: a code for programs and a sentence for people. The sentence names the
 * thing that is wrong and what to do about it; anything else that is thrown is a bug.
 */
export class ExitError extends Error {
  override readonly name = "ExitError";

  /** A stable code such as `task-invalid`. */
  readonly reason: string;

  /** @param message one or more whole sentences */
  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

export function isExitError(error: unknown, reason?: string): error is ExitError {
  return error instanceof ExitError && (reason === undefined || error.reason === reason);
}

/** The sentence of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
