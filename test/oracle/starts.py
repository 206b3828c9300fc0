"""EXIT.md sections 2.1, 2.2 and 3: which start, which goal."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from buffer import Buffer, Entry, one_of
from definitions import Settings, Start, Task

# Section 3, the table: p, p_div and the diversity bonus of every preset that draws from B.
PRESETS: dict[str, tuple[float, float, bool]] = {
    "grpo": (0.0, 0.0, False),
    "curriculum": (0.5, 0.0, False),
    "improve": (0.5, 0.0, False),
    "diverge": (0.5, 0.2, False),
    "exit": (0.5, 0.5, True),
}


def strategy_of(strategy: str, iteration: int) -> str:
    """Section 3: `balanced` is `exit` on even iterations and `greedy` on odd ones, from 0."""
    if strategy == "balanced":
        return "exit" if iteration % 2 == 0 else "greedy"
    return strategy


def has_bonus(strategy: str) -> bool:
    """Section 3, column "bonus"; greedy has none."""
    return strategy in PRESETS and PRESETS[strategy][2]


def probabilities(entries: list[Entry], policy: int, settings: Settings) -> list[float]:
    """Section 2.1 with the age rule of 2.10, or section 8: P(i) for every entry of B."""
    scores = [entry.S for entry in entries]
    highest = max(scores)
    if settings.paper:
        weights = [math.exp(settings.kappa * s) for s in scores]
    elif highest == 0:
        weights = [1.0 for _ in scores]
    else:
        old = [policy - entry.policy > settings.max_policy_age for entry in entries]
        as_if = [highest if is_old else s for s, is_old in zip(scores, old, strict=True)]
        weights = [math.exp(settings.kappa * s / highest) for s in as_if]
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def draw(chances: list[float], u: float) -> int:
    """The index that the uniform number u falls on, the chances laid end to end."""
    reached = 0.0
    for index, chance in enumerate(chances):
        reached += chance
        if u < reached:
            return index
    return len(chances) - 1


@dataclass
class Tree:
    """Section 1: of every task its distinct solutions, each by its oldest node, and its roots."""

    nodes: dict[str, dict[str | None, Start]] = field(default_factory=dict)  # in order of birth
    roots: dict[str, list[Start]] = field(default_factory=dict)

    def add(self, node: Start) -> bool:
        """Adds a node unless its snapshot is one of the task's already; says whether it was added."""
        known = self.nodes.setdefault(node.task, {})
        if node.snapshot in known:
            return False
        known[node.snapshot] = node
        return True

    def add_root(self, node: Start) -> None:
        """Section 1: the user's solution becomes a new root if it is no node of the task yet."""
        if self.add(node):
            self.roots.setdefault(node.task, []).append(node)

    def newest_root(self, task: str) -> Start:
        """Section 1: starts from M use the newest root."""
        return self.roots[task][-1]

    def find(self, task: str, snapshot: str | None) -> Start:
        """The node that stands for a snapshot."""
        return self.nodes[task][snapshot]

    def best(self, task: str) -> float | None:
        """The highest quality among the task's scored nodes."""
        found = [
            n.quality for n in self.nodes[task].values() if n.verdict == "scored" and n.quality is not None
        ]
        return max(found, default=None)

    def is_root(self, node: Start) -> bool:
        """Is it one of the task's roots?"""
        return any(root.snapshot == node.snapshot for root in self.roots.get(node.task, []))


class GreedyCounts:
    """Section 3: greedy groups of every node since the task's last new best."""

    def __init__(self) -> None:
        """Nothing counted yet."""
        self.counts: dict[tuple[str, str | None], int] = {}

    def count(self, start: Start) -> None:
        """A greedy group of this start was closed."""
        key = (start.task, start.snapshot)
        self.counts[key] = self.counts.get(key, 0) + 1

    def restart(self, task: str) -> None:
        """All of the task's counts are 0 again."""
        self.counts = {key: count for key, count in self.counts.items() if key[0] != task}

    def skipped(self, node: Start) -> bool:
        """Three greedy groups, and still no new best."""
        return self.counts.get((node.task, node.snapshot), 0) >= 3


def greedy_start(tree: Tree, task: str, counts: GreedyCounts) -> tuple[Start, bool]:
    """Section 3, greedy: the highest-q scored node, else the newest failed one, else the bare request.

    Also: do the counts restart, since none was left that is not skipped?
    """
    nodes = list(tree.nodes[task].values())
    scored = [node for node in nodes if node.verdict == "scored"]
    ranked = sorted(scored, key=lambda node: -(node.quality or 0.0))  # stable: the oldest of equals first
    if not ranked:
        ranked = [node for node in reversed(nodes) if node.failed]
    if not ranked:
        return tree.newest_root(task), False
    left = [node for node in ranked if not counts.skipped(node)]
    return (left or ranked)[0], not left


@dataclass(frozen=True)
class Decision:
    """A start and a goal (sections 2.1 and 2.2), and how the start was come by."""

    start: Start
    source: str  # B | M | greedy
    goal: str
    chances: list[float] | None = None  # P(i) where the start was drawn from B
    restart: bool = False  # greedy: the task's counts restart with this group


def decide(
    tasks: list[Task],
    tree: Tree,
    buffer: Buffer,
    counts: GreedyCounts,
    strategy: str,
    policy: int,
    draws: dict[str, float],
    settings: Settings,
) -> Decision:
    """Sections 2.1, 2.2 and 3. Every random choice is one of the `draws`, a uniform number in [0, 1).

    `select`: the u of u < p. `entry`: which entry of B. `task`: which task. `diverge`: improve or diverge.
    """
    if strategy == "greedy":
        task = drawn_task(tasks, draws)
        start, restart = greedy_start(tree, task.name, counts)
        return Decision(start, "greedy", goal_of(task, tree, start, False, 0.0, draws), None, restart)
    p, p_div, _ = PRESETS[strategy]
    if settings.p is not None and strategy != "grpo":
        p = settings.p
    if settings.p_div is not None and strategy in ("diverge", "exit"):
        p_div = settings.p_div
    by_name = {task.name: task for task in tasks}
    # Section 3: a run covers the tasks it was given; curriculum starts from roots alone.
    drawable = [entry for entry in buffer.entries if entry.task in by_name]
    if strategy == "curriculum":
        drawable = [e for e in drawable if tree.is_root(tree.find(e.task, e.snapshot))]
    if p > 0 and len(drawable) >= settings.b_min and draws["select"] < p:
        chances = probabilities(drawable, policy, settings)
        entry = drawable[draw(chances, draws["entry"])]
        start = tree.find(entry.task, entry.snapshot)
        task = by_name[entry.task]
        return Decision(start, "B", goal_of(task, tree, start, True, p_div, draws), chances)
    task = drawn_task([task for task in tasks if task.split == "train"], draws)
    start = tree.newest_root(task.name)
    return Decision(start, "M", goal_of(task, tree, start, False, p_div, draws))


def drawn_task(tasks: list[Task], draws: dict[str, float]) -> Task:
    """Sections 2.1 and 3: one of the tasks, uniformly; of one task it is that one."""
    return tasks[0] if len(tasks) == 1 else one_of(tasks, draws["task"])


def goal_of(
    task: Task, tree: Tree, start: Start, from_buffer: bool, p_div: float, draws: dict[str, float]
) -> str:
    """Section 2.2: one goal for the whole group."""
    if task.format in ("answer", "dialogue") and tree.is_root(start):
        return "solve"
    if start.failed:
        return "debug"
    if from_buffer and p_div > 0 and draws["diverge"] < p_div:
        return "diverge"
    return "improve"
