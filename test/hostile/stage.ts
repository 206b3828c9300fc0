/** Where a case is played: a workspace of its own with a plain task, and one sandbox. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createWorkspace } from "../../src/adapters/workspace/workspace.ts";
import { isExitError, messageOf } from "../../src/core/errors.ts";
import type { ResolvedTask, ScoreResult, Solution } from "../../src/core/ports.ts";
import { type Files, honest, honestScore, type Seen, type TaskParts, type Trial } from "./case.ts";
import type { Provider, Stand } from "./conformance.ts";

/** Stands in files and in the environment of this process; it must never reach a revision or come out of a run. */
export const canary = "canary-7d1f0c52";

/** Prints the number in `out.csv` as the score, whatever it is. */
const plainScore = `print('{"score": ' + open("out.csv").read() + "}")\n`;

export interface Stage {
  readonly provider: Provider;
  readonly stand: Stand;
  /** Holds the workspace, the data staged for sandboxes and what the stand keeps. */
  readonly folder: string;
  /** Verdicts and refusals met so far. */
  readonly met: string[];
  /** What was not as it must be, as sentences. */
  readonly faults: string[];
  /** Facts about the engine. */
  readonly notes: string[];
  /** Milliseconds by which runs outlived their time limit. */
  readonly overruns: number[];
  /** Plays a trial and notes what is wrong with it. */
  trial(trial: Trial): Promise<void>;
  task(parts?: TaskParts, files?: Files, prepare?: Trial["prepare"]): Promise<ResolvedTask>;
  score(task: ResolvedTask, solution: Solution, options?: ScoreOptions): Promise<ScoreResult>;
}

interface ScoreOptions {
  readonly isRoot?: boolean;
  readonly key?: string;
  readonly signal?: AbortSignal;
  readonly withoutKills?: boolean;
}

const never = new AbortController().signal;

/** @param folder an empty folder of ours, but for the stand's */
export function openStage(provider: Provider, stand: Stand, folder: string): Stage {
  const workspaceFolder = join(folder, "workspace");
  const stagingFolder = join(folder, "staging");
  for (const each of [workspaceFolder, stagingFolder]) mkdirSync(each);
  const workspace = createWorkspace({ folder: workspaceFolder, stagingFolder });
  const met: string[] = [];
  const faults: string[] = [];
  const overruns: number[] = [];
  const notes: string[] = [];
  let trials = 0;

  async function task(
    parts: TaskParts = {},
    files: Files = {},
    prepare: Trial["prepare"] = () => undefined,
  ): Promise<ResolvedTask> {
    rmSync(workspaceFolder, { recursive: true });
    const written: Files = {
      "solution/main.py": "# The solution as the user left it.\n",
      "score.py": plainScore,
      "data/labels.csv": `labels,${canary}\n`,
      "data/public.csv": "0.5\n",
      ".env": `TOKEN=${canary}\n`,
      ".netrc": `machine example password ${canary}\n`,
      ".git/config": `[remote "origin"] url = https://${canary}@example.invalid\n`,
      ".vscode/settings.json": "{}\n",
      ...files,
    };
    const hidden = Object.keys(files).filter((path) => path.startsWith("hidden/"));
    const definition = {
      name: "plain",
      instruction: "Write a number into out.csv.",
      solution: { files: ["solution/**"] },
      run: {
        command: ["python3", "solution/main.py"],
        inputs: ["data/public.csv"],
        outputs: ["out.csv"],
        timeout: "60s",
        ...parts.run,
      },
      score: {
        command: ["python3", "score.py"],
        hidden: ["score.py", "data/labels.csv", ...hidden],
        timeout: "30s",
        ...parts.score,
      },
      metric: { direction: "maximize", worst: 0, best: 1, plausible: [-10, 0.99], ...parts.metric },
      ...(parts.holdout && { holdout: parts.holdout }),
      sandbox: { image: stand.image, memory: "128m", disk: "16m", pids: 64, ...parts.sandbox },
    };
    for (const [path, text] of Object.entries({
      ...written,
      "exit.task.json": JSON.stringify(definition),
    })) {
      mkdirSync(dirname(join(workspaceFolder, path)), { recursive: true });
      writeFileSync(join(workspaceFolder, path), text);
    }
    prepare(workspaceFolder);
    return workspace.resolve("plain");
  }

  async function score(
    task: ResolvedTask,
    solution: Solution,
    { isRoot = false, key = `trial-${++trials}`, signal = never, withoutKills = false }: ScoreOptions = {},
  ): Promise<ScoreResult> {
    const snapshot = createHash("sha256").update(JSON.stringify(solution)).digest("hex");
    const request = { key, run: "run-1", task, snapshot, solution, isRoot };
    const seal = sealOf(workspaceFolder, stagingFolder);
    const { scorer } = withoutKills ? await stand.withoutKills() : stand;
    const result = await scorer.score(request, signal);
    assert.equal(sealOf(workspaceFolder, stagingFolder), seal, "a file of the user's has changed");
    // What the evaluator prints is the user's own: it may name labels.
    const { feedback, metrics, evidence } = result;
    assert.doesNotMatch(
      JSON.stringify([feedback, metrics, evidence.run]),
      new RegExp(canary),
      "a secret came out",
    );
    return result;
  }

  async function attempt({ expects, ...trial }: Trial): Promise<void> {
    const refusal = typeof expects === "string" ? null : expects.refusal;
    let resolved: ResolvedTask;
    let result: ScoreResult;
    try {
      resolved = await task(trial.task, trial.workspace, trial.prepare);
      if (trial.rootFirst) {
        const root = await score(resolved, honest, { isRoot: true });
        assert.equal(root.verdict, "scored", "the honest root must score");
      }
      result = await score(resolved, trial.revision, { withoutKills: trial.withoutKills ?? false });
    } catch (error) {
      if (refusal === null || !isExitError(error, refusal)) throw error;
      met.push(refusal);
      return;
    }
    met.push(result.verdict);
    const limit = /^(\d+)s$/.exec(resolved.definition.run.timeout)?.[1];
    if (result.verdict === "timeout" && !trial.withoutKills && result.evidence.run && limit !== undefined)
      overruns.push(result.evidence.run.ms - Number(limit) * 1000);
    const { run, score: scoring } = result.evidence;
    assert.equal(
      result.verdict,
      expects,
      `verdict; ${run?.note} ${scoring?.note ?? ""} ${run?.stderr.slice(-300)}`,
    );
    const seen: Seen = {
      result,
      stdout: run?.stdout ?? "",
      stderr: run?.stderr ?? "",
      evaluator: scoring?.stderr ?? "",
    };
    trial.holds?.(seen);
    if (trial.tells) notes.push(trial.tells(seen));
  }

  return {
    provider,
    stand,
    folder,
    met,
    faults,
    overruns,
    notes,
    task,
    score,
    async trial(trial) {
      try {
        await attempt(trial);
      } catch (error) {
        faults.push(`${trial.name === undefined ? "" : `${trial.name}: `}${messageOf(error)}`);
      }
    },
  };
}

/** After whatever was played, an honest revision must score what it always scores. */
export async function proveUnharmed(stage: Stage): Promise<void> {
  const result = await stage.score(await stage.task(), honest);
  assert.deepEqual(
    { verdict: result.verdict, score: result.score },
    { verdict: "scored", score: honestScore },
    "the next run is affected",
  );
}

/** Changes with any name, mode, size, time or byte below the folders. */
function sealOf(...folders: readonly string[]): string {
  const hash = createHash("sha256");
  for (const folder of folders)
    for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
      const { mode, size, mtimeMs } = lstatSync(join(folder, path));
      hash.update(JSON.stringify([path, mode, size, mtimeMs]));
      if (lstatSync(join(folder, path)).isFile()) hash.update(readFileSync(join(folder, path)));
    }
  return hash.digest("hex");
}
