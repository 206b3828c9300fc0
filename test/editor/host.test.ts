/** What only the extension host can tell of the packed extension: when it wakes up, and what it takes part in. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { testWith } from "../support/without.ts";
import { runInExtensionHost } from "./host-tests.ts";
import { copyOfExample, vsix } from "./workspace.ts";

const it = testWith("editor");
const entry = (name: string): string => join(import.meta.dirname, "host", `${name}.ts`);

it("sleeps until it is called, then has every command, and keeps its folder from watchers and searches", async () => {
  const folder = copyOfExample("digits-config");
  const { code, log } = await runInExtensionHost({ extension: vsix, entry: entry("commands"), folder });
  expect(log).toEqual([expect.stringMatching(/^\d+ commands are registered$/)]);
  expect(code).toBe(0);
  expect(existsSync(join(folder, ".exit"))).toBe(false);
});

it("starts nothing in a folder that is not trusted, whatever command is called", async () => {
  const folder = copyOfExample("digits-config");
  const { code, log } = await runInExtensionHost({
    extension: vsix,
    entry: entry("restricted"),
    folder,
    trusted: false,
  });
  expect(log).toContain("called exitMl.iterate");
  expect(log.filter((line) => !line.startsWith("called exitMl."))).toEqual([]);
  expect(code).toBe(0);
  expect(existsSync(join(folder, ".exit"))).toBe(false);
});
