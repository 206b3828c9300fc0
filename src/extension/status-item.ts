/** The status-bar item: what the run, or the work with tuned models, is at. */
import { type Disposable, MarkdownString, StatusBarAlignment, window } from "vscode";
import { viewIds } from "./ids.ts";
import { detailWords, progressWords } from "./run-words.ts";
import type { Sessions } from "./runner/sessions.ts";
import { liveWords, stepOf, titleOf } from "./training/tuning-words.ts";

export function openStatusItem(sessions: Sessions): Disposable {
  const item = window.createStatusBarItem("exitMl.run", StatusBarAlignment.Left, 10);
  item.name = "ExIt ML run";
  const update = (): void => {
    const { board, tuning } = sessions.known();
    item.command = `${tuning === null ? viewIds.history : viewIds.training}.focus`;
    if (board !== null) {
      const words = progressWords(board);
      item.text = `$(sync~spin) ExIt ${words}`;
      item.accessibilityInformation = { label: `ExIt ML run: ${words}` };
      item.tooltip = new MarkdownString(detailWords(board).join("\n\n"));
      item.show();
    } else if (tuning !== null) {
      // Other steps are told in sentences: these stand in the view.
      const words = tuning.update === null ? titleOf(tuning) : `${titleOf(tuning)}, ${stepOf(tuning)}`;
      item.text = `$(sync~spin) ExIt ${words}`;
      item.accessibilityInformation = { label: `ExIt ML ${words}` };
      item.tooltip = liveWords(tuning);
      item.show();
    } else if (sessions.starting) {
      item.text = "$(sync~spin) ExIt getting ready";
      item.accessibilityInformation = { label: "ExIt ML: a run is getting ready" };
      item.tooltip = sessions.known().doing;
      item.show();
    } else item.hide();
  };
  update();
  const listening = sessions.onDidChange(update);
  return {
    dispose() {
      listening.dispose();
      item.dispose();
    },
  };
}
