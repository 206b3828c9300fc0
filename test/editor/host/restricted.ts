/** Runs in the extension host of a folder that is not trusted: calls what the palette does not even offer. */
import assert from "node:assert/strict";
import { commands, extensions, Uri, workspace } from "vscode";

/** They need no folder: the one shows the log, the other writes to the user's own programs. */
const harmless = ["exitMl.showLog", "exitMl.installCli"];

export async function run(): Promise<void> {
  assert.equal(workspace.isTrusted, false);
  const extension = extensions.getExtension("exit-ml.exit-ml");
  assert(extension, "the extension is not installed");
  const { contributes } = extension.packageJSON as {
    contributes: { commands: readonly { command: string }[] };
  };
  for (const { command } of contributes.commands) {
    if (harmless.includes(command)) continue;
    await answered(commands.executeCommand(command));
    console.log(`called ${command}`);
  }
  assert.equal(extension.isActive, true);
  const revision = Uri.from({ scheme: "exit-ml-revision", path: "/n1/solution/config.json" });
  await assert.rejects(async () => workspace.fs.readFile(revision), /Restricted Mode/);
  await commands.executeCommand("exitMl.history.focus");
}

/** Waits for a command, closing whatever it says or asks: a command ends when its message is closed. */
async function answered(command: Thenable<unknown>): Promise<void> {
  let ended = false;
  const end = Promise.resolve(command).finally(() => {
    ended = true;
  });
  while (!ended) {
    await commands.executeCommand("notifications.clearAll");
    await commands.executeCommand("workbench.action.closeQuickOpen");
  }
  await end;
}
