/** Numbers and times as people read them. */

/** Up to four decimals, fewer for large numbers; never in a way that makes two different small scores equal 0. */
export function score(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size < 0.001 || size >= 1e9) return value.toExponential(3);
  return trimmed(value.toFixed(size >= 1000 ? 1 : 4));
}

function trimmed(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** `940 ms`, `12.3 s`, `4 min 05 s`, `2 h 07 min`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

/** `12,345`. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `93 %`, of a share between 0 and 1. */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** `1 reply`, `8 replies`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Two columns: names padded to the longest, then what belongs to them. */
export function fields(rows: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(
    ([name, value]) => `${name.padEnd(width)}  ${value.replace(/\n/g, `\n${" ".repeat(width + 2)}`)}`,
  );
}

/** How often each value occurs, most frequent first: `3 crash, 1 timeout`. */
export function tally(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([value, times]) => `${times} ${value}`)
    .join(", ");
}

/** `98 MB`, `4.7 GB`: powers of ten, as model servers count. */
export function bytes(value: number): string {
  const [unit, size] = value >= 1e9 ? ["GB", 1e9] : value >= 1e6 ? ["MB", 1e6] : ["kB", 1e3];
  return `${trimmed((value / Number(size)).toFixed(value / Number(size) < 10 ? 1 : 0))} ${unit}`;
}
