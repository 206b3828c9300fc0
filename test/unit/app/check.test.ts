import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { auditTask } from "../../../src/app/check.ts";
import { languageOf } from "../../../src/app/probe-languages.ts";
import { ExitError } from "../../../src/core/errors.ts";
import type { ResolvedTask, ScoreRequest, ScoreResult, Scorer, Solution } from "../../../src/core/ports.ts";
import { taskSchema } from "../../../src/core/task.ts";
import { qualityOf, type Verdict } from "../../../src/core/verdict.ts";

const base = {
  name: "digits",
  instruction: "Better.",
  solution: { files: ["solution/**"] },
  run: { command: ["python3", "solution/train.py"], outputs: ["predictions.csv", "out/*.json"] },
  score: { command: ["python3", "score.py"] },
  metric: { direction: "maximize", worst: 0, best: 1 },
  sandbox: { image: "local" },
};

function taskOf(changes: object = {}): ResolvedTask {
  const staged = { digest: "", folder: "/", files: [] };
  return {
    id: "digits",
    file: "exit.task.json",
    definition: taskSchema.parse({ ...base, ...changes }),
    schema: null,
    isSolutionPath: () => true,
    isOutputPath: (path) => path === "predictions.csv" || /^out\/[^/]+\.json$/.test(path),
    context: [],
    inputs: staged,
    hidden: staged,
    evaluatorDigest: "e",
  };
}

function filesOf(files: Readonly<Record<string, string>>): Solution {
  return Object.entries(files).map(([path, text]) => ({
    path,
    bytes: new TextEncoder().encode(text),
    executable: false,
  }));
}

const python = filesOf({ "solution/notes.md": "notes", "solution/train.py": "train()\n" });

type Judged = Verdict | number | Error;

/** Audits with a scorer that judges by the text of the program. */
async function audit(
  judge: (text: string, request: ScoreRequest) => Judged,
  options: { readonly task?: ResolvedTask; readonly solution?: Solution; readonly signal?: AbortSignal } = {},
) {
  const { task = taskOf(), solution = python, signal = new AbortController().signal } = options;
  const requests: ScoreRequest[] = [];
  const scorer: Scorer = {
    async score(request) {
      requests.push(request);
      const text = Buffer.from(request.solution.at(-1)?.bytes ?? []).toString();
      const judged = judge(text, request);
      if (judged instanceof Error) throw judged;
      const verdict = typeof judged === "number" ? "scored" : judged;
      const score = typeof judged === "number" ? judged : null;
      const result: ScoreResult = {
        verdict,
        score,
        quality: qualityOf(verdict, score, task.definition.metric),
        qualitySE: null,
        metrics: {},
        feedback: verdict === "invalid" ? "no predictions" : null,
        evidence: { run: null, score: null },
        cached: false,
        ms: 0,
      };
      return result;
    },
  };
  const report = await auditTask({ task, workspace: { solution: async () => solution }, scorer, signal });
  return {
    ...report,
    requests,
    levels: Object.fromEntries(report.findings.map(({ probe, level }) => [probe, level])),
    messages: Object.fromEntries(report.findings.map(({ probe, message }) => [probe, message])),
  };
}

const isRoot = (text: string): boolean => text === "train()\n";
const honest = (text: string): Judged => (isRoot(text) ? 0.6 : "invalid");

describe("the audit of a code task", () => {
  it("passes when only the solution scores, and asks for each scoring under a key of its own", async () => {
    const { passed, levels, requests } = await audit(honest);
    expect(passed).toBe(true);
    expect(levels).toEqual({
      root: "ok",
      "empty-solution": "ok",
      "fake-score-line": "ok",
      "fake-score-file": "ok",
    });
    expect(requests.map(({ isRoot }) => isRoot)).toEqual([true, false, false, false]);
    expect(new Set(requests.map(({ key }) => key)).size).toBe(4);
    expect(new Set(requests.map(({ snapshot }) => snapshot)).size).toBe(4);
  });

  it("refuses a score command that scores an empty solution", async () => {
    const { passed, levels, messages } = await audit((text) => (text === "" ? 0 : honest(text)));
    expect(passed).toBe(false);
    expect(levels["empty-solution"]).toBe("refused");
    expect(messages["empty-solution"]).toBe(
      'The solution with all its files emptied scored 0 (quality 0). The score command must answer {"invalid": "reason"} instead of a score when the outputs are missing or empty.',
    );
  });

  it("refuses a score command that believes a printed score", async () => {
    const { passed, levels } = await audit((text) => (text.startsWith("print(") ? 1 : honest(text)));
    expect([passed, levels["fake-score-line"], levels["fake-score-file"]]).toEqual([false, "refused", "ok"]);
  });

  it("refuses a score command that believes a score file", async () => {
    const { passed, messages } = await audit((text) =>
      text.includes('"predictions.csv"') ? 1 : honest(text),
    );
    expect(passed).toBe(false);
    expect(messages["fake-score-file"]).toMatch(
      /^A program that only writes {"score":1} .* scored 1 .*predictions\.csv/,
    );
  });

  it("empties every file, but cheats in programs only", async () => {
    const { requests } = await audit(honest);
    const textsOf = (index: number): string[] =>
      (requests[index]?.solution ?? []).map(({ bytes }) => Buffer.from(bytes).toString());
    expect(textsOf(1)).toEqual(["", ""]);
    expect(textsOf(2)[0]).toBe("notes");
  });

  it("cheats with the best score that would be believed", async () => {
    const task = taskOf({ metric: { ...base.metric, plausible: [0, 0.9] } });
    const { requests } = await audit(honest, { task });
    expect(Buffer.from(requests[2]?.solution[1]?.bytes ?? []).toString()).toContain('{\\"score\\":0.9}');
  });

  it("refuses a solution that does not score, and tries nothing further", async () => {
    const { passed, findings, requests } = await audit(() => "invalid");
    expect(passed).toBe(false);
    expect(requests).toHaveLength(1);
    expect(findings).toEqual([
      {
        level: "refused",
        probe: "root",
        message:
          'The solution as it stands does not score (invalid). no predictions. Mend it, or set "baseline": "mayFail" to let the run begin by repairing it.',
      },
    ]);
  });

  it("only warns of it if the task says that the baseline may fail, and still cheats", async () => {
    const task = taskOf({ baseline: "mayFail" });
    const { passed, levels } = await audit(() => "crash", { task });
    expect([passed, levels.root, levels["fake-score-file"]]).toEqual([true, "warning", "ok"]);
  });

  it.each([
    ["infra", "could not be judged (infra)"],
    ["eval_error", "The score command failed"],
    ["quarantine", 'outside "plausible"'],
  ] as const)("refuses a root that comes out %s even then", async (verdict, sentence) => {
    const { passed, messages } = await audit(() => verdict, { task: taskOf({ baseline: "mayFail" }) });
    expect(passed).toBe(false);
    expect(messages.root).toContain(sentence);
  });

  it("warns when nothing is left to improve", async () => {
    const { passed, levels } = await audit((text) => (isRoot(text) ? 1 : "invalid"));
    expect([passed, levels.root]).toEqual([true, "warning"]);
  });

  it("does not pass a probe that could not be judged", async () => {
    const { passed, messages } = await audit((text) => (text === "" ? "infra" : honest(text)));
    expect(passed).toBe(false);
    expect(messages["empty-solution"]).toContain("could not be judged (infra)");
  });

  it("counts quarantine as not believed", async () => {
    const { passed } = await audit((text) => (isRoot(text) ? 0.6 : "quarantine"));
    expect(passed).toBe(true);
  });

  it("blames the score command when it breaks on outputs that scored, but not when none ever did", async () => {
    const broken = new ExitError("evaluator-broken", "The score command fails. Mend it.");
    const scored = await audit((text) => (isRoot(text) ? 0.6 : broken));
    expect([scored.passed, scored.messages["empty-solution"]]).toEqual([
      false,
      "The score command fails. Mend it.",
    ]);
    const never = await audit((text) => (isRoot(text) ? "crash" : broken), {
      task: taskOf({ baseline: "mayFail" }),
    });
    expect(never.passed).toBe(true);
  });

  it("says that it cannot cheat in a language it does not know", async () => {
    const { passed, levels } = await audit((text) => (text === "" ? "crash" : 0.5), {
      solution: filesOf({ "solution/main.f90": "end" }),
    });
    expect(passed).toBe(true);
    expect(levels).toEqual({ root: "ok", "empty-solution": "ok", "fake-score-line": "warning" });
  });

  it("ends with the signal's reason, and passes other errors on", async () => {
    const stop = new AbortController();
    const judge = (text: string): Judged => {
      stop.abort(new Error("enough"));
      return honest(text);
    };
    await expect(audit(judge, { signal: stop.signal })).rejects.toThrow("enough");
    await expect(audit(() => new ExitError("docker-unreachable", "No Docker."))).rejects.toMatchObject({
      reason: "docker-unreachable",
    });
  });
});

describe("the audit of a json task", () => {
  const task = taskOf({
    solution: { files: ["c.json"], format: "json" },
    metric: { direction: "minimize", worst: 10, best: 0 },
  });
  const solution = filesOf({ "c.json": '{"lr":1}' });
  const judgeBy = (root: Judged, empty: Judged) => (text: string) => (text === "{}\n" ? empty : root);

  it.each([
    ["is worse", 4, 6, true],
    ["is equal", 4, 4, true],
    ["is refused by the score command", 4, "invalid", true],
    ["is better", 4, 3, false],
  ] as const)("when the empty object %s", async (_, root, empty, expected) => {
    const { passed, levels } = await audit(judgeBy(root, empty), { task, solution });
    expect(passed).toBe(expected);
    expect(levels).toEqual({ root: "ok", "empty-object": expected ? "ok" : "refused" });
  });
});

describe("the audit of a self-reported task", () => {
  it("warns instead of cheating, since anything printed would score", async () => {
    const task = taskOf({ score: { fromRun: "acc=(.*)" } });
    const { passed, levels, requests } = await audit(() => 0.5, { task });
    expect(passed).toBe(true);
    expect(levels).toEqual({ root: "ok", "self-reported": "warning" });
    expect(requests).toHaveLength(1);
  });
});

describe("the cheating programs", () => {
  const line = '{"score":1}';
  const names = ["score.json", "out/it's here.json"];

  const commands = [
    ["train.py", "python3"],
    ["train.sh", "sh"],
    ["train.mjs", process.execPath],
  ] as const;
  const isThere = (command: string): boolean => spawnSync(command, ["-c", ""]).error === undefined;

  it.each(commands.filter(([, command]) => isThere(command)))("really cheat as %s", (name, command) => {
    const language = languageOf(name);
    const folder = mkdtempSync(join(tmpdir(), "exit-cheat-"));
    try {
      const run = (text: string | undefined): string => {
        writeFileSync(join(folder, name), text ?? "");
        return execFileSync(command, [name], { cwd: folder, encoding: "utf8" });
      };
      expect(run(language?.print(line)).trim()).toBe(line);
      expect(run(language?.write(names, line))).toBe("");
      for (const path of names) expect(readFileSync(join(folder, path), "utf8")).toBe(`${line}\n`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("are not written for data", () => {
    expect(["a.json", "a.md", "Makefile", "py"].map(languageOf)).toEqual([null, null, null, null]);
  });
});
