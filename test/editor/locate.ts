/** Finding things in VS Code's page by the words a user sees. */
import type { Locator, Page } from "playwright-core";

/** An accessible name as VS Code writes it: the title, and behind it the shortcut where there is one. */
export function named(title: string): RegExp {
  return new RegExp(`^${title.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")}( \\(.+\\))?$`);
}

/** Those of the rows whose label (not their description) is this text, the whole of it. */
export function labelled(page: Page, rows: Locator, label: string): Locator {
  return rows.filter({ has: page.locator(".label-name").getByText(label, { exact: true }) });
}

/** What a user reads there, several places under each other; empty where there is nothing. */
export const shown = async (places: Locator): Promise<string> => (await shownEach(places)).join("\n").trim();

/** Labels hold hard spaces that nobody sees. */
export const shownEach = async (places: Locator): Promise<string[]> =>
  (await places.allInnerTexts()).map((text) => text.replaceAll("\u00a0", " ").trim());
