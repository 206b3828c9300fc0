/** **Build Sandbox Image**. */
import { window } from "vscode";
import type { Session } from "../runner/session.ts";
import { callWithProgress } from "./call-with-progress.ts";
import { given } from "./given.ts";

export async function buildImage(session: Session): Promise<void> {
  await session.refreshStatus();
  const tasks = (session.status?.tasks ?? []).map(({ name }) => name);
  const task =
    tasks.length <= 1
      ? null
      : given(await window.showQuickPick(tasks, { title: "Build Sandbox Image of" }), "A task");
  const { image } = await callWithProgress(session, "Building the sandbox image", (signal) =>
    session.call("buildImage", { task }, signal),
  );
  void window.showInformationMessage(`The sandbox image ${image} is ready.`);
  void session.refresh();
}
