/** The one output channel. */
import { type LogOutputChannel, window } from "vscode";
import { printable } from "../client/words/printable.ts";

export type Log = Pick<LogOutputChannel, "info" | "warn" | "error" | "debug" | "show" | "dispose">;

/** Every line passes `printable`: it may hold what a model or a sandbox printed. */
export function openLog(): Log {
  const channel = window.createOutputChannel("ExIt ML", { log: true });
  return {
    info: (text) => channel.info(printable(text)),
    warn: (text) => channel.warn(printable(text)),
    error: (text) => channel.error(printable(String(text))),
    debug: (text) => channel.debug(printable(text)),
    show: () => channel.show(true),
    dispose: () => channel.dispose(),
  };
}
