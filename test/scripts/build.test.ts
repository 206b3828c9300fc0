import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { olderThan } from "../../scripts/setup/build.mjs";

let root: string;
const isOld = () =>
  olderThan(["src", "package.json", "package-lock.json"], ["dist/cli.js", "dist/runner.js"], root);

/** Makes a file as old as the given second of 2020. */
function put(name: string, second: number) {
  const file = path.join(root, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, "");
  age(name, second);
}

function age(name: string, second: number) {
  const time = new Date(Date.UTC(2020, 0, 1, 0, 0, second));
  fs.utimesSync(path.join(root, name), time, time);
}

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "exit-ml-build-"));
  put("src/deep/a.ts", 1);
  put("package.json", 1);
  put("dist/cli.js", 5);
  put("dist/runner.js", 5);
  for (const folder of ["src/deep", "src"]) age(folder, 1);
});

afterEach(() => {
  fs.rmSync(root, { recursive: true });
});

test("bundles newer than every source stay", () => {
  expect(isOld()).toBe(false);
});

test.each([
  ["a source that changed", () => put("src/deep/a.ts", 9)],
  ["a source that was deleted", () => age("src/deep", 9)],
  ["another set of packages", () => put("package-lock.json", 9)],
  ["a bundle that is missing", () => fs.rmSync(path.join(root, "dist/runner.js"))],
])("%s asks for a new build", (_, change) => {
  change();
  expect(isOld()).toBe(true);
});
