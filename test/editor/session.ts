/** One window of VS Code for one test: opened with what the test names, gone when the test ends. */
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { type OpenPage, openPage } from "./browser.ts";
import { type CodeServer, type CodeServerOptions, startCodeServer } from "./code-server.ts";
import { type Workbench, workbench } from "./workbench.ts";

export interface Session extends Workbench {
  /** Errors of the page: VS Code's own console, exceptions nobody caught. */
  readonly errors: readonly string[];
  readonly server: CodeServer;
}

/**
 * Opens a folder in a window. To be called inside a test: its end closes the window and the server, and where it
 * failed a picture and the logs stay in test-output/editor/<file>/<test>/.
 */
export function openFolder(folder: string, options: CodeServerOptions = {}): Promise<Session> {
  return openWindow(`folder=${encodeURIComponent(folder)}`, options);
}

/** As `openFolder`, but for a window in which no folder is open. */
export function openNoFolder(options: CodeServerOptions = {}): Promise<Session> {
  return openWindow("ew=true", options);
}

async function openWindow(query: string, options: CodeServerOptions): Promise<Session> {
  const { server, page, pictures } = await startBoth(options);
  const window = workbench(page.page, pictures);
  await window.open(`http://${server.authority}/?${query}`);
  return { ...window, errors: page.errors, server };
}

/** A server and an empty page that end with the test. */
export async function startBoth(
  options: CodeServerOptions,
): Promise<{ server: CodeServer; page: OpenPage; pictures: string }> {
  const pictures = outputFolder();
  const server = await startCodeServer(options);
  let page: OpenPage | undefined;
  onTestFinished(async ({ task }) => {
    try {
      if (task.result?.state === "fail") await keepEvidence(join(pictures, slug(task.name)), server, page);
    } finally {
      await page?.close();
      await server.stop();
    }
  });
  page = await openPage();
  return { server, page, pictures };
}

async function keepEvidence(folder: string, server: CodeServer, open: OpenPage | undefined): Promise<void> {
  mkdirSync(folder, { recursive: true });
  server.keepLogs(folder);
  if (!open) return;
  writeFileSync(join(folder, "page-errors.log"), open.errors.join("\n"));
  await open.page.screenshot({ path: join(folder, "failure.png"), animations: "disabled" });
}

/** test-output/editor/<file>, by the test file that runs now. */
function outputFolder(): string {
  const file = basename(expect.getState().testPath ?? "unnamed").replace(/\.test\.ts$/, "");
  return join(import.meta.dirname, "..", "..", "test-output", "editor", file);
}

const slug = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 60);
