import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  cacheFolder,
  inCache,
  installOnce,
  moveIntoPlace,
  readStamp,
  writeAtomically,
  writeStamp,
} from "../../scripts/setup/cache.mjs";

let folder: string;
let before: string | undefined;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "exit-ml-cache-"));
  before = process.env.EXIT_ML_CACHE;
  process.env.EXIT_ML_CACHE = folder;
});

afterEach(() => {
  if (before === undefined) delete process.env.EXIT_ML_CACHE;
  else process.env.EXIT_ML_CACHE = before;
  fs.rmSync(folder, { recursive: true, force: true });
});

const quiet = () => {};

/** An install that puts one file in place, and counts how often it was asked to. */
function recipe(version: string) {
  const target = inCache("thing");
  const file = path.join(target, "file");
  const made = { times: 0 };
  const install = async (work: string) => {
    made.times++;
    fs.writeFileSync(path.join(work, "file"), version);
    moveIntoPlace(work, target);
    return { file };
  };
  return {
    made,
    file,
    options: { part: "thing", version, present: () => fs.existsSync(file), install, progress: quiet },
  };
}

test("the cache is where EXIT_ML_CACHE says, else in the home folder", () => {
  expect(cacheFolder({ EXIT_ML_CACHE: "/somewhere" })).toBe(path.resolve("/somewhere"));
  expect(cacheFolder({})).toBe(path.join(os.homedir(), ".cache", "exit-ml"));
});

test("a part is installed once, and again for another version", async () => {
  const first = recipe("1");
  expect((await installOnce(first.options)).fresh).toBe(true);
  expect((await installOnce(first.options)).fresh).toBe(false);
  expect(first.made.times).toBe(1);
  const second = recipe("2");
  expect(await installOnce(second.options)).toEqual({
    fresh: true,
    stamp: { version: "2", file: second.file },
  });
  expect(fs.readFileSync(second.file, "utf8")).toBe("2");
});

test("an install that fails leaves no stamp and no work folder, and is repeated", async () => {
  const { options, made } = recipe("1");
  const broken = async () => {
    throw new Error("the disk is full");
  };
  await expect(installOnce({ ...options, install: broken })).rejects.toThrow("the disk is full");
  expect(readStamp("thing")).toBeUndefined();
  expect(fs.readdirSync(inCache("tmp"))).toEqual([]);
  await installOnce(options);
  expect(made.times).toBe(1);
});

test("a stamp whose files are gone does not count", async () => {
  const { options, file, made } = recipe("1");
  await installOnce(options);
  fs.rmSync(file);
  await installOnce(options);
  expect(made.times).toBe(2);
});

test("what a killed install left behind is swept, other parts' work is not", async () => {
  const left = inCache("tmp", "thing-999999-0123abcd");
  const others = inCache("tmp", "other-999999-0123abcd");
  fs.mkdirSync(left, { recursive: true });
  fs.mkdirSync(others, { recursive: true });
  await installOnce(recipe("1").options);
  expect([fs.existsSync(left), fs.existsSync(others)]).toEqual([false, true]);
});

test("a half-written or missing stamp reads as none", () => {
  expect(readStamp("thing")).toBeUndefined();
  writeStamp("thing", { version: "1" });
  fs.writeFileSync(inCache("stamps", "thing.json"), '{"version": "1');
  expect(readStamp("thing")).toBeUndefined();
});

test("an atomic write replaces the whole file and leaves nothing beside it", () => {
  const file = path.join(folder, "deep", "note");
  writeAtomically(file, "a long first text");
  writeAtomically(file, "short");
  expect(fs.readFileSync(file, "utf8")).toBe("short");
  expect(fs.readdirSync(path.dirname(file))).toEqual(["note"]);
});

test("two installs at once do the work once", async () => {
  const { options, made } = recipe("1");
  const both = await Promise.all([installOnce(options), installOnce(options)]);
  expect(made.times).toBe(1);
  expect(both.filter(({ fresh }) => fresh)).toHaveLength(1);
});
