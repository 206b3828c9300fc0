/** The small parts of the embedded adapter that need no model. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { integerRange } from "../../../src/adapters/embedded/integerRange.ts";
import { firstPace, nextPace } from "../../../src/adapters/embedded/pace.ts";
import { createPieces } from "../../../src/adapters/embedded/pieces.ts";
import { createRepetitionGuard } from "../../../src/adapters/embedded/repetition.ts";
import { schemaGrammar } from "../../../src/adapters/embedded/schemaGrammar.ts";

describe("integer ranges", () => {
  it("match exactly the integers between their bounds", () => {
    const bound = fc.integer({ min: -3000, max: 3000 });
    fc.assert(
      fc.property(bound, bound, bound, (a, b, tested) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const pattern = new RegExp(`^(?:${integerRange(low, high).replaceAll(/[" ]/g, "")})$`);
        for (const value of [tested, low, high, low - 1, high + 1])
          expect(pattern.test(String(value))).toBe(value >= low && value <= high);
      }),
      { numRuns: 500 },
    );
  });
});

describe("grammars of schemas", () => {
  it("bound white space", () => {
    expect(schemaGrammar({ type: "object" })).toContain(String.raw`ws ::= (" " | "\n" [ \t]{0,20})?`);
  });

  it("follow references, also into themselves", () => {
    const tree = {
      type: "object",
      properties: { left: { anyOf: [{ $ref: "#/$defs/tree" }, { type: "null" }] } },
    };
    const grammar = schemaGrammar({ $ref: "#/$defs/tree", $defs: { tree } });
    expect(grammar).toMatch(/root ::= rule0\n/);
  });

  it("are refused for what would be lost without a word", () => {
    expect(() => schemaGrammar({ allOf: [{ type: "object" }] })).toThrow(/allOf/);
    expect(() => schemaGrammar({ $ref: "other.json" })).toThrow(/outside/);
    expect(() => schemaGrammar({ type: "integer", minimum: 3, maximum: 2 })).toThrow(/no whole number/);
  });
});

describe("pieces of text", () => {
  /** Tokens are single bytes. */
  const decode = (tokens: readonly number[]) => new TextDecoder().decode(Uint8Array.from(tokens));

  it("join to the text, one per token, characters whole", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const bytes = [...new TextEncoder().encode(text)];
        const pieces = createPieces((tokens) => decode(tokens), []);
        for (const byte of bytes) pieces.add(byte);
        const texts = pieces.end();
        expect(texts).toHaveLength(bytes.length);
        expect(texts.join("")).toBe(decode(bytes));
      }),
    );
  });

  it("keep what was cut in the middle of a character", () => {
    const pieces = createPieces((tokens) => decode(tokens), []);
    for (const byte of [65, 0xf0, 0x9f]) pieces.add(byte);
    expect(pieces.end()).toEqual(["A", "", "\uFFFD"]);
  });
});

describe("the repetition guard", () => {
  const repeatsAfter = (tokens: number[]) => {
    const guard = createRepetitionGuard();
    return tokens.findIndex((token) => guard.repeats(token));
  };

  it("ends a cycle that goes on and on", () => {
    for (const cycle of [1, 2, 7, 32]) {
      const tokens = Array.from({ length: 400 }, (_, at) => at % cycle);
      expect(repeatsAfter(tokens)).toBe(cycle + 191);
    }
  });

  it("leaves long indentation, tables and text alone", () => {
    expect(repeatsAfter(Array.from({ length: 150 }, () => 1))).toBe(-1);
    expect(repeatsAfter(Array.from({ length: 2000 }, (_, at) => (at * at) % 97))).toBe(-1);
  });
});

describe("the pace", () => {
  const calm = { wall: 1, cpu: 4, preempted: 0 };
  const crowded = { wall: 1, cpu: 2, preempted: 500 };
  const paceOf = (pace: ReturnType<typeof firstPace>, usages: (typeof calm)[]) =>
    usages.reduce((now, usage) => nextPace(now, usage, 4), pace);

  it("gives up threads while others use the machine, down to one", () => {
    expect(paceOf(firstPace(4), Array(10).fill(crowded)).threads).toBe(1);
  });

  it("keeps all threads on a machine of its own, and takes them back on one that has become so", () => {
    expect(paceOf(firstPace(4), Array(10).fill(calm)).threads).toBe(4);
    const low = paceOf(firstPace(4), Array(10).fill(crowded));
    expect(paceOf(low, Array(400).fill(calm)).threads).toBe(4);
  });

  it("tries less and less often while trying fails", () => {
    let pace = firstPace(4);
    let tries = 0;
    for (let second = 0; second < 600; second += 1) {
      const next = nextPace(pace, pace.threads > 1 ? crowded : calm, 4);
      if (next.threads > pace.threads) tries += 1;
      pace = next;
    }
    expect(tries).toBeLessThan(15);
  });
});
