/**
 * AF_VSOCK leads out of a virtual machine without any network: a container without interfaces can still speak
 * to the machine below, unless the engine's system call filter closes it.
 */
import type { Guarantee } from "../../../core/guarantees.ts";

/** Milliseconds an address is given to answer. */
const patience = 500;

/** Prints what becomes of a connection to the hypervisor (2) and to this machine itself (1). */
export const vsockScript = `
import errno, socket
family = getattr(socket, "AF_VSOCK", None)
for address in (2, 1) if family else ():
    try:
        end = socket.socket(family, socket.SOCK_STREAM)
    except OSError:
        print("vsock closed")
        break
    end.settimeout(${patience / 1000})
    try:
        end.connect((address, 1))
        print("vsock connected", address)
    except OSError as error:
        answered = error.errno in (errno.ECONNRESET, errno.ECONNREFUSED)
        print("vsock", "answered" if answered else "silent", address)
`;

/** @param said what the script printed, a line for each address */
export function vsockClosed(said: readonly string[]): Guarantee {
  const is = (held: boolean | null, measured: string): Guarantee => ({
    guarantee: "vsock-closed",
    held,
    measured,
  });
  if (said.length === 0) return is(null, "the image has no Python that knows AF_VSOCK");
  if (said.some((line) => line.startsWith("connected"))) return is(false, "a connection was made");
  // Only one port was tried: something may listen on another.
  if (said.some((line) => line.startsWith("answered")))
    return is(null, "AF_VSOCK can be opened, and the machine below refused the one port that was tried");
  if (said.includes("closed")) return is(true, "AF_VSOCK cannot be opened");
  return is(true, "AF_VSOCK can be opened, but nothing answers");
}
