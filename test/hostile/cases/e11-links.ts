import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { hostile, python } from "../case.ts";
import { canary } from "../stage.ts";

/** The output is no file but a name for something else. */
export default hostile({
  id: "E11",
  tries: "the output is a link to a file of the host, a pipe, a socket, a folder",
  promise: "invalid; nothing is followed",
  async play(stage) {
    const secret = join(stage.folder, "secret.csv");
    writeFileSync(secret, `0.9 ${canary}`);
    const outputs: Readonly<Record<string, string>> = {
      "link to the host": `os.symlink(${JSON.stringify(secret)}, "out.csv")`,
      "link to shadow": `os.symlink("/etc/shadow", "out.csv")`,
      "link out of /work": `leave(0.9, "/tmp/real.csv"); os.symlink("/tmp/real.csv", "out.csv")`,
      "link to itself": `os.symlink("out.csv", "out.csv")`,
      pipe: `os.mkfifo("out.csv")`,
      socket: `socket.socket(socket.AF_UNIX).bind("out.csv")`,
      folder: `os.mkdir("out.csv")`,
      device: `os.symlink("/dev/zero", "out.csv")`,
    };
    for (const [name, act] of Object.entries(outputs))
      await stage.trial({
        name,
        revision: python(act),
        expects: "invalid",
        holds: ({ result }) => assert.equal(result.score, null),
      });
    await stage.trial({
      name: "folder that leads to itself",
      revision: python(`os.symlink("out", "out")`),
      task: { run: { outputs: ["out/*.csv"] } },
      expects: "invalid",
    });
  },
});
