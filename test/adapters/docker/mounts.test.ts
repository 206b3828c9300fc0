/** Where inputs are mounted and outputs are looked for. */
import { describe, expect } from "vitest";
import { mountPoints, outputRoots } from "../../../src/adapters/docker/mounts.ts";
import { testWith } from "../../support/without.ts";

const test = testWith("docker");

describe("mount points", () => {
  test("are whole folders where nothing else is wanted in them", () => {
    const inputs = ["data/public/a.csv", "data/public/deep/b.csv", "data/c.csv"];
    expect(mountPoints(inputs, ["solution/main.py"], ["out.csv"])).toEqual(["data"]);
  });

  test("never cover a solution file", () => {
    const inputs = ["lib/data/a.csv", "lib/b.csv", "lib/data/deep/c.csv"];
    expect(mountPoints(inputs, ["lib/main.py"], [])).toEqual(["lib/data", "lib/b.csv"]);
  });

  test("never cover a folder in which outputs are expected", () => {
    const inputs = ["data/public/a.csv", "data/b.csv"];
    expect(mountPoints(inputs, [], ["data/pred.csv"])).toEqual(["data/public", "data/b.csv"]);
    expect(mountPoints(inputs, [], ["data/public/new/*.csv"])).toEqual(["data/public/a.csv", "data/b.csv"]);
    expect(mountPoints(inputs, [], ["data/**"])).toEqual(["data/public", "data/b.csv"]);
  });

  test("are single files at the top of the workspace", () => {
    expect(mountPoints(["train.csv"], ["main.py"], ["out.csv"])).toEqual(["train.csv"]);
  });
});

test("outputs are looked for below their first path component, or everywhere", () => {
  expect(outputRoots(["out/a/*.csv", "out/b.csv", "pred.csv"])).toEqual(["out", "pred.csv"]);
  expect(outputRoots(["pred.csv", "*.json"])).toBeNull();
});
