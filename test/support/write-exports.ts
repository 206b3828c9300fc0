/**
 * Writes one export of each form, for the tests that load them as their readers do (trainer/tests/test_exports.py):
 * `node test/support/write-exports.ts FOLDER`. Prints what was written, by form.
 */
import { join } from "node:path";
import { exportFormats } from "../../src/core/export/format.ts";
import { exportTo, searched } from "./exported.ts";

const folder = process.argv[2];
if (folder === undefined) throw new Error("The folder to write to is not named.");
const store = await searched();
const reports = await Promise.all(
  exportFormats.map(async (format) => [format, await exportTo(join(folder, format), store, { format })]),
);
console.log(JSON.stringify(Object.fromEntries(reports)));
