/** Two answers held against each other: numbers but for their last digits, everything else exactly. */

const relative = 1e-9;
/**
 * What rounding leaves of a difference that is 0 in exact arithmetic, after the division by `std + 1e-4` of an
 * advantage. An S is exempt: one of 0 is exactly 0, since EXIT.md section 2.1 asks whether it is.
 */
const rounding = 1e-11;

function sameNumber(a: number, b: number, name: string): boolean {
  const apart = Math.abs(a - b);
  return apart <= relative * Math.max(Math.abs(a), Math.abs(b)) || (name !== "S" && apart <= rounding);
}

/** One line for each place where the two differ. */
export function differences(engine: unknown, oracle: unknown, place = "", name = ""): string[] {
  if (typeof engine === "number" && typeof oracle === "number" && sameNumber(engine, oracle, name)) return [];
  if (Array.isArray(engine) && Array.isArray(oracle)) {
    const longer = engine.length > oracle.length ? engine : oracle;
    return longer.flatMap((_, at) => differences(engine[at], oracle[at], `${place}[${at}]`, name));
  }
  if (isRecord(engine) && isRecord(oracle)) {
    const names = [...new Set([...Object.keys(engine), ...Object.keys(oracle)])];
    return names.flatMap((key) => differences(engine[key], oracle[key], `${place}.${key}`, key));
  }
  if (Object.is(engine, oracle) || engine === oracle) return [];
  return [`${place}: the engine has ${JSON.stringify(engine)}, the oracle ${JSON.stringify(oracle)}`];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
