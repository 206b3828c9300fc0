import assert from "node:assert/strict";
import { evidenceText } from "../../../src/client/words/evidence-text.ts";
import { makeStyle } from "../../../src/client/words/style.ts";
import { hostile, python } from "../case.ts";

/** Text that whoever shows it may take for more than text. */
export default hostile({
  id: "E18",
  tries: "prints formulas, HTML, Markdown command links and terminal sequences",
  promise: "crash; shown as plain characters, no sequence survives",
  play: [
    {
      revision: python(`
words = "=cmd|'/c calc'!A1 <img src=x onerror=alert(1)> [run](command:workbench.action.terminal.new) \\x1b]8;;http://example.invalid\\x07link\\x1b]8;;\\x07 \\x1b[2J \\u202e txt"
print(words); print(words, file=sys.stderr)
sys.exit(1)`),
      expects: "crash",
      holds: ({ result }) => {
        const shown = evidenceText(result.evidence, result.verdict, makeStyle(false)).join("\n");
        for (const text of [shown, result.feedback ?? "", JSON.stringify(result)]) {
          assert.match(text, /<img src=x onerror=alert\(1\)> \[run\]/);
          assert.doesNotMatch(text, /(?![\n\t])\p{Cc}|\u{202e}|\\u001b|example\.invalid/u);
        }
      },
    },
  ],
});
