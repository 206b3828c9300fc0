/** The settings `exitMl.*` as the rest of the extension reads them. Empty texts count as not set. */
import { workspace } from "vscode";
import type { RequestOf } from "../protocol/methods.ts";
import type { Strategy } from "../protocol/results.ts";

export interface RunSettings {
  readonly iterations: number;
  readonly strategy: Strategy;
  readonly groupSize: number;
  readonly maxReplyTokens: number;
  /** Others, by the engine's names; the runner says what is wrong with one. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface ModelSettings {
  readonly name: string | null;
  readonly runtime: string | null;
  readonly endpoint: string | null;
}

const read = () => workspace.getConfiguration("exitMl");
const text = (key: string): string | null => read().get<string | null>(key)?.trim() || null;

export function runSettings(): RunSettings {
  const settings = read();
  return {
    iterations: settings.get("run.iterations", 10),
    strategy: settings.get<Strategy>("run.strategy", "balanced"),
    groupSize: settings.get("run.groupSize", 8),
    maxReplyTokens: settings.get("run.maxReplyTokens", 1024),
    settings: settings.get("run.settings", {}),
  };
}

export function modelSettings(): ModelSettings {
  return { name: text("model.name"), runtime: text("model.runtime"), endpoint: text("model.endpoint") };
}

/** What of a training is to be other than by default. */
export const trainingSettings = (): RequestOf<"estimateTraining">["training"] =>
  read().get("trainer.settings", {});

export const nodePath = (): string | null => text("runner.nodePath");
export const trainerPython = (): string | null => text("trainer.python");
