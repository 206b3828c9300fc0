/** **Iterate Solution**: chooses tasks, budget, strategy and model, and starts a run or goes on with one. */
import { ProgressLocation, type QuickPickItem, window } from "vscode";
import { duration, plural } from "../../client/words/format.ts";
import { ExitError } from "../../protocol/errors.ts";
import type { RequestOf } from "../../protocol/methods.ts";
import { type Run, type Strategy, strategies, type TaskStatus } from "../../protocol/results.ts";
import { viewIds } from "../ids.ts";
import type { Session } from "../runner/session.ts";
import type { Sessions } from "../runner/sessions.ts";
import { modelSettings, type RunSettings, runSettings } from "../settings.ts";
import { withConsent } from "./ask-consent.ts";
import { type Budget, budgetWords, chooseBudget } from "./choose-budget.ts";
import { given } from "./given.ts";
import { chooseModel } from "./select-model.ts";

type RunRequest = RequestOf<"startRun">;

export async function iterate(sessions: Sessions): Promise<void> {
  const session = await sessions.current();
  await session.refreshStatus();
  const { all, names } = await chooseTasks(session.status?.tasks ?? []);
  // A run of rounds is gone on with by Bootstrap.
  const unfinished = (session.status?.runs ?? []).findLast(
    (run) => run.endedAt === null && run.budget.informative === undefined && sameTasks(run.tasks, names),
  );
  const goesOn = unfinished !== undefined && (await chooseWhetherToGoOn(unfinished));
  const choice = goesOn ? fromSettings() : await chooseHow(session);
  await start(sessions, session, { all, names }, choice, !goesOn);
}

interface ChosenTasks {
  /** All that are not held out; one that cannot be run is left out. */
  readonly all: boolean;
  readonly names: readonly string[];
}

async function chooseTasks(tasks: readonly TaskStatus[]): Promise<ChosenTasks> {
  // None at all: the runner says what is wrong with the task files.
  if (tasks.length <= 1) return { all: false, names: tasks.map(({ name }) => name) };
  const train = tasks.filter(({ split }) => split === "train").map(({ name }) => name);
  const everyOne = {
    label: "All train tasks",
    description: plural(train.length, "task"),
    detail: "",
    task: null,
  };
  const items = tasks.map((task) => ({
    label: task.name,
    description: task.file,
    detail: [
      ...(task.split === "heldout" ? ["held out"] : []),
      ...(task.selfReported ? ["self-reported score"] : []),
    ].join(", "),
    task,
  }));
  const picked = await window.showQuickPick([...(train.length > 1 ? [everyOne] : []), ...items], {
    title: "Iterate Solution: tasks",
    placeHolder: "The tasks the run works on",
    canPickMany: true,
    ignoreFocusOut: true,
  });
  const chosen = given(picked, "A task");
  if (chosen.length === 0) throw new ExitError("cancelled", "No task was chosen.");
  if (chosen.some(({ task }) => task === null)) return { all: true, names: train };
  return { all: false, names: chosen.flatMap(({ task }) => task?.name ?? []) };
}

function sameTasks(a: readonly string[], b: readonly string[]): boolean {
  return [...a].sort().join("\n") === [...b].sort().join("\n");
}

async function chooseWhetherToGoOn(run: Run): Promise<boolean> {
  const goOn = {
    label: "$(debug-continue) Go on with the unfinished run",
    description: `${run.id}, ${plural(run.spent.iterations, "iteration")} so far, ${duration(run.spent.ms)}`,
    detail: `Under the settings it was begun with: ${budgetWords(run.budget)}, strategy ${run.strategy}`,
  };
  const anew = { label: "$(add) Begin a new run", description: "The tree is kept, and searched on" };
  const picked = await window.showQuickPick([goOn, anew], {
    title: "Iterate Solution",
    ignoreFocusOut: true,
  });
  return given(picked, "How to begin") === goOn;
}

interface Choice extends RunSettings {
  readonly budget: Budget;
}

function fromSettings(): Choice {
  const settings = runSettings();
  return {
    ...settings,
    budget: { iterations: settings.iterations, hours: null, tokens: null, target: null },
  };
}

const strategyWords: Record<Strategy, string> = {
  balanced: "a better solution tonight and informative data: exit and greedy by turns",
  exit: "the whole method: improve and diverge from the buffer, with a bonus for difference",
  greedy: "always on from the best revision",
  improve: "improve from the buffer",
  diverge: "improve and, now and then, diverge from the buffer",
  curriculum: "starts chosen by learnability, no self-iteration",
  grpo: "always from the task itself",
};

/** One list shows what the run would do and changes any line of it, until it is started. */
async function chooseHow(session: Session): Promise<Choice> {
  let choice = fromSettings();
  for (;;) {
    const { name, runtime } = modelSettings();
    const start: QuickPickItem = {
      label: "$(play) Start",
      detail: "Progress stands in the History view; Stop ends it",
    };
    const budget: QuickPickItem = { label: "$(clock) Budget", description: budgetWords(choice.budget) };
    const strategy: QuickPickItem = {
      label: "$(git-branch) Strategy",
      description: choice.strategy,
      detail: strategyWords[choice.strategy],
    };
    const model: QuickPickItem = {
      label: "$(hubot) Model",
      description:
        name === null ? "the only one there is" : `${name}${runtime === null ? "" : ` (${runtime})`}`,
    };
    const picked = await window.showQuickPick([start, budget, strategy, model], {
      title: "Iterate Solution",
      placeHolder: "Start, or change a line first",
      ignoreFocusOut: true,
    });
    switch (given(picked, "How to begin")) {
      case start:
        return choice;
      case budget:
        choice = { ...choice, budget: (await chooseBudget()) ?? choice.budget };
        break;
      case strategy:
        choice = { ...choice, strategy: (await chooseStrategy()) ?? choice.strategy };
        break;
      default:
        await chooseModel(session);
    }
  }
}

async function chooseStrategy(): Promise<Strategy | undefined> {
  const items = [...strategies]
    .sort((a, b) => Number(b === "balanced") - Number(a === "balanced"))
    .map((label) => ({ label, detail: strategyWords[label] }));
  return (await window.showQuickPick(items, { title: "Strategy", ignoreFocusOut: true }))?.label;
}

async function start(
  sessions: Sessions,
  session: Session,
  tasks: ChosenTasks,
  { budget, strategy, groupSize, maxReplyTokens, settings }: Choice,
  fresh: boolean,
): Promise<void> {
  const request = (allowed: RunRequest["allowMissing"]): RunRequest => {
    const { name, runtime, endpoint } = modelSettings();
    return {
      tasks: tasks.all ? [] : [...tasks.names],
      all: tasks.all,
      strategy,
      budget,
      settings: { groupSize, maxReplyTokens, ...settings },
      runtime,
      model: name,
      endpoint,
      fresh,
      allowMissing: allowed,
      seed: null,
    };
  };
  await sessions.whileStarting(async () =>
    window.withProgress({ location: { viewId: viewIds.history } }, () =>
      withConsent(session, (allowed) => session.call("startRun", request(allowed))),
    ),
  );
}

/** **Stop**: asks the run to end; what is finished is kept. */
export async function stop(sessions: Sessions): Promise<void> {
  const session = await sessions.current();
  await window.withProgress(
    { location: ProgressLocation.Window, title: "ExIt: finishing what is under way" },
    () => session.call("stopRun", {}),
  );
}
