/** `runner.js FOLDER`: the process that owns a workspace. */
import { openApp } from "../app/compose.ts";
import { runRunner } from "./process.ts";

void runRunner(process.argv.slice(2), openApp);
