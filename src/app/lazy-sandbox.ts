/** The sandbox and the scorer on it, opened when the first call needs them. */
import { hostname, userInfo } from "node:os";
import { createDockerSandbox } from "../adapters/docker/sandbox.ts";
import { createArbiter } from "../adapters/leases/arbiter.ts";
import { messageOf } from "../core/errors.ts";
import type { Arbiter, Clock, Sandbox, Scorer, Sha256, Store } from "../core/ports.ts";
import { createKeptOutputs } from "./kept-outputs.ts";
import { createScorer } from "./score.ts";
import { selfTestForScore } from "./self-tests.ts";
import { leasesFolder, type StateFolders } from "./state.ts";

export interface LazySandbox {
  readonly sandbox: () => Promise<Sandbox>;
  readonly scorer: () => Promise<Scorer>;
  readonly arbiter: Arbiter;
  /** What is left in the engine and nobody's: removed, or with `dryRun` counted. Lets go of what is held for the next trial. */
  readonly reapSandbox: (dryRun?: "dryRun") => ReturnType<Sandbox["reap"]>;
  readonly closeSandbox: () => Promise<void>;
}

/** The sandbox is looked for when it is first needed: a tree can be read without Docker. */
export function lazySandbox(
  folders: StateFolders,
  store: Store,
  sha256: Sha256,
  clock: Clock,
  log: (line: string) => void,
): LazySandbox {
  let opened: Promise<Sandbox> | null = null;
  let scorer: Promise<Scorer> | null = null;
  const create = (): Sandbox =>
    createDockerSandbox({
      workspaceId: sha256(folders.workspace).slice(0, 16),
      owner: sha256(`${hostname()}/${userInfo().uid}`).slice(0, 16),
      journal: store.journal,
      outputsFolder: folders.outputs,
    });
  const open = async (): Promise<Sandbox> => {
    const sandbox = create();
    const { kept, containers, volumes } = await sandbox.recover();
    if (containers + volumes > 0)
      log(`removed ${containers} containers and ${volumes} volumes of an earlier process`);
    if (kept > 0) log(`${kept} revisions an earlier process had started can be taken over`);
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
  const arbiter = createArbiter({
    folder: leasesFolder(),
    capacity: async () => (await sandbox()).resources(),
  });
  const closeSandbox = async (): Promise<void> => {
    const ready = await opened?.catch((error: unknown) => {
      log(messageOf(error));
      return null;
    });
    opened = null;
    scorer = null;
    await ready?.close();
  };
  return {
    sandbox,
    arbiter,
    scorer: async () => {
      const ready = await sandbox();
      scorer ??= Promise.resolve(
        createScorer({
          sandbox: ready,
          arbiter,
          store,
          keptOutputs: createKeptOutputs(folders.kept),
          selfTest: (task, info, signal) =>
            selfTestForScore(task, info, { sandbox: ready, store, clock, sha256 }, signal),
          sha256,
        }),
      );
      return scorer;
    },
    async reapSandbox(dryRun) {
      await closeSandbox();
      const fresh = create();
      try {
        return await fresh.reap(dryRun);
      } finally {
        await fresh.close();
      }
    },
    closeSandbox,
  };
}
