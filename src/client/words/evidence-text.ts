/** What the sandbox saw, as lines of text. */
import type { Evidence, Verdict } from "../../protocol/results.ts";
import { duration } from "./format.ts";
import { printable } from "./printable.ts";
import type { Style } from "./style.ts";

interface Both {
  readonly run: Evidence | null;
  readonly score: Evidence | null;
}

/** What was printed is shown only where it can explain something: not for a revision that scored. */
export function evidenceText(evidence: Both, verdict: Verdict | null, style: Style): string[] {
  const parts = [
    ["run", evidence.run],
    ["score", evidence.score],
  ] as const;
  return parts.flatMap(([name, seen]) =>
    seen === null
      ? []
      : [
          `${name.padEnd(5)}  ${summary(seen)}`,
          ...(verdict === "scored"
            ? []
            : [...printed("stdout", seen.stdout, style), ...printed("stderr", seen.stderr, style)]),
        ],
  );
}

function summary(seen: Evidence): string {
  const facts = [duration(seen.ms)];
  if (seen.exitCode !== null && !seen.note.includes("exit code")) facts.push(`exit code ${seen.exitCode}`);
  if (seen.killedFor !== null) facts.push(`ended by us: ${seen.killedFor}`);
  if (seen.oomKilled) facts.push("out of memory");
  return `${printable(seen.note)} (${facts.join(", ")})`;
}

function printed(name: string, text: string, style: Style): string[] {
  const lines = printable(text).trimEnd();
  if (lines === "") return [];
  return [style.dim(`  ${name}:`), ...lines.split("\n").map((line) => `    ${line}`)];
}
