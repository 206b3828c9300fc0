import { expect, it } from "vitest";
import { isSelfLoading } from "../../../src/core/self-loading.ts";

it.each([
  ["code", ["a.py", "sub/A.PYC", "x.pth", "libm.so.6", "m.dll", "a.R", "b.mjs", "c.class", "run.sh"]],
  ["settings of tools", ["pytest.ini", "sub/Setup.cfg", "package.json", ".Rprofile", "Makefile", ".env"]],
  [
    "all that lies in a folder that is loaded",
    ["__pycache__/a.txt", "x.dist-info/a.txt", "node_modules/a/b.csv"],
  ],
])("an output may not be %s", (_, paths) => {
  expect(paths.filter((path) => !isSelfLoading(path))).toEqual([]);
});

it("data and models may be outputs, and files that are only read when named", () => {
  const paths = [
    "out.csv",
    "a.json",
    "w.npy",
    "w.pt",
    "m.safetensors",
    "notes.txt",
    "my.ini",
    "a.zip",
    "m.onnx",
    "so",
  ];
  expect(paths.filter(isSelfLoading)).toEqual([]);
});
