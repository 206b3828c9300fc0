import assert from "node:assert/strict";
import { chaos } from "../case.ts";
import { nextEvent, requestOf, runEnd } from "../kills/life.ts";
import { playRun } from "../kills/scene.ts";

export default chaos({
  id: "D13",
  tries: "the window that began a run goes away as soon as it has begun",
  promise: "the run goes on in its own process and comes to what it would have come to",
  play: (tell) =>
    playRun(13, async (lives) => {
      const window = await lives.open();
      const sampled = nextEvent(window, "replySampled");
      await window.call("startRun", requestOf(lives.plan));
      await sampled;
      window.close();
      await window.closed;

      const next = await lives.open();
      const ended = runEnd(next);
      assert.equal(next.runner.pid, window.runner.pid, "the runner went away with the window");
      const { activeRun } = await next.call("status", {});
      assert.equal(activeRun?.id, "r1", "the run went away with the window");
      await ended;
      tell(`run ${activeRun?.id} ended without the window that began it`);
      await lives.close(next);
    }),
});
