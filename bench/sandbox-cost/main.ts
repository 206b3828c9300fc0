/**
 * What a sealed score costs beyond the commands: `npm run bench:sandbox [-- --rounds N]`.
 *
 * A run whose command copies one file and a score command that prints one, so that what is left is ours, against
 * `docker run --rm IMAGE true` with the same limits. Both are measured in turn, in pairs, so that whatever else the
 * machine does meets both. The whole of the removals is waited for before the next measurement of either, and left
 * out of ours where nothing waits for it.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "../../src/adapters/docker/engine.ts";
import { createOptions, limitsOf, workdir } from "../../src/adapters/docker/recipe.ts";
import type { ResolvedTask } from "../../src/core/ports.ts";
import { never, requestFor } from "../../test/adapters/docker/trial.ts";
import { load, median, option, percentile, promise } from "../support/figures.ts";
import { plainRun } from "../support/plain-run.ts";
import { answer, openMeasured } from "../support/sandbox.ts";

const most = 2.5;
const rounds = option("rounds", 40);
const warmUp = 3;

const marks: { at: number; step: string }[] = [];
const measured = openMeasured((_key, step) => {
  marks.push({ at: performance.now(), step });
});
const task = measured.task();
const reference = await referenceCommand(task);

try {
  const ours: number[] = [];
  const theirs: number[] = [];
  const phases = new Map<string, number[]>();
  const one = async (): Promise<void> => {
    const { ms, parts } = await trial();
    ours.push(ms);
    for (const [name, part] of parts) phases.set(name, [...(phases.get(name) ?? []), part]);
    await measured.settled();
  };
  for (let round = -warmUp; round < rounds; round += 1) {
    if (round === 0)
      for (const kept of [ours, theirs, phases]) "clear" in kept ? kept.clear() : kept.splice(0);
    if (round % 2 === 0) await one();
    theirs.push(await plainRun(reference));
    if (round % 2 !== 0) await one();
  }
  report(ours, theirs, phases);
} finally {
  const left = await measured.close();
  promise(`nothing is left behind${left.map((name) => `, but ${name}`).join("")}`, left.length === 0);
}

/** One run and its evaluation. */
async function trial(): Promise<{ ms: number; parts: [string, number][] }> {
  const request = requestFor(task, answer);
  marks.length = 0;
  const began = performance.now();
  const ran = await measured.sandbox.run(request, never);
  if (ran.kind !== "finished") throw new Error(`the run failed: ${JSON.stringify(ran)}`);
  const between = performance.now();
  const scored = await measured.sandbox.evaluate(request, ran.outputs, never);
  if (scored.kind !== "printed") throw new Error(`the evaluation failed: ${JSON.stringify(scored)}`);
  const ended = performance.now();
  let last = began;
  const parts = [...marks, { at: between, step: "run done" }, { at: ended, step: "score done" }]
    .sort((one, other) => one.at - other.at)
    .filter(({ step, at }) => at <= ended && step !== "volumes-gone")
    .map(({ at, step }, index): [string, number] => {
      const part = at - last;
      last = at;
      return [`${index} ${step}`, part];
    });
  return { ms: ended - began, parts };
}

/** The arguments of `docker` that make a container just as the sandbox makes its own. */
async function referenceCommand({ definition }: ResolvedTask): Promise<string[]> {
  const engine = await connect(null);
  const name = definition.sandbox.image ?? "";
  const options = createOptions(engine, {
    name: "",
    image: { name, digest: name },
    command: ["true"],
    warden: null,
    env: [],
    labels: {},
    mounts: [],
    limits: limitsOf(requestFor(task, answer), 0),
    gpus: 0,
  });
  engine.close();
  const { HostConfig: host = {} } = options;
  return [
    ...["run", "--rm", "--user", String(options.User), "--workdir", workdir],
    ...["--network", String(host.NetworkMode), "--ipc", String(host.IpcMode), "--read-only"],
    ...(host.CapDrop ?? []).flatMap((drop: string) => ["--cap-drop", drop]),
    ...(host.SecurityOpt ?? []).flatMap((option: string) => ["--security-opt", asFile(option)]),
    ...["--pids-limit", String(host.PidsLimit), "--memory", String(host.Memory)],
    ...["--memory-swap", String(host.MemorySwap), "--cpus", String((host.NanoCpus ?? 0) / 1e9)],
    ...["--oom-score-adj", String(host.OomScoreAdj), "--shm-size", String(host.ShmSize)],
    ...(host.Ulimits ?? []).flatMap(({ Name, Soft, Hard }) => ["--ulimit", `${Name}=${Soft}:${Hard}`]),
    ...Object.entries<string>(host.Tmpfs ?? {}).flatMap(([path, how]) => ["--tmpfs", `${path}:${how}`]),
    ...["--log-driver", String(host.LogConfig?.Type)],
    ...[name, "true"],
  ];
}

function report(
  ours: readonly number[],
  theirs: readonly number[],
  phases: ReadonlyMap<string, number[]>,
): void {
  const ratios = ours.map((ms, index) => ms / (theirs[index] ?? Number.NaN));
  const row = (name: string, values: readonly number[], digits: number): void =>
    console.log(
      `${name.padEnd(38)}${[0.5, 0.95].map((share) => percentile(values, share).toFixed(digits).padStart(9)).join("")}`,
    );
  console.log(`${rounds} pairs in turn, ${load()}`);
  console.log(`${"".padEnd(38)}${"p50".padStart(9)}${"p95".padStart(9)}`);
  row("run and sealed score, ms", ours, 0);
  row("docker run --rm, same limits, ms", theirs, 0);
  row("ratio of each pair", ratios, 2);
  for (const [name, values] of phases) row(`  to "${name.replace(/^\d+ /, "")}", ms`, values, 0);
  const ratio = median(ours) / median(theirs);
  promise(`p50 ${ratio.toFixed(2)} x docker run --rm (promised: at most ${most} x)`, ratio <= most);
}

/** A system-call filter is given to the API as text, to the command as a file. */
function asFile(option: string): string {
  const [, filter] = /^seccomp=(\{.*)$/s.exec(option) ?? [];
  if (filter === undefined) return option;
  const file = join(measured.folder, "system-calls.json");
  writeFileSync(file, filter);
  return `seccomp=${file}`;
}
