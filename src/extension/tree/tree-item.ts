/** A row as the editor wants it. */
import { MarkdownString, ThemeColor, ThemeIcon, TreeItem, TreeItemCollapsibleState } from "vscode";
import type { Row } from "./row.ts";

const collapsible = {
  leaf: TreeItemCollapsibleState.None,
  collapsed: TreeItemCollapsibleState.Collapsed,
  expanded: TreeItemCollapsibleState.Expanded,
};

/** @param row null: it is gone since it was asked for */
export function treeItem(row: Row | null): TreeItem {
  if (row === null) return new TreeItem("");
  const item = new TreeItem(row.label, collapsible[row.open]);
  item.id = row.id;
  item.description = row.description;
  item.tooltip = new MarkdownString(row.tooltip);
  item.accessibilityInformation = { label: row.spoken };
  item.contextValue = row.flags;
  const { name, colour } = row.icon;
  item.iconPath = colour === null ? new ThemeIcon(name) : new ThemeIcon(name, new ThemeColor(colour));
  return item;
}
