/** Which file a block is for: the documented `FILE:` line and the other ways models name a file. */
import { looksLikePath } from "./paths.ts";
import { refuse } from "./refusal.ts";

export interface Label {
  readonly path: string;
  /** The rung of the repair ladder this spelling takes; null for the documented line. */
  readonly repair: "path-above" | "path-in-fence" | "path-comment" | null;
}

const documented = /^FILE: (\S(?:.*\S)?)\s*$/;
const deletion = /^DELETE: (\S(?:.*\S)?)\s*$/;
const wordEdges = /^[\s`*_"'([]+|[\s`*_"')\].,:]+$/g;

/** The path on a `DELETE:` line. */
export function deletionOf(line: string): string | null {
  return deletion.exec(line)?.[1] ?? null;
}

/**
 * Reads a line of prose above a block as the name of its file: `FILE: a.py`, `### a.py`, `**File:** \`a.py\``,
 * `Here is the new \`a.py\`:`. `known` are the paths of the solution.
 * @throws Refusal if such a line names several files.
 */
export function labelAbove(line: string, known: ReadonlySet<string>): Label | null {
  const exact = documented.exec(line)?.[1];
  if (exact !== undefined) return { path: exact, repair: null };
  const text = line.trim().replace(/^(?:#{1,6}\s+|[-*+]\s+|\d+[.)]\s+)+/, "");
  const named = /^[*_`]*(?:file(?:[ _]?(?:name|path))?|path)[*_`]*\s*:[*_`]*\s*(\S.*)$/i.exec(text)?.[1];
  const bare = (named ?? text).replace(wordEdges, "");
  if (isPath(bare, known)) return { path: bare, repair: "path-above" };
  if (named !== undefined && /\s/.test(bare)) return null;
  if (!/:[*_`]*$/.test(text)) return null;
  const words = text.split(/\s+/).map((word) => word.replace(wordEdges, ""));
  const paths = [...new Set(words.filter((word) => isPath(word, known)))];
  if (paths.length > 1)
    return refuse(
      `The line ${JSON.stringify(text)} above a block names several files, so its file is unclear.`,
    );
  return paths[0] === undefined ? null : { path: paths[0], repair: "path-above" };
}

/** A path among the words after an opening fence: `python a.py`, `python:a.py`, `a.py`, `python title="a.py"`. */
export function labelInFence(info: string, known: ReadonlySet<string>): Label | null {
  for (const word of info.split(/[\s{}]+/)) {
    const value = /^[\w+#-]+[:=](.+)$/.exec(word)?.[1] ?? word;
    const bare = value.replace(wordEdges, "");
    if (isPath(bare, known)) return { path: bare, repair: "path-in-fence" };
  }
  return null;
}

/** A first line such as `# a.py` or `// file: a.py`. */
export function labelInComment(line: string, known: ReadonlySet<string>): Label | null {
  const text =
    /^\s*(?:#|\/\/|--|;|%|\/\*|<!--)+\s*(?:file(?:name|path)?\s*:\s*)?(\S+)\s*(?:\*\/|-->)?\s*$/i.exec(
      line,
    )?.[1];
  return text !== undefined && isPath(text, known) ? { path: text, repair: "path-comment" } : null;
}

function isPath(word: string, known: ReadonlySet<string>): boolean {
  return known.has(word) || looksLikePath(word);
}
