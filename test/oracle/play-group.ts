/** One group by itself: EXIT.md sections 1, 2.6 to 2.8, 5 and 8. */
import fc from "fast-check";
import type { GroupOpening } from "../../src/core/history.ts";
import { rewardSetting } from "../../src/core/opening.ts";
import { addRoot, emptyPast } from "../../src/core/past.ts";
import { rewardRule } from "../../src/core/task.ts";
import {
  bareRequest,
  close,
  evaluator,
  membersForOracle,
  membersOf,
  outcomeOf,
  policyOf,
  rootNode,
  startForOracle,
  taskForOracle,
} from "./members.ts";
import { contents, deed, settings, settingsForOracle, task } from "./scenarios.ts";

export const groupPlan = fc.record({
  task,
  settings,
  contents: contents(1, 6),
  start: fc.nat(),
  source: fc.constantFrom("B" as const, "M" as const, "greedy" as const),
  diverge: fc.boolean(),
  bonus: fc.boolean(),
  deeds: fc.array(deed, { maxLength: 9 }),
});
type GroupPlan = typeof groupPlan extends fc.Arbitrary<infer T> ? T : never;

/** The scenario for the oracle, and the engine's answer; null where nothing can start from the content. */
export function playGroup(plan: GroupPlan): { scenario: object; answer: object } | null {
  const { task, settings, contents, source, bonus } = plan;
  const isText = task.format === "answer" || task.format === "dialogue";
  const outcome =
    isText && source === "M" ? bareRequest : outcomeOf(contents, plan.start % contents.length, task);
  if (outcome.verdict === "quarantine") return null;
  const start = rootNode("n1", "t", outcome);
  const goal =
    start.snapshot === null
      ? "solve"
      : start.verdict !== "scored"
        ? "debug"
        : plan.diverge && source === "B"
          ? "diverge"
          : "improve";
  const strategy = source === "greedy" ? "greedy" : "exit";
  const decision = { goal, strategy, fromBuffer: source === "B" } as const;
  const opening: GroupOpening = {
    ...{ id: "g", run: "r", iteration: 0, attempt: 0, task: "t", start: start.id, ...decision },
    ...{ policy: policyOf(0), startQuality: start.quality, startSnapshot: start.snapshot },
    startSE: start.qualitySE,
    reward: rewardSetting(decision, rewardRule({ solution: task, reward: task.reward }, settings), settings),
    ...{ draws: {}, seeds: [], basis: 0, roots: 1, evaluator },
  };
  const members = membersOf(plan.deeds, start, task, contents);
  const past = emptyPast();
  addRoot(past, start);
  const { answer } = close(opening, members, { bonus, paper: settings.paper, closedSeq: 1 }, past);
  const scenario = {
    kind: "group",
    settings: settingsForOracle(settings),
    task: taskForOracle("t", task),
    start: startForOracle(start),
    goal,
    fromTask: source === "M",
    bonus,
    startSE: start.qualitySE,
    infra: members.length < 2,
    members: membersForOracle(members),
  };
  return { scenario, answer };
}
