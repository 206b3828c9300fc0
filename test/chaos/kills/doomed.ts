/**
 * `doomed.ts WORKSPACE`: the real runner, which kills itself at a write of its history. Every durable write has a
 * name (what was written) and two moments: just before it is on the disk and just after. EXIT_ML_CHAOS_KILL names
 * one, such as `after run started 2`: the second of that kind in this process. Writes are told to the file
 * EXIT_ML_CHAOS_TRACE as they are done. Nothing of this is in the product: node:sqlite is wrapped before it loads.
 */
import { appendFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { killed, type Write } from "./trace.ts";

const target = process.env.EXIT_ML_CHAOS_KILL ?? "";
const traceFile = process.env.EXIT_ML_CHAOS_TRACE ?? "";

const passed = new Map<string, number>();

function pass(moment: string): void {
  const count = (passed.get(moment) ?? 0) + 1;
  passed.set(moment, count);
  if (`${moment} ${count}` !== target) return;
  note({ what: killed, key: target });
  process.kill(process.pid, "SIGKILL");
}

function note(write: Write): void {
  appendFileSync(traceFile, `${JSON.stringify(write)}\n`);
}

function durable<T>(write: Write, act: () => T): T {
  pass(`before ${write.what}`);
  const result = act();
  note(write);
  pass(`after ${write.what}`);
  return result;
}

type Values = Readonly<Record<string, unknown>>;

/** The name of a write, null if it is of no interest. */
function writeOf(sql: string, values: Values): Write | null {
  const into = /^(?:INSERT (?:OR REPLACE )?INTO|UPDATE) "?(\w+)/.exec(sql.trim())?.[1];
  const member = `${values.group}-${values.index}`;
  switch (into) {
    case "journal": {
      const { role = "run" } = JSON.parse(String(values.data)) as { role?: string };
      const name = values.step === "evaluated" ? "score evaluated" : `${role} ${values.step}`;
      return { what: name, key: String(values.key) };
    }
    case "scores":
      return { what: "score stored", key: String(values.key) };
    case "outcomeTexts":
      return { what: "outcome stored", key: member };
    case "replies":
      // Else it is an update, part of another write.
      return sql.trim().startsWith("INSERT") ? { what: "reply stored", key: member } : null;
    case "groups":
      return {
        what: sql.trim().startsWith("INSERT") ? "group opened" : "group closed",
        key: String(values.id),
      };
    case "runs":
      return { what: sql.trim().startsWith("INSERT") ? "run opened" : "run ended", key: String(values.id) };
    default:
      return null;
  }
}

/** The transaction under way: named after the first of its writes that has a name. */
let transaction: { write: Write | null } | null = null;

const { run } = StatementSync.prototype;
// The store names its parameters, so there is one argument.
function runNamed(this: StatementSync, values: Values): ReturnType<typeof run> {
  const write = writeOf(this.sourceSQL, values);
  const act = (): ReturnType<typeof run> => Reflect.apply(run, this, [values]);
  if (transaction !== null) transaction.write ??= write;
  return transaction !== null || write === null ? act() : durable(write, act);
}
StatementSync.prototype.run = runNamed as typeof run;

const { exec } = DatabaseSync.prototype;
DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string) {
  const act = (): void => exec.call(this, sql);
  const write = transaction?.write ?? null;
  if (sql.startsWith("BEGIN")) transaction = { write: null };
  if (sql === "COMMIT" || sql === "ROLLBACK") transaction = null;
  if (sql === "COMMIT" && write !== null) durable(write, act);
  else act();
};

createRequire(import.meta.url)(join(import.meta.dirname, "..", "..", "..", "dist", "runner.js"));
