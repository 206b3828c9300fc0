// Counting tests in what vitest's JSON reporter wrote.
import fs from "node:fs";

/** @typedef {{ passed: number, failed: number, skipped: string[] }} Count */
/** @typedef {{ name: string, status: string, assertionResults: { fullName: string, status: string }[] }} TestFile */

/** @param {TestFile[]} files @returns {Count} */
export function countTests(files) {
  /** @type {Count} */
  const count = { passed: 0, failed: 0, skipped: [] };
  for (const file of files) {
    const failedBefore = count.failed;
    for (const test of file.assertionResults) {
      if (test.status === "passed") count.passed++;
      else if (test.status === "failed") count.failed++;
      else count.skipped.push(test.fullName);
    }
    // It did not load, or its preparation failed: its tests are not even named, which must not look like none.
    if (file.status === "failed" && count.failed === failedBefore) count.failed++;
  }
  return count;
}

/** @param {string} file @returns {Count | undefined} undefined: vitest ended before it wrote one */
export function readReport(file) {
  try {
    return countTests(JSON.parse(fs.readFileSync(file, "utf8")).testResults);
  } catch {
    return undefined;
  }
}
