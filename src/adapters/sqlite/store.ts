/** The `Store` port on one SQLite file. */
import type { Store } from "../../core/ports.ts";
import { appliedOf } from "./applied.ts";
import { closingOf } from "./closing.ts";
import { confirmationsOf } from "./confirmations.ts";
import { openDatabase } from "./database.ts";
import { evaluationsOf } from "./evaluations.ts";
import { groupsOf } from "./groups.ts";
import { journalOf } from "./journal.ts";
import { migrations } from "./migrations/index.ts";
import { nodesOf } from "./nodes.ts";
import { repliesOf } from "./replies.ts";
import { runsOf } from "./runs.ts";
import { scoresOf } from "./scores.ts";
import { selfTestsOf } from "./self-tests.ts";
import { tuningOf } from "./tuning.ts";

/**
 * Opens the history in `file`, making it if absent (its folder must exist), and holds its lock, which is the
 * workspace's lock, until `close`. Every call is on the disk when it returns.
 * @throws ExitError `workspace-locked`, `history-damaged`, `history-newer`, `history-foreign`,
 *   `history-unwritable`; later calls also `disk-full`.
 */
export function openStore(file: string): Store {
  const database = openDatabase(file, migrations);
  return {
    ...runsOf(database),
    ...nodesOf(database),
    ...groupsOf(database),
    ...repliesOf(database),
    ...closingOf(database),
    ...scoresOf(database),
    ...selfTestsOf(database),
    ...appliedOf(database),
    ...confirmationsOf(database),
    journal: journalOf(database),
    evaluations: evaluationsOf(database),
    tuning: tuningOf(database),
    close: () => database.close(),
  };
}
