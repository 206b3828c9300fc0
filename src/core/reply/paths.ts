/**
 * Paths as models write them, turned into paths of the solution or refused. Nothing outside the solution is ever
 * named by a path that comes out of here.
 */
import type { ResolvedTask, Solution } from "../ports.ts";
import { refuse } from "./refusal.ts";

const knownExtension =
  /\.(?:py|json|jsonc|yaml|yml|toml|txt|md|rst|csv|tsv|cfg|ini|sh|ipynb|js|mjs|cjs|ts|r|jl|c|h|cc|cpp|hpp|cu|rs|go|java|sql|pth|pt|npy|xml|html|lock|env)$/i;
// Control characters, zero-width and direction marks make a path look like another one.
const hiddenCharacters = /\p{Cc}|\p{Cf}|[\u2028\u2029]/u;

/** True for one word that can only be meant as the path of a file. */
export function looksLikePath(word: string): boolean {
  if (word === "" || /[\s<>"'`|*?{}()[\]=,;]/.test(word) || word.includes("://")) return false;
  return knownExtension.test(word) || /[\\/].*\.[A-Za-z0-9]{1,8}$/.test(word);
}

export interface PathReading {
  readonly path: string;
  /** False if the path had to be repaired. */
  readonly clean: boolean;
}

/**
 * The path of the solution that `written` names.
 * @throws Refusal for a path that leaves the workspace, is not in the solution, or cannot exist beside `start`.
 */
export function resolvePath(written: string, task: ResolvedTask, start: Solution): PathReading {
  const name = JSON.stringify(written);
  const paths = start.map((file) => file.path);
  if (paths.includes(written) && task.isSolutionPath(written)) return { path: written, clean: true };
  if (hiddenCharacters.test(written)) return refuse(`The path ${name} contains invisible characters.`);
  const slashed = written.trim().replaceAll("\\", "/");
  if (slashed.startsWith("/") || slashed.startsWith("~") || /^[A-Za-z]:/.test(slashed))
    return refuse(`The path ${name} is absolute; paths are relative to the workspace folder.`);
  const segments = slashed.split("/").filter((segment) => segment !== "." && segment !== "");
  if (segments.includes("..")) return refuse(`The path ${name} leaves the workspace folder.`);
  if (segments.length === 0 || slashed.endsWith("/")) return refuse(`${name} is not the path of a file.`);
  if (segments.some((part) => part.toLowerCase() === ".git"))
    return refuse(`The path ${name} lies in a .git folder.`);
  if (segments.some((part) => part.length > 200 || /[. ]$/.test(part) || part.startsWith(" ")))
    return refuse(`The path ${name} is not one every system can store.`);

  const candidate = segments.join("/");
  const path =
    paths.find((known) => sameText(known, candidate)) ?? byBaseName(candidate, paths, task) ?? candidate;
  if (!task.isSolutionPath(path))
    return refuse(`The edit touches ${name}, which is not part of the solution.`);
  if (!paths.includes(path)) {
    const twin = paths.find((known) => folded(known) === folded(path));
    if (twin !== undefined) return refuse(`The path ${name} differs from ${twin} only in letter case.`);
    const clash = paths.find((known) => known.startsWith(`${path}/`) || path.startsWith(`${known}/`));
    if (clash !== undefined) return refuse(`${name} cannot exist beside the file ${clash}.`);
  }
  return { path, clean: path === written };
}

/** A bare file name stands for the one file of the solution that has it. */
function byBaseName(name: string, paths: readonly string[], task: ResolvedTask): string | null {
  if (name.includes("/") || task.isSolutionPath(name)) return null;
  const matches = paths.filter((path) => sameText(path.split("/").at(-1) ?? "", name));
  return matches.length === 1 ? (matches[0] ?? null) : null;
}

/** Equal, however accents are composed. */
function sameText(a: string, b: string): boolean {
  return a.normalize("NFC") === b.normalize("NFC");
}

function folded(path: string): string {
  return path.normalize("NFKC").toLowerCase();
}
