import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

const counting = `import csv, json
rows = list(csv.reader(open("out.csv")))
if len(rows) != 3: print(json.dumps({"invalid": "expected 3 rows, found %d" % len(rows)}))
else: print(json.dumps({"score": sum(float(row[1]) for row in rows) / len(rows)}))
`;

/** No row is wrong where there is no row. */
export default hostile({
  id: "T13",
  tries: "leaves nothing to be tested, so that nothing fails",
  promise: "invalid, with the rule it broke",
  play: ["", "1,0.9\n"].map((text) => ({
    name: `${text.length} characters`,
    revision: python(`leave(${JSON.stringify(text)})`),
    workspace: { "score.py": counting },
    expects: "invalid" as const,
    holds: ({ result }) => assert.match(result.feedback ?? "", /^expected 3 rows, found [01]$/),
  })),
});
