/** The Docker adapter as a provider of the conformance suite. */
import { createHash, randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createDockerSandbox } from "../../src/adapters/docker/sandbox.ts";
import { createKeptOutputs } from "../../src/app/kept-outputs.ts";
import { createScorer } from "../../src/app/score.ts";
import { startFaultyEngine } from "../adapters/docker/faulty-engine.ts";
import { docker, image, leftovers, owner } from "../adapters/docker/trial.ts";
import { createMemoryStore } from "../support/memory-store.ts";
import { roomyArbiter } from "../support/memory-world.ts";
import { mkdirIn, type Provider, type Stand } from "./conformance.ts";
import { followSteps } from "./reaching.ts";

export const dockerProvider: Provider = {
  name: "docker",
  open: (folder) => Promise.resolve(openStand(folder, { owner, workspaceId: randomUUID() })),
  openWithoutEngine: (folder) =>
    openStand(folder, { owner, workspaceId: randomUUID(), socket: join(folder, "none.sock") }),
};

interface Whose {
  readonly owner: string;
  readonly workspaceId: string;
  readonly socket?: string;
}

function openStand(folder: string, whose: Whose): Stand {
  const steps = followSteps();
  const sandbox = createDockerSandbox({
    ...whose,
    journal: steps.journal,
    outputsFolder: mkdirIn(folder, `outputs-${randomUUID()}`),
  });
  const scorer = createScorer({
    sandbox,
    // The cases measure the sandbox, not who may use it when.
    arbiter: roomyArbiter,
    selfTest: async (_task, { imageDigest }) => ({
      ...{ at: "2030-01-01T00:00:00Z", image: imageDigest, digest: "not made here", guarantees: [] },
    }),
    store: createMemoryStore(),
    keptOutputs: createKeptOutputs(mkdirIn(folder, `kept-${randomUUID()}`)),
    sha256: (data) => createHash("sha256").update(data).digest("hex"),
  });
  const closing: (() => Promise<void>)[] = [];
  let powerless: Promise<Stand> | null = null;

  async function openPowerless(): Promise<Stand> {
    const engine = await startFaultyEngine(join(folder, "powerless.sock"));
    engine.spoil((_, path) => (path.endsWith("/kill") ? "hang" : "none"));
    const stand = openStand(folder, { ...whose, socket: engine.socket });
    closing.push(() => stand.close().finally(engine.close));
    return stand;
  }

  return {
    sandbox,
    scorer,
    image,
    steps,
    async beside() {
      const stand = openStand(folder, { ...whose, owner: `${owner}-other` });
      closing.push(() => stand.close());
      return stand;
    },
    withoutKills() {
      powerless ??= openPowerless();
      return powerless;
    },
    async removeRunning() {
      const filters = { label: [`exit-ml.workspace=${whose.workspaceId}`], status: ["running"] };
      const running = await docker.listContainers({ filters });
      const found = running.find(({ Names }) => Names.some((name) => name.endsWith("-run")));
      if (found === undefined) throw new Error("no revision is under way");
      await docker.getContainer(found.Id).remove({ force: true });
    },
    async tag() {
      const [repo, tag] = ["exit-ml/hostile", randomUUID()] as const;
      const name = `${repo}:${tag}`;
      await docker.getImage(image).tag({ repo, tag });
      return {
        name,
        async remove() {
          const others = await docker.listImages({ filters: { reference: [name] } });
          if (others.length > 0) await docker.getImage(name).remove();
        },
      };
    },
    async close() {
      // One that fails must not keep the others open.
      const ended = await Promise.allSettled([...closing, sandbox.close].map((close) => close()));
      for (const end of ended) if (end.status === "rejected") throw end.reason;
    },
    async leftovers() {
      const { containers, volumes } = await leftovers(whose.workspaceId);
      return [...containers, ...volumes, ...(await strays())];
    },
  };
}

/** Processes of this machine that belong to a container the engine does not know. */
async function strays(): Promise<string[]> {
  const known = async (): Promise<Set<string>> =>
    new Set((await docker.listContainers({ all: true })).map(({ Id }) => Id));
  const suspects = contained();
  if (suspects.size === 0) return [];
  const ids = await known();
  const still = contained();
  return [...suspects]
    .filter(([pid, id]) => !ids.has(id) && still.get(pid) === id)
    .map(([pid, id]) => `process ${pid} of the container ${id.slice(0, 12)}, which is gone`);
}

/** Container id by process id, as the kernel's control groups tell. */
function contained(): Map<string, string> {
  const found = new Map<string, string>();
  if (!existsSync("/proc/self/cgroup")) return found;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const id = /docker[/-]([0-9a-f]{64})/.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1];
      if (id !== undefined) found.set(pid, id);
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}
