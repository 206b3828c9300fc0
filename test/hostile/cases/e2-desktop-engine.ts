import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Addresses at which engines of desktop products and careless set-ups listen. */
export default hostile({
  id: "E2",
  tries: "calls engines that listen on addresses of the host",
  promise: "scored; nothing can be reached",
  play: [
    {
      revision: python(`
for host in ("192.168.65.7", "192.168.65.254", "172.17.0.1", "10.0.2.2", "127.0.0.1"):
    for port in (2375, 2376, 11434):
        attempt(f"{host}:{port}", lambda: socket.create_connection((host, port), 0.5))
leave(0.5)`),
      expects: "scored",
      holds: ({ stdout }) => assert.doesNotMatch(stdout, /GOT/),
    },
  ],
});
