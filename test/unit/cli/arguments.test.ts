/** From a command line to the call the runner gets. */
import { describe, expect, test } from "vitest";
import { runCli } from "../../../src/cli/program.ts";
import { ExitError } from "../../../src/protocol/errors.ts";
import { requestSchemas } from "../../../src/protocol/requests.ts";
import { settingNotes } from "../../../src/protocol/results.ts";
import { type Answers, FakeHost } from "./fake-host.ts";
import { best, root, status } from "./sample.ts";

async function cli(line: string | string[], answers: Answers = {}) {
  const host = new FakeHost(answers);
  const code = await runCli(typeof line === "string" ? line.split(" ") : line, host);
  return { host, code };
}

const report = {
  task: "digits",
  verdict: "scored",
  score: 0.9,
  quality: 0.9,
  metrics: { f1: 0.8 },
  selfReported: false,
  feedback: null,
  evidence: { run: null, score: null },
  snapshot: "s",
  cached: false,
  ms: 1_200,
} as const;

describe("the options of evaluate", () => {
  const refuse = { evaluate: () => Promise.reject(new ExitError("run-active", "A run is at work.")) };
  const requestOf = async (line: string) => (await cli(line, refuse)).host.calls[0]?.request;

  test("without any: the numbers of EXIT.md, the held-out tasks, the model there is", async () => {
    expect(await requestOf("evaluate")).toEqual({
      policies: [{ runtime: null, model: null, endpoint: null }],
      tasks: [],
      heldOutStarts: false,
      limit: null,
      K: 4,
      n: 16,
      protocols: ["chain"],
      seed: 0,
      maxReplyTokens: 1024,
      allowMissing: [],
    });
  });

  test("with all", async () => {
    const line =
      "evaluate --model m.gguf --model smollm2:135m --task a --task b --held-out-starts --limit 5 --k 8 -n 64 --protocol both --seed 3 --max-reply-tokens 64 --runtime embedded --endpoint gpu-box --allow-missing gpu";
    const policy = { runtime: "embedded", endpoint: "gpu-box" };
    expect(await requestOf(line)).toEqual({
      policies: [
        { ...policy, model: "/home/me/work/m.gguf" },
        { ...policy, model: "smollm2:135m" },
      ],
      tasks: ["a", "b"],
      heldOutStarts: true,
      limit: 5,
      K: 8,
      n: 64,
      protocols: ["chain", "greedy"],
      seed: 3,
      maxReplyTokens: 64,
      allowMissing: ["gpu"],
    });
  });

  test("one that was cancelled says that the same command goes on", async () => {
    const { host, code } = await cli("evaluate", {
      evaluate: () => Promise.reject(new ExitError("cancelled", "Cancelled.")),
    });
    expect(code).toBe(130);
    expect(host.messages).toContain("the same command goes on from there");
  });

  test("a request without options is one that the runner takes", async () => {
    const request = await requestOf("evaluate --model a --model b");
    expect(requestSchemas.evaluate.safeParse(request).success).toBe(true);
  });

  test.each([
    "evaluate --k 0",
    "evaluate -n 0",
    "evaluate --limit 0",
    "evaluate --protocol best",
    "evaluate --model a --model a",
    "evaluate --allow-missing everything",
    "evaluate now",
  ])("%s is a wrong command line", async (line) => {
    expect((await cli(line, refuse)).code).toBe(2);
  });
});

describe("the options of run", () => {
  const refuse = { startRun: () => Promise.reject(new ExitError("run-active", "A run is at work.")) };
  const requestOf = async (line: string) => (await cli(line, refuse)).host.calls[0]?.request;

  test("without any: ten iterations, the defaults of the runner", async () => {
    expect(await requestOf("run")).toEqual({
      tasks: [],
      all: false,
      strategy: "balanced",
      budget: { iterations: 10, hours: null, tokens: null, target: null },
      settings: {},
      runtime: null,
      model: null,
      endpoint: null,
      fresh: false,
      allowMissing: [],
      seed: null,
    });
  });

  test("with settings by name, checked before anything is asked of the runner", async () => {
    const line =
      "run --set kappa=2.5 --set insert=all --set p=null --set embeddingModel=all-minilm --set paper=false";
    expect(await requestOf(line)).toMatchObject({
      settings: { kappa: 2.5, insert: "all", p: null, embeddingModel: "all-minilm", paper: false },
    });
    const refusals: [string, string, number][] = [
      ["kappa=-1", "The setting kappa must be a number of at least 0, not -1.", 1],
      ["kapa=1", 'There is no setting "kapa". There are: groupSize,', 1],
      ["kappa", 'not "kappa"', 2],
    ];
    for (const [given, sentence, expected] of refusals) {
      const { host, code } = await cli(["run", "--set", given], refuse);
      expect(host.messages).toContain(sentence);
      expect(code).toBe(expected);
      expect(host.calls).toEqual([]);
    }
  });

  test("the help of run names every setting with its default and where that comes from", async () => {
    const { host } = await cli("run --help");
    expect(host.printed).toContain(
      "kappa           inverse temperature of the start draw: a number of at least 0",
    );
    for (const { name, source } of settingNotes)
      expect(host.printed.replaceAll(/\s+/g, " ")).toMatch(
        new RegExp(`${name} [^(]*\\(default: [^;]+; ${source.replaceAll(/[()]/g, ".")}`),
      );
  });

  test("with all", async () => {
    expect(
      await requestOf(
        "run --task a --task b --strategy greedy --hours 1.5 --tokens 1000 --target 0.9 --group-size 4 --seed 0 --depth 1 --model m.gguf --runtime embedded --endpoint gpu-box --fresh --allow-missing gpu --allow-missing kill-latency --paper --max-reply-tokens 64",
      ),
    ).toEqual({
      tasks: ["a", "b"],
      all: false,
      strategy: "greedy",
      budget: { iterations: null, hours: 1.5, tokens: 1000, target: 0.9 },
      settings: { groupSize: 4, pipelineDepth: 1, maxReplyTokens: 64, paper: true },
      runtime: "embedded",
      model: "/home/me/work/m.gguf",
      endpoint: "gpu-box",
      fresh: true,
      allowMissing: ["gpu", "kill-latency"],
      seed: 0,
    });
  });

  test.each([
    "run --iterations 0",
    "run --iterations 1.5",
    "run --hours -1",
    "run --target high",
    "run --group-size 1",
    "run --allow-missing everything",
    "run --depth 3",
    "run --strategy best",
    "run --all --task a",
    "run --itterations 3",
    "run now",
  ])("%s is a wrong command line", async (line) => {
    const { host, code } = await cli(line);
    expect(code).toBe(2);
    expect(host.connections).toEqual([]);
    expect(host.messages).not.toBe("");
    expect(host.printed).toBe("");
  });
});

describe("the options of rounds", () => {
  const refuse = { startTuning: () => Promise.reject(new ExitError("run-active", "A run is at work.")) };
  const requestOf = async (line: string) => (await cli(line, refuse)).host.calls[0]?.request;

  test("without any: the numbers of EXIT.md", async () => {
    const request = await requestOf("rounds");
    expect(request).toEqual({
      ...{ job: "rounds", runtime: null, model: null, endpoint: null, fresh: false },
      settings: {
        ...{ hours: 8, rounds: null, groups: 48, collectHours: null, search: {}, allowMissing: [] },
        ...{ chains: [16, 64], K: 4, seed: 0 },
        training: {
          ...{ device: "auto", rank: 16, alpha: 32, learningRate: 2e-4, updates: 16, reduction: "grpo" },
          ...{ beta: 0.001, checkpointing: false, mostMismatch: 0.1, form: "merged" },
          ...{ mostSquare: 0.04, leastEffective: 0.5 },
        },
      },
    });
    expect(requestSchemas.startTuning.parse(request)).toEqual(request);
  });

  test("the runs' settings and the training's", async () => {
    const request = await requestOf(
      "rounds --set lambda=0 --group-size 4 --max-reply-tokens 96 --learning-rate 1e-4 --most-square 1 --least-effective 0.1",
    );
    expect(request).toMatchObject({
      settings: {
        search: { lambda: 0, groupSize: 4, maxReplyTokens: 96 },
        training: { learningRate: 1e-4, mostSquare: 1, leastEffective: 0.1 },
      },
    });
    expect(requestSchemas.startTuning.parse(request)).toEqual(request);
  });

  test.each(["rounds --most-square 0", "rounds --least-effective 2", "rounds --set kapa=1"])(
    "%s is refused before anything is asked of the runner",
    async (line) => {
      const { host, code } = await cli(line, refuse);
      expect(code).toBeGreaterThan(0);
      expect(host.calls).toEqual([]);
      expect(host.messages).not.toBe("");
    },
  );
});

describe("the workspace folder", () => {
  const tree = { tree: () => ({ nodes: [] }), status: () => status };

  test.each(["-C sub tree", "tree -C sub", "tree --json -C sub", "tree --directory=sub"])(
    "%s",
    async (line) => {
      expect((await cli(line, tree)).host.connections).toEqual([
        { folder: "/home/me/work/sub", start: true },
      ]);
    },
  );

  test("is the current one by default, and named again in what to do next", async () => {
    expect((await cli("tree", tree)).host.connections[0]?.folder).toBe("/home/me/work");
    const { host } = await cli(["tree", "-C", "my project"], tree);
    expect(host.printed).toContain("exit-ml run -C 'my project'");
  });
});

test("paths are meant from where the user stands", async () => {
  const { host } = await cli("score --from ../other --task t", { score: () => report, status: () => status });
  expect(host.calls[0]?.request).toEqual({ task: "t", from: "/home/me/other" });
  const exported = await cli("export --out data", {
    export: ({ out }) => ({
      ...{ folder: out, format: "native", seen: 3, kept: 1, dropped: { dull: 2 }, examples: 1 },
      replies: { seen: 8, kept: 8, dropped: {} },
      ...{ tasks: [], policies: [] },
    }),
  });
  expect(exported.host.printed).toBe(
    "Wrote 1 of 3 groups to /home/me/work/data\n  2 groups left out: dull\n",
  );
});

describe("the options of export", () => {
  const refuse = { export: () => Promise.reject(new ExitError("nothing-to-export", "There is nothing.")) };
  const requestOf = async (line: string) => (await cli(line, refuse)).host.calls[0]?.request;

  test("without any: the native form of everything", async () => {
    const filter = { goals: [], minQuality: null, improving: false, perTask: null };
    const request = await requestOf("export --out data");
    expect(request).toEqual({ out: "/home/me/work/data", task: null, format: "native", filter });
    expect(requestSchemas.export.parse(request)).toEqual(request);
  });

  test("with all", async () => {
    const line =
      "export --out data --task t --format trl-dpo --goal improve --goal debug --min-quality 0.5 --improving --per-task 20";
    expect(await requestOf(line)).toEqual({
      ...{ out: "/home/me/work/data", task: "t", format: "trl-dpo" },
      filter: { goals: ["improve", "debug"], minQuality: 0.5, improving: true, perTask: 20 },
    });
  });

  test.each(["--goal better", "--min-quality 2", "--per-task 0", "--format csv"])(
    "%s is refused before anything is asked for",
    async (option) => {
      const { host, code } = await cli(`export --out data ${option}`, refuse);
      expect(code).not.toBe(0);
      expect(host.connections).toEqual([]);
    },
  );

  test("examples, and what was left out, are told with their reasons", async () => {
    const { host } = await cli("export --out data --format trl-sft", {
      export: ({ out }) => ({
        ...{ folder: out, format: "trl-sft", seen: 3, kept: 2, dropped: { duplicate: 1 }, examples: 5 },
        replies: { seen: 16, kept: 5, dropped: { "cut short": 1, "not among the best": 10 } },
        ...{ tasks: ["digits"], policies: ["m@d.t#v0"] },
      }),
    });
    expect(host.printed).toBe(
      [
        "Wrote 5 examples from 2 of 3 groups to /home/me/work/data",
        "  1 group left out: duplicate",
        "  1 reply left out: cut short",
        "  10 replies left out: not among the best",
        "",
      ].join("\n"),
    );
  });
});

describe("with --json", () => {
  test("standard output is one document and nothing else", async () => {
    const nodes = [{ ...root, best: false }, best];
    const { host, code } = await cli("tree --json", { tree: () => ({ nodes }), status: () => status });
    expect(JSON.parse(host.printed)).toEqual({ nodes });
    expect(code).toBe(0);
  });

  test("an error is a document too, and a sentence on standard error", async () => {
    const diff = () => Promise.reject(new ExitError("node-unknown", "There is no node n9."));
    const { host, code } = await cli("diff n9 --json", { diff });
    expect(JSON.parse(host.printed)).toEqual({
      error: { reason: "node-unknown", message: "There is no node n9." },
    });
    expect(host.messages).toBe("There is no node n9.\n");
    expect(code).toBe(1);
  });
});

describe("the exit code is 0 only on success", () => {
  test.each([
    ["scored", 0],
    ["crash", 1],
    ["eval_error", 1],
  ] as const)("score: %s is %i", async (verdict, expected) => {
    const score = () => ({ ...report, verdict });
    expect((await cli("score", { score, status: () => status })).code).toBe(expected);
  });

  test("check: 1 where the task was refused", async () => {
    const findings = [
      { level: "refused", probe: "fake-score-line", message: "A fake score was believed." },
    ] as const;
    const check = () => ({ task: "digits", passed: false, findings });
    const { host, code } = await cli("check", { check });
    expect(code).toBe(1);
    expect(host.printed).toContain("✗ fake-score-line  A fake score was believed.");
  });
});

test("show looks for a group where no node has the name, and otherwise says what is missing", async () => {
  const show = () => Promise.reject(new ExitError("node-unknown", "There is no node x."));
  const showGroup = () => Promise.reject(new ExitError("group-unknown", "There is no group x."));
  const { host, code } = await cli("show x", { show, showGroup });
  expect(host.calls.map(({ method }) => method)).toEqual(["show", "showGroup"]);
  expect(host.messages).toBe("There is no node x.\n");
  expect(code).toBe(1);
});

test("stop starts no runner only to stop it", async () => {
  const host = new FakeHost();
  host.connect = () => Promise.reject(new ExitError("runner-absent", "Nothing is running."));
  expect(await runCli(["stop", "--json"], host)).toBe(0);
  expect(JSON.parse(host.printed)).toEqual({ stopped: false });
});

test("a diff that goes into a file is byte for byte what the runner said; in a terminal it is harmless", async () => {
  const diff = () => ({ from: "n1", to: "n4", diff: "--- a\n+++ b\n+\u001b]0;x\u0007y\r\n" });
  expect((await cli("diff best", { diff })).host.printed).toBe(diff().diff);
  const host = new FakeHost({ diff });
  host.stdoutIsTTY = true;
  host.env = { NO_COLOR: "1" };
  await runCli(["diff", "best"], host);
  expect(host.printed).toBe("--- a\n+++ b\n+y\n");
});

describe("clean", () => {
  const freed = [
    { kind: "snapshots", count: 1200, bytes: 5_000_000 },
    { kind: "logs", count: 0, bytes: 0 },
    { kind: "volumes", count: 2, bytes: null },
  ] as const;
  const notes = ["Containers were not looked for."];
  const clean: Answers["clean"] = ({ dryRun }) => ({ dryRun, freed, notes });

  test("prints what was freed by kind, and what was left alone on standard error", async () => {
    const { host, code } = await cli("clean --exports", { clean });
    expect(host.calls[0]?.request).toEqual({ dryRun: false, exports: true });
    expect(host.printed).toBe("snapshots  1,200, 5 MB\nvolumes    2\nfreed      5 MB\n");
    expect(host.messages).toBe("Containers were not looked for.\n");
    expect(code).toBe(0);
  });

  test("with --dry-run removes nothing and says so", async () => {
    const { host } = await cli("clean --dry-run", { clean });
    expect(host.calls[0]?.request).toEqual({ dryRun: true, exports: false });
    expect(host.printed).toContain("would be freed  5 MB");
  });

  test("says when there is nothing", async () => {
    const nothing: Answers["clean"] = () => ({ dryRun: false, freed: [], notes: [] });
    expect((await cli("clean", { clean: nothing })).host.printed).toBe("Nothing to clean up.\n");
    const { host } = await cli("clean --json", { clean });
    expect(JSON.parse(host.printed)).toEqual({ dryRun: false, freed, notes });
  });

  test("during a run is refused with what to do", async () => {
    const refuse = () => Promise.reject(new ExitError("run-active", 'End it with "exit-ml stop".'));
    const { host, code } = await cli("clean", { clean: refuse });
    expect([code, host.messages]).toEqual([1, 'End it with "exit-ml stop".\n']);
  });
});

test("every verb explains itself", async () => {
  const verbs = "init check score run status stop tree show diff apply revert export clean image".split(" ");
  for (const verb of verbs) {
    const { host, code } = await cli([...(verb === "image" ? ["image", "build"] : [verb]), "--help"]);
    expect(code).toBe(0);
    expect(host.printed).toMatch(/--json/);
  }
  expect((await cli(["--help"])).host.printed).toContain("exit-ml apply best");
});

describe("replay", () => {
  const same = { run: "r1", groups: 6, decisions: 412, differences: [], notChecked: [] };

  test("of a run that follows from its records ends well", async () => {
    const { host, code } = await cli("replay r1", { replay: () => same });
    expect(host.calls).toEqual([{ method: "replay", request: { run: "r1" } }]);
    expect(host.printed).toBe("0 differences in 6 groups, 412 decisions\n");
    expect(code).toBe(0);
  });

  test("names each difference and what was not checked, and fails", async () => {
    const differences = [
      { group: "r1i3", quantity: "reward of reply 2", recorded: 0.5, recomputed: -0.1 },
      { group: "r1i4", quantity: "start", recorded: "n7", recomputed: null },
    ];
    const report = { ...same, differences, notChecked: ["The buffer after each group (2 of the groups)"] };
    const { host, code } = await cli("replay r1", { replay: () => report });
    expect(host.printed.split("\n")).toEqual([
      "r1i3: reward of reply 2: recorded 0.5, recomputed -0.1",
      'r1i4: start: recorded "n7", recomputed null',
      "not checked: The buffer after each group (2 of the groups)",
      "2 differences in 6 groups, 412 decisions",
      "",
    ]);
    expect(code).toBe(1);
    const json = await cli("replay r1 --json", { replay: () => report });
    expect(JSON.parse(json.host.printed)).toEqual(report);
    expect(json.code).toBe(1);
  });
});
