/** What became of an export, in words. */
import type { ResponseOf } from "../../protocol/methods.ts";
import { plural } from "./format.ts";

type Report = ResponseOf<"export">;

/** `Wrote 12 examples from 8 of 20 groups to DIR`; of the native form an example is a group. */
export function wroteText({ format, examples, kept, seen, folder }: Report): string {
  const groups = `${kept} of ${plural(seen, "group")}`;
  return `Wrote ${format === "native" ? groups : `${plural(examples, "example")} from ${groups}`} to ${folder}`;
}

/** The same, and a line for each reason that something was left out. */
export function exportLines(report: Report): string[] {
  const { dropped, replies } = report;
  return [
    wroteText(report),
    ...Object.entries(dropped).map(([reason, number]) => `  ${plural(number, "group")} left out: ${reason}`),
    ...Object.entries(replies.dropped).map(
      ([reason, number]) => `  ${plural(number, "reply", "replies")} left out: ${reason}`,
    ),
  ];
}
