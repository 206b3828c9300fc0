/** The status-bar item: what the run under way is at. */
import { type Disposable, MarkdownString, StatusBarAlignment, window } from "vscode";
import { viewIds } from "./ids.ts";
import { detailWords, progressWords } from "./run-words.ts";
import type { Sessions } from "./runner/sessions.ts";

export function openStatusItem(sessions: Sessions): Disposable {
  const item = window.createStatusBarItem("exitMl.run", StatusBarAlignment.Left, 10);
  item.name = "ExIt ML run";
  item.command = `${viewIds.history}.focus`;
  const update = (): void => {
    const { board } = sessions.known();
    if (board !== null) {
      const words = progressWords(board);
      item.text = `$(sync~spin) ExIt ${words}`;
      item.accessibilityInformation = { label: `ExIt ML run: ${words}` };
      item.tooltip = new MarkdownString(detailWords(board).join("\n\n"));
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
