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

/** A row, and its place among all, from 0. */
interface Placed {
  readonly index: number;
  readonly total: number;
  readonly row: Row;
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

  /** One moment of these rows, so that none is read half before and half after it is drawn anew. */
  const read = (items: Locator): Promise<Placed[]> =>
    items.evaluateAll((elements) =>
      elements.map((element) => {
        const text = (part: string): string =>
          [...element.querySelectorAll(part)]
            .map(({ textContent }) => textContent.replaceAll("\u00a0", " ").trim())
            .join("\n")
            .trim();
        const icon = element.querySelector(".custom-view-tree-node-item-icon")?.getAttribute("class");
        const expanded = element.getAttribute("aria-expanded");
        const list = element.parentElement?.style.height ?? "";
        return {
          index: Number(element.getAttribute("data-index")),
          total: Math.round(Number.parseFloat(list) / Number.parseFloat(element.style.height)),
          row: {
            label: text(".label-name"),
            description: text(".label-description"),
            spoken: element.getAttribute("aria-label") ?? "",
            level: Number(element.getAttribute("aria-level")),
            expanded: expanded === null ? undefined : expanded === "true",
            icon: /\bcodicon-(?!colored)([a-z-]+)/.exec(icon ?? "")?.[1],
          },
        };
      }),
    );

  // Not by the mouse: a hover under it would take the wheel. VS Code reads Chromium's older field.
  async function scroll(deltaY: number): Promise<void> {
    const list = pane.getByRole("tree").locator("> .monaco-scrollable-element");
    await list.dispatchEvent("wheel", { deltaY, wheelDeltaY: -deltaY });
    await page.waitForTimeout(50);
  }

  /** Waits for a row and brings it into sight: the page holds only those. */
  async function reach(label: string): Promise<Locator> {
    const limit = AbortSignal.timeout(60_000);
    for (;;) {
      if ((await row(label).count()) > 0) return row(label);
      const inSight = await read(all);
      const last = inSight.at(-1);
      if (limit.aborted) {
        const labels = inSight.map(({ row }) => row.label).join(", ");
        throw new Error(`${title} has no row ${label}; in sight are: ${labels}`);
      }
      if (last) await scroll(last.index + 1 < last.total ? 200 : -1_000_000);
      else await page.waitForTimeout(100);
    }
  }

  async function setExpanded(label: string, expanded: boolean): Promise<void> {
    const item = await reach(label);
    if ((await item.getAttribute("aria-expanded")) === String(expanded)) return;
    await item.locator(".monaco-tl-twistie").click();
    await item.and(page.locator(`[aria-expanded=${expanded}]`)).waitFor();
  }

  return {
    /** Waits for the row with this label and reads it. */
    async row(label: string): Promise<Row> {
      for (;;) {
        const [found] = await read(await reach(label));
        if (found) return found.row;
      }
    },

    /** The rows from the top down, but for those below a closed one. Empty while the view has none. */
    async rows(): Promise<Row[]> {
      const limit = AbortSignal.timeout(60_000);
      const found = new Map<number, Row>();
      let total = 0;
      for (;;) {
        const inSight = await read(all);
        const [first] = inSight;
        if (!first) return [];
        // Rows came or went: what was read before stands elsewhere now.
        if (first.total !== total) found.clear();
        total = first.total;
        for (const { index, row } of inSight) found.set(index, row);
        if (found.size >= total) break;
        if (limit.aborted)
          throw new Error(`Only ${found.size} of ${total} rows of ${title} came into sight.`);
        // VS Code scrolls as well, to a row it reveals: what is missing may lie on either side.
        await scroll(found.has(0) || first.index === 0 ? 200 : -1_000_000);
      }
      await scroll(-1_000_000);
      return [...found].sort(([a], [b]) => a - b).map(([, row]) => row);
    },

    expand: (label: string): Promise<void> => setExpanded(label, true),

    collapse: (label: string): Promise<void> => setExpanded(label, false),

    async click(label: string): Promise<void> {
      await (await reach(label)).locator(".label-name").click();
    },

    async doubleClick(label: string): Promise<void> {
      await (await reach(label)).locator(".label-name").dblclick();
    },

    /** Presses a button at the end of a row. */
    async inline(label: string, action: string): Promise<void> {
      await (await reach(label)).hover();
      await row(label)
        .getByRole("button", { name: named(action) })
        .click();
    },

    /** Titles in the context menu of a row, from the top down. */
    async offered(label: string): Promise<string[]> {
      await (await reach(label)).locator(".label-name").click({ button: "right" });
      await menu.first().waitFor();
      const titles = await shownEach(menu.locator(".action-menu-item .action-label"));
      await page.keyboard.press("Escape");
      await menu.first().waitFor({ state: "hidden" });
      return titles.filter((text) => text !== "");
    },

    /** Picks from the context menu of a row; more than one title: through submenus. */
    async pick(label: string, ...titles: string[]): Promise<void> {
      await (await reach(label)).locator(".label-name").click({ button: "right" });
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
