/** What zod found wrong with a task file, as sentences at the place of the offending key or value. */
import type { z } from "zod";
import { taskJsonSchema } from "../../core/task.ts";
import type { JsonPath, JsonText, Problem } from "./json-text.ts";
import { didYouMean, nearestWord } from "./nearest.ts";

type Issue = z.core.$ZodIssue;

/** The part of a JSON Schema that is read here. */
interface SchemaPart {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaPart>>;
  readonly items?: SchemaPart | readonly SchemaPart[];
  readonly anyOf?: readonly SchemaPart[];
}

export function schemaProblems(issues: readonly Issue[], json: JsonText): Problem[] {
  return issues.flatMap((issue) => problemsOf(issue, [], json));
}

function problemsOf(issue: Issue, above: JsonPath, json: JsonText): Problem[] {
  const path = [...above, ...issue.path.map((part) => (typeof part === "symbol" ? String(part) : part))];
  const say = (sentence: string): Problem[] => [json.problem(path, `${nameOf(path)}${sentence}`)];
  const value = valueAt(json.value, path);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => json.keyProblem([...path, key], unknownKey(key, path, value)));
    case "invalid_union": {
      const branch = likeliestBranch(issue.errors, path);
      return branch.flatMap((inner) => problemsOf(inner, path, json));
    }
    case "invalid_key":
      return [
        json.keyProblem(path, `${nameOf(path)}the key ${issue.issues[0]?.message ?? "is not allowed here"}`),
      ];
    case "invalid_type":
      if (value === undefined) return [json.problem(path, missing(path))];
      return say(`must be ${article(issue.expected)}, not ${kindOf(value)}`);
    case "invalid_value":
      return say(
        `must be ${list(issue.values.map(quote), "or")}, not ${quote(value)}${didYouMean(String(value), issue.values.map(String))}`,
      );
    case "too_small":
      if (issue.origin === "string" || (issue.origin === "array" && issue.minimum === 1))
        return say("must not be empty");
      return say(
        `must be ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}, not ${quote(value)}`,
      );
    case "too_big":
      return say(
        `must be ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}, not ${quote(value)}`,
      );
    case "custom":
    case "invalid_format":
      return say(`${issue.message}${typeof value === "string" ? ` (it is ${quote(value)})` : ""}`);
    default:
      return say(issue.message);
  }
}

/** Of the shapes a value may have, the one it looks most like: fewest complaints, and one that knows its keys. */
function likeliestBranch(branches: readonly (readonly Issue[])[], path: JsonPath): readonly Issue[] {
  const cost = (issues: readonly Issue[], index: number): number => {
    const known = Object.keys(shapes(path)[index]?.properties ?? {});
    return issues.reduce((sum, issue) => {
      if (issue.code === "invalid_type" && issue.path.length === 0) return sum + 100;
      const slips =
        issue.code === "unrecognized_keys"
          ? issue.keys.filter((key) => nearestWord(key, known) !== null).length
          : 0;
      return sum + 1 - slips / 2;
    }, 0);
  };
  const costs = branches.map(cost);
  return branches[costs.indexOf(Math.min(...costs))] ?? [];
}

function unknownKey(key: string, path: JsonPath, value: unknown): string {
  const known = shapes(path).flatMap((shape) => Object.keys(shape.properties ?? {}));
  const place = path.length === 0 ? "" : ` in ${dotted(path)}`;
  if (known.includes(key)) {
    const others = Object.keys(value as object).filter((other) => other !== key);
    return `the key "${key}"${place} does not go together with ${list(others.map(quote), "and")}; keep one of the two ways`;
  }
  return `unknown key "${key}"${place}${didYouMean(key, known) || `; known here: ${known.join(", ")}`}`;
}

function missing(path: JsonPath): string {
  const key = path.at(-1);
  const parent = path.slice(0, -1);
  const what = shapes(path).find((shape) => shape.description)?.description;
  const place = parent.length === 0 ? "the task file" : dotted(parent);
  return `${place} lacks ${quote(key)}${what === undefined ? "" : ` (${what.replace(/\.$/, "")})`}`;
}

/** The shapes the definition allows at a path. */
function shapes(path: JsonPath): readonly SchemaPart[] {
  let parts = open([taskJsonSchema() as SchemaPart]);
  for (const step of path) {
    parts = open(
      parts.flatMap((part) => {
        const items = part.items === undefined ? [] : [part.items].flat();
        const next = typeof step === "number" ? (items[step] ?? items[0]) : part.properties?.[step];
        return next === undefined ? [] : [next];
      }),
    );
  }
  return parts;
}

function open(parts: readonly SchemaPart[]): readonly SchemaPart[] {
  return parts.flatMap((part) =>
    part.anyOf === undefined
      ? [part]
      : open(part.anyOf).map((inner) =>
          part.description ? { ...inner, description: part.description } : inner,
        ),
  );
}

function valueAt(value: unknown, path: JsonPath): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== "object" || current === null) return undefined;
    current = (current as Record<string | number, unknown>)[step];
  }
  return current;
}

/** `run.inputs[0]` */
function dotted(path: JsonPath): string {
  return path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : text === "" ? step : `${text}.${step}`),
    "",
  );
}

function nameOf(path: JsonPath): string {
  return path.length === 0 ? "the task file " : `${dotted(path)}: `;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return typeof value === "string" ? `the text ${quote(value)}` : quote(value);
}

function article(type: string): string {
  if (type === "array" || type === "tuple") return "a list";
  if (type === "record" || type === "object") return "an object";
  if (type === "string") return "a text";
  if (type === "int") return "a whole number";
  return `a ${type}`;
}

function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function list(words: readonly string[], last: string): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`;
}
