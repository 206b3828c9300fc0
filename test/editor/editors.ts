/** Editors in the middle of the window: their tabs, texts and differences. */
import type { Locator, Page } from "playwright-core";
import { named, shownEach } from "./locate.ts";

export function editors(page: Page) {
  const area = page.locator(".part.editor");
  const tabs = area.locator(".tab");
  const active = area.locator(".editor-group-container.active .editor-instance");

  return {
    /** Titles of the open editors, left to right. */
    tabs: (): Promise<string[]> => shownEach(tabs.locator(".tab-label .label-name")),

    /** Waits for an editor with this title in front. */
    async waitFor(title: string): Promise<void> {
      await area.locator(".tab.active").filter({ hasText: title }).waitFor();
    },

    /** The lines of the editor in front that are in sight. */
    text: (): Promise<string> => codeIn(active.locator(".monaco-editor").first()),

    /** Waits for a comparison in front; what is in sight of its two sides. */
    async difference(): Promise<{ original: string; modified: string }> {
      const sides = active.locator(".monaco-diff-editor");
      await sides.locator(".view-line").first().waitFor();
      return {
        original: await codeIn(sides.locator(".editor.original")),
        modified: await codeIn(sides.locator(".editor.modified")),
      };
    },

    /** Presses a button at the right end of the tabs. */
    async press(action: string): Promise<void> {
      await area
        .locator(".editor-group-container.active .editor-actions")
        .getByRole("button", { name: named(action) })
        .click();
    },
  };
}

/** Lines stand in the page in any order, each at its own height. */
export async function codeIn(editor: Locator): Promise<string> {
  await editor.locator(".view-line").first().waitFor();
  const lines = await editor.locator(".view-line").evaluateAll((elements) =>
    elements.map((element) => ({
      top: Number.parseFloat(element.style.top),
      text: element.textContent ?? "",
    })),
  );
  return lines
    .sort((a, b) => a.top - b.top)
    .map(({ text }) => text.replaceAll("\u00a0", " "))
    .join("\n");
}
