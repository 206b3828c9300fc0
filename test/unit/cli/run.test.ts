/** `exit-ml run` from its start to its exit code, over a fake runner. */
import { expect, test } from "vitest";
import { runCli } from "../../../src/cli/program.ts";
import { ExitError } from "../../../src/protocol/errors.ts";
import type { Group } from "../../../src/protocol/results.ts";
import { FakeHost } from "./fake-host.ts";
import { closed, ended, opened, replies, root, run, started, status } from "./sample.ts";

const answers = {
  startRun: () => ({ run, continued: false }),
  stopRun: () => ({ stopped: true }),
  tree: () => ({ nodes: [root] }),
  status: () => status,
};

/** Lets everything that waits for an answer go on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function running(args: string[] = [], change: object = {}) {
  const host = new FakeHost({ ...answers, ...change });
  const code = runCli(["run", ...args], host);
  await settle();
  return { host, code };
}

test("a run is told to its end, in plain lines where nobody looks", async () => {
  const { host, code } = await running();
  host.tell(started, opened, ...replies, closed, ended("iterations"));
  expect(await code).toBe(0);
  expect(host.printed).toContain("★ new best");
  expect(host.printed).toContain("exit-ml apply best");
  expect(host.printed).not.toContain("\u001b");
});

test("an iteration that an earlier session left open is told from what the history has of it", async () => {
  if (opened.type !== "groupOpened") throw new TypeError();
  const reply = {
    index: 0,
    verdict: "scored",
    tokens: [{ id: 1, text: "a" }],
  } as unknown as Group["replies"][number];
  const group = { ...opened.opening, replies: [reply] } as unknown as Group;
  const { host, code } = await running([], { showGroup: () => group });
  host.tell(...replies.slice(2), closed, ended("iterations"));
  expect(await code).toBe(0);
  expect(host.printed).toContain("improve from n1 (the root, accuracy 0.9), taken up again with 1 reply\n");
  expect(host.printed).toContain("iteration 1: 3 of 4 scored");
});

test("events that come before the answer to startRun are not lost", async () => {
  const host: FakeHost = new FakeHost({
    ...answers,
    startRun: () => {
      host.tell(
        { type: "progress", text: "loading the model" },
        started,
        opened,
        ...replies,
        closed,
        ended("target"),
      );
      return { run, continued: false };
    },
  });
  expect(await runCli(["run"], host)).toBe(0);
  expect(host.messages).toContain("loading the model");
  expect(host.printed.match(/^iteration 1/gm)).toHaveLength(1);
});

test("with --json each event is a line", async () => {
  const { host, code } = await running(["--json"]);
  host.tell(started, opened, ended("iterations"));
  expect(await code).toBe(0);
  const types = host.printed
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { type: string }).type);
  expect(types).toEqual(["runStarted", "groupOpened", "runEnded"]);
});

test("colours only in a terminal that wants them", async () => {
  for (const [isTTY, noColour, coloured] of [
    [true, undefined, true],
    [true, "1", false],
    [false, undefined, false],
  ] as const) {
    const { host, code } = await running();
    host.tell(ended("iterations"));
    await code;
    const other = new FakeHost(answers);
    other.stdoutIsTTY = isTTY;
    other.env = { NO_COLOR: noColour };
    const done = runCli(["run"], other);
    await settle();
    other.tell(started, ended("iterations"));
    await done;
    expect(other.printed.includes("\u001b[1m")).toBe(coloured);
  }
});

test("the first Ctrl-C stops the run and waits for its end", async () => {
  const { host, code } = await running();
  host.tell(started, opened);
  host.interrupt();
  await settle();
  expect(host.calls.map(({ method }) => method)).toContain("stopRun");
  expect(host.messages).toContain("the run can be continued by the same command");
  host.tell(ended("stopped"));
  expect(await code).toBe(130);
  expect(host.printed).toContain("The run was stopped.");
});

test("the second Ctrl-C leaves", async () => {
  const { host, code } = await running();
  host.interrupt();
  host.interrupt();
  expect(await code).toBe(130);
  expect(host.calls.filter(({ method }) => method === "stopRun")).toHaveLength(1);
});

test("Ctrl-C while the run is still starting stops it once it has", async () => {
  let start: () => void = () => undefined;
  const starting = new Promise<void>((resolve) => (start = resolve));
  const { host, code } = await running([], {
    startRun: () => starting.then(() => ({ run, continued: false })),
    stopRun: () => ({ stopped: false }),
  });
  host.interrupt();
  start();
  await settle();
  expect(host.calls.filter(({ method }) => method === "stopRun")).toHaveLength(2);
  host.tell(ended("stopped"));
  expect(await code).toBe(130);
});

test("a run that fails says why and exits with 1", async () => {
  const { host, code } = await running();
  host.tell(started, ended("error"));
  expect(await code).toBe(1);
  expect(host.printed).toContain("Docker does not answer.");
});

test("a run that cannot start exits with 1 and its sentence", async () => {
  const { host, code } = await running([], {
    startRun: () =>
      Promise.reject(new ExitError("model-missing", "There is no model; name one with --model.")),
  });
  expect(await code).toBe(1);
  expect(host.messages).toBe("There is no model; name one with --model.\n");
});

test.each([
  ["the runner goes away", 1, (host: FakeHost) => host.hangUp()],
  [
    "Ctrl-C is pressed twice",
    130,
    (host: FakeHost) => {
      host.interrupt();
      host.interrupt();
    },
  ],
])("on a terminal nothing ticks on when %s", async (_what, expected, end) => {
  const host = new FakeHost({ ...answers, stopRun: () => ({ stopped: true }) });
  host.stdoutIsTTY = true;
  const code = runCli(["run"], host);
  await settle();
  host.tell(started, opened);
  expect(host.ticking).toBe(1);
  end(host);
  expect(await code).toBe(expected);
  expect(host.ticking).toBe(0);
});

test("a runner that goes away in the middle is an error, and what to do is said", async () => {
  const { host, code } = await running();
  host.tell(started);
  host.hangUp();
  expect(await code).toBe(1);
  expect(host.messages).toContain("the same command goes on from there");
});
