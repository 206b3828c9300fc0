/** One view of the side bar: the rows of its tree, what they offer, and what it says while it has none. */
import type { Locator, Page } from "playwright-core";
import { labelled, named, shown, shownEach } from "./locate.ts";

export interface Row {
  readonly label: string;
  /** Empty: there is none. */
  readonly description: string;
  /** What a screen reader says. */
  readonly spoken: string;
  /** 1: at the top. */
  readonly level: number;
  /** undefined: it has nothing below it. */
  readonly expanded?: boolean | undefined;
  /** Codicon, without "codicon-". */
  readonly icon?: string | undefined;
}

/** @param title of the view, as its header shows it */
export function treeView(page: Page, title: string) {
  // Between the two stands the description, where there is one.
  const header = page.locator(
    `.pane-header[aria-label="${title} Section"], .pane-header[aria-label^="${title} - "]`,
  );
  const pane = page.locator(".part.sidebar .pane").filter({ has: header });
  const all = pane.getByRole("treeitem");
  const menu = page.locator(".monaco-menu");

  /** Of several rows with one label, such as two revisions of the same score, the first. */
  const row = (label: string): Locator => labelled(page, all, label).first();

  const indexed = (index: number): Locator => pane.locator(`[role=treeitem][data-index="${index}"]`);

  async function read(item: Locator): Promise<Row> {
    const expanded = await item.getAttribute("aria-expanded");
    const icon = await item.locator(".custom-view-tree-node-item-icon").first().getAttribute("class");
    return {
      label: await shown(item.locator(".label-name")),
      description: await shown(item.locator(".label-description")),
      spoken: (await item.getAttribute("aria-label")) ?? "",
      level: Number(await item.getAttribute("aria-level")),
      expanded: expanded === null ? undefined : expanded === "true",
      icon: /\bcodicon-(?!colored)([a-z-]+)/.exec(icon ?? "")?.[1],
    };
  }

  async function setExpanded(label: string, expanded: boolean): Promise<void> {
    const item = row(label);
    await item.waitFor();
    if ((await item.getAttribute("aria-expanded")) === String(expanded)) return;
    await item.locator(".monaco-tl-twistie").click();
    await item.and(page.locator(`[aria-expanded=${expanded}]`)).waitFor();
  }

  return {
    /** Waits for the row with this label and reads it. */
    async row(label: string): Promise<Row> {
      await row(label).waitFor();
      return read(row(label));
    },

    /** The rows from the top down, but for those below a closed one. Empty while the view has none. */
    async rows(): Promise<Row[]> {
      const found = new Map<number, Row>();
      if ((await all.count()) === 0) return [];
      // The page holds only the rows in sight.
      // Not by the mouse: a hover under it would take the wheel. VS Code reads Chromium's older field.
      const scroll = (deltaY: number): Promise<void> =>
        pane
          .getByRole("tree")
          .locator("> .monaco-scrollable-element")
          .dispatchEvent("wheel", { deltaY, wheelDeltaY: -deltaY });
      const toTop = async (): Promise<void> => {
        await scroll(-1_000_000);
        await indexed(0).waitFor();
      };
      await toTop();
      const total = Math.round(
        (await heightOf(pane.locator(".monaco-list-rows"))) / (await heightOf(indexed(0))),
      );
      for (;;) {
        for (const item of await all.all())
          found.set(Number(await item.getAttribute("data-index")), await read(item));
        if (found.size >= total) break;
        await scroll(200);
        await indexed(found.size).waitFor();
      }
      await toTop();
      return [...found].sort(([a], [b]) => a - b).map(([, row]) => row);
    },

    expand: (label: string): Promise<void> => setExpanded(label, true),

    collapse: (label: string): Promise<void> => setExpanded(label, false),

    async click(label: string): Promise<void> {
      await row(label).locator(".label-name").click();
    },

    async doubleClick(label: string): Promise<void> {
      await row(label).locator(".label-name").dblclick();
    },

    /** Presses a button at the end of a row. */
    async inline(label: string, action: string): Promise<void> {
      await row(label).hover();
      await row(label)
        .getByRole("button", { name: named(action) })
        .click();
    },

    /** Titles in the context menu of a row, from the top down. */
    async offered(label: string): Promise<string[]> {
      await row(label).locator(".label-name").click({ button: "right" });
      await menu.first().waitFor();
      const titles = await shownEach(menu.locator(".action-menu-item .action-label"));
      await page.keyboard.press("Escape");
      await menu.first().waitFor({ state: "hidden" });
      return titles.filter((text) => text !== "");
    },

    /** Picks from the context menu of a row; more than one title: through submenus. */
    async pick(label: string, ...titles: string[]): Promise<void> {
      await row(label).locator(".label-name").click({ button: "right" });
      for (const wanted of titles) {
        const entry = menu
          .locator(".action-menu-item")
          .filter({ has: page.getByText(wanted, { exact: true }) });
        // Not by a click: a menu takes none in its first moments.
        await entry.last().hover();
        await page.keyboard.press("Enter");
      }
    },

    /** Presses a button in the header of the view, which stands in the side bar's own where it is the only view. */
    async press(action: string): Promise<void> {
      const alone = page.locator(".part.sidebar .composite.title .title-actions");
      await pane.hover();
      await header
        .or(alone)
        .getByRole("button", { name: named(action) })
        .click();
    },

    /** Waits until the view, empty, says this, and reads all of it: paragraphs, and what can be pressed. */
    async welcome(text: string): Promise<{ text: string; buttons: string[]; links: string[] }> {
      const content = pane.locator(".welcome-view-content").filter({ hasText: text });
      await content.waitFor();
      return {
        text: await shown(content),
        buttons: await shownEach(content.locator(".monaco-button")),
        links: await shownEach(content.locator("p a")),
      };
    },

    /** Presses a button or a link of the welcome text. */
    async follow(title: string): Promise<void> {
      await pane.locator(".welcome-view-content").getByText(title, { exact: true }).click();
    },

    /** What stands beside the title; empty: nothing. */
    description: (): Promise<string> => shown(header.locator(".description")),

    /** The message above the tree; empty: there is none. */
    message: (): Promise<string> => shown(pane.locator(".message:not(.hide)")),
  };
}

const heightOf = (element: Locator): Promise<number> =>
  element.evaluate(({ style }) => Number.parseFloat(style.height));
