// Compiles src/adapters/docker/warden/warden.c for both processors engines run on and writes the result beside it, as
// text that can be bundled: a machine that uses the product needs no compiler. `--check` compares instead.
// Needs gcc and aarch64-linux-gnu-gcc (Debian: gcc, gcc-aarch64-linux-gnu); other versions than the one named in
// programs.ts make other bytes.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { repository } from "./setup/repository.mjs";

const folder = path.join(repository, "src/adapters/docker/warden");
const source = path.join(folder, "warden.c");
const target = path.join(folder, "programs.ts");
const compilers = { x86_64: "x86_64-linux-gnu-gcc", aarch64: "aarch64-linux-gnu-gcc" };
const options = [
  ..."-Os -std=c11 -Wall -Wextra -Werror -ffreestanding -fno-builtin -fno-stack-protector".split(" "),
  ..."-fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -fno-pie -static -no-pie".split(" "),
  ..."-nostdlib -nostartfiles -Wl,--build-id=none -Wl,-n -Wl,-z,noexecstack -s".split(" "),
];

const work = fs.mkdtempSync(path.join(os.tmpdir(), "exit-ml-warden-"));
try {
  const lines = Object.entries(compilers).map(([processor, compiler]) => {
    const program = path.join(work, processor);
    execFileSync(compiler, [...options, "-o", program, source], { stdio: "inherit" });
    return `  ${processor}:\n    "${fs.readFileSync(program).toString("base64")}",`;
  });
  const version = execFileSync(compilers.x86_64, ["--version"], { encoding: "utf8" }).split("\n")[0];
  const digest = createHash("sha256").update(fs.readFileSync(source)).digest("hex");
  const text = [
    `// Made from warden.c by scripts/build-warden.mjs with ${version}. Not to be edited.`,
    "",
    "/** SHA-256 of the source these were made from. */",
    `export const sourceDigest = "${digest}";`,
    "",
    "/** The program for each processor, as base64. */",
    "export const programs = {",
    ...lines,
    "} as const;",
    "",
  ].join("\n");
  if (!process.argv.includes("--check")) fs.writeFileSync(target, text);
  else if (fs.readFileSync(target, "utf8") !== text)
    throw new Error(`${target} is not what ${source} makes.`);
} finally {
  fs.rmSync(work, { recursive: true });
}
