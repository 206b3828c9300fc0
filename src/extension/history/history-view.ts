/** The sidebar's History: the tree of partial histories, live while a run lasts. */
import type { TreeItem } from "vscode";
import { metricNames } from "../../client/words/metric.ts";
import type { ListedNode } from "../../protocol/results.ts";
import { commandIds, viewIds } from "../ids.ts";
import type { Sessions } from "../runner/sessions.ts";
import { LiveTree } from "../tree/live-tree.ts";
import { treeItem } from "../tree/tree-item.ts";
import { childEntries, type Entry, pageSize, parentEntry, rowOf, type View } from "./entry.ts";

export class HistoryView extends LiveTree<Entry> {
  /** Children shown of a parent with many, by its id. */
  readonly #shown = new Map<string, number>();

  constructor(sessions: Sessions) {
    super(viewIds.history, sessions);
  }

  getChildren(entry?: Entry): Entry[] {
    return [...childEntries(this.#view(), entry ?? null)];
  }

  getParent(entry: Entry): Entry | null {
    return parentEntry(this.#view(), entry);
  }

  getTreeItem(entry: Entry): TreeItem {
    const row = rowOf(this.#view(), entry);
    const item = treeItem(row);
    if (entry.kind === "node" && row?.flags.includes("diff"))
      item.command = { command: commandIds.showDiff, title: "Show Diff", arguments: [entry] };
    if (entry.kind === "more")
      item.command = { command: commandIds.showMore, title: "Show More", arguments: [entry] };
    return item;
  }

  /** The node of the row that is selected, if it is one. */
  selected(): string | null {
    const [entry] = this.tree.selection;
    return entry?.kind === "node" ? entry.id : null;
  }

  async reveal(node: ListedNode): Promise<void> {
    // Every page on the way down that hides it is turned first.
    const { history } = this.#view();
    for (const at of [node, ...history.ancestors(node)]) {
      if (at.parent === null) continue;
      const place = history.children(at.parent).findIndex(({ id }) => id === at.id);
      const shown = this.#shown.get(at.parent) ?? pageSize;
      if (place >= shown) this.#shown.set(at.parent, Math.ceil((place + 1) / pageSize) * pageSize);
    }
    this.redraw();
    await this.tree.reveal({ kind: "node", id: node.id }, { select: true, focus: true, expand: true });
  }

  showMore(parent: string): void {
    this.#shown.set(parent, (this.#shown.get(parent) ?? pageSize) + pageSize);
    this.redraw();
  }

  #view(): View {
    const { history, board, status } = this.sessions.known();
    return {
      history,
      board,
      metrics: metricNames(status?.tasks ?? []),
      selfReported: new Set(
        (status?.tasks ?? []).filter((task) => task.selfReported).map((task) => task.name),
      ),
      applied: status?.applied?.node ?? null,
      shown: this.#shown,
    };
  }

  /** Above the rows stands what keeps a run from starting, or what it is getting ready. */
  protected override updateHeader(): void {
    const { history, doing, failure, readiness } = this.sessions.known();
    const lacking = readiness?.parts.find(({ ok }) => !ok);
    // Without rows the welcome text says it, and a message would hide that.
    const text = doing !== "" ? `${doing} …` : (failure ?? lacking?.message);
    // Set to nothing, never deleted: that would take away what makes it heard.
    this.tree.message = history.size === 0 && doing === "" ? "" : (text ?? "");
  }
}
