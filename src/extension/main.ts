/** The extension: composes its parts when a view of ours is looked at or a command is called, and not before. */
import { join } from "node:path";
import type { ExtensionContext } from "vscode";
import { ExitError, messageOf } from "../protocol/errors.ts";
import { applyRevision, revertApply } from "./commands/apply.ts";
import { buildImage } from "./commands/build-image.ts";
import { chooseNode } from "./commands/choose-node.ts";
import { exportTrainingData } from "./commands/export-training-data.ts";
import { installCli, refreshLauncher } from "./commands/install-cli.ts";
import { installRuntime } from "./commands/install-runtime.ts";
import { iterate, stop } from "./commands/iterate.ts";
import { chooseModel } from "./commands/select-model.ts";
import { openTask, setUpTask } from "./commands/set-up-task.ts";
import { showDiff } from "./commands/show-diff.ts";
import { showPromptAndReply } from "./commands/show-prompt-and-reply.ts";
import { keepContext } from "./context.ts";
import { Documents } from "./documents.ts";
import type { Entry } from "./history/entry.ts";
import { HistoryView } from "./history/history-view.ts";
import { commandIds as ids } from "./ids.ts";
import { openLog } from "./log.ts";
import { register } from "./register.ts";
import { tellRunEnds } from "./run-ended.ts";
import { Sessions } from "./runner/sessions.ts";
import { nodePath, trainerPython } from "./settings.ts";
import { openStatusItem } from "./status-item.ts";
import { registerTraining } from "./training/commands.ts";
import { TrainingView } from "./training/training-view.ts";
import { tellTuningEnds } from "./tuning-ended.ts";

export function activate({
  extensionPath,
  globalStorageUri,
  subscriptions,
  workspaceState,
}: ExtensionContext): void {
  const log = openLog();
  const bundle = (name: string): string => join(extensionPath, "dist", name);
  const options = () => ({
    ...{ start: true, script: bundle("runner.js") },
    ...{ nodePath: nodePath(), trainerPython: trainerPython() },
  });
  const sessions = new Sessions(options, workspaceState, log);
  const documents = new Documents(sessions);
  const view = new HistoryView(sessions);
  const training = new TrainingView(sessions);
  const current = () => sessions.current();
  const node = async (entry: Entry | undefined, title: string) => {
    const session = await current();
    if (session.history.size === 0) await session.refresh();
    return { session, node: await chooseNode(entry, view.selected(), session.history, title) };
  };

  subscriptions.push(
    log,
    sessions,
    documents,
    view,
    training,
    keepContext(sessions),
    openStatusItem(sessions),
    tellRunEnds(sessions, log),
    tellTuningEnds(sessions, log),
    ...registerTraining(sessions, training, log),
    register(log, ids.iterate, () => iterate(sessions)),
    register(log, ids.stop, () => stop(sessions)),
    register(log, ids.applyRevision, async (entry?: Entry) => {
      const chosen = await node(entry, "Apply Revision");
      await applyRevision(chosen.session, chosen.node.id);
    }),
    register(log, ids.revertApply, async () => revertApply(await current())),
    register(log, ids.showDiff, async (entry?: Entry) => {
      const chosen = await node(entry, "Show Diff");
      await showDiff(chosen.node, "start", chosen.session.history, documents);
    }),
    register(log, ids.showDiffFromRoot, async (entry?: Entry) => {
      const chosen = await node(entry, "Show Diff from Root");
      await showDiff(chosen.node, "root", chosen.session.history, documents);
    }),
    register(log, ids.showPromptAndReply, async (entry?: Entry) => {
      const chosen = await node(entry, "Show Prompt and Reply");
      await showPromptAndReply(chosen.session, chosen.node.id, documents);
    }),
    register(log, ids.showBest, async () => {
      const session = await current();
      if (session.history.size === 0) await session.refresh();
      const [best] = session.history.best();
      if (best === undefined)
        throw new ExitError("nothing-scored", "No revision has scored yet. Iterate Solution makes some.");
      await view.reveal(best);
    }),
    register(log, ids.showMore, (entry: Entry) => {
      if (entry.kind === "more") view.showMore(entry.parent);
    }),
    register(log, ids.showLog, () => log.show()),
    register(log, ids.exportTrainingData, async () => exportTrainingData(await current())),
    register(log, ids.setUpTask, async () => setUpTask(await current())),
    register(log, ids.openTask, async () => openTask(await current())),
    register(log, ids.buildImage, async () => buildImage(await current())),
    register(log, ids.selectModel, async () => chooseModel(await current())),
    register(log, ids.selectFolder, async () => {
      await sessions.chooseFolder();
    }),
    register(log, ids.installCli, () => installCli(bundle("cli.js"))),
    register(log, ids.installRuntime, async () => installRuntime(await current(), globalStorageUri)),
    register(log, ids.refresh, () => sessions.look()),
  );
  refreshLauncher(bundle("cli.js")).catch((error: unknown) => log.warn(messageOf(error)));
}
