/** The small parts of the embedded adapter that need no model. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { integerRange } from "../../../src/adapters/embedded/integer-range.ts";
import { nextPace } from "../../../src/adapters/embedded/pace.ts";
import { createPieces } from "../../../src/adapters/embedded/pieces.ts";
import { schemaGrammar } from "../../../src/adapters/embedded/schema-grammar.ts";
import { createRepetitionGuard } from "../../../src/core/repetition.ts";

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
    expect(schemaGrammar({ type: "object" })).toContain(String.raw`ws ::= (" " | "\n" " "{0,16})?`);
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
  /** Threads after each of some seconds in which others used so many of 4 cores. */
  const threadsAfter = (...others: number[]) => {
    let pace = { threads: 4, calm: 0 };
    return others.map((used) => {
      pace = nextPace(pace, { wall: 1, others: used }, 4, 4);
      return pace.threads;
    });
  };

  it("leaves others the cores they use, at once, and never gives up the last thread", () => {
    expect(threadsAfter(0.1, 0.6, 2, 4)).toEqual([4, 3, 2, 1]);
  });

  it("takes them back when they have been free for a while, not between two scorings", () => {
    expect(threadsAfter(1, 0, 0, 1, 0, 0, 0, 0)).toEqual([3, 3, 3, 3, 3, 3, 3, 4]);
  });
});
