/** A reply cut into the blocks it edits with; what stands between them is prose. Syntax: see syntax.ts. */
import { type Change, readChange } from "./change.ts";
import { deletionOf, type Label, labelAbove, labelInFence } from "./label.ts";
import { refuse } from "./refusal.ts";
import { closes, type FenceLine, fenceLineOf, isStrayMarker, openerOf } from "./syntax.ts";

interface Placed {
  /** Offsets in the text that was scanned. */
  readonly start: number;
  readonly end: number;
  /** Rungs of the repair ladder taken. */
  readonly repairs: readonly string[];
}

export interface WholeBlock extends Placed {
  readonly kind: "whole";
  readonly label: Label | null;
  /** First word after the opening fence, in lower case. */
  readonly language: string;
  readonly lines: readonly string[];
}

export interface ChangeBlock extends Placed, Pick<Change, "search" | "replace" | "doubtfulDivider"> {
  readonly kind: "change";
  readonly label: Label | null;
}

interface DeleteBlock extends Placed {
  readonly kind: "delete";
  readonly path: string;
}

export type Block = WholeBlock | ChangeBlock | DeleteBlock;

interface Line {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** Lines of prose a documented `FILE:` line may stand above its block. */
const proseAllowed = 2;

/**
 * All blocks of `text` in order. `known` are the paths of the solution.
 * @throws Refusal if a fence or a change is cut, doubled or nested, so that its content cannot be known.
 */
export function scanBlocks(text: string, known: ReadonlySet<string>): Block[] {
  const lines = linesOf(text);
  const blocks: Block[] = [];
  let above: { label: Label; start: number; prose: number } | null = null;
  let wrapper: { fence: FenceLine; label: Label | null; start: number } | null = null;
  /** The file of the change directly above, which the next change shares. */
  let running: Label | null = null;

  const takeAbove = (): { label: Label; start: number } | null => {
    if (above === null) return null;
    const { label, start, prose } = above;
    above = null;
    return { label: prose > 0 ? { ...label, repair: "path-above" } : label, start };
  };
  /** A documented name must lead to a block: else a part of the edit is lost. */
  const requireContent = (): void => {
    if (above?.label.repair === null) refuse(`No content follows the line "FILE: ${above.label.path}".`);
  };
  const readText = (line: Line): void => {
    if (line.text.trim() === "") return;
    running = null;
    if (isStrayMarker(line.text))
      refuse(`The marker ${JSON.stringify(line.text.trim())} stands outside of any change.`);
    const removed = deletionOf(line.text);
    if (removed !== null) {
      blocks.push({ kind: "delete", path: removed, start: line.start, end: line.end, repairs: [] });
      return;
    }
    const label = labelAbove(line.text, known);
    const waiting = above?.label.repair === null ? above : null;
    if (label !== null && (label.repair === null || waiting === null)) {
      requireContent();
      above = { label, start: line.start, prose: 0 };
    } else if (waiting !== null) {
      if (waiting.prose === proseAllowed) requireContent();
      above = { ...waiting, prose: waiting.prose + 1 };
    } else above = null;
  };

  for (let at = 0; at < lines.length; ) {
    const line = lines[at];
    if (line === undefined) break;
    const opener = openerOf(line.text);
    if (opener !== null) {
      const change = readChange(lines, at, opener);
      const named = takeAbove();
      const fenced: { label: Label | null; start: number } | null = wrapper;
      const inMarker = opener.rest === null ? null : labelInFence(opener.rest, known);
      const label: Label | null =
        oneLabel(named?.label ?? null, inMarker) ?? running ?? fenced?.label ?? null;
      blocks.push({
        kind: "change",
        label,
        search: change.search,
        replace: change.replace,
        doubtfulDivider: change.doubtfulDivider,
        repairs: [...(fenced === null ? [] : ["fenced-change"]), ...change.repairs],
        start: named?.start ?? fenced?.start ?? line.start,
        end: lines[change.next - 1]?.end ?? line.end,
      });
      running = label;
      at = change.next;
      continue;
    }
    if (wrapper !== null) {
      if (closes(line.text, wrapper.fence)) {
        wrapper = null;
        running = null;
      } else if (line.text.trim() !== "" && labelAbove(line.text, known) === null) {
        return refuse("A fenced block mixes SEARCH/REPLACE changes with other lines.");
      } else readText(line);
      at++;
      continue;
    }
    const fence = fenceLineOf(line.text);
    if (fence === null) {
      readText(line);
      at++;
      continue;
    }
    running = null;
    const named = takeAbove();
    const label = oneLabel(named?.label ?? null, labelInFence(fence.info, known));
    const start = named?.start ?? line.start;
    if (wrapsChanges(lines, at + 1, known)) {
      wrapper = { fence, label, start };
      at++;
      continue;
    }
    const end = closingLine(lines, at, fence);
    blocks.push({
      kind: "whole",
      label,
      language: (fence.info.split(/[\s:{]/)[0] ?? "").toLowerCase(),
      lines: withoutIndent(
        lines.slice(at + 1, end).map((inner) => inner.text),
        Math.min(fence.indent, fenceLineOf(lines[end]?.text ?? "")?.indent ?? 0),
      ),
      repairs: fence.indent > 0 ? ["indented-fence"] : [],
      start,
      end: lines[end]?.end ?? line.end,
    });
    at = end + 1;
  }
  requireContent();
  return blocks;
}

function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  for (let from = 0; from <= text.length; ) {
    const newline = text.indexOf("\n", from);
    const end = newline < 0 ? text.length : newline;
    const raw = text.slice(from, end);
    lines.push({ text: raw.endsWith("\r") ? raw.slice(0, -1) : raw, start: from, end });
    from = end + 1;
  }
  return lines;
}

function oneLabel(a: Label | null, b: Label | null): Label | null {
  if (a !== null && b !== null && a.path !== b.path)
    return refuse(`A block is labelled both ${a.path} and ${b.path}.`);
  return a ?? b;
}

/** Do the next lines begin a change (after a line that names its file, perhaps)? */
function wrapsChanges(lines: readonly Line[], from: number, known: ReadonlySet<string>): boolean {
  const next = lines.slice(from).filter((line) => line.text.trim() !== "");
  const [first, second] = next.map((line) => line.text);
  if (first === undefined) return false;
  if (openerOf(first) !== null) return true;
  return second !== undefined && openerOf(second) !== null && labelAbove(first, known) !== null;
}

/** Index of the line that closes the fence opened at `at`. */
function closingLine(lines: readonly Line[], at: number, opened: FenceLine): number {
  for (let index = at + 1; index < lines.length; index++) {
    const text = lines[index]?.text ?? "";
    if (closes(text, opened)) return index;
    const inner = fenceLineOf(text);
    if (inner !== null && inner.mark === opened.mark && inner.length >= opened.length)
      return refuse(
        "A fenced block contains another fence at least as long as its own, so its end is unclear.",
      );
  }
  return refuse("A fenced block is never closed, so its end is unclear.");
}

/** A block indented as a whole (in a list, say) is moved back; one whose fence alone is indented is not. */
function withoutIndent(texts: readonly string[], indent: number): readonly string[] {
  const margin = " ".repeat(indent);
  const whole = texts.every((text) => text.trim() === "" || text.startsWith(margin));
  return whole ? texts.map((text) => (text.startsWith(margin) ? text.slice(indent) : text)) : texts;
}
