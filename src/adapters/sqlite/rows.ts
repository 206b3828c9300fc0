/** From columns to typed values. A column of another type than asked for is a bug, and thrown as one. */
import type { Row } from "./database.ts";

function wrong(row: Row, column: string): TypeError {
  return new TypeError(`column ${column} holds ${typeof row[column]}`);
}

export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw wrong(row, column);
  return value;
}

export function number(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== "number") throw wrong(row, column);
  return value;
}

export function flag(row: Row, column: string): boolean {
  return number(row, column) === 1;
}

export function bytes(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw wrong(row, column);
  return value;
}

/** JSON this adapter wrote itself: its shape is the type it was written from. */
export function json<T>(row: Row, column: string): T {
  return JSON.parse(text(row, column)) as T;
}

/** One of a list of words, such as the verdicts. */
export function word<T extends string>(words: readonly T[]): (row: Row, column: string) => T {
  const known: ReadonlyMap<string, T> = new Map(words.map((entry) => [entry, entry]));
  return (row, column) => {
    const value = known.get(text(row, column));
    if (value === undefined) throw new TypeError(`column ${column} holds an unknown word`);
    return value;
  };
}

/** The same reading with null for NULL. */
export function orNull<T>(read: (row: Row, column: string) => T, row: Row, column: string): T | null {
  return row[column] === null ? null : read(row, column);
}
