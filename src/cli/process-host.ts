/** The command line's view of the real process. */
import { createInterface } from "node:readline/promises";
import { connect } from "../client/connect.ts";
import { ExitError } from "../protocol/errors.ts";
import type { Host } from "./host.ts";

export function processHost(): Host {
  // `exit-ml tree | head` closes our output early; that is an end, not an error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  return {
    env: process.env,
    cwd: process.cwd(),
    stdoutIsTTY: process.stdout.isTTY === true,
    canAsk: process.stdin.isTTY === true && process.stderr.isTTY === true,
    columns: () => process.stdout.columns || 100,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    ask,
    connect,
    onInterrupt(listener) {
      process.on("SIGINT", listener);
      return () => process.off("SIGINT", listener);
    },
    now: () => performance.now(),
    every(ms, tick) {
      const timer = setInterval(tick, ms);
      return () => clearInterval(timer);
    },
  };
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const given = new AbortController();
  lines.on("SIGINT", () => given.abort());
  lines.on("close", () => given.abort());
  try {
    return await lines.question(question, { signal: given.signal });
  } catch (cause) {
    throw new ExitError("cancelled", "Nothing was written.", { cause });
  } finally {
    lines.close();
  }
}
