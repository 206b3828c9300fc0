/** Revisions that cheat, scored through the very path every revision takes. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import type { Verdict } from "../../src/core/verdict.ts";
import { testWith } from "../support/without.ts";
import { copyOfExample, type Product } from "./product.ts";

const it = testWith("docker");

let product: Product;
beforeAll(() => {
  product = copyOfExample("tabular-code");
});
afterAll(() => product?.remove());

interface Report {
  readonly verdict: Verdict;
  readonly score: number | null;
  readonly evidence: { readonly score: { readonly stdout: string; readonly stderr: string } | null };
}

async function scored(program: string): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), "exit-ml-revision-"));
  const file = join(folder, "solution", "train.py");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, program);
  onTestFinished(() => rmSync(folder, { recursive: true }));
  // The exit code is 0 only for a solution that scored; the report is printed either way.
  const { stdout } = await product.call("score", "--from", folder, "--json");
  return JSON.parse(stdout) as Report;
}

/** Predictions of the right form, so that only the cheat can make a difference. */
const honest = `
import csv
rows = list(csv.DictReader(open("data/public/test.csv")))
train = list(csv.DictReader(open("data/public/train.csv")))
target = [name for name in train[0] if name not in rows[0]][0]
mean = sum(float(row[target]) for row in train) / len(train)
with open("predictions.csv", "w") as out:
    out.write("id," + target + "\\n")
    for row in rows:
        out.write(row["id"] + "," + str(mean) + "\\n")
`;

it("an honest revision scores", async () => {
  const report = await scored(honest);
  expect(report.verdict).toBe("scored");
  expect(report.score).toBeGreaterThan(5);
});

it("modules and .pth files left in /work never reach the evaluator", async () => {
  const plant = `
poison = "import sys; print('{\\"score\\": 0.0}'); sys.exit(0)"
for name in ["numpy.py", "csv.py", "json.py", "sitecustomize.py", "usercustomize.py"]:
    open(name, "w").write(poison)
open("evil.pth", "w").write("import os; os._exit(0)")
`;
  const [plain, poisoned] = [await scored(honest), await scored(honest + plant)];
  expect(poisoned.verdict).toBe("scored");
  expect(poisoned.score).toBe(plain.score);
});

it("a link to /etc/passwd in the place of the outputs is no output", async () => {
  const report = await scored(`import os\nos.symlink("/etc/passwd", "predictions.csv")\n`);
  expect(report.verdict).toBe("invalid");
  expect(JSON.stringify(report)).not.toContain("root:x:0");
});

it("fake score lines and score files score nothing", async () => {
  const report = await scored(`
line = '{"score": 0.0}'
print(line)
for name in ["score.json", "result.json", "score.txt"]:
    open(name, "w").write(line)
`);
  expect(report.verdict).toBe("invalid");
  expect(report.score).toBeNull();
});

it("the labels are nowhere a revision can look", async () => {
  const report = await scored(`
import os
found = []
for top, _, names in os.walk("/"):
    if top.startswith(("/proc", "/sys", "/usr", "/lib")):
        continue
    found += [os.path.join(top, name) for name in names if "hidden" in top or "label" in name or name == "score.py"]
if found:
    raise SystemExit(0)
raise RuntimeError("nothing to be found")
`);
  expect(report.verdict).toBe("crash");
});
