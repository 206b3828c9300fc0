"""EXIT.md sections 2.9 and 2.10: the buffer B and how a closed group changes it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from definitions import Member, Settings, Start

T = TypeVar("T")


def one_of(choices: list[T], u: float | None) -> T:
    """A uniform choice by a recorded draw, which must be there."""
    if u is None:
        raise ValueError("a draw is missing")
    return choices[int(u * len(choices))]


@dataclass
class Entry:
    """One entry of B (section 1). `iteration` is that of its insertion."""

    task: str
    snapshot: str | None
    quality: float | None
    failed: bool
    S: float
    policy: int
    iteration: int
    drawn: int = 0
    groups: list[bool] = field(default_factory=list)  # of the groups that started here: informative?


class Buffer:
    """B, its entries in the order of insertion."""

    def __init__(self, settings: Settings) -> None:
        """An empty B."""
        self.settings = settings
        self.entries: list[Entry] = []

    def find(self, task: str, snapshot: str | None) -> Entry | None:
        """Section 1: whether something is in B is asked of the snapshot."""
        for entry in self.entries:
            if entry.task == task and entry.snapshot == snapshot:
                return entry
        return None

    def close(
        self,
        start: Start,
        from_buffer: bool,
        members: list[Member],
        S: float | None,
        informative: bool,
        policy: int,
        iteration: int,
        with_children: bool,
        child_draw: float | None,
        tie_draws: Iterator[float],
    ) -> None:
        """Section 2.9: staleness, the start, the children, in this order. Nothing at all without an S (2.6).

        `with_children`: false under `curriculum`. `child_draw`: chooses the one child of `insert: one`.
        """
        if S is None:
            return
        entry = self.find(start.task, start.snapshot)
        if entry is not None:
            entry.groups.append(informative)
        if entry is not None and self.is_stale(entry):
            self.entries.remove(entry)
        else:
            newcomer = Entry(start.task, start.snapshot, start.quality, start.failed, S, policy, iteration)
            newcomer.groups.append(informative)
            entry = self.put_start(newcomer, tie_draws)
            entry.drawn += 1 if from_buffer else 0
        if with_children:
            for member in self.chosen_children(start, members, child_draw):
                newcomer = Entry(
                    start.task, member.snapshot, member.quality, member.failed, S, policy, iteration
                )
                self.enter(newcomer, tie_draws)

    def is_stale(self, entry: Entry) -> bool:
        """Section 2.10: its last two groups were not informative."""
        last_two = entry.groups[-2:]
        return not self.settings.paper and len(last_two) == 2 and not any(last_two)

    def put_start(self, measured: Entry, tie_draws: Iterator[float]) -> Entry:
        """Section 2.9: the start gets the S just measured (inserted if absent, replaced if present)."""
        present = self.find(measured.task, measured.snapshot)
        if present is not None:
            present.S = measured.S
            present.policy = measured.policy
            return present
        if measured.quality is None or measured.quality < 1:
            self.enter(measured, tie_draws)
        return measured

    def chosen_children(self, start: Start, members: list[Member], draw: float | None) -> list[Member]:
        """Section 2.9: the eligible members that `insert` lets in, `one` or `all` (distinct snapshots).

        An unchanged reply makes no node (section 1), so it is no child.
        """
        eligible = [
            member
            for member in members
            if member.snapshot is not None
            and member.quality is not None
            and member.quality < 1
            and not member.unchanged(start)
            and self.find(start.task, member.snapshot) is None
        ]
        if self.settings.insert == "one" or self.settings.paper:
            return eligible if len(eligible) < 2 else [one_of(eligible, draw)]
        distinct: dict[str, Member] = {}
        for member in eligible:
            distinct.setdefault(str(member.snapshot), member)
        return list(distinct.values())

    def enter(self, newcomer: Entry, tie_draws: Iterator[float]) -> None:
        """Section 2.9: the rule of the failed third, then the rule of the full buffer."""
        failed = [entry for entry in self.entries if entry.failed]
        if newcomer.failed and not self.settings.paper and len(failed) >= self.settings.capacity // 3:
            self.replace_lowest(failed, newcomer, tie_draws)
            return
        if len(self.entries) >= self.settings.capacity:
            self.replace_lowest(self.entries, newcomer, tie_draws)
        else:
            self.entries.append(newcomer)

    def replace_lowest(self, among: list[Entry], newcomer: Entry, tie_draws: Iterator[float]) -> None:
        """Section 2.9: only if S reaches the minimum; the oldest of equals goes, any other tie is drawn."""
        lowest = min((entry.S for entry in among), default=math.inf)
        if newcomer.S < lowest:
            return
        equals = [entry for entry in among if entry.S == lowest]
        oldest = min(entry.iteration for entry in equals)
        tied = [entry for entry in equals if entry.iteration == oldest]
        leaving = tied[0] if len(tied) == 1 else one_of(tied, next(tie_draws))
        self.entries = [entry for entry in self.entries if entry is not leaving]
        self.entries.append(newcomer)
