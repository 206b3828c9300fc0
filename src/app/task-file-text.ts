/** The text of a new task file: every key a beginner changes, with a comment that says what it does. */
import type { InitRequest } from "./app.ts";

export function taskFileText(request: InitRequest): string {
  const { metric } = request;
  const format = isOneJsonFile(request.files) ? "json" : "code";
  return `// A task for ExIt ML: what is improved, how it is run, how it is scored.
// All paths are relative to the workspace folder; ** stands for any folders. Try it with: exit-ml check
{
  "name": ${json(request.name)},

  // What the model is asked to do, and the rules it must keep.
  "instruction": ${json(request.instruction)},

  // The files a revision may change.${format === "json" ? ' "schema": "FILE" constrains replies to a JSON Schema.' : ""}
  "solution": { "files": ${json(request.files)}, "format": ${json(format)} },

  // More files the model sees, such as "README.md" or { "file": "data/train.csv", "head": 5 }.
  "context": [],

  // Runs a revision in /work. "inputs" are the data it may read, "outputs" the files it leaves for scoring.
  "run": {
    "command": ${json(request.run)},
    "inputs": ${json(request.inputs ?? [])},
    "outputs": ${json(request.outputs ?? [])},
    "timeout": "5m"
  },

${scoreText(request)},

  // The scale: "worst" is worth quality 0, "best" quality 1.
  // "plausible": [LOW, HIGH] puts scores nobody should believe in quarantine.
  "metric": {
    "name": ${json(metric.name)},
    "direction": ${json(metric.direction)},
    "worst": ${json(metric.worst)},
    "best": ${json(metric.best)}
  },

  // Where the commands run, and within which limits. They have no network.
  "sandbox": { "image": ${json(request.image)}, "cpus": 1, "memory": "2g", "disk": "256m" }
}
`;
}

function scoreText(request: InitRequest): string {
  if (request.fromRun !== undefined)
    return `  // The first group of this regular expression is the score. The revision reports it about itself:
  // a score command of your own, with hidden labels, is harder to fool.
  "score": { "fromRun": ${json(request.fromRun)} }`;
  return `  // Prints one line: {"score": NUMBER} or {"invalid": "REASON"}. Only this command sees the "hidden" files.
  "score": {
    "command": ${json(request.score)},
    "hidden": ${json(request.hidden ?? [])},
    "timeout": "1m"
  }`;
}

function isOneJsonFile(files: readonly string[]): boolean {
  return files.length === 1 && /^[^*?{}[\]()]+\.json$/.test(files[0] ?? "");
}

function json(value: unknown): string {
  const text = JSON.stringify(value, null, 1) ?? "null";
  return text.replace(/\n\s*/g, " ").replace(/^\[ /, "[").replace(/ \]$/, "]");
}
