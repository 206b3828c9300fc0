/**
 * JSON texts people write, with the place of every key and value: syntax errors as sentences, line and column
 * of any path into the document.
 */
import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";

/** Keys and indices from the root of a document. */
export type JsonPath = readonly (string | number)[];

/** One thing that is wrong, with its place; line and column count from 1. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly sentence: string;
}

export interface JsonText {
  readonly value: unknown;
  /** Syntax errors and doubled keys; with any, `value` is a guess. */
  readonly problems: readonly Problem[];
  /** The value at a path; where it is missing, the nearest key above it. */
  problem(path: JsonPath, sentence: string): Problem;
  /** The key at the end of a path. */
  keyProblem(path: JsonPath, sentence: string): Problem;
}

/** One line `file:LINE:COLUMN: sentence` per problem, in the order of the text. */
export function problemLines(problems: readonly Problem[]): string {
  return [...problems]
    .sort((a, b) => compare(a.file, b.file) || a.line - b.line || a.column - b.column)
    .map(({ file, line, column, sentence }) => `${file}:${line}:${column}: ${sentence}`)
    .join("\n");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Parses a text with all its problems.
 * @param file how the file is named in locations
 * @param dialect `jsonc` allows comments and trailing commas, `json` does not
 */
export function parseJsonText(file: string, source: string, dialect: "json" | "jsonc"): JsonText {
  const text = source.startsWith("\uFEFF") ? ` ${source.slice(1)}` : source;
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, {
    allowTrailingComma: dialect === "jsonc",
    disallowComments: dialect === "json",
  });
  const at = (offset: number, sentence: string): Problem => ({
    file,
    ...lineAndColumn(text, offset),
    sentence,
  });
  const problems = withoutFollowUps(errors).map((error) => at(error.offset, syntaxSentence(text, error)));
  if (root && problems.length === 0) {
    for (const { key, offset } of doubledKeys(root))
      problems.push(at(offset, `the key "${key}" stands twice in one object; keep one of them`));
  }
  return {
    value: root && plainValue(root),
    problems,
    problem: (path, sentence) => at(nearestOffset(root, path), sentence),
    keyProblem(path, sentence) {
      const node = root && findNodeAtLocation(root, [...path]);
      return at(node?.parent?.type === "property" ? node.parent.offset : nearestOffset(root, path), sentence);
    },
  };
}

/** The parser's own objects have no prototype, which surprises whoever gets them. */
function plainValue(root: Node): unknown {
  return JSON.parse(JSON.stringify(getNodeValue(root)));
}

function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split(/\r\n|\r|\n/);
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

function nearestOffset(root: Node | undefined, path: JsonPath): number {
  for (let length = path.length; root && length >= 0; length--) {
    const node = findNodeAtLocation(root, path.slice(0, length));
    if (!node) continue;
    const isWhole = length === path.length;
    return !isWhole && node.parent?.type === "property" ? node.parent.offset : node.offset;
  }
  return 0;
}

/** The parser reports follow-up errors at the place of the first, and a missing value after a wrong one. */
function withoutFollowUps(errors: readonly ParseError[]): readonly ParseError[] {
  const code = (index: number): string | null => {
    const error = errors[index];
    return error ? printParseErrorCode(error.error) : null;
  };
  return errors.filter(
    (error, index) =>
      errors.findIndex((other) => other.offset === error.offset) === index &&
      !(code(index) === "ValueExpected" && code(index - 1) === "InvalidSymbol"),
  );
}

const syntax: Readonly<Record<string, string>> = {
  InvalidNumberFormat: "this is not a number",
  PropertyNameExpected: "a key in double quotes is expected here",
  ValueExpected: "a value is missing here",
  ColonExpected: "a colon is missing after the key",
  CommaExpected: "a comma is missing before this",
  CloseBraceExpected: "a closing } is missing",
  CloseBracketExpected: "a closing ] is missing",
  EndOfFileExpected: "nothing may follow the end of the document",
  InvalidCommentToken: "comments are not allowed here",
  UnexpectedEndOfComment: "this comment never ends",
  UnexpectedEndOfString: "this text lacks its closing double quote",
  UnexpectedEndOfNumber: "this number is incomplete",
  InvalidUnicode: "\\u needs four hexadecimal digits",
  InvalidEscapeCharacter: "this \\ escape does not exist; write \\\\ for a backslash",
  InvalidCharacter: "control characters in a text must be escaped",
};

function syntaxSentence(text: string, error: ParseError): string {
  const code = printParseErrorCode(error.error);
  const seen = text.slice(error.offset, error.offset + Math.min(error.length, 30));
  if (code === "InvalidSymbol")
    return seen.startsWith("'")
      ? "texts and keys stand in double quotes"
      : `"${seen}" is not JSON; texts and keys stand in double quotes`;
  return syntax[code] ?? "this is not JSON";
}

function doubledKeys(node: Node): { readonly key: string; readonly offset: number }[] {
  const found: { key: string; offset: number }[] = [];
  const keys = new Set<string>();
  for (const child of node.children ?? []) {
    const key = child.type === "property" ? child.children?.[0] : undefined;
    if (key) {
      const name = String(key.value);
      if (keys.has(name)) found.push({ key: name, offset: key.offset });
      keys.add(name);
    }
    found.push(...doubledKeys(child));
  }
  return found;
}
