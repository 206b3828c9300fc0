"""EXIT.md section 2, a whole history: decisions, groups and buffer, one iteration after the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from buffer import Buffer
from definitions import Member, Settings, Start, Task, quality
from group import Outcome, close
from starts import Decision, GreedyCounts, Tree, decide, has_bonus, strategy_of


@dataclass(frozen=True)
class Closed:
    """A closed group, kept until decisions may know it."""

    iteration: int
    strategy: str
    infra: bool
    policy: int
    decision: Decision
    members: list[Member]
    outcome: Outcome
    S: float | None
    child_draw: float | None
    tie_draws: list[float]


class History:
    """A workspace: its tasks, its tree and its buffer. Iterations count from 0."""

    def __init__(self, tasks: list[Task]) -> None:
        """A workspace in which nothing has happened yet."""
        self.tasks = {task.name: task for task in tasks}
        self.covered: list[Task] = []  # by the run under way
        self.settings = Settings()
        self.tree = Tree()
        self.buffer = Buffer(self.settings)
        self.counts = GreedyCounts()
        self.waiting: list[Closed] = []  # groups a decision may not know yet
        self.iteration = 0  # within the run
        self.groups = 0  # of all runs: the age that breaks ties

    def add_root(self, record: dict[str, Any]) -> None:
        """The user's solution as it stood when a run began (section 1, "node")."""
        task = self.tasks[record["task"]]
        found = quality(record["verdict"], record.get("score"), task.worst, task.best)
        best = self.best(task.name)
        self.tree.add_root(Start(task.name, record["snapshot"], record["verdict"], found))
        self.note_new_best(task.name, best)

    def best(self, task: str) -> float | None:
        """The highest quality so far; None before there is one."""
        return self.tree.best(task) if task in self.tree.nodes else None

    def note_new_best(self, task: str, before: float | None) -> None:
        """Section 3, greedy: the counts are those since the task's last new best, whatever brought it."""
        after = self.best(task)
        if after is not None and (before is None or after > before):
            self.counts.restart(task)

    def step(self, record: dict[str, Any]) -> dict[str, Any]:
        """One iteration: decides, works out its group, and tells everything there is to compare.

        "Determinism": with pipeline depth D the decision for iteration t uses exactly the closed
        iterations <= t - D; so the groups of the last D - 1 iterations wait before they count.
        """
        if "run" in record:
            self.begin_run(record["run"])
        while len(self.waiting) >= self.settings.depth:
            self.apply(self.waiting.pop(0))
        before = self.listing()
        strategy = strategy_of(self.settings.strategy, self.iteration)
        decision = decide(
            self.covered,
            self.tree,
            self.buffer,
            self.counts,
            strategy,
            record["policy"],
            record["draws"],
            self.settings,
        )
        answer = {**self.group(record, decision, strategy), "buffer": before}
        self.iteration += 1
        self.groups += 1
        return answer

    def begin_run(self, run: dict[str, Any]) -> None:
        """Sections 1 and 3: a run covers the tasks it was given, from their solutions as they stand.

        It has settings of its own, and knows all that was closed before.
        """
        while self.waiting:
            self.apply(self.waiting.pop(0))
        self.settings = Settings.read(run["settings"])
        self.buffer.settings = self.settings
        self.covered = [self.tasks[name] for name in run["tasks"]]
        for root in run["roots"]:
            self.add_root(root)
        self.iteration = 0

    def group(self, record: dict[str, Any], decision: Decision, strategy: str) -> dict[str, Any]:
        """Sections 2.6 to 2.8 of this iteration's group; its effect on tree and B waits (see `step`)."""
        task = self.tasks[decision.start.task]
        members = [Member.read(member, task) for member in record["members"]]
        outcome = close(
            task,
            decision.start,
            decision.goal,
            decision.source == "M",
            members,
            has_bonus(strategy),
            record.get("startSE") or 0.0,
            record.get("infra", False),
            self.settings,
        )
        draws = record["draws"]
        self.waiting.append(
            Closed(
                iteration=self.groups,
                strategy=strategy,
                infra=record.get("infra", False),
                policy=record["policy"],
                decision=decision,
                members=members,
                outcome=outcome,
                S=same_number(outcome.S, record.get("S")),
                child_draw=draws.get("child"),
                tie_draws=draws.get("ties", []),
            )
        )
        return {
            "task": task.name,
            "start": decision.start.snapshot,
            "source": decision.source,
            "goal": decision.goal,
            "chances": decision.chances,
            **vars(outcome),
        }

    def finish(self) -> list[list[Any]]:
        """Lets every group count that still waits; B as it is then."""
        while self.waiting:
            self.apply(self.waiting.pop(0))
        return self.listing()

    def listing(self) -> list[list[Any]]:
        """B by insertion: task, snapshot, S, policy version, iteration of insertion, times drawn."""
        return [[e.task, e.snapshot, e.S, e.policy, e.iteration, e.drawn] for e in self.buffer.entries]

    def apply(self, closed: Closed) -> None:
        """A closed group changes the tree, the greedy counts and B."""
        start = closed.decision.start
        if closed.strategy == "greedy" and not closed.infra:
            if closed.decision.restart:
                self.counts.restart(start.task)
            self.counts.count(start)
        best = self.best(start.task)
        for member in closed.members:
            if member.snapshot is not None and member.quality is not None:
                self.tree.add(Start(start.task, member.snapshot, member.verdict, member.quality))
        self.note_new_best(start.task, best)
        self.buffer.close(
            start,
            closed.decision.source == "B",
            closed.members,
            closed.S,
            closed.outcome.informative,
            closed.policy,
            closed.iteration,
            closed.strategy != "curriculum",
            closed.child_draw,
            iter(closed.tie_draws),
        )


def same_number(ours: float | None, theirs: float | None) -> float | None:
    """The other side's S where it is ours but for the last digits.

    Equal S is common and decides who leaves B, so both sides must see the same ties; the numbers
    themselves are compared elsewhere. An S of 0 is exact.
    """
    if ours is not None and theirs is not None and math.isclose(ours, theirs, rel_tol=1e-9):
        return theirs
    return ours
