/** The sidebar's Training: what is learned, proven and exported, live while it is under way. */
import {
  type Disposable,
  EventEmitter,
  type TreeDataProvider,
  type TreeItem,
  type TreeView,
  window,
} from "vscode";
import { commandIds, viewIds } from "../ids.ts";
import type { Sessions } from "../runner/sessions.ts";
import { treeItem } from "../tree/tree-item.ts";
import { childEntries, type Entry, messageAbove, rowOf, type View } from "./entry.ts";

/** At least this long between two redrawings. */
const batchMs = 250;

export class TrainingView implements TreeDataProvider<Entry>, Disposable {
  readonly #sessions: Sessions;
  readonly #tree: TreeView<Entry>;
  readonly #redraw = new EventEmitter<undefined>();
  readonly #disposables: Disposable[];
  #timer: NodeJS.Timeout | undefined;

  readonly onDidChangeTreeData = this.#redraw.event;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
    this.#tree = window.createTreeView(viewIds.training, { treeDataProvider: this, showCollapseAll: true });
    this.#disposables = [
      this.#tree,
      this.#redraw,
      sessions.onDidChange(() => this.#soon()),
      this.#tree.onDidChangeVisibility(({ visible }) => {
        if (visible) sessions.look();
      }),
    ];
    if (this.#tree.visible) sessions.look();
    this.#updateHeader();
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
    const { training, tuning, exports } = this.#sessions.known();
    return { training, board: tuning, exports };
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #soon(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#updateHeader();
      this.#redraw.fire(undefined);
    }, batchMs);
  }

  /** Beside the title stands what is in force. */
  #updateHeader(): void {
    const { failure, training } = this.#sessions.known();
    const tuned = (training?.inForce ?? []).filter(({ model }) => model !== null);
    this.#tree.description = tuned.map(({ model, version }) => `${model} in force (v${version})`).join(", ");
    this.#tree.message = messageAbove(this.view(), failure);
  }
}
