/** The self-test finds out what the engine enforces: all of it here, and every single thing that is taken away. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { Container, ContainerCreateOptions, HostConfig, VolumeCreateOptions } from "dockerode";
import { afterEach, beforeEach, expect } from "vitest";
import { connect, type Engine } from "../../../src/adapters/docker/engine.ts";
import { createKit, type Kit } from "../../../src/adapters/docker/kit.ts";
import { createOptions } from "../../../src/adapters/docker/recipe.ts";
import { selfTest } from "../../../src/adapters/docker/self-test/self-test.ts";
import { vsockClosed } from "../../../src/adapters/docker/self-test/vsock.ts";
import { createTidying } from "../../../src/adapters/docker/tidying.ts";
import { type GuaranteeName, guaranteeNames } from "../../../src/core/guarantees.ts";
import { createMemoryJournal } from "../../support/memory-journal.ts";
import { testWith } from "../../support/without.ts";
import { leftovers, makeTask, never, owner } from "./trial.ts";

const test = testWith("docker");

let workspaceId: string;
let engine: Engine;
let close: () => Promise<void>;
let folder: string;

beforeEach(async () => {
  workspaceId = randomUUID();
  folder = mkdtempSync(join(tmpdir(), "exit-ml-self-test-"));
  engine = await connect(null);
});

afterEach(async () => {
  await close();
  engine.close();
  rmSync(folder, { recursive: true });
  expect(await leftovers(workspaceId)).toEqual({ containers: [], volumes: [] });
});

function makeKit(on: Engine = engine, change: Partial<Kit> = {}): Kit {
  const tidying = createTidying();
  const journal = createMemoryJournal();
  const kit = createKit({
    engine: on,
    owner: { owner, workspaceId, session: "this" },
    journal,
    tidying,
    outputsFolder: folder,
  });
  close = async () => {
    kit.close();
    await tidying.finish();
  };
  return { ...kit, ...change };
}

const { definition } = makeTask("/nowhere/exit-ml");

type Held = Readonly<Partial<Record<GuaranteeName, boolean | null>>>;

async function held(
  kit: Kit,
  weaken?: (options: ContainerCreateOptions) => {
    host?: Partial<HostConfig>;
    create?: ContainerCreateOptions;
  },
  asked = definition,
): Promise<Held> {
  const fakeRecipe: typeof createOptions = (on, recipe) => {
    const options = createOptions(on, recipe);
    const { host, create } = weaken?.(options) ?? {};
    return { ...options, ...create, name: options.name, HostConfig: { ...options.HostConfig, ...host } };
  };
  const found = await selfTest(kit, asked, never, fakeRecipe);
  return Object.fromEntries(found.map((each) => [each.guarantee, each.held]));
}

const lacking = (all: Held): string[] =>
  Object.entries(all)
    .filter(([name, value]) => value === false && name !== "runsc")
    .map(([name]) => name);

test("the engine holds every guarantee, and each is measured", async () => {
  const found = await selfTest(makeKit(), definition, never);
  expect(found.map(({ guarantee }) => guarantee)).toEqual(guaranteeNames.filter((name) => name !== "gpu"));
  expect(found.filter(({ held }) => held === false)).toEqual(
    found.filter(({ guarantee, held }) => guarantee === "runsc" && held === false),
  );
  expect(found.filter(({ held }) => held === null)).toEqual([]);
  for (const { measured } of found) expect(measured).not.toBe("");
});

test("a weakened recipe without a memory limit is seen, and that nothing could be reported", async () => {
  const found = await held(makeKit(), () => ({ host: { Memory: 0, MemorySwap: 0 } }));
  expect(lacking(found)).toEqual(["memory-limit"]);
  expect(found["oom-reported"]).toBeNull();
});

test("an engine that ends a process for want of memory but does not say so is seen", async () => {
  const found = await held(makeKit(fakeEngineSilentOnMemory(engine)));
  expect(lacking(found)).toEqual(["oom-reported"]);
  expect(found["memory-limit"]).toBe(true);
});

test("a weakened recipe without a limit of processes is seen", async () => {
  expect(lacking(await held(makeKit(), () => ({ host: { PidsLimit: 0 } })))).toEqual(["pids-limit"]);
});

test("a weakened recipe with a network is seen", async () => {
  expect(lacking(await held(makeKit(), () => ({ host: { NetworkMode: "bridge" } })))).toEqual([
    "network-none",
  ]);
});

test("a weakened recipe with capabilities and new privileges is seen", async () => {
  const found = await held(makeKit(), () => ({ host: { CapDrop: [], SecurityOpt: [] } }));
  expect(lacking(found)).toEqual(["no-new-privileges", "no-capabilities"]);
});

test("a weakened recipe with a writable root, files of any size and unbounded logs is seen", async () => {
  const found = await held(makeKit(), () => ({
    host: { ReadonlyRootfs: false, Ulimits: [], LogConfig: { Type: "json-file", Config: {} } },
  }));
  expect(lacking(found)).toEqual(["file-size-limit", "read-only-root", "log-driver"]);
});

test("a fake engine whose volumes have no quota is seen", async () => {
  expect(lacking(await held(makeKit(fakeEngineWithoutQuota(engine))))).toEqual(["scratch-quota"]);
});

test("a fake engine that loses what is put into a stopped container is seen", async () => {
  expect(lacking(await held(makeKit(fakeEngineLosingArchives(engine))))).toEqual(["archive"]);
});

test("a weakened recipe in which another process limits the time is seen: a command can stop that one", async () => {
  const found = await held(makeKit(), () => ({ host: { Init: true } }));
  expect(lacking(found)).toEqual(["inner-time-limit"]);
});

test("a fake engine whose processors there is no warden for has no inner time limit", async () => {
  const kit = makeKit({ ...engine, processor: null });
  expect(lacking(await held(kit))).toEqual(["inner-time-limit"]);
});

test("a weakened recipe with the filter of an old engine is seen", async () => {
  const found = await held(makeKit(), () => ({ host: { SecurityOpt: ["no-new-privileges"] } }));
  // What answers beyond AF_VSOCK depends on the machine; that it can be opened is seen on any.
  expect(found["vsock-closed"]).not.toBe(true);
});

test("a fake engine whose kill does nothing is seen", async () => {
  expect(lacking(await held(makeKit(fakeEngineWithoutKill(engine))))).toEqual(["kill-latency"]);
});

test("a fake recipe the engine refuses leaves no guarantee standing", async () => {
  const found = await held(makeKit(), () => ({ host: { NetworkMode: "container:nobody" } }));
  expect(found["container-runs"]).toBe(false);
  expect(Object.entries(found).filter(([name, value]) => value === true && name !== "runsc")).toEqual([]);
});

test("a GPU that is asked for and not there is seen", async () => {
  const asked = { ...definition, sandbox: { ...definition.sandbox, gpus: 1 } };
  // Where there is a GPU, the weakened recipe does not ask the engine for it.
  expect(lacking(await held(makeKit(), () => ({ host: { DeviceRequests: [] } }), asked))).toEqual(["gpu"]);
});

test("what an image has no tools for is unknown, not held", async () => {
  const found = await held(makeKit(), ({ Cmd }) =>
    Cmd?.[1] === "sh"
      ? {
          create: { Env: ["PATH=/nowhere"], Cmd: Cmd.map((word, index) => (index === 1 ? "/bin/sh" : word)) },
        }
      : {},
  );
  for (const name of ["memory-limit", "oom-reported", "pids-limit", "scratch-quota", "vsock-closed"] as const)
    expect([name, found[name]]).toEqual([name, null]);
  expect(found["network-none"]).toBe(true);
});

test("AF_VSOCK counts as closed only where nothing answers", () => {
  const heldBy = (...said: string[]) => vsockClosed(said).held;
  expect(heldBy("closed")).toBe(true);
  expect(heldBy("silent 2", "silent 1")).toBe(true);
  expect(heldBy("answered 2", "silent 1")).toBeNull();
  expect(heldBy("silent 2", "connected 1")).toBe(false);
  expect(heldBy()).toBeNull();
});

/** The engine with some of its calls, and some of its containers' calls, replaced. */
function fakeEngine(
  real: Engine,
  calls: Partial<Engine["docker"]>,
  containerCalls: (container: Container) => Partial<Container> = () => ({}),
): Engine {
  const createContainer = async (options: ContainerCreateOptions) => {
    const container = await real.docker.createContainer(options);
    return Object.assign(Object.create(container), containerCalls(container)) as Container;
  };
  const docker = Object.assign(Object.create(real.docker), { createContainer, ...calls }) as Engine["docker"];
  return { ...real, docker };
}

/** As where the memory controller is named but not mounted: the kernel kills, the engine knows nothing of it. */
function fakeEngineSilentOnMemory(real: Engine): Engine {
  const getEvents = (async () => Readable.from([])) as unknown as Engine["docker"]["getEvents"];
  return fakeEngine(real, { getEvents }, (container) => ({
    inspect: (async () => {
      const info = await container.inspect();
      return { ...info, State: { ...info.State, OOMKilled: false } };
    }) as Container["inspect"],
  }));
}

function fakeEngineWithoutKill(real: Engine): Engine {
  return fakeEngine(real, {}, () => ({ kill: (async () => undefined) as unknown as Container["kill"] }));
}

function fakeEngineWithoutQuota(real: Engine): Engine {
  const createVolume = (async (options: VolumeCreateOptions) => {
    const o = options.DriverOpts?.o?.replace(/size=\d+/, "size=64m") ?? "";
    return real.docker.createVolume({ ...options, DriverOpts: { ...options.DriverOpts, o } });
  }) as Engine["docker"]["createVolume"];
  return fakeEngine(real, { createVolume });
}

function fakeEngineLosingArchives(real: Engine): Engine {
  const putArchive = (async () => undefined) as unknown as Container["putArchive"];
  return fakeEngine(real, {}, () => ({ putArchive }));
}
