/** Errors on the wire: a refused call carries `{reason, message}` and comes out as the ExitError it was. */
import { ResponseError } from "vscode-jsonrpc/node.js";
import { z } from "zod";
import { ExitError, isExitError, messageOf } from "../core/errors.ts";

export { ExitError, isExitError, messageOf };

/** JSON-RPC code of every refused call; the `reason` in the data tells them apart. */
const refused = -32000;

export const wireErrorSchema = z.object({ reason: z.string(), message: z.string() });
export type WireError = z.infer<typeof wireErrorSchema>;

/** Reason and sentence of any thrown value; what is no ExitError is a bug of ours and has the reason `internal`. */
export function toWireError(error: unknown): WireError {
  if (isExitError(error)) return { reason: error.reason, message: error.message };
  if (error instanceof Error && error.name === "AbortError")
    return { reason: "cancelled", message: "Cancelled." };
  return { reason: "internal", message: `Something went wrong inside the runner: ${messageOf(error)}` };
}

export function toResponseError(error: unknown): ResponseError<WireError> {
  const wire = toWireError(error);
  return new ResponseError(refused, wire.message, wire);
}

/** The error a call ends with on the client's side. */
export function fromResponseError(error: unknown): ExitError {
  if (isExitError(error)) return error;
  if (error instanceof ResponseError) {
    const wire = wireErrorSchema.safeParse(error.data);
    if (wire.success) return new ExitError(wire.data.reason, wire.data.message, { cause: error });
  }
  return new ExitError(
    "runner-gone",
    "The runner ended before it answered; .exit/logs/runner.log may say why. What was finished is kept: repeat the command.",
    { cause: error },
  );
}
