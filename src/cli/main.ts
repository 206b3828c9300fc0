#!/usr/bin/env node
/** The command `exit-ml`. */
import { processHost } from "./process-host.ts";
import { runCli } from "./program.ts";

void runCli(process.argv.slice(2), processHost()).then((code) => {
  process.exitCode = code;
});
