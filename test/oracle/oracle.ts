/** The oracle's process: a scenario in, its answer out, one line each. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

const program = path.join(import.meta.dirname, "oracle.py");

export interface Oracle {
  /** The oracle's answer to a scenario (README.md). */
  ask(scenario: unknown): Promise<unknown>;
  close(): Promise<void>;
}

export function startOracle(): Oracle {
  const python = process.env.EXIT_ML_TEST_PYTHON ?? "python3";
  // -B: no compiled files beside the sources.
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(python, ["-B", program], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve());
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(scenario) {
      child.stdin.write(`${JSON.stringify(scenario)}\n`);
      const line = await lines.next();
      if (line.done) {
        await ended;
        throw new Error("The oracle ended early.");
      }
      return JSON.parse(line.value);
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}
