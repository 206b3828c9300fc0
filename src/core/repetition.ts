/**
 * Notices a reply that has fallen into a loop: the same cycle of at most `longestCycle` tokens, over and over for
 * `limit` tokens. The limit is far above what real text repeats (a rule of dashes, deep indentation, a row of
 * zeros), so it only ends replies that would run to the length limit.
 */
const longestCycle = 32;
const limit = 192;

export function createRepetitionGuard(): { repeats(token: number | string): boolean } {
  const tokens: (number | string)[] = [];
  /** By cycle length: how many tokens in a row equal the one a cycle before. */
  const runs = new Array<number>(longestCycle + 1).fill(0);
  return {
    /** Takes the next token, by its id or its text; true if the reply is in a loop. */
    repeats(token) {
      const at = tokens.push(token) - 1;
      let longest = 0;
      for (let cycle = 1; cycle <= longestCycle; cycle += 1) {
        const run = tokens[at - cycle] === token ? (runs[cycle] ?? 0) + 1 : 0;
        runs[cycle] = run;
        longest = Math.max(longest, run);
      }
      return longest >= limit;
    },
  };
}
