/** Asks when a run shall end. */
import { window } from "vscode";
import { count, plural, score } from "../../client/words/format.ts";
import type { RequestOf } from "../../protocol/methods.ts";
import { anyNumber, askNumber, positive, whole } from "./ask-number.ts";

export type Budget = RequestOf<"startRun">["budget"];

const none: Budget = { iterations: null, hours: null, tokens: null, target: null };

/** `10 iterations`, `8 hours or a score of 0.9`. */
export function budgetWords({ iterations, hours, tokens, target }: Budget): string {
  const ends: string[] = [];
  if (iterations !== null) ends.push(plural(iterations, "iteration"));
  if (hours !== null) ends.push(plural(hours, "hour"));
  if (tokens !== null) ends.push(`${count(tokens)} tokens`);
  if (target !== null) ends.push(`a score of ${score(target)}`);
  return ends.join(" or ");
}

/** Undefined if the question was closed. */
export async function chooseBudget(): Promise<Budget | undefined> {
  const fixed = [
    { ...none, iterations: 5 },
    { ...none, iterations: 20 },
    { ...none, iterations: 50 },
    { ...none, hours: 1 },
    { ...none, hours: 8 },
  ].map((budget) => ({ label: budgetWords(budget), ask: async (): Promise<Budget | undefined> => budget }));
  const asked = [
    { label: "Other number of iterations…", ask: () => askFor("iterations", "Iterations", whole) },
    { label: "Other time…", ask: () => askFor("hours", "Hours", positive) },
    { label: "Tokens…", ask: () => askFor("tokens", "Sampled tokens", whole) },
    {
      label: "Until a score is reached…",
      description: "with 100 iterations at most",
      ask: async () => {
        const budget = await askFor("target", "Score, in the task's metric", anyNumber);
        return budget && { ...budget, iterations: 100 };
      },
    },
  ];
  const picked = await window.showQuickPick([...fixed, ...asked], { title: "Budget", ignoreFocusOut: true });
  return picked?.ask();
}

async function askFor(
  end: keyof Budget,
  prompt: string,
  problemIn: (value: number) => string | undefined,
): Promise<Budget | undefined> {
  const number = await askNumber("Budget", prompt, problemIn);
  return number === undefined ? undefined : { ...none, [end]: number };
}
