/** The solutions used last, up to a total size, so that a start is read from the repository once. */
import type { Solution } from "../../core/ports.ts";

export interface Recent {
  get(snapshot: string): Solution | undefined;
  put(snapshot: string, solution: Solution): void;
}

/** @param capacity bytes of all solutions kept together */
export function recentSolutions(capacity: number): Recent {
  const kept = new Map<string, { readonly solution: Solution; readonly size: number }>();
  let total = 0;

  function drop(snapshot: string): void {
    total -= kept.get(snapshot)?.size ?? 0;
    kept.delete(snapshot);
  }

  return {
    get(snapshot) {
      const found = kept.get(snapshot);
      if (!found) return undefined;
      // A map keeps the order of insertion: the first key is the one unused for longest.
      kept.delete(snapshot);
      kept.set(snapshot, found);
      return found.solution;
    },
    put(snapshot, solution) {
      drop(snapshot);
      const size = solution.reduce((sum, file) => sum + file.bytes.length + file.path.length, 100);
      if (size > capacity) return;
      kept.set(snapshot, { solution, size });
      total += size;
      for (const oldest of kept.keys()) {
        if (total <= capacity) break;
        drop(oldest);
      }
    },
  };
}
