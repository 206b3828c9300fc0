/** A run under way in words. */
import { type Board, timeLeft } from "../client/board.ts";
import { duration, plural, score } from "../client/words/format.ts";
import { spentWords } from "../client/words/spent.ts";

/** `3 of 10 · best 0.895` */
export function progressWords({ run, spent, best }: Board): string {
  const { iterations } = run.budget;
  const done =
    iterations === null ? plural(spent.iterations, "iteration") : `${spent.iterations} of ${iterations}`;
  // Scores of different tasks do not compare: the best is told where the run has one task.
  const [only, ...others] = [...best.values()];
  return only?.score == null || others.length > 0 ? done : `${done} · best ${score(only.score)}`;
}

/** Lines of Markdown. */
export function detailWords(board: Board): string[] {
  const left = timeLeft(board);
  return [
    `**${board.run.tasks.join(", ")}**, strategy ${board.run.strategy}`,
    spentWords(board.spent),
    ...[...board.groups.values()].map(
      ({ opening, sampled, verdicts }) =>
        `iteration ${opening.iteration + 1} (${opening.goal}): ${sampled.size} of ${opening.seeds.length} replies, ${verdicts.size} scored`,
    ),
    ...(left !== null && left > 0 ? [`about ${duration(left)} left`] : []),
  ];
}
