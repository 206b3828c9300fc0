/** The part of a prompt that says how to reply. The reader of the other side is `src/core/reply`. */
import type { Goal } from "../history.ts";
import type { ResolvedTask, Solution } from "../ports.ts";
import { fenceFor, markerLengthFor, markersOf } from "../reply/syntax.ts";
import { solutionTexts } from "./solution.ts";

/** How a `code` reply is written; fences and markers of the example are long enough for the solution's own text. */
export function codeContract(task: ResolvedTask, solution: Solution, goal: Goal): string {
  const texts = solutionTexts(solution);
  const fence = fenceFor(texts.join("\n"));
  const markers = markersOf(markerLengthFor(texts));
  const example = solution[0]?.path ?? "path/of/file";
  const whole = `FILE: ${example}\n${fence}\nthe complete new content of the file\n${fence}`;
  const change = [
    `FILE: ${example}`,
    markers.search,
    "lines of the current file",
    markers.divider,
    "the lines that replace them",
    markers.replace,
  ].join("\n");
  const limits = [
    `Only these files may be changed or created: ${task.definition.solution.files.join(", ")}.`,
    "Files you do not name stay as they are.",
    "Write every line out; never abbreviate code with a comment.",
  ];
  if (solution.length > 1) limits.push("A line `DELETE: path` removes a file.");
  const parts = [
    "## Format of your reply",
    diverging(goal),
    solution.length === 0 || goal === "solve"
      ? `Write each file whole:\n\n${whole}`
      : `Write each file you change whole:\n\n${whole}\n\nor replace parts of it. Copy the SEARCH lines exactly from the current file: whole lines that occur in it only once. Several changes may follow each other.\n\n${change}`,
    limits.join(" "),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

/** How a `json` reply is written. Under a schema the sampler lets nothing but the object through. */
export function jsonContract(task: ResolvedTask, goal: Goal): string {
  const change = goal === "solve" ? "" : " and at least one value changed";
  const object = `JSON object, with all its keys${change}`;
  if (task.schema === null && goal === "diverge")
    return `${diverging(goal)}\n\nWrite the new solution as one ${object}.`;
  return `Reply with only the new ${object}.`;
}

/** The three steps of the paper's divergence prompt (appendix B), in our words. */
function diverging(goal: Goal): string {
  if (goal !== "diverge") return "";
  return [
    "1. Sum up the approach of the current solution in one or two sentences.",
    "2. Name an approach that is meaningfully different.",
    "3. Write a new solution that takes it, as follows.",
  ].join("\n");
}
