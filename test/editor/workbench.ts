/** VS Code's window as a user has it in front of them. */
import { join } from "node:path";
import type { Page } from "playwright-core";
import { codeIn, editors } from "./editors.ts";
import { named, shown } from "./locate.ts";
import { modal, notifications } from "./notifications.ts";
import { quickInput } from "./quick-input.ts";
import { treeView } from "./tree-view.ts";

/** For the setting workbench.colorTheme. */
export const themes = {
  light: "Default Light Modern",
  dark: "Default Dark Modern",
  highContrast: "Default High Contrast",
  highContrastLight: "Default High Contrast Light",
} as const;

export type Workbench = ReturnType<typeof workbench>;

/** @param pictures folder that screenshots go to */
export function workbench(page: Page, pictures: string) {
  const quick = quickInput(page);
  const status = (id: string) => page.locator(`.part.statusbar [id=${JSON.stringify(id)}]`);

  async function painted(): Promise<void> {
    await page.locator(".monaco-workbench .part.statusbar").waitFor({ timeout: 120_000 });
  }

  return {
    page,
    quick,
    notifications: notifications(page, quick),
    modal: modal(page),
    editors: editors(page),

    /** Runs a command from the palette; title with its category, as "View: Reset View Locations". */
    run: quick.run,

    /** @param url of the window, which names the folder */
    async open(url: string): Promise<void> {
      await page.goto(url);
      await painted();
    },

    /** As "Developer: Reload Window": the extension host starts anew. */
    async reload(): Promise<void> {
      await page.reload();
      await painted();
    },

    /** Shows a container of the activity bar. */
    async openContainer(title: string): Promise<void> {
      const shown = page.locator(".part.sidebar .title-label").filter({ hasText: title });
      const name = JSON.stringify(title);
      const tab = page.locator(".part.activitybar .action-item").filter({
        has: page.locator(
          `.action-label[aria-label=${name}], .action-label[aria-label^=${name.slice(0, -1)} ("]`,
        ),
      });
      await tab.waitFor();
      const limit = AbortSignal.timeout(60_000);
      for (;;) {
        // A starting window may show it by itself just before the press, which then hides it.
        if ((await tab.getAttribute("aria-expanded")) !== "true") await tab.click();
        try {
          return await shown.waitFor({ timeout: 5_000 });
        } catch (error) {
          if (limit.aborted) throw error;
        }
      }
    },

    /** A view of the side bar by its title. */
    view: (title: string) => treeView(page, title),

    /** Waits for a status-bar item. @param id PUBLISHER.EXTENSION.ITEM */
    async statusItem(id: string): Promise<{ text: string; spoken: string }> {
      await status(id).waitFor();
      return {
        text: await shown(status(id)),
        spoken: (await status(id).getAttribute("aria-label")) ?? "",
      };
    },

    pressStatusItem: (id: string): Promise<void> => status(id).locator("a").click(),

    /** Shows an output channel and reads what is in sight of it. */
    async output(channel: string): Promise<string> {
      await quick.run("Output: Show Output Channels...");
      await quick.choose("Select output channel", channel);
      return codeIn(page.locator(".output-view .monaco-editor"));
    },

    /** Says yes to the folder from Restricted Mode on. */
    async trust(): Promise<void> {
      await quick.run("Workspaces: Manage Workspace Trust");
      await page
        .locator(".workspace-trust-editor")
        .getByRole("button", { name: named("Trust") })
        .click();
    },

    /** @returns the picture's path */
    async screenshot(name: string): Promise<string> {
      const path = join(pictures, `${name}.png`);
      await page.screenshot({ path, animations: "disabled" });
      return path;
    },
  };
}
