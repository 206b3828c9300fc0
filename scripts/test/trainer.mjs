// The trainer's checks, in its own Python environment: format, lint, types, tests. Its tests are written down as
// vitest's JSON reporter writes its own, to be counted with them.
//
//   node scripts/test/trainer.mjs [--outputFile.json=FILE] [arguments for pytest]
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { runInForeground } from "../foreground.mjs";
import { isMain } from "../setup/process.mjs";
import { repository } from "../setup/repository.mjs";

const folder = path.join(repository, "trainer");

/**
 * @param {string} xml what pytest's --junitxml wrote
 * @returns {{ testResults: import("./report.mjs").TestFile[] }}
 */
export function asVitestReport(xml) {
  const assertionResults = [...xml.matchAll(/<testcase ([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)].map(
    ([, attributes = "", inside = ""]) => {
      const [, name = ""] = /(?:^|\s)name="([^"]*)"/.exec(attributes) ?? [];
      const failed = /<(?:failure|error)\b/.test(inside);
      return {
        fullName: `trainer ${name}`,
        status: failed ? "failed" : inside.includes("<skipped") ? "skipped" : "passed",
      };
    },
  );
  return { testResults: [{ name: "trainer", status: "passed", assertionResults }] };
}

/** @param {string[]} args @returns {Promise<number>} exit status */
async function checkTrainer(args) {
  const output = args.find((arg) => arg.startsWith("--outputFile.json="))?.split("=")[1];
  /** @param {ReturnType<typeof asVitestReport>} report */
  const keep = (report) => output && fs.writeFileSync(output, JSON.stringify(report));
  if ((process.env.EXIT_ML_SKIP ?? "").split(",").includes("trainer")) {
    keep(asVitestReport('<testcase name="(all of it)"><skipped/></testcase>'));
    return 0;
  }
  const python = process.env.EXIT_ML_TRAINER_PYTHON;
  if (!python) {
    console.error("EXIT_ML_TRAINER_PYTHON is not set. Start these checks with: npm test -- --only trainer");
    return 1;
  }
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "exit-ml-pytest-"));
  // One thread: the matrices are tiny, and more threads would only wait for each other.
  const quiet = { HF_HUB_OFFLINE: "1", OMP_NUM_THREADS: "1", PYTHONDONTWRITEBYTECODE: "1" };
  // torch leaves a folder where temporary files go.
  const env = { ...process.env, ...quiet, TMPDIR: temporary };
  const xml = path.join(temporary, "report.xml");
  const pytest = ["pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", `--junitxml=${xml}`];
  const rest = args.filter((arg) => !arg.startsWith("--outputFile") && !arg.startsWith("--reporter"));
  try {
    for (const check of [
      ["ruff", "format", "--check", "--no-cache", "."],
      ["ruff", "check", "--no-cache", "."],
      ["mypy", "--cache-dir", path.join(temporary, "mypy")],
      [...pytest, "--basetemp", path.join(temporary, "tests"), ...rest],
    ]) {
      const { status } = await runInForeground(python, ["-m", ...check], { cwd: folder, env });
      if (check[0] === "pytest" && fs.existsSync(xml)) keep(asVitestReport(fs.readFileSync(xml, "utf8")));
      if (status !== 0) return status;
    }
    return 0;
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

if (isMain(import.meta.url)) process.exitCode = await checkTrainer(process.argv.slice(2));
