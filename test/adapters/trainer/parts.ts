import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ServedReply, StageRequest } from "../../../src/core/tuning/ports.ts";
import { defaultTraining } from "../../../src/core/tuning/tuned-model.ts";

/** The package under test. */
export const trainerPackage = join(import.meta.dirname, "../../../trainer");

/** The environment that the set-up made. */
export function realPython(): string {
  const python = process.env.EXIT_ML_TRAINER_PYTHON;
  if (python === undefined) throw new Error("The set-up's part `trainer` is missing here.");
  return python;
}

/** Writes base.gguf, random-adapter and served.json. */
export function writeTinyParts(folder: string): void {
  execFileSync(realPython(), [join(import.meta.dirname, "tiny_parts.py"), folder], {
    env: { ...process.env, PYTHONPATH: join(trainerPackage, "tests"), PYTHONDONTWRITEBYTECODE: "1" },
  });
}

export function servedTuned(folder: string): ServedReply[] {
  return JSON.parse(readFileSync(join(folder, "served.json"), "utf8"));
}

/** Groups to learn from, as an export has them, of a server that is said to have drawn each token with this log-probability. */
export function writeGroups(file: string, count: number, logprob: number): void {
  const reply = (index: number, token: number, advantage: number) => ({
    index,
    text: "",
    tokensMatch: true,
    tokens: [{ id: token, text: "" }],
    logprobs: [logprob],
    finish: "stop",
    constrained: null,
    reward: advantage,
    advantage,
  });
  const groups = Array.from({ length: count }, (_, at) => ({
    version: 1,
    id: `g${at}`,
    policy: "tiny",
    prompt: { rendered: `<s>lr${at}=` },
    replies: [reply(0, 300, 1), reply(1, 301, -1)],
  }));
  writeFileSync(file, groups.map((group) => `${JSON.stringify(group)}\n`).join(""));
}

export function stageIn(folder: string, groups = "groups.jsonl", out = "stage"): StageRequest {
  return {
    model: join(folder, "base.gguf"),
    groups: join(folder, groups),
    out: join(folder, out),
    adapter: null,
    policy: "tiny",
    settings: { ...defaultTraining, device: "cpu", mostMismatch: 100 },
    probes: [{ text: "<s>ab", tokens: 3 }],
  };
}
