/** Brings a database to the newest schema, in one transaction. */
import type { DatabaseSync } from "node:sqlite";
import { ExitError } from "../../core/errors.ts";

/** `ExIt`: marks the file as ours, so that another program's database is never written to. */
const applicationId = 0x45784974;

/**
 * Also takes the file's lock for good: with `locking_mode = EXCLUSIVE` what a write transaction locks stays
 * locked until the connection closes.
 * @throws ExitError `history-newer`, `history-foreign`; SQLite's own errors.
 */
export function migrate(connection: DatabaseSync, file: string, migrations: readonly string[]): void {
  connection.exec("BEGIN IMMEDIATE");
  try {
    const version = pragma(connection, "user_version");
    const owner = pragma(connection, "application_id");
    if (owner !== applicationId && (version !== 0 || hasTables(connection))) {
      throw new ExitError(
        "history-foreign",
        `${file} is a database of another program. Move it away; a new history is then begun in its place.`,
      );
    }
    if (version > migrations.length) {
      throw new ExitError(
        "history-newer",
        `The history ${file} was written by a newer version of ExIt ML (schema ${version}, this one reads up to ${migrations.length}). Update ExIt ML, or move the file aside to begin a new history.`,
      );
    }
    for (const step of migrations.slice(version)) connection.exec(step);
    connection.exec(`PRAGMA application_id = ${applicationId}`);
    connection.exec(`PRAGMA user_version = ${migrations.length}`);
    connection.exec("COMMIT");
  } catch (error) {
    if (connection.isTransaction) connection.exec("ROLLBACK");
    throw error;
  }
}

function pragma(connection: DatabaseSync, name: "user_version" | "application_id"): number {
  return Number(connection.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function hasTables(connection: DatabaseSync): boolean {
  return connection.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() !== undefined;
}
