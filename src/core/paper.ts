/** The settings of a run that follows the paper to the letter (EXIT.md section 8). */
import { ExitError } from "./errors.ts";
import type { Strategy } from "./history.ts";
import { type Settings, settingsSchema } from "./settings.ts";
import type { TaskDefinition } from "./task.ts";

type Format = TaskDefinition["solution"]["format"];
type PaperRow = Pick<Settings, "capacity" | "minBuffer" | "p" | "pDiv">;

/**
 * Rows of the paper's tables 4 to 6 (research/exit-paper.md section 3): math for answers, tool use for dialogues,
 * MLE-bench for code and json solutions. Its GRPO row has no buffer, so `grpo` takes what full ExIt has.
 */
const paperRows: Record<
  "math" | "tools" | "code",
  Record<"curriculum" | "improve" | "diverge" | "exit", PaperRow>
> = {
  math: {
    curriculum: { capacity: 512, minBuffer: 128, p: 0.5, pDiv: null },
    improve: { capacity: 512, minBuffer: 128, p: 0.5, pDiv: null },
    diverge: { capacity: 512, minBuffer: 128, p: 0.5, pDiv: 0.2 },
    exit: { capacity: 512, minBuffer: 128, p: 0.5, pDiv: 0.2 },
  },
  tools: {
    curriculum: { capacity: 320, minBuffer: 320, p: 0.2, pDiv: null },
    improve: { capacity: 640, minBuffer: 320, p: 0.5, pDiv: null },
    diverge: { capacity: 640, minBuffer: 320, p: 0.5, pDiv: 0.2 },
    exit: { capacity: 640, minBuffer: 320, p: 0.5, pDiv: 0.5 },
  },
  code: {
    curriculum: { capacity: 3, minBuffer: 3, p: 0.5, pDiv: null },
    improve: { capacity: 24, minBuffer: 8, p: 0.5, pDiv: null },
    diverge: { capacity: 32, minBuffer: 8, p: 0.5, pDiv: 0.2 },
    exit: { capacity: 24, minBuffer: 3, p: 0.5, pDiv: 0.5 },
  },
};

/**
 * The settings of a new run: what was given, else under `paper` the paper's row, else the default.
 * @param formats of the run's tasks
 * @throws ExitError `setting-invalid` for what contradicts the paper.
 */
export function settingsFor(
  given: Partial<Settings>,
  strategy: Strategy,
  formats: readonly Format[],
): Settings {
  if (given.paper !== true) return settingsSchema.parse(given);
  if (given.insert === "all" || (given.lambda ?? 0) !== 0)
    throw new ExitError(
      "setting-invalid",
      'The paper enters one child and has no lambda. Leave out insert and lambda, or leave out "paper".',
    );
  const [column = "code", ...others] = new Set(formats.map(columnOf));
  if (others.length > 0)
    throw new ExitError(
      "setting-invalid",
      'The paper has settings of their own for answers, dialogues and code. Run these tasks one after the other, or leave out "paper".',
    );
  const isRow = strategy === "curriculum" || strategy === "improve" || strategy === "diverge";
  return settingsSchema.parse({ ...paperRows[column][isRow ? strategy : "exit"], lambda: 0, ...given });
}

function columnOf(format: Format): keyof typeof paperRows {
  if (format === "answer") return "math";
  return format === "dialogue" ? "tools" : "code";
}
