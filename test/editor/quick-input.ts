/** The command palette, quick picks and input boxes: one widget at the top of the window. */
import type { Locator, Page } from "playwright-core";
import { labelled, shown, shownEach } from "./locate.ts";

export interface Choice {
  readonly label: string;
  /** Empty: there is none. */
  readonly description: string;
  readonly detail: string;
}

export type QuickInput = ReturnType<typeof quickInput>;

export function quickInput(page: Page) {
  const widget = page.locator(".quick-input-widget:visible");
  const rows = widget.locator(".quick-input-list .monaco-list-row");
  const input = widget.locator(".quick-input-box input");

  /**
   * Types into the palette until the row is offered and takes the click: commands are registered while the window
   * starts, and the palette closes where an editor takes the focus.
   */
  async function press(text: string, label: string): Promise<void> {
    const row = labelled(page, rows, label).first();
    const limit = AbortSignal.timeout(60_000);
    for (;;) {
      await page.keyboard.press("F1");
      try {
        await input.fill(text, { timeout: 5_000 });
        await row.click({ timeout: 5_000 });
        break;
      } catch (error) {
        if (limit.aborted) throw error;
        await page.keyboard.press("Escape");
      }
    }
    // Else the palette, which has the command's title in it, could be taken for the question that the command asks.
    await row.waitFor({ state: "hidden" });
  }

  /** The question that is asked now: this text is its title, its placeholder or the line below. */
  const asking = (question: string): Locator =>
    widget.filter({ hasText: question }).or(widget.filter({ has: page.getByPlaceholder(question) }));

  return {
    /** Runs a command from the palette; title with its category, as "ExIt ML: Start a Run". */
    run: (title: string): Promise<void> => press(`>${title}`, title),

    /** The commands of the palette whose title holds the text, as the palette orders them. */
    async commands(text: string): Promise<string[]> {
      await page.keyboard.press("F1");
      await input.waitFor();
      await input.fill(`>${text}`);
      await rows.filter({ hasText: text }).or(widget.getByText("No matching commands")).first().waitFor();
      const labels = await shownEach(rows.filter({ hasText: text }).locator(".label-name"));
      await page.keyboard.press("Escape");
      return labels;
    },

    /** Waits for a question; a question may be its title, its placeholder or its prompt. */
    async waitFor(question: string): Promise<void> {
      await asking(question).waitFor();
    },

    /** Whether it asks this now; for questions that come after long work. */
    isAsking: (question: string): Promise<boolean> => asking(question).isVisible(),

    async choices(): Promise<Choice[]> {
      await rows.first().waitFor();
      const read = async (row: Locator): Promise<Choice> => ({
        label: await shown(row.locator(".quick-input-list-row:first-child .label-name")),
        description: await shown(row.locator(".label-description")),
        detail: await shown(row.locator(".quick-input-list-label-meta")),
      });
      return Promise.all((await rows.all()).map(read));
    },

    async choose(question: string, label: string): Promise<void> {
      await asking(question).waitFor();
      await labelled(page, rows, label).first().click();
    },

    /** Ticks exactly these of a list that takes several, and confirms. */
    async chooseAll(question: string, labels: readonly string[]): Promise<void> {
      await asking(question).waitFor();
      await rows.first().waitFor();
      for (const row of await rows.all()) {
        const wanted = labels.includes(await shown(row.locator(".label-name")));
        const box = row.getByRole("checkbox");
        if ((await box.getAttribute("aria-checked")) !== String(wanted)) await box.click();
      }
      await input.press("Enter");
    },

    /** Answers an input box; text that it does not accept stays, and `message` says why. */
    async enter(question: string, text: string): Promise<void> {
      await asking(question).waitFor();
      await input.fill(text);
      await input.press("Enter");
    },

    /** What the line below the box says: the prompt, or what is wrong with the text. */
    message: (): Promise<string> => shown(widget.locator(".quick-input-message")),

    /** What the box holds before anything is typed. */
    value: (): Promise<string> => input.inputValue(),

    async cancel(): Promise<void> {
      await page.keyboard.press("Escape");
      await widget.waitFor({ state: "hidden" });
    },

    /** Opens a file of the folder, as a user does who knows its name. */
    openFile: (name: string): Promise<void> => press(name, name),
  };
}
