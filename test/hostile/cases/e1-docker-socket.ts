import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Whoever holds the engine's socket is root of the machine. */
export default hostile({
  id: "E1",
  tries: "looks for the engine's socket and speaks to it",
  promise: "scored; there is no socket of any kind",
  play: [
    {
      revision: python(`
for place in ("/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock"):
    attempt(place, lambda: socket.socket(socket.AF_UNIX).connect(place))
for folder, _, names in os.walk("/"):
    if folder.startswith(("/proc", "/sys")): continue
    for name in names:
        try:
            if stat.S_ISSOCK(os.lstat(os.path.join(folder, name)).st_mode): tell("GOT", folder, name)
        except OSError: pass
leave(0.5)`),
      expects: "scored",
      holds: ({ stdout }) => assert.doesNotMatch(stdout, /GOT/),
    },
  ],
});
