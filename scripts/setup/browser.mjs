// A browser of the Chromium family, for the tests that show VS Code in one: what is installed, else Debian's.
import fs from "node:fs";
import path from "node:path";
import { canInstallPackages, installCommand, installPackages } from "./apt.mjs";
import { ask, findProgram } from "./process.mjs";

const programs = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/**
 * Where a browser is kept that is on no PATH.
 * @param {NodeJS.Platform} [platform]
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string[]}
 */
export function usualPlaces(platform = process.platform, env = process.env) {
  if (platform === "darwin") {
    return ["Google Chrome", "Chromium", "Microsoft Edge"].map(
      (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
    );
  }
  if (platform !== "win32") return [];
  return [env.PROGRAMFILES, env["PROGRAMFILES(X86)"], env.LOCALAPPDATA]
    .filter((folder) => folder !== undefined)
    .flatMap((folder) => [
      path.win32.join(folder, "Google", "Chrome", "Application", "chrome.exe"),
      path.win32.join(folder, "Microsoft", "Edge", "Application", "msedge.exe"),
    ]);
}

const findBrowser = () =>
  programs.map(findProgram).find((file) => file !== undefined) ??
  usualPlaces().find((file) => fs.existsSync(file));

/**
 * @param {{ progress: (text: string) => void }} options
 * @returns {Promise<{ program: string }>}
 */
export async function browser({ progress }) {
  const found = findBrowser();
  if (found) return { program: found };
  if (!canInstallPackages()) {
    const install = findProgram("apt-get") ? installCommand("chromium") : "install Chromium or Google Chrome";
    throw new Error(`There is no Chromium or Chrome. What brings it: ${install}`);
  }
  progress("installing Chromium (about 30 s)");
  await installPackages(["chromium"], "Installing Chromium");
  const program = findBrowser();
  // Ubuntu's package of this name is an empty one that points to a snap.
  const said = program && (await ask(program, ["--version"], { limitSeconds: 30 }));
  if (!program || !said) throw new Error("The package chromium brought no browser that starts.");
  return { program };
}
