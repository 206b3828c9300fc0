/** Scores with the name of their metric, where the runner knows it. */
import type { Status } from "../../protocol/results.ts";
import { score } from "./format.ts";

export interface MetricNames {
  /** `accuracy 0.93`, or `score 0.93`. */
  scored(task: string, value: number): string;
}

export function metricNames(tasks: Status["tasks"]): MetricNames {
  const names = new Map(tasks.map((task) => [task.name, task.metric?.name]));
  return { scored: (task, value) => `${names.get(task) ?? "score"} ${score(value)}` };
}
