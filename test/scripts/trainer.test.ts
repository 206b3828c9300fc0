import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { findProgram } from "../../scripts/setup/process.mjs";
import { environmentFor } from "../../scripts/setup/setup.mjs";
import { programOf, trainer } from "../../scripts/setup/trainer.mjs";
import { countTests } from "../../scripts/test/report.mjs";
import { asVitestReport } from "../../scripts/test/trainer.mjs";
import { isReady } from "../../src/adapters/trainer/marker.ts";

let folder: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "exit-ml-trainer-"));
  vi.stubEnv("EXIT_ML_CACHE", folder);
});

afterEach(() => {
  vi.unstubAllEnvs();
  fs.rmSync(folder, { recursive: true, force: true });
});

const ours = () => path.join(folder, "requirements.txt");

/** Empty lists, of the trainer's packages and of its tests': the environment is made and pip runs, but nothing is fetched. */
function requirements(proof: string, text = "") {
  const file = path.join(folder, "requirements-test.txt");
  fs.writeFileSync(file, "-r requirements.txt\n");
  fs.writeFileSync(ours(), text);
  return { file, proof };
}

test.skipIf(!findProgram("python3"))(
  "an environment is made once, and anew when what it must hold changes",
  async () => {
    const said: string[] = [];
    const progress = (text: string) => said.push(text);
    const first = await trainer({ progress, requirements: requirements("print(1)") });
    expect(first.version).toBe("1");
    expect(fs.existsSync(first.python)).toBe(true);
    // So ExIt ML takes it, which needs the trainer's own packages only.
    expect(isReady(path.join(folder, "trainer"), ours())).toBe(true);
    const mark = path.join(folder, "trainer", "mark");
    fs.writeFileSync(mark, "");
    said.length = 0;
    expect(await trainer({ progress, requirements: requirements("print(1)") })).toEqual(first);
    expect(said).toEqual([]);
    await trainer({ progress, requirements: requirements("print(2)", "# other\n") });
    expect(fs.existsSync(mark)).toBe(false);
  },
  120_000,
);

test.skipIf(!findProgram("python3"))(
  "packages that cannot be imported are no environment",
  async () => {
    const broken = trainer({ progress: () => {}, requirements: requirements("import nothing_of_this_name") });
    await expect(broken).rejects.toThrow("cannot be imported");
    expect(fs.existsSync(path.join(folder, "stamps", "trainer.json"))).toBe(false);
  },
  120_000,
);

test("the tests are told which Python is the trainer's", () => {
  expect(programOf("C:\\venv", "win32")).toContain("python.exe");
  const details = { python: "/cache/trainer/bin/python" };
  expect(environmentFor({ trainer: { ok: true, details } }).EXIT_ML_TRAINER_PYTHON).toBe(details.python);
});

test("pytest's tests are counted like vitest's", () => {
  const xml = `<testsuite><testcase classname="a" name="good" time="0.1" /><testcase name="bad" classname="a">
    <failure message="no">x</failure></testcase><testcase name="none"><skipped/></testcase>
    <testcase name="not prepared"><error/></testcase><testcase name="said"><system-out>y</system-out></testcase></testsuite>`;
  expect(countTests(asVitestReport(xml).testResults)).toEqual({
    passed: 2,
    failed: 2,
    skipped: ["trainer none"],
  });
});
