"""EXIT.md section 2, a whole history: decisions, groups and buffer, one iteration after the other."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
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
    policy: int
    start: Start
    members: list[Member]
    outcome: Outcome
    S: float | None
    child_draw: float | None
    tie_draws: list[float]


class History:
    """A workspace: its tasks, its tree and its buffer. Iterations count from 0."""

    def __init__(self, settings: Settings, tasks: list[Task]) -> None:
        """A workspace in which nothing has happened yet."""
        self.settings = settings
        self.tasks = tasks
        self.by_name = {task.name: task for task in tasks}
        self.tree = Tree()
        self.buffer = Buffer(settings)
        self.counts = GreedyCounts()
        self.waiting: list[Closed] = []  # groups a decision may not know yet
        self.iteration = 0

    def add_root(self, record: dict[str, Any]) -> None:
        """The user's solution as it stood when a run began (section 1, "node")."""
        task = self.by_name[record["task"]]
        found = quality(record["verdict"], record.get("score"), task.worst, task.best)
        self.tree.add_root(Start(task.name, record["snapshot"], record["verdict"], found))

    def step(self, record: dict[str, Any]) -> dict[str, Any]:
        """One iteration: decides, works out its group, and tells everything there is to compare.

        "Determinism": with pipeline depth D the decision for iteration t uses exactly the closed
        iterations <= t - D; so the groups of the last D - 1 iterations wait before they count.
        """
        for root in record.get("roots", []):
            self.add_root(root)
        while len(self.waiting) >= self.settings.depth:
            self.apply(self.waiting.pop(0))
        before = self.listing()
        strategy = strategy_of(self.settings.strategy, self.iteration)
        decision = decide(
            self.tasks,
            self.tree,
            self.buffer,
            self.counts,
            strategy,
            record["policy"],
            record["draws"],
            self.settings,
        )
        if decision.source == "B":
            entry = self.buffer.find(decision.start.task, decision.start.snapshot)
            assert entry is not None
            entry.drawn += 1
        answer = {**self.group(record, decision, strategy), "buffer": before}
        self.iteration += 1
        return answer

    def group(self, record: dict[str, Any], decision: Decision, strategy: str) -> dict[str, Any]:
        """Sections 2.6 to 2.8 of this iteration's group; its effect on tree and B waits (see `step`)."""
        task = self.by_name[decision.start.task]
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
                iteration=self.iteration,
                strategy=strategy,
                policy=record["policy"],
                start=decision.start,
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
            **asdict(outcome),
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
        start = closed.start
        best = self.tree.best(start.task)
        for member in closed.members:
            if member.snapshot is not None and not member.unchanged(start):
                self.tree.add(Start(start.task, member.snapshot, member.verdict, member.quality))
        after = self.tree.best(start.task)
        new_best = after is not None and (best is None or after > best)
        self.counts.close(start, closed.strategy == "greedy", new_best)
        self.buffer.close(
            start,
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
    """The other side's S where it is ours but for the last bits.

    Equal S is common and decides who leaves B, so both sides must see the same ties; the numbers
    themselves are compared elsewhere.
    """
    if ours is not None and theirs is not None and math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-15):
        return theirs
    return ours
