import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { draw, drawSeed, philox, pickUniform, pickWeighted } from "../../../src/core/rng.ts";

describe("draws", () => {
  it("are Philox4x32-10: the published known answers come out", () => {
    const hex = (words: readonly number[]): string[] =>
      words.map((word) => word.toString(16).padStart(8, "0"));
    expect(hex(philox([0, 0, 0, 0], [0, 0]))).toEqual(["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"]);
    const ones = 0xffffffff;
    expect(hex(philox([ones, ones, ones, ones], [ones, ones]))).toEqual([
      "408f276d",
      "41c83b0e",
      "a20bc7c6",
      "6d5451fd",
    ]);
    expect(hex(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]))).toEqual([
      "d16cfe09",
      "94fdcceb",
      "5001e420",
      "24126ea1",
    ]);
  });

  it("depend on every part of their key and on nothing else", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(10_000), fc.nat(64), (seed, iteration, index) => {
        const u = draw(seed, iteration, "start", index);
        expect(u).toBeGreaterThanOrEqual(0);
        expect(u).toBeLessThan(1);
        expect(draw(seed, iteration, "start", index)).toBe(u);
        expect(draw(seed + 1, iteration, "start", index)).not.toBe(u);
        expect(draw(seed, iteration + 1, "start", index)).not.toBe(u);
        expect(draw(seed, iteration, "goal", index)).not.toBe(u);
        expect(draw(seed, iteration, "start", index + 1)).not.toBe(u);
      }),
    );
  });

  it("are spread evenly", () => {
    const counts = new Array<number>(10).fill(0);
    for (let iteration = 0; iteration < 20_000; iteration++) {
      const place = pickUniform(draw(7, iteration, "task"), 10);
      counts[place] = (counts[place] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 2_000)).toBeLessThan(250);
  });

  it("give sampling seeds of 31 bits, distinct within a group", () => {
    const seeds = Array.from({ length: 64 }, (_, index) => drawSeed(3, 5, "reply0", index));
    expect(new Set(seeds).size).toBe(64);
    for (const seed of seeds) expect(seed >= 0 && seed < 2 ** 31 && Number.isInteger(seed)).toBe(true);
  });

  it("pick by weight: a place with weight 0 is never picked", () => {
    expect(pickWeighted(0, [0, 1, 0])).toBe(1);
    expect(pickWeighted(0.999999, [1, 1, 2])).toBe(2);
    expect(pickWeighted(0.49, [1, 1, 2])).toBe(1);
  });
});
