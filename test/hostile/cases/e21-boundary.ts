import assert from "node:assert/strict";
import { honest, hostile } from "../case.ts";

/** A hole in the kernel is not stopped by a container; so it is said which boundary was used. */
export default hostile({
  id: "E21",
  tries: "an exploit of the shared kernel (not tried: no container would stop it)",
  promise: "the boundary, the engine and its version are named",
  async play(stage) {
    const info = await stage.stand.sandbox.describe(await stage.task());
    for (const word of [info.boundary, info.engine, info.version]) assert.notEqual(word, "");
    assert.match(info.imageDigest, /^sha256:/);
    await stage.trial({ revision: honest, expects: "scored" });
  },
});
