/** Edits written in the documented syntax (src/core/reply/syntax.ts), the way a perfect model would. */
import { fenceFor, markerLengthFor, markersOf } from "../../../src/core/reply/syntax.ts";

/** Lines, without line ends. */
export type Lines = readonly string[];

export function renderWhole(path: string, lines: Lines, language = ""): string {
  const fence = fenceFor(lines.join("\n"));
  return [`FILE: ${path}`, `${fence}${language}`, ...lines, fence].join("\n");
}

export function renderChange(search: Lines, replace: Lines): string {
  const markers = markersOf(markerLengthFor([...search, ...replace]));
  return [markers.search, ...search, markers.divider, ...replace, markers.replace].join("\n");
}
