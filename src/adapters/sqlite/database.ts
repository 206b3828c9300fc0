/**
 * One connection: the pragmas that make a returned write durable and the file ours alone, cached statements,
 * transactions, and SQLite's errors as sentences.
 */
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { ExitError } from "../../core/errors.ts";
import { migrate } from "./migrate.ts";

export type Row = Readonly<Record<string, SQLOutputValue>>;
type Values = Readonly<Record<string, SQLInputValue>>;

/** Every call throws ExitError `history-damaged`, `history-unwritable`, `disk-full`, or what SQLite threw. */
export interface Database {
  /** @returns rows changed */
  run(sql: string, values?: Values): number;
  get(sql: string, values?: Values): Row | undefined;
  all(sql: string, values?: Values): Row[];
  /** Inserts a row of columns, with an `ON CONFLICT` clause or "". @returns rows inserted */
  insert(table: string, row: Values, onConflict: string): number;
  /** All or nothing. */
  transaction(action: () => void): void;
  close(): void;
}

/** @throws ExitError also `workspace-locked`, `history-newer`, `history-foreign`. */
export function openDatabase(file: string, migrations: readonly string[]): Database {
  const connection = connect(file, migrations);
  const statements = new Map<string, StatementSync>();

  function statement(sql: string): StatementSync {
    let prepared = statements.get(sql);
    if (!prepared) {
      prepared = connection.prepare(sql);
      statements.set(sql, prepared);
    }
    return prepared;
  }

  const guarded = <T>(action: () => T): T => explained(file, action);

  const database: Database = {
    run: (sql, values = {}) => guarded(() => Number(statement(sql).run(values).changes)),
    get: (sql, values = {}) => guarded(() => statement(sql).get(values)),
    all: (sql, values = {}) => guarded(() => statement(sql).all(values)),
    insert(table, row, onConflict) {
      const names = Object.keys(row);
      const columns = names.map((name) => `"${name}"`).join(", ");
      const places = names.map((name) => `:${name}`).join(", ");
      return database.run(`INSERT INTO ${table} (${columns}) VALUES (${places}) ${onConflict}`, row);
    },
    transaction: (action) =>
      guarded(() => {
        connection.exec("BEGIN IMMEDIATE");
        try {
          action();
          connection.exec("COMMIT");
        } catch (error) {
          if (connection.isTransaction) connection.exec("ROLLBACK");
          throw error;
        }
      }),
    close: () => connection.close(),
  };
  return database;
}

function connect(file: string, migrations: readonly string[]): DatabaseSync {
  const connection = explained(file, () => new DatabaseSync(file));
  try {
    explained(file, () => {
      connection.exec("PRAGMA busy_timeout = 0");
      // Before WAL: then no shared-memory file is made, and no second process gets in.
      connection.exec("PRAGMA locking_mode = EXCLUSIVE");
      connection.exec("PRAGMA journal_mode = WAL");
      connection.exec("PRAGMA synchronous = FULL");
      connection.exec("PRAGMA foreign_keys = ON");
      migrate(connection, file, migrations);
    });
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function explained<T>(file: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw explain(error, file) ?? error;
  }
}

/** SQLite's primary result codes that a user can do something about. */
function explain(error: unknown, file: string): ExitError | null {
  if (!(error instanceof Error) || !("errcode" in error)) return null;
  const said = (reason: string, message: string) => new ExitError(reason, message, { cause: error });
  switch (Number(error.errcode) & 0xff) {
    case 5: // SQLITE_BUSY
    case 6: // SQLITE_LOCKED
      return said(
        "workspace-locked",
        `Another process works with this workspace and holds ${file}. Use that one, or stop it with "exit-ml stop", and try again.`,
      );
    case 11: // SQLITE_CORRUPT
    case 26: // SQLITE_NOTADB
      return said(
        "history-damaged",
        `The history ${file} is damaged (${error.message}). Put back a copy, or move it aside together with ${file}-wal to begin a new history; the snapshots beside it stay.`,
      );
    case 13: // SQLITE_FULL
      return said(
        "disk-full",
        `The disk is full: ${file} could not be written. Free some space and try again.`,
      );
    case 8: // SQLITE_READONLY
    case 10: // SQLITE_IOERR
    case 14: // SQLITE_CANTOPEN
      return said(
        "history-unwritable",
        `The history ${file} cannot be opened for writing (${error.message}). Check that its folder exists and that you may write there.`,
      );
    default:
      return null;
  }
}
