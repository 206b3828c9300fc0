/** VS Code's own themes, put on one after the other. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Session } from "./session.ts";
import { themes } from "./workbench.ts";

export type Theme = keyof typeof themes;

/** The window's class in each theme. */
const kinds: Record<Theme, string> = {
  light: "vs",
  dark: "vs-dark",
  highContrast: "hc-black",
  highContrastLight: "hc-light",
};

/** Changes the theme by a setting of the folder, and waits for it. */
export async function useTheme({ page }: Session, folder: string, theme: Theme): Promise<void> {
  mkdirSync(join(folder, ".vscode"), { recursive: true });
  const settings = JSON.stringify({ "workbench.colorTheme": themes[theme] });
  writeFileSync(join(folder, ".vscode", "settings.json"), settings);
  await page.locator(`.monaco-workbench.${kinds[theme]}`).waitFor();
}
