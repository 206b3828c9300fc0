/** The folder of an export: what is in it, what its card says, which folders it may replace. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportFormats, filesOf, formatNotes } from "../../../src/core/export/format.ts";
import type { Store } from "../../../src/core/ports.ts";
import { exportTo, searched } from "../../support/exported.ts";

let folder: string;
let store: Store;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "exit-ml-export-"));
  store = await searched();
});
afterAll(() => rmSync(folder, { recursive: true }));

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);

describe.each(exportFormats)("%s", (format) => {
  it("accounts for every group and every reply, in the report and in the card", async () => {
    const out = join(folder, format);
    const report = await exportTo(out, store, { format, filter: { improving: true, perTask: 9 } });
    expect(readdirSync(out).sort()).toEqual([...filesOf(format)].sort());
    expect(report.kept).toBeGreaterThan(0);
    expect(report.kept + sum(report.dropped)).toBe(report.seen);
    expect(report.dropped["over the limit of its task"]).toBeGreaterThan(0);
    expect(report.replies.kept + sum(report.replies.dropped)).toBe(report.replies.seen);
    const { file } = formatNotes[format];
    if (file.endsWith(".jsonl"))
      expect(readFileSync(join(out, file), "utf8").match(/\n/g)).toHaveLength(report.examples);

    const card = readFileSync(join(out, "README.md"), "utf8");
    expect(card).toContain(`    path: ${file}\n`);
    expect(card).toContain(`Examples: ${report.examples}.`);
    for (const [reason, count] of [
      ...Object.entries(report.dropped),
      ...Object.entries(report.replies.dropped),
    ])
      expect(card).toContain(`| left out: ${reason} | ${count} |`);
  });

  it("is the same for the same history", async () => {
    const [one, two] = [join(folder, `${format}-1`), join(folder, `${format}-2`)];
    for (const out of [one, two]) await exportTo(out, store, { format });
    for (const file of filesOf(format))
      expect(readFileSync(join(one, file))).toEqual(readFileSync(join(two, file)));
  });
});

it("names model, weights, template, image and sampling, and the licences of model and workspace", async () => {
  const workspace = join(folder, "licensed");
  mkdirSync(workspace);
  writeFileSync(join(workspace, "LICENSE"), "\n  My `own` | terms\nand more\n");
  const out = join(folder, "card");
  await exportTo(out, store, { format: "trl-sft" }, workspace);
  const card = readFileSync(join(out, "README.md"), "utf8");
  for (const known of ["d".repeat(64), "t".repeat(64), "i".repeat(64), "temperature 1", "instant@d#v0"])
    expect(card).toContain(known);
  expect(card).toContain("- Model `instant`: `apache-2.0`.");
  expect(card).toContain("- Workspace: its licence file begins `My own terms`.");
});

describe("a folder that is there", () => {
  it("is replaced if it is an export, of whatever form", async () => {
    const out = join(folder, "again");
    await exportTo(out, store, { format: "native" });
    await exportTo(out, store, { format: "verl" });
    expect(readdirSync(out).sort()).toEqual(["README.md", "train.parquet"]);
  });

  it("is left alone if it is someone's data set with the same names of files", async () => {
    const out = join(folder, "mine");
    mkdirSync(out);
    writeFileSync(join(out, "README.md"), "# My data\n");
    writeFileSync(join(out, "train.jsonl"), "{}\n");
    await expect(exportTo(out, store, { format: "trl-sft" })).rejects.toMatchObject({
      reason: "export-folder",
    });
    expect(readFileSync(join(out, "train.jsonl"), "utf8")).toBe("{}\n");
    expect(readdirSync(folder).filter((name) => name.includes(".unfinished-"))).toEqual([]);
  });
});
