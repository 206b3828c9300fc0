/** A tree of the sidebar that follows what is known of the workspaces. */
import {
  type Disposable,
  EventEmitter,
  type TreeDataProvider,
  type TreeItem,
  type TreeView,
  window,
} from "vscode";
import type { Sessions } from "../runner/sessions.ts";

/** At least this long between two redrawings: a fast run must not keep the editor busy. */
const batchMs = 250;

export abstract class LiveTree<Entry> implements TreeDataProvider<Entry>, Disposable {
  protected readonly sessions: Sessions;
  protected readonly tree: TreeView<Entry>;
  readonly #redraw = new EventEmitter<undefined>();
  readonly #disposables: Disposable[];
  #timer: NodeJS.Timeout | undefined;

  readonly onDidChangeTreeData = this.#redraw.event;

  /** @param id of the view in the manifest */
  constructor(id: string, sessions: Sessions) {
    this.sessions = sessions;
    this.tree = window.createTreeView(id, { treeDataProvider: this, showCollapseAll: true });
    this.#disposables = [
      this.tree,
      this.#redraw,
      sessions.onDidChange(() => this.#soon()),
      this.tree.onDidChangeVisibility(({ visible }) => {
        if (visible) sessions.look();
      }),
    ];
    if (this.tree.visible) sessions.look();
    this.updateHeader();
  }

  abstract getChildren(entry?: Entry): Entry[];
  abstract getTreeItem(entry: Entry): TreeItem;

  /** What stands beside the title and above the rows; called before the fields of the view itself are made, too. */
  protected abstract updateHeader(): void;

  protected redraw(): void {
    this.#redraw.fire(undefined);
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const disposable of this.#disposables) disposable.dispose();
  }

  #soon(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.updateHeader();
      this.redraw();
    }, batchMs);
  }
}
