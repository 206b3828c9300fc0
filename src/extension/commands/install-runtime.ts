/** **Install Embedded Runtime**: llama.cpp for models without a server, into the extension's own storage. */
import { join } from "node:path";
import { type Uri, window } from "vscode";
import type { Session } from "../runner/session.ts";
import { callWithProgress } from "./call-with-progress.ts";

export async function installRuntime(session: Session, storage: Uri): Promise<void> {
  const folder = join(storage.fsPath, "embedded");
  const { version } = await callWithProgress(session, "Installing the embedded runtime", (signal) =>
    session.call("installRuntime", { folder }, signal),
  );
  void window.showInformationMessage(
    `The embedded runtime (node-llama-cpp ${version}) is installed. Select Model takes a GGUF file for it.`,
  );
  void session.refresh();
}
