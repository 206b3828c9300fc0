/** Keeps the context keys true to what is known. */
import { commands, type Disposable } from "vscode";
import { contextKeys } from "./ids.ts";
import type { Sessions } from "./runner/sessions.ts";
import { stateOf } from "./state.ts";

export function keepContext(sessions: Sessions): Disposable {
  const told = new Map<string, unknown>();
  const tell = (key: string, value: unknown): void => {
    if (told.get(key) === value) return;
    told.set(key, value);
    void commands.executeCommand("setContext", key, value);
  };
  const update = (): void => {
    const known = sessions.known();
    tell(contextKeys.state, stateOf(known));
    tell(contextKeys.running, known.board !== null || known.tuning !== null || sessions.starting);
    tell(contextKeys.searched, known.history.hasRevisions());
    tell(contextKeys.scored, known.history.best().length > 0);
    tell(contextKeys.applied, known.status?.applied != null);
    tell(contextKeys.tuned, (known.training?.models ?? []).length > 0);
    tell(contextKeys.inForce, known.training?.inForce.some(({ model }) => model !== null) === true);
  };
  update();
  return sessions.onDidChange(update);
}
