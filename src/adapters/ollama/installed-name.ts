/** Names of tuned models on a server: `smollm2-135m-exit:m1-3fa9c2d07b5e` is tuned from `smollm2:135m`. */
import { withTag } from "./model-facts.ts";

/** The server's limit for either part of a name. */
const longest = 80;
const ending = "-exit";
/** Ids repeat between workspaces, weights do not. */
const digits = 12;

/** @param digest of the tuned weights */
export function installedName(base: string, id: string, digest: string): string {
  return `${familyOf(base)}:${id}-${digest.slice(0, digits)}`;
}

/** The beginning of the digest that stands in a name made here for a model of this base; null: it was not made here. */
export function digestInName(base: string, name: string): string | null {
  const [family, tag = ""] = name.split(":");
  if (family !== familyOf(base)) return null;
  return /^\w[\w.-]*-([0-9a-f]{12})$/.exec(tag)?.[1] ?? null;
}

/** Without the place it came from: the tuned one is from here. */
function familyOf(base: string): string {
  const [model = "", tag = ""] = withTag(base)
    .slice(base.lastIndexOf("/") + 1)
    .split(":");
  const named = tag === "latest" ? model : `${model}-${tag}`;
  return named.slice(0, longest - ending.length) + ending;
}
