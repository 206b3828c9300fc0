import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as dial } from "node:net";
import { openConnection } from "../../../src/protocol/connection.ts";
import { fromResponseError } from "../../../src/protocol/errors.ts";
import { type HelloResponse, helloMethod } from "../../../src/protocol/hello.ts";
import { parseRunnerFile, runnerFilePath } from "../../../src/protocol/runner-file.ts";
import { protocolVersion } from "../../../src/protocol/version.ts";
import { docker, image } from "../../adapters/docker/trial.ts";
import { chaos } from "../case.ts";
import { whoseIs } from "../kills/left-behind.ts";
import { nextEvent, requestOf, runEnd } from "../kills/life.ts";
import { playRun } from "../kills/scene.ts";

/** What a version before this one left in the engine: its labels, and names of another form. */
async function leaveOldThings(folder: string): Promise<void> {
  const { owner, workspaceId } = whoseIs(folder);
  const Labels = { "exit-ml.owner": owner, "exit-ml.workspace": workspaceId, "exit-ml.run": "r1" };
  const name = `exit-ml-${randomUUID().replaceAll("-", "").slice(0, 24)}-run`;
  await docker.createVolume({ Name: `exit-ml-scratch-${randomUUID()}`, Labels });
  await docker.createContainer({
    ...{ name, Image: image, Entrypoint: ["true"], Labels },
    HostConfig: { NetworkMode: "none" },
  });
}

export default chaos({
  id: "D20",
  tries: "a newer version comes while an older runner is at work, and the other way round",
  promise: "it may look but not touch, the run goes on; what older versions left is known and removed",
  play: (tell) =>
    playRun(20, async (lives) => {
      await leaveOldThings(lives.folder);
      const client = await lives.open();
      const sampled = nextEvent(client, "replySampled");
      const ended = runEnd(client);
      await client.call("startRun", requestOf(lives.plan));
      await sampled;

      const announced = parseRunnerFile(readFileSync(runnerFilePath(lives.folder), "utf8"));
      assert.ok(announced !== null);
      const socket = dial(announced.socket);
      await once(socket, "connect");
      const newer = openConnection(socket);
      newer.listen();
      const hello = { token: announced.token, protocol: protocolVersion + 1 };
      const welcome = await newer.sendRequest<HelloResponse>(helloMethod, hello);
      assert.equal(welcome.readOnly, true);
      const { nodes } = await newer.sendRequest<{ nodes: readonly unknown[] }>("tree", { task: null });
      assert.ok(nodes.length > 0);
      const refusal = await newer.sendRequest("stopRun", {}).then(
        () => null,
        (error: unknown) => fromResponseError(error),
      );
      assert.equal(refusal?.reason, "protocol-mismatch");
      tell(refusal?.message ?? "");
      socket.destroy();
      newer.dispose();

      await ended;
      await lives.close(client);
    }),
});
