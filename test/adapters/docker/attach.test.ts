/** Reading what a container of the real engine prints. */
import { expect } from "vitest";
import { attach } from "../../../src/adapters/docker/attach.ts";
import { testWith } from "../../support/without.ts";
import { docker, image, never, owner } from "./trial.ts";

const test = testWith("docker");

/** What the engine sends of three million bytes that a container prints. @returns how the reading ended */
async function read(take: (bytes: Uint8Array) => void): Promise<void> {
  const container = await docker.createContainer({
    Image: image,
    Cmd: ["head", "-c", "3000000", "/dev/zero"],
    Labels: { "exit-ml.owner": owner },
    HostConfig: { NetworkMode: "none" },
  });
  try {
    const output = await attach(container, take, never);
    await container.start();
    await output.ended;
  } finally {
    await container.remove({ force: true });
  }
}

test("however much is printed, it is read through one buffer", async () => {
  const buffers = new Set<ArrayBufferLike>();
  let bytes = 0;
  await read((piece) => {
    buffers.add(piece.buffer);
    bytes += piece.length;
  });
  expect(bytes).toBeGreaterThan(3_000_000);
  expect(buffers.size).toBe(1);
});

test("a reader that throws ends the reading with its error, and nothing else", async () => {
  const refuse = (): never => {
    throw new Error("not in this form");
  };
  await expect(read(refuse)).rejects.toThrow("not in this form");
});
