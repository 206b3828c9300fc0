/** **Install exit-ml in PATH**: a small launcher that runs the bundled command line with the editor's own Node. */
import { access, chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { env, window } from "vscode";
import { ExitError } from "../../protocol/errors.ts";

/** By this line a launcher is known to be ours. */
const mark = "exit-ml launcher of the ExIt ML extension";

const onWindows = process.platform === "win32";

/** Where a user's own programs go, without anybody's permission. */
function launcherFile(): string {
  return onWindows
    ? join(process.env.LOCALAPPDATA ?? homedir(), "Programs", "exit-ml", "exit-ml.cmd")
    : join(homedir(), ".local", "bin", "exit-ml");
}

/** @param cli absolute path of `dist/cli.js` */
export async function installCli(cli: string): Promise<void> {
  const file = launcherFile();
  if ((await textOf(file)) !== null && !(await isOurs(file)))
    throw new ExitError(
      "cli-foreign",
      `${file} is there already and is not ours. Remove it or rename it, then try again.`,
    );
  await write(file, cli);
  const folder = dirname(file);
  const inPath = (process.env.PATH ?? "").split(delimiter).includes(folder);
  if (inPath) {
    void window.showInformationMessage(`Installed ${file}. Try it in a terminal: exit-ml --help`);
    return;
  }
  const copy = "Copy Folder";
  const chosen = await window.showWarningMessage(
    `Add ${folder} to your PATH: exit-ml is installed there, and your terminal does not look there yet.`,
    copy,
  );
  if (chosen === copy) await env.clipboard.writeText(folder);
}

/** An update of the extension moves its files: an installed launcher is brought up to date. */
export async function refreshLauncher(cli: string): Promise<void> {
  const file = launcherFile();
  if ((await isOurs(file)) && (await textOf(file)) !== launcherText(cli)) await write(file, cli);
}

async function write(file: string, cli: string): Promise<void> {
  await access(cli);
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, launcherText(cli));
  await chmod(draft, 0o755);
  await rename(draft, file);
}

function launcherText(cli: string): string {
  const node = process.execPath;
  if (onWindows) return `@echo off\r\nrem ${mark}\r\nset ELECTRON_RUN_AS_NODE=1\r\n"${node}" "${cli}" %*\r\n`;
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  return `#!/bin/sh\n# ${mark}\nELECTRON_RUN_AS_NODE=1 exec ${quoted(node)} ${quoted(cli)} "$@"\n`;
}

async function isOurs(file: string): Promise<boolean> {
  return (await textOf(file))?.includes(mark) ?? false;
}

async function textOf(file: string): Promise<string | null> {
  return readFile(file, "utf8").catch(() => null);
}
