/** Notifications at the corner of the window, and the modal question in its middle. */
import type { Locator, Page } from "playwright-core";
import { named, shown, shownEach } from "./locate.ts";
import type { QuickInput } from "./quick-input.ts";

export interface Notification {
  readonly kind: "info" | "warning" | "error";
  readonly text: string;
  readonly buttons: readonly string[];
}

export function notifications(page: Page, palette: QuickInput) {
  const toasts = page.locator(".notifications-toasts .notification-list-item");
  const center = page.locator(".notifications-center");
  const saying = (text: string): Locator => toasts.filter({ hasText: text });

  async function read(item: Locator): Promise<Notification> {
    const icon = (await item.locator(".notification-list-item-icon").getAttribute("class")) ?? "";
    return {
      kind: icon.includes("codicon-error") ? "error" : icon.includes("codicon-warning") ? "warning" : "info",
      text: await shown(item.locator(".notification-list-item-message")),
      buttons: await shownEach(item.locator(".notification-list-item-buttons-container .monaco-button")),
    };
  }

  return {
    /** Waits for one that holds this text and reads it. */
    async waitFor(text: string): Promise<Notification> {
      const item = saying(text).first();
      await item.waitFor();
      return read(item);
    },

    async press(text: string, button: string): Promise<void> {
      await saying(text)
        .first()
        .getByRole("button", { name: named(button) })
        .click();
    },

    /** All that came and were not cleared, those that went out of sight included. Newest first. */
    async all(): Promise<Notification[]> {
      await palette.run("Notifications: Show Notifications");
      await center.waitFor();
      const found = await Promise.all((await center.locator(".notification-list-item").all()).map(read));
      await palette.run("Notifications: Hide Notifications");
      await center.waitFor({ state: "hidden" });
      return found;
    },

    async clear(): Promise<void> {
      await palette.run("Notifications: Clear All Notifications");
      await toasts.first().waitFor({ state: "hidden" });
    },
  };
}

export interface Question {
  readonly text: string;
  readonly detail: string;
  readonly buttons: readonly string[];
}

export function modal(page: Page) {
  const box = page.locator(".monaco-dialog-box");
  return {
    /** Waits for a modal question and reads it. */
    async read(): Promise<Question> {
      await box.waitFor();
      return {
        text: await shown(box.locator(".dialog-message-text")),
        detail: await shown(box.locator(".dialog-message-detail")),
        buttons: await shownEach(box.locator(".dialog-buttons .monaco-button")),
      };
    },

    async answer(button: string): Promise<void> {
      await box
        .locator(".dialog-buttons")
        .getByRole("button", { name: named(button) })
        .click();
      await box.waitFor({ state: "hidden" });
    },
  };
}
