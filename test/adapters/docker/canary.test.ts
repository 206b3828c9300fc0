/** Looking for the canary in output that comes in pieces, without an engine. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { searchFor } from "../../../src/adapters/docker/canary.ts";

const word = "exit-ml-canary-0f";

test("the word is found exactly where it is, however the output is cut", () => {
  // Letters of the word itself, so that it often nearly begins.
  const text = fc.string({ unit: fc.constantFrom(..."exit-mlcanry0f"), maxLength: 60 });
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(text, text, fc.boolean(), sizes, (before, after, hasWord, cuts) => {
      const all = Buffer.from(before + (hasWord ? word : "") + after);
      const search = searchFor(word);
      for (let at = 0, turn = 0; at < all.length; turn += 1) {
        const size = cuts[turn % cuts.length] ?? 1;
        search.push(all.subarray(at, at + size));
        at += size;
      }
      expect(search.found()).toBe(all.includes(word));
    }),
  );
});
