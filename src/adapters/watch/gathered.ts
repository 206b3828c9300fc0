/**
 * Gathers paths and tells them together, sorted: once `silenceMs` have passed without a new one, at the latest
 * `longestMs` after the first. Waiting keeps no process alive.
 */
export function gathered(
  tell: (paths: readonly string[]) => void,
  silenceMs: number,
  longestMs: number,
): { add(path: string): void; drop(): void } {
  const paths = new Set<string>();
  let silence: NodeJS.Timeout | undefined;
  let longest: NodeJS.Timeout | undefined;
  let dropped = false;

  function stop(): void {
    clearTimeout(silence);
    clearTimeout(longest);
    longest = undefined;
  }

  function flush(): void {
    stop();
    const told = [...paths].sort();
    paths.clear();
    tell(told);
  }

  return {
    add(path) {
      if (dropped) return;
      paths.add(path);
      clearTimeout(silence);
      silence = setTimeout(flush, silenceMs).unref();
      longest ??= setTimeout(flush, longestMs).unref();
    },
    drop() {
      dropped = true;
      stop();
    },
  };
}
