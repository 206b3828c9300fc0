import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** If outputs were fetched by a program run inside, that program would be the revision's. */
export default hostile({
  id: "E15",
  tries: "replaces tar, cat and sh by programs that forge its outputs",
  promise: "scored by the real file; nothing inside is asked to fetch it",
  play: [
    {
      revision: python(`
leave(0.25)
for folder in ("/work", "/tmp", "/tmp/bin", "/work/bin", "/usr/local/bin", "/usr/bin"):
    for name in ("tar", "cat", "sh", "ls", "python3", "timeout"):
        try:
            os.makedirs(folder, exist_ok=True)
            leave("#!/bin/sh\\necho 0.9\\n", f"{folder}/{name}"); os.chmod(f"{folder}/{name}", 0o755)
        except OSError: pass`),
      expects: "scored",
      holds: ({ result }) => assert.equal(result.score, 0.25),
    },
  ],
});
