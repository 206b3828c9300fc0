import { expect, test } from "vitest";
import { runCli } from "../../../src/cli/program.ts";
import { FakeHost } from "./fake-host.ts";

const init = ({ file }: { file?: string }) => ({ file: file ?? "exit.task.json" });

const flags = [
  ...["init", "--name", "digits", "--instruction", "Raise the accuracy.", "--files", "a/**", "b.py"],
  ...["--run", "python3 'my solution.py'", "--image", "python:3.12-slim"],
];

test("flags become the request, commands are split into words", async () => {
  const host = new FakeHost({ init });
  const score = [
    "--score",
    "python3 score.py",
    "--hidden",
    "score.py",
    "data/hidden/**",
    "--output",
    "p.csv",
  ];
  expect(await runCli([...flags, ...score, "--metric", "accuracy"], host)).toBe(0);
  expect(host.calls[0]?.request).toEqual({
    name: "digits",
    instruction: "Raise the accuracy.",
    files: ["a/**", "b.py"],
    run: ["python3", "my solution.py"],
    score: ["python3", "score.py"],
    hidden: ["score.py", "data/hidden/**"],
    outputs: ["p.csv"],
    metric: { name: "accuracy", direction: "maximize", worst: 0, best: 1 },
    image: "python:3.12-slim",
  });
});

test("the direction follows from the ends of the scale", async () => {
  const host = new FakeHost({ init });
  await runCli([...flags, "--from-run", "loss=(.*)", "--worst", "9", "--best", "0"], host);
  expect(host.calls[0]?.request).toMatchObject({ fromRun: "loss=(.*)", metric: { direction: "minimize" } });
});

test("without a terminal, what is missing is named and nothing is written", async () => {
  const host = new FakeHost({ init });
  expect(await runCli(["init", "--name", "digits"], host)).toBe(2);
  expect(host.messages).toBe(
    "exit-ml init still needs --instruction, --files, --run, --image, --score (or --from-run).\n",
  );
  expect(host.connections).toEqual([]);
});

test("in a terminal it asks for what the flags leave open, and offers defaults", async () => {
  const host = new FakeHost({ init });
  host.canAsk = true;
  // name, instruction, files, run, inputs, outputs, score, regular expression, metric, worst, best, image
  host.typed.push("", "Raise it.", "", "python3 train.py", "", "", "", "", "accuracy", "", "", "");
  expect(await runCli(["init"], host)).toBe(0);
  expect(host.calls[0]?.request).toEqual({
    name: "work",
    instruction: "Raise it.",
    files: ["solution/**"],
    run: ["python3", "train.py"],
    fromRun: "score=([0-9.]+)",
    metric: { name: "accuracy", direction: "maximize", worst: 0, best: 1 },
    image: "python:3.12-slim",
  });
});
