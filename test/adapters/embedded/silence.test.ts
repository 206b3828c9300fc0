/** A child process whose native code hangs: it is there, and says nothing any more. By a fake one. */
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ChildLost, ModelProcess } from "../../../src/adapters/embedded/child-process.ts";

const minutes = 60_000;
const request = { prompt: "", members: [{ index: 0, seed: 1 }], maxTokens: 8, grammar: null };

let child: ModelProcess;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});
afterEach(async () => {
  child.kill();
  await child.ended;
  vi.useRealTimers();
});

function start(fault: string): ModelProcess {
  return new ModelProcess(fileURLToPath(new URL("./fake-child.ts", import.meta.url)), {
    ...{ runtimeFolder: "", model: `/${fault}.gguf`, adapter: null, gpu: false },
    ...{ threads: null, parallel: 1, contextLength: null },
  });
}

const givenUp = expect.objectContaining({ message: "it had said nothing for 60 minutes" });

it("is given up in the middle of a group, an hour after it last said something", async () => {
  child = start("hang-sampling");
  await child.loaded;
  const { answer } = child.sample(request, () => {});
  const lost = answer.catch((error: unknown) => error);
  for (let at = 0; at < 3; at++) {
    vi.advanceTimersByTime(40 * minutes);
    expect(await child.count("still there?")).toBe(1);
  }
  vi.advanceTimersByTime(61 * minutes);
  expect(await lost).toBeInstanceOf(ChildLost);
  expect(await lost).toEqual(givenUp);
  await child.ended;
});

it("is given up while it loads", async () => {
  child = start("hang-loading");
  const lost = child.loaded.catch((error: unknown) => error);
  vi.advanceTimersByTime(61 * minutes);
  expect(await lost).toEqual(givenUp);
});

it("may be silent for as long as it is asked for nothing", async () => {
  child = start("hang-sampling");
  await child.loaded;
  vi.advanceTimersByTime(600 * minutes);
  expect(await child.count("still there?")).toBe(1);
});
