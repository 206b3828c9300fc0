/** A tiny task, in a folder that can be copied: its solution is one number, and running it copies that. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { image } from "../../adapters/docker/trial.ts";

const run = [
  "read -r value pace < solution/value.txt",
  '[ "$value" = crash ] && exit 3',
  '[ "$pace" = slow ] && sleep 3',
  'echo "ran $value"; echo "$value" > value.txt',
].join("\n");

const score = [
  "read -r value < value.txt",
  'case "$value" in',
  '  0.*) echo "{\\"score\\": $value}" ;;',
  '  *) echo "{\\"invalid\\": \\"not a number between 0 and 1\\"}" ;;',
  "esac",
].join("\n");

const task = {
  name: "number",
  instruction: "Write a number between 0 and 1, as large as you can, into solution/value.txt.",
  solution: { files: ["solution/**"] },
  run: { command: ["sh", "-c", run], outputs: ["value.txt"], timeout: "30s" },
  score: { command: ["sh", "score.sh"], hidden: ["score.sh"], timeout: "30s" },
  metric: { name: "value", direction: "maximize", worst: 0, best: 1 },
  // So large that few working directories are made at once: then they are also removed within a run.
  sandbox: { image, memory: "64m", disk: "512m", pids: 32, cpus: 1 },
};

export function makeWorkspace(): string {
  const folder = mkdtempSync(join(tmpdir(), "exit-ml-chaos-"));
  const files = {
    "exit.task.json": JSON.stringify(task),
    "score.sh": score,
    "solution/value.txt": "0.10\n",
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}
