/**
 * Text the task did not write: program output, error traces, context files. It is data. It is shown inside a fence
 * it cannot close, without the control tokens of chat templates, and only as much of it as there is room for.
 */
import { fenceFor } from "../reply/syntax.ts";

/** Control and direction characters, with the colour codes some of them begin. */
const controls = /(?![\n\t])\p{Cc}(?:\[[0-9;?]*[A-Za-z])?|[\u2028-\u202e\u2066-\u2069]/gu;
/** `<|im_end|>`, `<｜User｜>`, `<start_of_turn>`, `</s>`, `[INST]`: a prompt is sent raw, so a model would obey them. */
const controlTokens =
  /<(?=[|｜]|\/?(?:s|bos|eos|unk|pad|think|start_of_turn|end_of_turn|start_of_image)>)|\[(?=\/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_[A-Z]+)\])/g;

/** The text without control characters, with chat control tokens broken up. */
export function harmless(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(controls, "").replace(controlTokens, "$& ").trimEnd();
}

/** Inside a fence longer than any run of backticks in it. */
export function fenced(text: string, language = ""): string {
  const fence = fenceFor(text);
  return `${fence}${language}\n${text}${text === "" ? "" : "\n"}${fence}`;
}

/** The first lines of a text, at most `room` characters of them, with a note of what is missing. */
export function headOf(text: string, room: number): string {
  if (text.length <= room) return text;
  const head = wholeLines(text.slice(0, room));
  return `${head}\n[${text.length - head.length} more characters left out]`;
}

/** Start (a third) and end (two thirds: the error itself stands last), at most `room` characters together. */
export function headAndTail(text: string, room: number): string {
  if (text.length <= room) return text;
  const head = wholeLines(text.slice(0, Math.floor(room / 3)));
  const rough = text.slice(text.length - (room - head.length));
  const newline = rough.indexOf("\n");
  const tail =
    newline >= 0 && newline < rough.length / 2 ? rough.slice(newline + 1) : dropHalf(rough, "start");
  return `${head}\n[${text.length - head.length - tail.length} characters left out]\n${tail}`;
}

/** Up to the last line end, unless that would lose more than half. */
function wholeLines(text: string): string {
  const newline = text.lastIndexOf("\n");
  return newline > text.length / 2 ? text.slice(0, newline) : dropHalf(text, "end");
}

/** A cut must not leave half of a surrogate pair. */
function dropHalf(text: string, side: "start" | "end"): string {
  if (side === "start") return /^[\udc00-\udfff]/.test(text) ? text.slice(1) : text;
  return /[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text;
}
