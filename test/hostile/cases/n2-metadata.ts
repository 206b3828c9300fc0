import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Where clouds keep credentials, and the names by which the host is called. */
export default hostile({
  id: "N2",
  tries: "cloud metadata, host.docker.internal, the gateway",
  promise: "scored; nothing answers",
  play: [
    {
      revision: python(`
for host in ("169.254.169.254", "169.254.170.2", "100.100.100.200", "metadata.google.internal", "host.docker.internal", "host.containers.internal", "gateway.docker.internal", "172.17.0.1", "192.168.0.1"):
    attempt(host, lambda: socket.create_connection((host, 80), 0.5))
leave(0.5)`),
      expects: "scored",
      holds: ({ stdout }) => assert.doesNotMatch(stdout, /GOT/),
    },
  ],
});
