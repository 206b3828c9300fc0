import { describe, expect, it } from "vitest";
import { problemLines } from "../../../src/adapters/workspace/json-text.ts";
import { parseTaskText } from "../../../src/adapters/workspace/task-text.ts";

const good = `{
  "name": "digits", // its name
  "instruction": "Raise the accuracy.",
  "solution": { "files": ["solution/**"] },
  "run": { "command": ["python3", "solution/train.py"], "outputs": ["p.csv"] },
  "score": { "command": ["python3", "score.py"], },
  "metric": { "direction": "maximize", "worst": 0, "best": 1 },
  "sandbox": { "image": "local" },
}`;

function problemsOf(text: string): string[] {
  const { problems } = parseTaskText("exit.task.json", text);
  return problems.length === 0 ? [] : problemLines(problems).split("\n");
}

/** The good task with one piece of its text replaced. */
function changed(from: string, to: string): string {
  expect(good).toContain(from);
  return good.replace(from, to);
}

describe("a task file", () => {
  it("may have comments and trailing commas, and gets its defaults", () => {
    const { definition, problems } = parseTaskText("exit.task.json", good);
    expect(problems).toEqual([]);
    expect(definition).toMatchObject({
      solution: { format: "code" },
      run: { timeout: "5m", inputs: [] },
      score: { hidden: [], timeout: "1m" },
      metric: { name: "score" },
      sandbox: { cpus: 1, memory: "2g", disk: "256m", pids: 256, gpus: 0, network: "none" },
      baseline: "mustScore",
      repeats: 1,
      split: "train",
    });
  });

  it("may begin with a byte order mark and use carriage returns, with the lines still right", () => {
    const text = `\uFEFF${changed('"worst": 0', '"wurst": 0').replaceAll("\n", "\r\n")}`;
    expect(problemsOf(text)).toEqual([
      'exit.task.json:7:3: metric lacks "worst" (Raw score that is worth quality 0)',
      'exit.task.json:7:40: unknown key "wurst" in metric; did you mean "worst"?',
    ]);
  });

  it("names the place of a syntax error and nothing that only follows from it", () => {
    expect(problemsOf('{ "name": "a"\n  "instruction": 3 }')).toEqual([
      "exit.task.json:2:3: a comma is missing before this",
    ]);
    expect(problemsOf("{ 'name': 1 }")[0]).toBe("exit.task.json:1:3: texts and keys stand in double quotes");
    expect(problemsOf("{")).toEqual(["exit.task.json:1:2: a closing } is missing"]);
    expect(problemsOf(" \n")).toEqual([
      "exit.task.json:1:1: the task file is empty; `exit-ml init` writes one",
    ]);
    expect(problemsOf("[]")).toEqual(["exit.task.json:1:1: the task file must be an object, not a list"]);
  });

  it("may not have a key twice, since one of the two would silently lose", () => {
    expect(problemsOf(changed('"worst": 0,', '"worst": 0, "worst": 1,'))).toEqual([
      'exit.task.json:7:52: the key "worst" stands twice in one object; keep one of them',
    ]);
  });

  it("gets a suggestion for a mistyped key, at the key", () => {
    expect(problemsOf(changed('"instruction"', '"instrucshun"'))).toEqual([
      'exit.task.json:1:1: the task file lacks "instruction" (What the model is asked to improve, and under which rules)',
      'exit.task.json:3:3: unknown key "instrucshun"; did you mean "instruction"?',
    ]);
    expect(problemsOf(changed('"image"', '"zebra": 1, "image"'))).toEqual([
      expect.stringMatching(
        /^exit\.task\.json:8:16: unknown key "zebra" in sandbox; known here: image, build, /,
      ),
    ]);
  });

  it.each([
    ['"worst": 0', '"worst": 1', "exit.task.json:7:60: metric.best: worst and best are equal"],
    ['"worst": 0', '"worst": 2', "exit.task.json:7:28: metric.direction: contradicts worst 2 and best 1"],
    ['"best": 1', '"best": "1"', 'exit.task.json:7:60: metric.best: must be a number, not the text "1"'],
    [
      '"maximize"',
      '"maximise"',
      'metric.direction: must be "maximize" or "minimize", not "maximise"; did you mean "maximize"?',
    ],
    ['"best": 1', '"best": 1, "plausible": [1, 0]', "metric.plausible: the lower bound stands first"],
    [
      "solution/**",
      "../other/**",
      "exit.task.json:4:27: solution.files[0]: must stay inside the workspace folder",
    ],
    ["solution/**", "{a,..}/b", "solution.files[0]: must stay inside the workspace folder"],
    ["solution/**", "/etc/passwd", "solution.files[0]: must be a path relative to the workspace folder"],
    ["solution/**", "C:/x", "solution.files[0]: must be a path relative to the workspace folder"],
    ["solution/**", "!x", "solution.files[0]: may not start with !"],
    [
      '["p.csv"]',
      "[]",
      "exit.task.json:5:68: run.outputs: is empty, so the score command would have nothing to read",
    ],
    [
      '"outputs"',
      '"timeout": "5 min", "outputs"',
      'run.timeout: must be a duration such as "90s", "5m" or "1h" (it is "5 min")',
    ],
    ['"image": "local"', "", 'sandbox: needs exactly one of "image" and "build"'],
    ['"image": "local"', '"image": "local", "memory": "lots"', "sandbox.memory: must be a size"],
    [
      '"image": "local"',
      '"build": { "requirements": ["--index-url=x"] }',
      "sandbox.build.requirements[0]: must be a package",
    ],
    ['"command": ["python3", "score.py"],', '"fromRun": "acc=[0-9]+"', "score.fromRun: has no group"],
    [
      '"command": ["python3", "score.py"],',
      '"fromRun": "acc=("',
      "score.fromRun: is not a valid regular expression",
    ],
    [
      '"command": ["python3", "score.py"],',
      '"fromrun": "(x)"',
      'unknown key "fromrun" in score; did you mean "fromRun"?',
    ],
    [
      '"command": ["python3", "score.py"],',
      '"command": ["x"], "fromRun": "(x)"',
      'the key "fromRun" in score does not go together with "command"',
    ],
    ['["solution/**"]', '["a", "b"], "format": "json"', "solution.files: format json takes exactly one file"],
    ['["solution/**"]', '["a"], "schema": {}', "solution.schema: goes with format json only"],
    ['"digits"', '"a/b"', "name: must be 1 to 64 letters"],
  ])("with %s made %s is refused: %s", (from, to, sentence) => {
    expect(problemsOf(changed(from, to)).join("\n")).toContain(sentence);
  });

  it("tells all its problems at once, in the order of the text", () => {
    const text = changed('"worst": 0', '"worst": 1')
      .replace('"run"', '"rum"')
      .replace('"name": "digits"', '"name": ""')
      .replace('"image"', '"imgae"');
    const lines = problemsOf(text);
    expect(lines.map((line) => line.split(":").slice(1, 2).join())).toEqual(["1", "2", "5", "7", "8", "8"]);
    expect(lines.join("\n")).toMatch(
      /lacks "run".*\n.*name: .*\n.*"rum".*\n.*equal.*\n.*exactly one.*\n.*"imgae"/,
    );
  });
});
