/** Folders, solutions and a git that counts itself, for the tests of the shadow repository. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Solution, SolutionFile } from "../../../src/core/ports.ts";

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "exit-git-"));
}

export function file(path: string, content: string | Uint8Array, executable = false): SolutionFile {
  return { path, bytes: new Uint8Array(Buffer.from(content)), executable };
}

/** As the port promises them: sorted by path. */
export function sorted(files: Solution): Solution {
  return [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Plain bytes, so that Buffers and arrays compare equal. */
export function plain(solution: Solution): unknown {
  return solution.map(({ path, bytes, executable }) => ({ path, bytes: [...bytes], executable }));
}

/** Runs git directly, past the code under test. */
export function git(gitDir: string, ...args: string[]): string {
  return execFileSync("git", args, {
    env: { PATH: process.env.PATH, GIT_DIR: gitDir },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

/** One hash over names, kinds and bytes of everything in a folder. */
export function hashOf(folder: string): string {
  const hash = createHash("sha256");
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  for (const name of names) {
    const stats = lstatSync(join(folder, name));
    hash.update(`${name}\0${stats.mode}\0`);
    if (stats.isFile()) hash.update(readFileSync(join(folder, name)));
  }
  return hash.digest("hex");
}

/** Puts a git before the real one on PATH that notes every start, until `restore`. */
export function countingGit(): { count(): number; restore(): void } {
  const folder = temporaryFolder();
  const log = join(folder, "starts.log");
  const real = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  const before = process.env.PATH;
  writeFileSync(join(folder, "git"), `#!/bin/sh\necho "$@" >> '${log}'\nexec '${real}' "$@"\n`, {
    mode: 0o755,
  });
  process.env.PATH = `${folder}${delimiter}${before}`;
  return {
    count: () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n").length : 0),
    restore() {
      process.env.PATH = before;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Points git at a global configuration in which everything that can run a program or change bytes does, until
 * `restore`. Each program leaves a line in the file `trace`.
 */
export function hostileConfiguration(): { readonly trace: string; restore(): void } {
  const folder = temporaryFolder();
  const trace = join(folder, "trace");
  const program = join(folder, "program");
  writeFileSync(program, `#!/bin/sh\necho "$0 $@" >> '${trace}'\ncat\n`, { mode: 0o755 });
  mkdirSync(join(folder, "hooks"));
  for (const hook of [
    "pre-commit",
    "post-commit",
    "reference-transaction",
    "post-index-change",
    "pre-auto-gc",
  ]) {
    writeFileSync(join(folder, "hooks", hook), `#!/bin/sh\necho ${hook} >> '${trace}'\n`, { mode: 0o755 });
  }
  const configuration = join(folder, "config");
  writeFileSync(
    configuration,
    `[core]
	autocrlf = true
	eol = crlf
	fileMode = false
	hooksPath = ${join(folder, "hooks")}
	fsmonitor = ${program}
	attributesFile = ${join(folder, "attributes")}
	pager = ${program}
[filter "trap"]
	clean = ${program} clean
	smudge = ${program} smudge
	required = true
[diff]
	external = ${program}
	noprefix = true
[diff "trap"]
	textconv = ${program}
	command = ${program}
[merge "trap"]
	driver = ${program} %A %O %B
[gc]
	auto = 1
[init]
	defaultObjectFormat = sha256
	templateDir = ${folder}
[color]
	ui = always
`,
  );
  writeFileSync(join(folder, "attributes"), "* filter=trap diff=trap merge=trap text eol=crlf\n");
  const variables: Record<string, string> = {
    GIT_CONFIG_GLOBAL: configuration,
    GIT_CONFIG_SYSTEM: configuration,
    GIT_EXTERNAL_DIFF: program,
    GIT_INDEX_FILE: join(folder, "index"),
    GIT_WORK_TREE: folder,
    GIT_DIR: join(folder, "elsewhere"),
    GIT_OBJECT_DIRECTORY: join(folder, "objects"),
    GIT_DEFAULT_HASH: "sha256",
    GIT_AUTHOR_DATE: "nonsense",
    GIT_PAGER: program,
    EDITOR: program,
    PAGER: program,
  };
  const before = new Map(Object.keys(variables).map((name) => [name, process.env[name]]));
  Object.assign(process.env, variables);
  return {
    trace,
    restore() {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
