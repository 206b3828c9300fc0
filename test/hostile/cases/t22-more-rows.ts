import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

const strict = `import csv, json
rows = list(csv.reader(open("out.csv")))
ids = [row[0] for row in rows]
def answer():
    if len(set(ids)) != len(ids): return {"invalid": "an id stands twice"}
    if sorted(ids) != ["1", "2", "3"]: return {"invalid": "the ids are not 1, 2, 3"}
    return {"score": sum(float(row[1]) for row in rows) / 3}
print(json.dumps(answer()))
`;

/** Rows it is sure of are repeated, the others left out. */
export default hostile({
  id: "T22",
  tries: "more rows, rows twice, ids that are not asked for",
  promise: "invalid, with the rule it broke",
  play: [
    ["1,0.9\n1,0.9\n2,0.1\n3,0.1\n", /twice/],
    ["1,0.9\n2,0.9\n3,0.9\n4,0.9\n", /are not/],
    ["1,0.9\n", /are not/],
  ].map(([text, rule]) => ({
    name: String(rule),
    revision: python(`leave(${JSON.stringify(text)})`),
    workspace: { "score.py": strict },
    expects: "invalid" as const,
    holds: ({ result }) => assert.match(result.feedback ?? "", rule as RegExp),
  })),
});
