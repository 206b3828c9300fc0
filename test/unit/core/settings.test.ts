import { describe, expect, it } from "vitest";
import { settingsFor } from "../../../src/core/paper.ts";
import {
  checkSetting,
  defaultSettings,
  type Settings,
  settingNotes,
  settingsSchema,
} from "../../../src/core/settings.ts";

describe("settings", () => {
  it("are all told of, each with the default it has", () => {
    expect(settingNotes.map(({ name }) => name)).toEqual(Object.keys(settingsSchema.shape));
  });

  it.each<[string, unknown, string]>([
    ["kapa", 1, 'There is no setting "kapa". There are: groupSize, capacity, minBuffer, kappa,'],
    ["kappa", -1, "The setting kappa must be a number of at least 0, not -1."],
    ["kappa", "high", 'The setting kappa must be a number of at least 0, not "high".'],
    ["groupSize", 1, "The setting groupSize must be a whole number from 2 to 64, not 1."],
    ["capacity", 2.5, "The setting capacity must be a whole number of at least 1, or null, not 2.5."],
    ["minBuffer", 0, "The setting minBuffer must be a whole number of at least 1, not 0."],
    ["p", 1.1, "The setting p must be a number from 0 to 1, or null, not 1.1."],
    ["pDiv", -0.1, "The setting pDiv must be a number from 0 to 1, or null, not -0.1."],
    ["lambda", null, "The setting lambda must be a number of at least 0, not null."],
    ["insert", "best", 'The setting insert must be "one" or "all", not "best".'],
    ["maxPolicyAge", -1, "The setting maxPolicyAge must be a whole number of at least 0, not -1."],
    ["pipelineDepth", 3, "The setting pipelineDepth must be 1 or 2, not 3."],
    ["maxReplyTokens", 8, "The setting maxReplyTokens must be a whole number of at least 16, not 8."],
    ["embeddingModel", "", 'The setting embeddingModel must be a model\'s name, or null, not "".'],
    ["paper", "yes", 'The setting paper must be true or false, not "yes".'],
  ])("%s = %j is refused with what it may be", (name, value, sentence) => {
    expect(() => checkSetting(name, value)).toThrow(sentence);
  });

  it("that can be had are taken as they are", () => {
    expect(checkSetting("p", null)).toEqual({ p: null });
    expect(checkSetting("embeddingModel", "minilm")).toEqual({ embeddingModel: "minilm" });
  });
});

describe("the paper's rows", () => {
  const row = ({ capacity, minBuffer, p, pDiv }: Settings) => [capacity, minBuffer, p, pDiv];
  // N, B_min, p, p_div of tables 4 to 6 of arXiv 2509.04575v1.
  it.each([
    ["answer", "curriculum", [512, 128, 0.5, null]],
    ["answer", "improve", [512, 128, 0.5, null]],
    ["answer", "diverge", [512, 128, 0.5, 0.2]],
    ["answer", "exit", [512, 128, 0.5, 0.2]],
    ["dialogue", "curriculum", [320, 320, 0.2, null]],
    ["dialogue", "improve", [640, 320, 0.5, null]],
    ["dialogue", "diverge", [640, 320, 0.5, 0.2]],
    ["dialogue", "exit", [640, 320, 0.5, 0.5]],
    ["code", "curriculum", [3, 3, 0.5, null]],
    ["code", "improve", [24, 8, 0.5, null]],
    ["code", "diverge", [32, 8, 0.5, 0.2]],
    ["code", "exit", [24, 3, 0.5, 0.5]],
    ["json", "balanced", [24, 3, 0.5, 0.5]],
  ] as const)("for %s tasks under %s", (format, strategy, expected) => {
    const settings = settingsFor({ paper: true }, strategy, [format, format]);
    expect(row(settings)).toEqual(expected);
    expect(settings).toMatchObject({ insert: "one", lambda: 0, kappa: defaultSettings.kappa });
  });

  it("give way to what was set by hand, but for what the paper excludes", () => {
    expect(settingsFor({ paper: true, capacity: 7, p: 0.9 }, "exit", ["code"])).toMatchObject({
      capacity: 7,
      p: 0.9,
      minBuffer: 3,
    });
    for (const given of [{ insert: "all" }, { lambda: 0.1 }] as const)
      expect(() => settingsFor({ paper: true, ...given }, "exit", ["code"])).toThrow(
        "The paper enters one child",
      );
  });

  it("are refused for tasks that have different ones", () => {
    expect(() => settingsFor({ paper: true }, "exit", ["code", "answer"])).toThrow("one after the other");
  });

  it("are nothing to a run that does not follow the paper", () => {
    expect(settingsFor({ kappa: 1 }, "diverge", ["code"])).toEqual({ ...defaultSettings, kappa: 1 });
  });
});
