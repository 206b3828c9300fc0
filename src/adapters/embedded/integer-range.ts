/** GBNF for the whole numbers of a range, written as JSON writes them. */

/** Longest whole number without bounds, in digits: JSON readers keep that many exactly. */
export const widest = 10 ** 15 - 1;

/** An alternation that matches exactly the integers from `low` to `high`, both included; `low <= high`. */
export function integerRange(low: number, high: number): string {
  const parts: string[] = [];
  if (low < 0) parts.push(`"-" (${naturals(Math.max(1, -high), -low)})`);
  if (high >= 0) parts.push(naturals(Math.max(0, low), high));
  return parts.join(" | ");
}

/** `0 <= low <= high`. */
function naturals(low: number, high: number): string {
  const parts: string[] = [];
  for (let length = String(low).length; length <= String(high).length; length += 1) {
    const first = Math.max(low, length === 1 ? 0 : 10 ** (length - 1));
    const last = Math.min(high, 10 ** length - 1);
    parts.push(sameLength(String(first), String(last)));
  }
  return parts.join(" | ");
}

/** All digit strings from `low` to `high`, which have the same length. */
function sameLength(low: string, high: string): string {
  if (low === high) return `"${low}"`;
  const [a, b] = [Number(low[0]), Number(high[0])];
  const rest = low.length - 1;
  if (rest === 0) return digits(a, b);
  if (a === b) return `"${a}" (${sameLength(low.slice(1), high.slice(1))})`;
  const [zeros, nines] = ["0".repeat(rest), "9".repeat(rest)];
  const from = low.slice(1) === zeros ? a : a + 1;
  const to = high.slice(1) === nines ? b : b - 1;
  const parts: string[] = [];
  if (from > a) parts.push(`"${a}" (${sameLength(low.slice(1), nines)})`);
  if (from <= to) parts.push(`${digits(from, to)} [0-9]{${rest}}`);
  if (to < b) parts.push(`"${b}" (${sameLength(zeros, high.slice(1))})`);
  return parts.join(" | ");
}

function digits(from: number, to: number): string {
  return from === to ? `"${from}"` : `[${from}-${to}]`;
}
