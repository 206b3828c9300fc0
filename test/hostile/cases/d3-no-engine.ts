import assert from "node:assert/strict";
import { honest, hostile } from "../case.ts";

/** There is no engine where it is looked for. */
export default hostile({
  id: "D3",
  tries: "no engine answers at the start",
  promise: "docker-unreachable at once, naming the place; no revision is blamed",
  async play(stage) {
    const task = await stage.task();
    const { scorer, sandbox } = stage.provider.openWithoutEngine(stage.folder);
    const request = { key: "k", run: null, task, snapshot: "s", solution: honest, isRoot: false };
    for (let turn = 0; turn < 2; turn += 1)
      await assert.rejects(scorer.score(request, new AbortController().signal), {
        reason: "docker-unreachable",
        message: /none\.sock/,
      });
    stage.met.push("docker-unreachable");
    await sandbox.close();
  },
});
