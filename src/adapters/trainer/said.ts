/** What a program says beside its results: all of it in a log, the end of it in memory for a message. */
import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

const keptCharacters = 2_000;
const mostLogged = 1_000_000;

export interface Said {
  add(line: string): void;
  /** The end of it; "" where nothing was said. */
  readonly tail: string;
  /** Where the rest can be read. */
  readonly log: string;
}

export function listen(log: string): Said {
  let tail = "";
  let logged = 0;
  return {
    log,
    get tail() {
      return tail.trim();
    },
    add(line) {
      tail = `${tail}${line}\n`.slice(-keptCharacters);
      if (logged > mostLogged) return;
      logged += line.length;
      try {
        mkdirSync(dirname(log), { recursive: true });
        appendFileSync(log, `${line}\n`);
      } catch {
        // A full disk: the message has the end of it.
      }
    },
  };
}

/** For the end of a message. */
export function quoted({ tail, log }: Said): string {
  return tail === "" ? "It said nothing." : `It ended with:\n${tail}\nAll it said is in ${log}.`;
}
