/** Collects what is wrong with the file sets of one task, each at its place in the task file. */
import type { JsonPath, Problem } from "./json-text.ts";
import type { TaskText } from "./task-text.ts";

/** More of one kind are counted, not listed. */
const listedPerKind = 10;

export interface Complaints {
  readonly problems: readonly Problem[];
  add(path: JsonPath, sentence: string): void;
  /** Adds the first few of many similar sentences. */
  addMany(path: JsonPath, sentences: readonly string[]): void;
  /** A problem in another file. */
  addElsewhere(problem: Problem): void;
}

export function createComplaints(task: TaskText): Complaints {
  const problems: Problem[] = [];
  const add = (path: JsonPath, sentence: string): void => {
    problems.push(task.json.problem(path, sentence));
  };
  return {
    problems,
    add,
    addMany(path, sentences) {
      for (const sentence of sentences.slice(0, listedPerKind)) add(path, sentence);
      const more = sentences.length - listedPerKind;
      if (more > 0) add(path, `and ${more} more files of this kind`);
    },
    addElsewhere: (problem) => {
      problems.push(problem);
    },
  };
}
