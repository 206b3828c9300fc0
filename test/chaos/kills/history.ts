/** What a history holds, read from a copy: the original is left as the dead runner left it. */
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "../../../src/adapters/sqlite/store.ts";
import type { Reply } from "../../../src/core/history.ts";

export interface HistoryRead {
  /** Members that came back, by `group-index`. */
  readonly replies: ReadonlyMap<string, Reply>;
  /** Every decision and its result, without times. */
  readonly record: unknown;
  /** True if the run's iterations are done. */
  readonly isOver: boolean;
}

export function readHistory(workspace: string): HistoryRead {
  const copy = mkdtempSync(join(tmpdir(), "exit-ml-copy-"));
  for (const name of ["history.db", "history.db-wal"]) {
    const file = join(workspace, ".exit", name);
    if (existsSync(file)) cpSync(file, join(copy, name));
  }
  const store = openStore(join(copy, "history.db"));
  try {
    const groups = store.groupIds().flatMap((id) => store.group(id) ?? []);
    const runs = store.runs();
    const record = {
      runs: runs.map(({ id, seed, tasks, settings, spent: { iterations, tokens } }) => {
        return { id, seed, tasks, settings, iterations, tokens };
      }),
      groups: groups.map((group) => ({ ...group, replies: group.replies.map(({ ms: _, ...rest }) => rest) })),
      closings: store.closedGroups(),
      nodes: store.nodes(),
      buffer: store.buffer(),
    };
    const run = runs.at(-1);
    return {
      replies: new Map(
        groups.flatMap(({ id, replies }) => replies.map((reply) => [`${id}-${reply.index}`, reply] as const)),
      ),
      record,
      isOver:
        run !== undefined && run.spent.iterations >= (run.budget.iterations ?? Number.POSITIVE_INFINITY),
    };
  } finally {
    store.close();
    rmSync(copy, { recursive: true, force: true });
  }
}
