/** A browser without a window, and what went wrong on a page of it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";

export interface OpenPage {
  readonly page: Page;
  /** Errors of the console and exceptions nobody caught, as they came. */
  readonly errors: readonly string[];
  close(): Promise<void>;
}

const flags = [
  // The machine that runs the tests may be a container, as root and with a small /dev/shm.
  ...["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
  // No calls of its own to anywhere.
  ...["--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

/** Opens a page with no memory of any other. It ends with this process. */
export async function openPage(): Promise<OpenPage> {
  const executablePath = process.env.EXIT_ML_TEST_BROWSER;
  if (executablePath === undefined) {
    throw new Error("EXIT_ML_TEST_BROWSER is not set. `npm test -- --only editor` sets it.");
  }
  // Chromium keeps its crash reports beside the user's own, and a database of settings at run time.
  const home = mkdtempSync(join(tmpdir(), "exit-ml-browser-"));
  const env = { ...process.env, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home, XDG_RUNTIME_DIR: home };
  const browser = await chromium.launch({ executablePath, args: flags, env });
  const close = async (): Promise<void> => {
    await browser.close();
    rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  try {
    const context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      permissions: ["clipboard-read", "clipboard-write"],
    });
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    const errors: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    page.on("pageerror", (error) => errors.push(String(error)));
    return { page, errors, close };
  } catch (error) {
    await close();
    throw error;
  }
}
