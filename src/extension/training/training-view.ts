/** The sidebar's Training: what is learned, proven and exported, live while it is under way. */
import type { TreeItem } from "vscode";
import { commandIds, viewIds } from "../ids.ts";
import type { Sessions } from "../runner/sessions.ts";
import { LiveTree } from "../tree/live-tree.ts";
import { treeItem } from "../tree/tree-item.ts";
import { childEntries, type Entry, messageAbove, rowOf, type View } from "./entry.ts";

export class TrainingView extends LiveTree<Entry> {
  constructor(sessions: Sessions) {
    super(viewIds.training, sessions);
  }

  getChildren(entry?: Entry): Entry[] {
    return [...childEntries(this.view(), entry ?? null)];
  }

  getTreeItem(entry: Entry): TreeItem {
    const item = treeItem(rowOf(this.view(), entry));
    if (entry.kind === "export")
      item.command = { command: commandIds.showCard, title: "Show Card", arguments: [entry] };
    return item;
  }

  view(): View {
    const { training, tuning, exports } = this.sessions.known();
    return { training, board: tuning, exports };
  }

  /** Beside the title stands what is in force. */
  protected override updateHeader(): void {
    const { failure, training } = this.sessions.known();
    const tuned = (training?.inForce ?? []).filter(({ model }) => model !== null);
    this.tree.description = tuned.map(({ model, version }) => `${model} in force (v${version})`).join(", ");
    this.tree.message = messageAbove(this.view(), failure);
  }
}
