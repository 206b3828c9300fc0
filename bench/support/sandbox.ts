/** A sandbox to measure: the Docker adapter on the real engine, a task that does next to nothing. */
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createDockerSandbox } from "../../src/adapters/docker/sandbox.ts";
import type { Journal, ResolvedTask, Sandbox } from "../../src/core/ports.ts";
import { docker, files, leftovers, makeTask, type TaskParts } from "../../test/adapters/docker/trial.ts";

export interface Measured {
  readonly workspaceId: string;
  readonly folder: string;
  readonly sandbox: Sandbox;
  task(parts?: TaskParts): ResolvedTask;
  /** Returns when nothing of finished trials is left in the engine: what is removed late is paid for too. */
  settled(): Promise<void>;
  /** Ends the sandbox and removes the folder. Returns what is left nevertheless. */
  close(): Promise<readonly string[]>;
}

export const benchOwner = "exit-ml-bench";

/** Copies the one solution file to the output; its score command prints a file. */
export const trivial: TaskParts = {
  command: ["cp", "solution/answer", "out.csv"],
  score: ["cat", "score.json"],
  hidden: { "score.json": '{"score": 0.5}\n' },
};

export const answer = files({ "solution/answer": "0.5\n" });

/** @param record hears of every step of a trial */
export function openMeasured(record: Journal["record"] = () => undefined): Measured {
  const journal: Journal = { record, steps: () => [] };
  const workspaceId = randomUUID();
  const folder = mkdtempSync(join(tmpdir(), "exit-ml-bench-"));
  const outputsFolder = join(folder, "outputs");
  const sandbox = createDockerSandbox({ workspaceId, owner: benchOwner, journal, outputsFolder });
  return {
    workspaceId,
    folder,
    sandbox,
    task: (parts = trivial) => makeTask(join(folder, "data", randomUUID()), parts),
    async settled() {
      const busy = async (): Promise<boolean> => {
        const { containers } = await leftovers(workspaceId);
        const of = (kind: string): number => containers.filter((name) => name.includes(`-${kind}-`)).length;
        // Of each kind of working directory one stays ready for the next trial.
        return containers.length > of("holder") + Math.min(1, of("hatch"));
      };
      while (await busy()) await pause(20);
    },
    async close() {
      await sandbox.close();
      const { containers, volumes } = await leftovers(workspaceId);
      const networks = await docker.listNetworks({
        filters: { label: [`exit-ml.workspace=${workspaceId}`] },
      });
      const trials = join(outputsFolder, ".trials");
      const folders = existsSync(trials) ? readdirSync(trials) : [];
      rmSync(folder, { recursive: true, force: true });
      return [...containers, ...volumes, ...networks.map(({ Name }) => Name), ...folders];
    },
  };
}
