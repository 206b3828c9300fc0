import { describe, expect, it } from "vitest";
import { replay } from "../../../src/app/replay.ts";
import type { Group, Node } from "../../../src/core/history.ts";
import { runLoop } from "../../../src/core/loop.ts";
import type { ClosedGroup, Store } from "../../../src/core/ports.ts";
import { createMemoryStore } from "../../support/memory-store.ts";
import { instantPolicy, memorySnapshots, memoryWorld, sha256 } from "../../support/memory-world.ts";

const forever = new AbortController().signal;

async function recorded(settings = {}, iterations = 12) {
  const { context, store } = await memoryWorld({ iterations, settings });
  await runLoop(context, forever);
  return store;
}

const differences = (store: Store): string[] =>
  replay("r1", { store, sha256 }).differences.map(({ group, quantity }) => `${group}: ${quantity}`);

/** The store with one closed group told otherwise than it was. */
function withGroup(store: Store, id: string, change: (group: ClosedGroup) => Partial<ClosedGroup>): Store {
  const changed = (group: ClosedGroup): ClosedGroup =>
    group.id === id ? { ...group, ...change(group) } : group;
  return { ...store, closedGroups: () => store.closedGroups().map(changed) };
}

/** The store with a reply of a group told otherwise than it was. */
function withReply(
  store: Store,
  id: string,
  index: number,
  change: Partial<Group["replies"][number]>,
): Store {
  return {
    ...store,
    group(name) {
      const group = store.group(name);
      if (group === null || name !== id) return group;
      const replies = group.replies.map((reply) => (reply.index === index ? { ...reply, ...change } : reply));
      return { ...group, replies };
    },
  };
}

function withNode(store: Store, id: string, change: Partial<Node>): Store {
  return {
    ...store,
    nodes: () => store.nodes().map((node) => (node.id === id ? { ...node, ...change } : node)),
  };
}

describe("a run as it was recorded", () => {
  for (const settings of [
    { pipelineDepth: 1 },
    { pipelineDepth: 2 },
    { insert: "all", capacity: 4 },
    { paper: true, capacity: 5 },
  ] as const)
    it(`follows from its records, ${JSON.stringify(settings)}`, async () => {
      const report = replay("r1", { store: await recorded(settings, 25), sha256 });
      expect(report).toMatchObject({ run: "r1", groups: 25, differences: [], notChecked: [] });
      expect(report.decisions).toBeGreaterThan(25 * 40);
    });

  it("follows before it is finished, open groups and lost replies included", async () => {
    const { context, store } = await memoryWorld({
      iterations: 6,
      policy: instantPolicy({ before: ({ seed }) => (seed % 5 === 0 ? "lost" : undefined) }),
    });
    const ended = runLoop(
      {
        ...context,
        store: {
          ...store,
          closeGroup(closing) {
            if (closing.group === "r1i4") throw new Error("power cut");
            store.closeGroup(closing);
          },
        },
      },
      forever,
    );
    await expect(ended).rejects.toThrow("power cut");
    expect(store.openGroups("r1").length).toBeGreaterThan(0);
    const report = replay("r1", { store, sha256 });
    expect(report.differences).toEqual([]);
    expect(report.groups).toBe(store.groupIds().length);
  });

  it("follows where groups were lost and sampled once more", async () => {
    const { context, store } = await memoryWorld({
      iterations: 4,
      policy: instantPolicy({
        before: ({ index, seed }) => (index > 0 && seed % 3 > 0 ? "lost" : undefined),
      }),
      settings: { groupSize: 2 },
    });
    await runLoop(context, forever);
    expect(store.closedGroups().some((group) => group.state === "infra")).toBe(true);
    expect(replay("r1", { store, sha256 })).toMatchObject({ differences: [], notChecked: [] });
  });

  it("follows beside other runs of the same workspace, each by itself", async () => {
    const store = createMemoryStore();
    const snapshots = memorySnapshots();
    for (const id of ["r1", "r2", "r3"]) {
      const seed = id.charCodeAt(1);
      const { context } = await memoryWorld({ store, snapshots, iterations: 5, run: { id, seed } });
      await runLoop(context, forever);
    }
    for (const id of ["r1", "r2", "r3"])
      expect(replay(id, { store, sha256 })).toMatchObject({ groups: 5, differences: [] });
  });

  it("is named by its id, or refused with the ids there are", async () => {
    const store = await recorded({}, 1);
    expect(() => replay("r9", { store, sha256 })).toThrow('There is no run "r9". There are: r1.');
  });
});

describe("a record that was changed is named", () => {
  it("a reward, an advantage, a diversity factor", async () => {
    const store = await recorded();
    for (const quantity of ["reward", "advantage", "diversity"] as const)
      expect(differences(withReply(store, "r1i2", 3, { [quantity]: 0.123 }))).toEqual([
        `r1i2: ${quantity} of reply 3`,
      ]);
    const [difference] = replay("r1", {
      store: withReply(store, "r1i2", 3, { reward: 0.123 }),
      sha256,
    }).differences;
    expect(difference).toMatchObject({
      recorded: 0.123,
      recomputed: store.group("r1i2")?.replies[3]?.reward,
    });
  });

  it("a quality: everything of its group that it led to", async () => {
    const store = await recorded();
    const found = differences(withReply(store, "r1i2", 3, { quality: 0.999 }));
    expect(found).toEqual(
      expect.arrayContaining([
        "r1i2: learnability S",
        "r1i2: reward of reply 3",
        "r1i2: advantage of reply 0",
      ]),
    );
  });

  it("the learnability, and nothing that was computed from the outcomes", async () => {
    const store = await recorded();
    expect(differences(withGroup(store, "r1i5", () => ({ learnability: 0.2 })))).toEqual([
      "r1i5: learnability S",
    ]);
  });

  it("the start, the goal, a seed and a draw of a decision", async () => {
    const store = await recorded({}, 16);
    const drawn = store.closedGroups().find((group) => group.fromBuffer);
    if (drawn === undefined) throw new Error("no start came from the buffer");
    const { id } = drawn;
    const other = drawn.start === "n1" ? "n2" : "n1";
    expect(differences(withGroup(store, id, () => ({ start: other })))).toContain(`${id}: start`);
    expect(differences(withGroup(store, id, () => ({ goal: "solve" })))).toContain(`${id}: goal`);
    expect(differences(withGroup(store, id, ({ seeds }) => ({ seeds: seeds.with(1, 5) })))).toEqual([
      `${id}: seeds`,
    ]);
    expect(differences(withGroup(store, id, ({ draws }) => ({ draws: { ...draws, start: 0.5 } })))).toEqual([
      `${id}: draw start`,
    ]);
    expect(differences(withGroup(store, id, () => ({ start: "n999" })))).toContain(`${id}: start`);
  });

  it("an entry a group left in the buffer, and the buffer as it is stored", async () => {
    const store = await recorded();
    const touched = withGroup(store, "r1i4", ({ bufferChanges }) => ({
      bufferChanges: bufferChanges && {
        ...bufferChanges,
        set: bufferChanges.set.map((entry) => ({ ...entry, S: entry.S + 0.01 })),
      },
    }));
    expect(differences(touched)[0]).toMatch(/^r1i4: buffer entry n\d+$/);
    const shorter = { ...store, buffer: () => store.buffer().slice(1) };
    expect(differences(shorter)).toEqual(["r1i11: buffer as stored"]);
  });

  it("the parent of a node", async () => {
    const store = await recorded();
    expect(differences(withNode(store, "n3", { parent: "n2" }))).toContain(
      `${store.nodes()[2]?.group}: node n3`,
    );
  });
});

it("says what an older version did not record, and checks the rest", async () => {
  const whole = await recorded();
  const store: Store = {
    ...whole,
    closedGroups: () =>
      whole.closedGroups().map((group) => ({ ...group, embedding: null, bufferChanges: null })),
  };
  const report = replay("r1", { store, sha256 });
  expect(report.differences).toEqual([]);
  expect(report.notChecked).toEqual([
    "The diversity factors: an older version did not record what they came from (6 of the groups)",
    "The buffer after each group: an older version recorded only the newest (12 of the groups)",
  ]);
  expect(differences(withReply(store, "r1i2", 3, { reward: 0.123 }))).toEqual(["r1i2: reward of reply 3"]);
});
