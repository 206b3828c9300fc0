import { expect, test } from "vitest";
import { demoOptions } from "../../scripts/demo/options.mjs";
import { resultOf } from "../../scripts/demo/result.mjs";
import { checkModel, chooseRuntime, ollamaHost } from "../../scripts/demo/runtime.mjs";

test("without options the demo runs six iterations of eight replies on digits-config", () => {
  const { run, workspace, model } = demoOptions([]);
  expect(run.join(" ")).toBe("--task digits-config --iterations 6 --group-size 8 -C examples/digits-config");
  expect([workspace, model]).toEqual(["examples/digits-config", undefined]);
});

test("the example names folder and task; other options pass through in their order", () => {
  const { run } = demoOptions([
    "--strategy",
    "greedy",
    "--example",
    "tabular-code",
    "--iterations=12",
    "--json",
  ]);
  expect(run.join(" ")).toBe(
    "--task tabular-code --group-size 8 --strategy greedy --iterations=12 --json -C examples/tabular-code",
  );
});

test("the user's own task, group size and model replace the demo's", () => {
  const { run, model } = demoOptions(["--task", "mine", "--group-size", "4", "--model", "big.gguf"]);
  expect(run.join(" ")).toBe(
    "--iterations 6 --task mine --group-size 4 --model big.gguf -C examples/digits-config",
  );
  expect(model).toBe("big.gguf");
});

test.each(["--hours", "--tokens", "--target"])("with %s the demo sets no number of iterations", (name) => {
  expect(demoOptions([name, "1"]).run).not.toContain("--iterations");
});

test("in another folder no task is assumed", () => {
  const { run, workspace } = demoOptions(["-C", "/home/me/work"]);
  expect(workspace).toBe("/home/me/work");
  expect(run).not.toContain("--task");
  expect(run.slice(-2)).toEqual(["-C", "/home/me/work"]);
});

test.each([["--example"], ["--example", "--iterations"], ["--example", "../etc"], ["--model="]])(
  "a missing or odd value is refused: %s %s",
  (...args) => {
    expect(() => demoOptions(args)).toThrow(/--(example|model)/);
  },
);

const server = { host: "http://127.0.0.1:11434", models: ["big:7b", "mine:latest"] };

test("a server that happens to run is named, not used", () => {
  const { name, parts, reason } = chooseRuntime(demoOptions([]), server);
  expect([name, parts]).toEqual(["embedded", ["embedded", "model"]]);
  expect(reason).toContain(server.host);
  expect(chooseRuntime(demoOptions(["--model", "big.gguf"]), server)).toMatchObject({ name: "embedded" });
});

test("a model that is no file means Ollama: the one that answers, else one of our own", () => {
  const wish = demoOptions(["--model", "mine"]);
  expect(chooseRuntime(wish, server)).toMatchObject({ name: "ollama", parts: [], host: server.host });
  expect(chooseRuntime(wish, undefined)).toMatchObject({ parts: ["ollama", "model"], model: "mine" });
  const unnamed = demoOptions(["--runtime", "ollama"]);
  expect(chooseRuntime(unnamed, undefined)).toMatchObject({ name: "ollama", model: "smollm2:135m" });
});

test("a model that the server lacks is refused with those it has", () => {
  expect(() => checkModel("other", server)).toThrow(/no model other.*big:7b, mine:latest.*ollama pull other/);
  expect(() => chooseRuntime(demoOptions(["--runtime", "ollama"]), server)).toThrow("with --model");
});

test.each([
  [undefined, "http://127.0.0.1:11434"],
  ["0.0.0.0", "http://127.0.0.1:11434"],
  ["box", "http://box:11434"],
  [":8080", "http://127.0.0.1:8080"],
  ["[::1]:8080", "http://[::1]:8080"],
  ["https://box/", "https://box:443"],
])("OLLAMA_HOST %s is read as Ollama reads it: %s", (setting, host) => {
  expect(ollamaHost(setting)).toBe(host);
});

const node = (id: string, parent: string | null, verdict: string, quality: number | null, depth = 1) => ({
  id,
  parent,
  depth,
  verdict,
  quality,
  score: quality,
});

test("the best is the scored node of highest quality, beside the root it came from", () => {
  const nodes = [
    node("root", null, "scored", 0.5, 0),
    node("a", "root", "scored", 0.7),
    node("b", "a", "scored", 0.9, 2),
    node("c", "a", "scored", 0.9, 2),
    node("d", "b", "timeout", null, 3),
  ];
  const result = resultOf(nodes);
  expect([result?.best.id, result?.baseline?.id, result?.deepest]).toEqual(["b", "root", 3]);
  expect(result?.verdicts).toEqual({ scored: 3, timeout: 1 });
});

test("a tree without any score has no result", () => {
  expect(resultOf([node("root", null, "crash", null, 0)])).toBeUndefined();
});
