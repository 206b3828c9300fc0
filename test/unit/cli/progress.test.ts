import { describe, expect, test } from "vitest";
import { openLive } from "../../../src/cli/progress/live.ts";
import { statusLine, tell } from "../../../src/cli/progress/progress.ts";
import { summary } from "../../../src/cli/progress/summary.ts";
import { follow, newBoard, timeLeft } from "../../../src/client/board.ts";
import { metricNames } from "../../../src/client/words/metric.ts";
import { makeStyle } from "../../../src/client/words/style.ts";
import { closed, ended, node, opened, replies, root, run, started, status } from "./sample.ts";

const options = { style: makeStyle(false), metrics: metricNames(status.tasks), columns: 100 };
const plain = { style: makeStyle(false), command: (words: string) => `exit-ml ${words}` };

test("a run is told as header, iterations, replies and what each iteration came to", () => {
  const board = newBoard(run, [root]);
  const lines = [started, opened, ...replies, closed].flatMap((event, i) =>
    tell(board, event, i * 1000, options),
  );
  expect(lines.join("\n")).toMatchInlineSnapshot(`
    "digits  begun: strategy exit, 4 replies an iteration, seed 7
      model    SmolLM2-135M-Instruct Q4_1 (embedded, on the CPU, 8 at once, context 4,096 tokens)
      sandbox  runc, engine 27.1 at /var/run/docker.sock, image exit-ml/python:local
      budget   3 iterations
      The model runs on the CPU.
      Ctrl-C stops; the same command goes on from there.

    iteration 1 of 3  improve from n1 (the root, accuracy 0.9), prompt 812 tokens
      1.1   scored        accuracy 0.9  unchanged
      1.2   scored        accuracy 0.95  ★ new best
      1.3   crash         ValueError: no such solver
      1.4   scored        accuracy 0.91  ✓ better than its start
      iteration 1: 3 of 4 scored, best so far accuracy 0.95, S 0.0125, 1,200 tokens in 9.0 s, about 2 min 10 s left"
  `);
});

test("the summary names the best revision and the next commands", () => {
  const end = ended("iterations");
  if (end.type !== "runEnded") throw new TypeError();
  expect(summary(end, status.tasks, plain).join("\n")).toMatchInlineSnapshot(`
    "
    The run is complete: its iterations are done.
      spent  1 iteration, 1,200 tokens, 1 min 05 s; model busy 80 %, sandbox 60 %
      best   accuracy 0.95 in n4, depth 1; the root has accuracy 0.9
      tree   3 nodes
    Next:
      exit-ml diff best         what it changes
      exit-ml apply best        take it into the workspace
      exit-ml tree              everything that was tried
      exit-ml export --out DIR  the informative iterations, for training"
  `);
});

test("a run without a better revision says so, and an error is printed with it", () => {
  const end = ended("error");
  if (end.type !== "runEnded") throw new TypeError();
  const tasks = status.tasks.map((task) => ({ ...task, best: root }));
  const text = summary(end, tasks, plain).join("\n");
  expect(text).toContain("Docker does not answer.");
  expect(text).toContain("nothing better than the root yet");
  expect(text).not.toContain("apply");
});

test("the status line counts what is under way", () => {
  const board = newBoard(run, [root]);
  for (const event of [started, opened, ...replies.slice(0, 3)]) tell(board, event, 0, options);
  expect(statusLine(board, 4_900)).toBe("iteration 1: 2 of 4 replies, 1 scored, 4 s");
});

test("text of a sandbox cannot steer the terminal", () => {
  const board = newBoard(run, [root]);
  const lines = [opened, ...replies].flatMap((event) => tell(board, event, 0, options));
  expect(lines.join("\n")).not.toContain("\u001b");
});

describe("the time left", () => {
  const spent = { ...run.spent, iterations: 2, ms: 60_000, tokens: 1_000 };
  const of = (budget: Partial<typeof run.budget>, before = run.spent) =>
    timeLeft({
      ...newBoard({ ...run, budget: { ...run.budget, iterations: null, ...budget }, spent: before }, []),
      spent,
    });

  test("is the nearest end of the budget at the pace seen so far", () => {
    expect(of({ iterations: 10 })).toBe(240_000);
    expect(of({ iterations: 10, tokens: 2_000 })).toBe(60_000);
    expect(of({ hours: 1 })).toBe(3_540_000);
    expect(of({ target: 0.99 })).toBeNull();
  });

  test("does not count what was done before we looked", () => {
    expect(of({ iterations: 3 }, { ...run.spent, iterations: 1, ms: 50_000 })).toBe(10_000);
  });
});

describe("the live view", () => {
  test("without a terminal prints lines only, without an escape code", () => {
    let text = "";
    const live = openLive(
      (part) => (text += part),
      false,
      () => 80,
    );
    live.status("working");
    live.lines(["one"]);
    live.end();
    expect(text).toBe("one\n");
  });

  test("in a terminal keeps one status line below the lines", () => {
    let text = "";
    const live = openLive(
      (part) => (text += part),
      true,
      () => 10,
    );
    live.status("0123456789abc");
    live.lines(["one"]);
    live.end();
    expect(text).toBe("\r\u001b[K012345678\r\u001b[Kone\n012345678\r\u001b[K");
  });
});

test("a node of an evaluator that is no longer the task's is not the best so far", () => {
  const old = node("n2", { score: 0.99, comparable: false });
  const board = newBoard(run, [old, root]);
  expect(board.best.get("digits")).toMatchObject({ node: "n1" });
  const outcome = { state: "infra", learnability: null, informative: false } as const;
  const { comparable: _, iteration: __, best: ___, ...late } = node("n5", { parent: "n2", score: 0.98 });
  const closing = { ...outcome, nodes: [late] };
  const event = {
    type: "groupClosed",
    group: "g1",
    iteration: 0,
    closing,
    best: null,
    spent: run.spent,
  } as const;
  follow(board, event, 0);
  expect(board.best.get("digits")).toMatchObject({ node: "n1" });
});
