/** The current solution as a prompt shows it: exact, so that SEARCH lines can be copied from it. */
import type { Solution } from "../ports.ts";
import { parseTextFile, shownText } from "../reply/text-file.ts";
import { fenced } from "./untrusted.ts";

/** Languages of fences, by extension; other files have none. */
const languages: Readonly<Record<string, string>> = {
  py: "python",
  json: "json",
  md: "markdown",
  sh: "bash",
  yaml: "yaml",
  yml: "yaml",
  toml: "toml",
};

/** Each file as the reply format writes a whole file. */
export function shownSolution(solution: Solution): string {
  if (solution.length === 0) return "There are no files yet.";
  return solution
    .map(({ path, bytes }) => {
      const file = parseTextFile(bytes);
      if (file === null) return `FILE: ${path}\n(${bytes.length} bytes that are not text)`;
      const language = languages[path.split(".").at(-1) ?? ""] ?? "";
      return `FILE: ${path}\n${fenced(shownText(file), language)}`;
    })
    .join("\n\n");
}

/** The texts of the solution's text files. */
export function solutionTexts(solution: Solution): string[] {
  return solution.flatMap(({ bytes }) => {
    const file = parseTextFile(bytes);
    return file === null ? [] : [shownText(file)];
  });
}
