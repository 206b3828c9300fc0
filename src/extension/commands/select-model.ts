/** **Select Model**: out of what the servers and the models folder have, with size and quantisation. */
import { ConfigurationTarget, type QuickPickItem, QuickPickItemKind, window, workspace } from "vscode";
import { bytes } from "../../client/words/format.ts";
import type { ModelChoice } from "../../protocol/results.ts";
import type { Session } from "../runner/session.ts";
import { modelSettings } from "../settings.ts";
import { given } from "./given.ts";

interface Item extends QuickPickItem {
  readonly pick?: () => Promise<void>;
}

/** Asks for a model and keeps the answer in the workspace's settings. @throws ExitError `cancelled`. */
export async function chooseModel(session: Session): Promise<void> {
  const { models, problems } = await session.call("models", { endpoint: modelSettings().endpoint });
  const inUse = modelSettings();
  const items: Item[] = [
    ...under("Ollama", models, "ollama", inUse.name),
    ...under("Embedded runtime", models, "embedded", inUse.name),
    { label: "", kind: QuickPickItemKind.Separator },
    { label: "$(folder-opened) Choose a GGUF file…", detail: "For the embedded runtime", pick: chooseFile },
    {
      label: "$(clear-all) The only one there is",
      detail: "Forget the choice",
      pick: () => keep(null, null),
    },
  ];
  const picked = await window.showQuickPick(items, {
    title: "Select Model",
    placeHolder: problems[0] ?? "The model that proposes the revisions",
    matchOnDescription: true,
    ignoreFocusOut: true,
  });
  await given(picked, "A model").pick?.();
}

function under(title: string, models: readonly ModelChoice[], runtime: string, inUse: string | null): Item[] {
  const own = models.filter((model) => model.runtime === runtime);
  if (own.length === 0) return [];
  return [
    { label: title, kind: QuickPickItemKind.Separator },
    ...own.map((model) => ({
      label: model.name,
      description: [model.parameters, model.quantisation, bytes(model.bytes)].filter(Boolean).join(" · "),
      ...(model.name === inUse ? { detail: "in use" } : {}),
      pick: () => keep(model.name, runtime),
    })),
  ];
}

async function chooseFile(): Promise<void> {
  const [file] = given(
    await window.showOpenDialog({ title: "Model file", filters: { "GGUF models": ["gguf"] } }),
    "A model file",
  );
  await keep(given(file, "A model file").fsPath, "embedded");
}

async function keep(name: string | null, runtime: string | null): Promise<void> {
  const settings = workspace.getConfiguration("exitMl");
  // Undefined takes the line out of the settings file.
  await settings.update("model.name", name ?? undefined, ConfigurationTarget.Workspace);
  await settings.update("model.runtime", runtime ?? undefined, ConfigurationTarget.Workspace);
}
