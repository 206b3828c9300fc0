/** package.json and the sources name the same commands, views, keys and settings. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { strategies } from "../../../src/core/history.ts";
import { settingsSchema } from "../../../src/core/settings.ts";
import { defaultTraining } from "../../../src/core/tuning/tuned-model.ts";
import { commandIds, contextKeys, viewIds } from "../../../src/extension/ids.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const text = readFileSync(join(root, "package.json"), "utf8");
const { contributes, capabilities } = JSON.parse(text);
const settings = Object.keys(contributes.configuration.properties);
const sources = readdirSync(join(root, "src", "extension"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => readFileSync(join(root, "src", "extension", file), "utf8"))
  .join("\n");

describe("the manifest", () => {
  it("declares every command of the sources but that of a row, and no other", () => {
    const declared = contributes.commands.map((entry: { command: string }) => entry.command).sort();
    const { showMore: _, ...own } = commandIds;
    expect(declared).toEqual(Object.values(own).sort());
  });

  it("declares the commands a user asks for, by title", () => {
    const titles = contributes.commands.map((entry: { title: string }) => entry.title);
    expect(titles).toContain("Iterate Solution");
    expect(titles).toContain("Export Training Data");
    expect(titles).toContain("Fine-Tune Local Model");
  });

  it("names only commands that are declared, in menus and welcome texts", () => {
    const declared = new Set(contributes.commands.map((entry: { command: string }) => entry.command));
    const inMenus = Object.values<{ command: string }[]>(contributes.menus)
      .flat()
      .map((entry) => entry.command);
    const inTexts = [...text.matchAll(/command:(exitMl\.\w+)/g)].map((match) => match[1]);
    for (const command of [...inMenus, ...inTexts]) expect(declared).toContain(command);
  });

  it("asks only for context keys that are kept", () => {
    const asked = new Set(
      [...text.matchAll(/exitMl\.(state|running|searched|scored|applied|tuned|inForce)\b/g)].map(
        ([key]) => key,
      ),
    );
    expect([...asked].sort()).toEqual(Object.values(contextKeys).sort());
  });

  it("declares the views of the sources", () => {
    const views = Object.values<{ id: string }[]>(contributes.views)
      .flat()
      .map((view) => view.id);
    expect(views).toEqual(Object.values(viewIds));
  });

  it("declares every setting the sources read, and no other", () => {
    const read = [...sources.matchAll(/"((?:model|run|runner|trainer)\.(?!js")\w+)"/g)].map(
      (match) => `exitMl.${match[1]}`,
    );
    expect(settings.sort()).toEqual([...new Set(read)].sort());
  });

  it("offers the strategies and limits the engine has", () => {
    const { properties } = contributes.configuration;
    expect(properties["exitMl.run.strategy"].enum).toEqual(strategies);
    const group = properties["exitMl.run.groupSize"];
    expect(settingsSchema.safeParse({ groupSize: group.minimum }).success).toBe(true);
    expect(settingsSchema.safeParse({ groupSize: group.minimum - 1 }).success).toBe(false);
    expect(settingsSchema.safeParse({ groupSize: group.maximum + 1 }).success).toBe(false);
    expect(settingsSchema.parse({}).groupSize).toBe(group.default);
    expect(settingsSchema.parse({}).maxReplyTokens).toBe(properties["exitMl.run.maxReplyTokens"].default);
  });

  it("offers what of a training can be set, and names its defaults", () => {
    const { properties } = contributes.configuration.properties["exitMl.trainer.settings"];
    expect(Object.keys(properties)).toEqual(Object.keys(defaultTraining));
    for (const [name, value] of Object.entries(defaultTraining))
      if (typeof value === "number") expect(properties[name].description, name).toContain(`(${value})`);
  });

  it("takes no setting that names a program or an address from a folder that is not trusted", () => {
    const { restrictedConfigurations } = capabilities.untrustedWorkspaces;
    const risky = settings.filter((key) => /\.(model|runner|trainer)\./.test(key));
    expect(restrictedConfigurations.sort()).toEqual(risky.sort());
  });
});
