/** Figures as the measurements of this folder print them. */
import { loadavg } from "node:os";

/** The value below which `share` of the values lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Mebibytes with one digit. */
export function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

/** How busy the machine is: a figure of time says little without it. */
export function load(): string {
  return `load ${loadavg()
    .map((value) => value.toFixed(1))
    .join(" ")}`;
}

/** Prints a promise and whether it was kept; a miss makes the process end with exit code 1. */
export function promise(what: string, kept: boolean): void {
  console.log(`${kept ? "PASS" : "FAIL"}  ${what}`);
  if (!kept) process.exitCode = 1;
}

/** The whole number behind `--name` on the command line. */
export function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  if (at === -1) return otherwise;
  const value = Number(process.argv[at + 1]);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} needs a whole number above 0.`);
  return value;
}
