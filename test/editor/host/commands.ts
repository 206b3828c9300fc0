/** Runs in the extension host, beside the installed extension: what wakes it, and what it then has registered. */
import assert from "node:assert/strict";
import { commands, extensions, workspace } from "vscode";

export async function run(): Promise<void> {
  const extension = extensions.getExtension("exit-ml.exit-ml");
  assert(extension, "the extension is not installed");
  assert.equal(
    extension.isActive,
    false,
    "it is awake before anybody looked at its view or called a command",
  );

  const watched = workspace.getConfiguration("files").get<Record<string, boolean>>("watcherExclude");
  assert.equal(watched?.["**/.exit/**"], true, "the state folder is watched");
  const searched = workspace.getConfiguration("search").get<Record<string, boolean>>("exclude");
  assert.equal(searched?.["**/.exit"], true, "the state folder is searched");

  await commands.executeCommand("exitMl.showLog");
  assert.equal(extension.isActive, true, "a command of its own did not wake it");
  const { contributes } = extension.packageJSON as {
    contributes: { commands: readonly { command: string }[] };
  };
  const declared = contributes.commands.map(({ command }) => command);
  assert(declared.length > 10, "package.json names hardly any command");
  const registered = new Set(await commands.getCommands(true));
  const lacking = declared.filter((command) => !registered.has(command));
  assert.deepEqual(lacking, [], "commands of package.json that nobody registered");
  console.log(`${declared.length} commands are registered`);
}
