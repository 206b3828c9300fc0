/** Replies to `json` tasks: one object becomes the new content of the one solution file. */
import type { ResolvedTask, Solution } from "../ports.ts";
import { layoutOf, printJson } from "./json-print.ts";
import { type Json, parseJson, sameJson, toPlain } from "./json-text.ts";
import { refuse } from "./refusal.ts";
import { schemaProblem } from "./schema-check.ts";
import { closes, fenceLineOf } from "./syntax.ts";
import { emptyTextFile, newLines, parseTextFile, shownText, withLines } from "./text-file.ts";

export interface JsonEdit {
  readonly solution: Solution;
  readonly repairs: readonly string[];
  /** Offsets of the object in the text that was read. */
  readonly start: number;
  readonly end: number;
}

interface Found {
  readonly value: Json;
  readonly repairs: readonly string[];
  readonly start: number;
  readonly end: number;
}

/** @throws Refusal if there is not exactly one object, or the task's schema does not allow it. */
export function readJson(text: string, task: ResolvedTask, start: Solution): JsonEdit {
  const path = start[0]?.path ?? task.definition.solution.files[0] ?? "";
  if (!task.isSolutionPath(path)) return refuse(`The file of the solution, ${path}, does not exist yet.`);
  const bytes = start[0]?.bytes;
  const file = (bytes === undefined ? null : parseTextFile(bytes)) ?? emptyTextFile;
  const current = currentValue(shownText(file));

  const found = theObject(text, current);
  const wrong = task.schema === null ? null : schemaProblem(task.schema, toPlain(found.value));
  if (wrong !== null) return refuse(`The object breaks the task's schema: ${wrong}`);
  const { repairs, start: from, end } = found;
  if (current !== null && sameJson(current, found.value))
    return { solution: start, repairs, start: from, end };
  const printed = printJson(found.value, layoutOf(current === null ? "" : shownText(file))).split("\n");
  const content = withLines(file, newLines(file, printed));
  return {
    solution: [{ path, bytes: content, executable: start[0]?.executable ?? false }],
    repairs,
    start: from,
    end,
  };
}

/** Null if the file does not hold JSON. */
function currentValue(text: string): Json | null {
  try {
    const parsed = parseJson(text);
    return text.slice(parsed.end).trim() === "" ? parsed.value : null;
  } catch {
    return null;
  }
}

function theObject(text: string, current: Json | null): Found {
  const objects = findObjects(text);
  if (objects.length === 0)
    return refuse(text.trim() === "" ? "The reply is empty." : "The reply contains no JSON object.");
  const distinct = objects.filter(
    (one, index) => !objects.slice(0, index).some((other) => sameJson(other.value, one.value)),
  );
  const [first] = distinct;
  if (first !== undefined && distinct.length === 1)
    return objects.length === 1 ? first : { ...first, repairs: [...first.repairs, "duplicate-block"] };
  const fresh = distinct.filter((one) => current === null || !sameJson(current, one.value));
  const [only] = fresh;
  if (only === undefined || fresh.length > 1)
    return refuse("The reply contains several different JSON objects.");
  return { ...only, repairs: [...only.repairs, "quoted-current-ignored"] };
}

/** The objects of the reply: the whole text, else those in fenced blocks, else those in the prose. */
function findObjects(text: string): Found[] {
  const from = text.search(/\S/);
  if (text[from] === "{") {
    const parsed = parseJson(text, from);
    if (text.slice(parsed.end).trim() === "")
      return [{ value: parsed.value, repairs: parsed.repairs, start: from, end: parsed.end }];
  }
  const fenced = fencedTexts(text).filter((block) => /^\s*\{/.test(text.slice(block.start, block.end)));
  if (fenced.length > 0)
    return fenced.map(({ start, end }) => {
      const inside = text.slice(start, end);
      const parsed = parseJson(inside);
      if (inside.slice(parsed.end).trim() !== "")
        return refuse("A fenced block holds something after its JSON object.");
      const first = start + inside.search(/\S/);
      return {
        value: parsed.value,
        repairs: ["fenced", ...parsed.repairs],
        start: first,
        end: start + parsed.end,
      };
    });
  const found: Found[] = [];
  for (let at = text.indexOf("{"); at >= 0; ) {
    const parsed = parseJson(text, at);
    found.push({
      value: parsed.value,
      repairs: ["prose-stripped", ...parsed.repairs],
      start: at,
      end: parsed.end,
    });
    at = text.indexOf("{", parsed.end);
  }
  return found;
}

function fencedTexts(text: string): { readonly start: number; readonly end: number }[] {
  const blocks: { start: number; end: number }[] = [];
  let opened: { fence: NonNullable<ReturnType<typeof fenceLineOf>>; start: number } | null = null;
  for (let at = 0; at <= text.length; ) {
    const newline = text.indexOf("\n", at);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(at, end).replace(/\r$/, "");
    if (opened === null) {
      const fence = fenceLineOf(line);
      if (fence !== null) opened = { fence, start: Math.min(end + 1, text.length) };
    } else if (closes(line, opened.fence)) {
      blocks.push({ start: opened.start, end: at });
      opened = null;
    }
    at = end + 1;
  }
  if (opened !== null) return refuse("A fenced block is never closed, so its end is unclear.");
  return blocks;
}
