/** The one way commands are registered: each is logged, and an error becomes one message with a way on. */
import { commands, type Disposable, window } from "vscode";
import { duration } from "../client/words/format.ts";
import { isExitError, messageOf } from "../protocol/errors.ts";
import { commandIds } from "./ids.ts";
import type { Log } from "./log.ts";

type CommandId = (typeof commandIds)[keyof typeof commandIds];

/** What mends an error, by its reason: a button's title and the command behind it. */
const mends: Readonly<Record<string, readonly [title: string, command: string]>> = {
  "no-task": ["Set Up Task", commandIds.setUpTask],
  "image-missing": ["Build Sandbox Image", commandIds.buildImage],
  "model-missing": ["Select Model", commandIds.selectModel],
  "model-needed": ["Select Model", commandIds.selectModel],
  "ollama-unreachable": ["Select Model", commandIds.selectModel],
  "runtime-missing": ["Install Embedded Runtime", commandIds.installRuntime],
  "nothing-scored": ["Iterate Solution", commandIds.iterate],
  "nothing-to-export": ["Iterate Solution", commandIds.iterate],
  "too-few-groups": ["Iterate Solution", commandIds.iterate],
  "nothing-tuned": ["Fine-Tune Local Model", commandIds.fineTune],
  "not-trusted": ["Manage Workspace Trust", "workbench.trust.manage"],
  "no-folder": ["Open Folder", "vscode.openFolder"],
};

/** Not worth a message: the user asked for it. */
const silent = new Set(["cancelled", "stopped"]);

export function register<A extends unknown[]>(
  log: Log,
  id: CommandId,
  action: (...args: A) => Promise<void> | void,
): Disposable {
  return commands.registerCommand(id, async (...args: A) => {
    const began = performance.now();
    log.debug(`${id} begins`);
    try {
      await action(...args);
      log.debug(`${id} ended after ${duration(performance.now() - began)}`);
    } catch (error) {
      if (isExitError(error) && silent.has(error.reason)) {
        log.info(`${id}: ${error.message}`);
        return;
      }
      log.error(
        `${id}: ${isExitError(error) ? error.message : error instanceof Error ? error.stack : error}`,
      );
      await showError(error, log);
    }
  });
}

/** @param error one that a command, or work it began, ended with */
export async function showError(error: unknown, log: Log): Promise<void> {
  const mend = isExitError(error) ? mends[error.reason] : undefined;
  const buttons = mend === undefined ? ["Show Log"] : [mend[0], "Show Log"];
  const chosen = await window.showErrorMessage(messageOf(error), ...buttons);
  if (chosen === "Show Log") log.show();
  else if (mend !== undefined && chosen === mend[0]) await commands.executeCommand(mend[1]);
}
