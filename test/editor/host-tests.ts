/** Tests that run inside VS Code's extension host, where an extension's own calls can be made. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { onTestFinished } from "vitest";
import type { CodeServerOptions } from "./code-server.ts";
import { startBoth } from "./session.ts";

export interface HostTests extends Omit<CodeServerOptions, "vsix" | "hostTests"> {
  /** A packed extension (.vsix), or the folder of one with its package.json. */
  readonly extension: string;
  /** A module that exports `run(): Promise<void>`; it may import `vscode`. Its failure is a rejection. */
  readonly entry: string;
  readonly folder: string;
  /** Default 300. */
  readonly limitSeconds?: number;
}

export interface HostResult {
  /** 0: `run` resolved. */
  readonly code: number;
  /** What the tests printed to the console, and why they failed; where they did not start, what VS Code said. */
  readonly log: readonly string[];
}

/** To be called inside a test. @throws an Error with the log when the tests do not end in time */
export async function runInExtensionHost(tests: HostTests): Promise<HostResult> {
  const { extension, entry, folder, limitSeconds = 300, ...options } = tests;
  const packed = extension.endsWith(".vsix");
  const work = mkdtempSync(join(tmpdir(), "exit-ml-host-tests-"));
  onTestFinished(() => rmSync(work, { recursive: true, force: true }));
  const printed = join(work, "printed.log");
  const bundle = await bundled(entry, { work, printed });
  const { server, page: open } = await startBoth({
    ...options,
    ...(packed ? { vsix: extension } : {}),
    hostTests: true,
  });
  const remote = (path: string): string => `vscode-remote://${server.authority}${resolve(path)}`;
  // VS Code runs tests only beside an extension in development: where ours is installed, an empty one.
  const developed = packed ? emptyExtension(work) : extension;
  const payload = JSON.stringify([
    ["extensionDevelopmentPath", remote(developed)],
    ["extensionTestsPath", remote(bundle)],
    ["skipWelcome", "true"],
  ]);
  const windowLog: string[] = [];
  let exit: (code: number) => void = () => undefined;
  const ended = new Promise<number>((resolve) => {
    exit = resolve;
  });
  await open.page.exposeFunction("codeAutomationLog", (_type: string, args: readonly unknown[]) => {
    windowLog.push(args.join(" "));
  });
  await open.page.exposeFunction("codeAutomationExit", (code: number) => exit(code));
  const query = new URLSearchParams({ folder, payload });
  await open.page.goto(`http://${server.authority}/?${query}`);
  const late = new Promise<never>((_, reject) => {
    const limit = setTimeout(() => {
      const said = [...readLines(printed), "VS Code said:", ...windowLog.slice(-20)].join("\n");
      reject(new Error(`The tests did not end within ${limitSeconds} s. They printed:\n${said}`));
    }, limitSeconds * 1000);
    void ended.then(() => clearTimeout(limit));
  });
  const code = await Promise.race([ended, late]);
  const log = readLines(printed);
  return { code, log: code !== 0 && log.length === 0 ? windowLog : log };
}

const readLines = (file: string): string[] =>
  existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];

/**
 * One CommonJS file, named with its ending: VS Code looks for no other. What the tests print goes to a file, since
 * VS Code hands on the last lines only after the exit code, or never.
 */
async function bundled(entry: string, { work, printed }: { work: string; printed: string }): Promise<string> {
  const outfile = join(work, "tests.js");
  const start = `
    import * as tests from ${JSON.stringify(resolve(entry))};
    export const run = () => tests.run().catch((error) => {
      console.error(error.stack);
      throw error;
    });`;
  // Nothing can be put in the place of the console's functions there, only another console.
  const file = JSON.stringify(printed);
  const stdout = `{ write: (text) => require("node:fs").appendFileSync(${file}, text) }`;
  const banner = `const printing = new (require("node:console").Console)({ stdout: ${stdout}, ignoreErrors: false });`;
  await build({
    stdin: { contents: start, resolveDir: work },
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node22",
    sourcemap: "inline",
    external: ["vscode"],
    define: { console: "printing" },
    banner: { js: banner },
    logLevel: "silent",
  });
  return outfile;
}

function emptyExtension(work: string): string {
  const own = { name: "empty", publisher: "tests", version: "0.0.1", engines: { vscode: "^1.101.0" } };
  writeFileSync(join(work, "package.json"), JSON.stringify(own));
  return work;
}
