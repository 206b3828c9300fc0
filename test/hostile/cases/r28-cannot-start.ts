import assert from "node:assert/strict";
import { files, hostile, python, shell } from "../case.ts";

/** What the engine refuses to start, or what dies before its first statement, is the revision's own fault. */
export default hostile({
  id: "R28",
  tries: "cannot start: missing binary, wrong architecture, a folder, broken syntax",
  promise: "crash, never infra",
  play: [
    {
      name: "missing",
      revision: python(""),
      task: { run: { command: ["no-such-binary"] } },
      expects: "crash",
      holds: ({ result }) => assert.equal(result.evidence.run?.exitCode, 127),
    },
    {
      name: "wrong architecture",
      revision: shell(`printf '\\177ELF\\002\\001\\001' > program; chmod +x program; exec ./program\n`),
      expects: "crash",
    },
    {
      name: "a folder",
      revision: python(""),
      task: { run: { command: ["/tmp"] } },
      expects: "crash",
      holds: ({ result }) => assert.equal(result.evidence.run?.exitCode, 126),
    },
    {
      name: "syntax",
      revision: files({ "solution/main.py": "def broken(:\n" }),
      expects: "crash",
      holds: ({ result }) => assert.match(result.feedback ?? "", /SyntaxError/),
    },
  ],
});
