/** The sandbox and the scorer on it, opened when the first call needs them. */
import { hostname, userInfo } from "node:os";
import { createDockerSandbox } from "../adapters/docker/sandbox.ts";
import { messageOf } from "../core/errors.ts";
import type { Clock, Sandbox, Scorer, Sha256, Store } from "../core/ports.ts";
import { createKeptOutputs } from "./kept-outputs.ts";
import { createScorer } from "./score.ts";
import { selfTestForScore } from "./self-tests.ts";
import type { StateFolders } from "./state.ts";

/** The sandbox is looked for when it is first needed: a tree can be read without Docker. */
export function lazySandbox(
  folders: StateFolders,
  store: Store,
  sha256: Sha256,
  clock: Clock,
  log: (line: string) => void,
): { sandbox: () => Promise<Sandbox>; scorer: () => Promise<Scorer>; closeSandbox: () => Promise<void> } {
  let opened: Promise<Sandbox> | null = null;
  let scorer: Promise<Scorer> | null = null;
  const open = async (): Promise<Sandbox> => {
    const sandbox = await createDockerSandbox({
      workspaceId: sha256(folders.workspace).slice(0, 16),
      owner: sha256(`${hostname()}/${userInfo().uid}`).slice(0, 16),
      journal: store.journal,
      outputsFolder: folders.outputs,
    });
    const { containers, volumes } = await sandbox.reap();
    if (containers + volumes > 0)
      log(`removed ${containers} containers and ${volumes} volumes of an earlier process`);
    return sandbox;
  };
  const sandbox = (): Promise<Sandbox> => {
    opened ??= open().catch((error: unknown) => {
      // Tried again the next time: the user may have started the engine meanwhile.
      opened = null;
      throw error;
    });
    return opened;
  };
  return {
    sandbox,
    scorer: async () => {
      const ready = await sandbox();
      scorer ??= Promise.resolve(
        createScorer({
          sandbox: ready,
          store,
          keptOutputs: createKeptOutputs(folders.kept),
          selfTest: (task, info, signal) =>
            selfTestForScore(task, info, { sandbox: ready, store, clock, sha256 }, signal),
          sha256,
        }),
      );
      return scorer;
    },
    closeSandbox: async () => {
      const ready = await opened?.catch((error: unknown) => {
        log(messageOf(error));
        return null;
      });
      await ready?.close();
    },
  };
}
