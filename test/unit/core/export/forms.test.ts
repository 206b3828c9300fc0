/** Prompts for verl, chats for OpenAI, and what the user's filter leaves of the groups. */
import { describe, expect, it } from "vitest";
import { toChat } from "../../../../src/core/export/openai.ts";
import { type ExportFilter, noFilter, selectGroups } from "../../../../src/core/export/select.ts";
import { toVerl } from "../../../../src/core/export/verl.ts";
import type { ClosedGroup } from "../../../../src/core/ports.ts";
import { sha256 } from "../../../support/memory-world.ts";
import { group, reply } from "./group.ts";

describe("verl", () => {
  it("gets each prompt once, numbered in the order of the file", () => {
    const convert = toVerl();
    const other = { messages: [], rendered: "another" };
    const rows = [
      group([], { id: "g1" }),
      group([], { id: "g2" }),
      group([], { id: "g3", prompt: other }),
    ].flatMap((one) => convert(one).rows);
    expect(convert(group([reply(0, 0.9)])).left).toEqual(["its prompt is there already"]);
    expect(rows.map(({ extra_info: { index, group: id } }) => [index, id])).toEqual([
      [0, "g1"],
      [1, "g3"],
    ]);
    expect(rows[0]).toMatchObject({
      ...{ data_source: "exit-ml/digits", ability: "improve" },
      reward_model: { style: "rule", ground_truth: "" },
      extra_info: { startQuality: 0.5, learnability: 0.02 },
    });
  });
});

describe("OpenAI", () => {
  it("gets the prompt's messages and one best reply, and nothing beside them", () => {
    const { rows } = toChat(noFilter)(group([reply(0, 0.1), reply(1, 0.9)]));
    expect(rows).toEqual([
      {
        messages: [
          { role: "system", content: "You improve." },
          { role: "user", content: "Do." },
          { role: "assistant", content: "<think>t</think>reply 1" },
        ],
      },
    ]);
  });
});

describe("the filter", () => {
  const closed = (
    id: string,
    qualities: readonly number[],
    change: Partial<ClosedGroup> = {},
  ): ClosedGroup => {
    const { replies: _, prompt: __, ...opening } = group([], { id });
    return {
      ...opening,
      ...{ state: "closed", closedSeq: 1, learnability: 0.1, informative: true, closingDraws: {} },
      ...{ embedding: null, bufferChanges: null },
      children: qualities.map((quality, index) => ({ index, node: null, quality })),
      ...change,
    };
  };
  const select = (filter: Partial<ExportFilter>, groups: readonly ClosedGroup[]) => {
    const { kept, dropped } = selectGroups({
      ...{ groups, runs: [], nodes: [], sha256, heldOutTasks: new Set<string>(), oneTask: false },
      policy: null,
      textsOf: ({ id }) => [id],
      filter: { ...noFilter, ...filter },
    });
    return [kept.map(({ id }) => id), Object.fromEntries(dropped)];
  };

  it("keeps the goals asked for", () => {
    const groups = [
      closed("a", [0.1]),
      closed("b", [0.1], { goal: "diverge" }),
      closed("c", [0.1], { goal: "debug" }),
    ];
    expect(select({ goals: ["improve", "debug"] }, groups)).toEqual([["a", "c"], { "another goal": 1 }]);
  });

  it("keeps a group for one reply that passes, whole", () => {
    const groups = [closed("a", [0, 0.4]), closed("b", [0, 0.6]), closed("c", [0.5, 0.5])];
    const reason = "no reply passes the filter";
    expect(select({ minQuality: 0.5 }, groups)).toEqual([["b", "c"], { [reason]: 1 }]);
    expect(select({ improving: true }, groups)).toEqual([["b"], { [reason]: 2 }]);
  });

  it("takes any quality above 0 for an improvement on a bare request", () => {
    const bare = { startQuality: null, startSnapshot: null };
    expect(select({ improving: true }, [closed("a", [0.1], bare), closed("b", [0], bare)])[0]).toEqual(["a"]);
  });

  it("keeps the newest of each task, counted after everything else was left out", () => {
    const groups = [
      closed("a1", [0.9]),
      closed("a2", [0.9]),
      closed("b1", [0.9], { task: "other" }),
      closed("a3", [0.9]),
      closed("a4", [0.9], { goal: "diverge" }),
    ];
    expect(select({ perTask: 2, goals: ["improve"] }, groups)).toEqual([
      ["a2", "b1", "a3"],
      { "another goal": 1, "over the limit of its task": 1 },
    ]);
  });
});
