import { expect, test } from "vitest";
import { busyMeter } from "../../../src/core/busy.ts";

/** Work that ends when it is told to. */
function work(): { readonly end: () => void; readonly done: Promise<void> } {
  let end = (): void => undefined;
  const done = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { end: () => end(), done };
}

test("time is counted once however many pieces of work overlap, and not between them", async () => {
  let now = 0;
  const meter = busyMeter(() => now, 1000);
  const [first, second] = [work(), work()];
  const one = meter.during(() => first.done);
  now = 10;
  const two = meter.during(() => second.done);
  now = 15;
  first.end();
  await one;
  now = 30;
  expect(meter.ms()).toBe(1030);
  second.end();
  await two;
  now = 100;
  expect(meter.ms()).toBe(1030);
});

test("work that fails is counted until it fails, and fails for its caller", async () => {
  let now = 0;
  const meter = busyMeter(() => now, 0);
  const failing = meter.during(async () => {
    now = 7;
    throw new Error("lost");
  });
  await expect(failing).rejects.toThrow("lost");
  now = 50;
  expect(meter.ms()).toBe(7);
});
