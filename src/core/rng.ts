/**
 * Counter-based draws (EXIT.md section 2, "Determinism"): a draw depends on nothing but its key, so the same
 * record always yields the same next decision, whatever else ran before.
 *
 * The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy as 1, 2, 3",
 * SC11); the tests hold it against the published known answers.
 */

type Words = readonly [number, number, number, number];

/** The upper 32 bits of a product, from halves of 16: every sum stays exact in a double. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + Math.floor((aLow * bLow) / 2 ** 16);
  const cross = aLow * bHigh + (middle % 2 ** 16);
  return aHigh * bHigh + Math.floor(middle / 2 ** 16) + Math.floor(cross / 2 ** 16);
}

/** One block: four 32-bit words from a 128-bit counter and a 64-bit key, all as unsigned 32-bit words. */
export function philox(counter: Words, key: readonly [number, number]): Words {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0) >>> 0;
    const high1 = mulHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** FNV-1a, 32 bits: names a purpose inside the counter. */
function purposeWord(purpose: string): number {
  let hash = 0x811c9dc5;
  for (const character of purpose) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return hash;
}

function block(seed: number, iteration: number, purpose: string, index: number): Words {
  const high = Math.floor(seed / 2 ** 32) >>> 0;
  return philox([iteration >>> 0, purposeWord(purpose), index >>> 0, 0], [seed >>> 0, high]);
}

/** Uniform in [0, 1) with 53 bits, keyed by run seed, iteration, purpose and an index within the purpose. */
export function draw(seed: number, iteration: number, purpose: string, index = 0): number {
  const [a, b] = block(seed, iteration, purpose, index);
  return ((a >>> 5) * 2 ** 26 + (b >>> 6)) / 2 ** 53;
}

/** A sampling seed: an unsigned integer of 31 bits, which every model runtime takes. */
export function drawSeed(seed: number, iteration: number, purpose: string, index: number): number {
  return block(seed, iteration, purpose, index)[2] >>> 1;
}

/** `many` indices below `count`, each equally likely and drawn by itself: what a resample consists of. */
export function pickMany(
  seed: number,
  iteration: number,
  purpose: string,
  { many, count }: { readonly many: number; readonly count: number },
): number[] {
  const picks: number[] = [];
  for (let index = 0; picks.length < many; index++)
    for (const word of block(seed, iteration, purpose, index))
      picks.push(Math.floor((word / 2 ** 32) * count));
  return picks.slice(0, many);
}

/** The index a uniform draw `u` picks among `count` equally likely ones. */
export function pickUniform(u: number, count: number): number {
  return Math.min(count - 1, Math.floor(u * count));
}

/** The index a uniform draw `u` picks among weights that are not all zero. */
export function pickWeighted(u: number, weights: readonly number[]): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let rest = u * total;
  for (const [index, weight] of weights.entries()) {
    if (rest < weight) return index;
    rest -= weight;
  }
  return weights.length - 1;
}
