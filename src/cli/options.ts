/** Values of options, read strictly. */
import { InvalidArgumentError } from "commander";

export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("It must be a number.");
  return value;
}

export function positive(text: string): number {
  const value = number(text);
  if (value <= 0) throw new InvalidArgumentError("It must be a number above 0.");
  return value;
}

/** A reader of numbers from 0 on, up to `high`. */
export function from0(high = Number.POSITIVE_INFINITY): (text: string) => number {
  return (text) => {
    const value = number(text);
    if (value < 0 || value > high)
      throw new InvalidArgumentError(
        high === Number.POSITIVE_INFINITY ? "It must be at least 0." : `It must be from 0 to ${high}.`,
      );
    return value;
  };
}

/** A reader of whole numbers of at least `low` and at most `high`. */
export function whole(low: number, high = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = number(text);
    if (!Number.isSafeInteger(value) || value < low || value > high)
      throw new InvalidArgumentError(
        high === Number.MAX_SAFE_INTEGER
          ? `It must be a whole number of at least ${low}.`
          : `It must be a whole number from ${low} to ${high}.`,
      );
    return value;
  };
}

/** Gathers an option that may be given several times. */
export function collect(text: string, earlier: string[] | undefined): string[] {
  return [...(earlier ?? []), text];
}
