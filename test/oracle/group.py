"""EXIT.md sections 2.6 to 2.8 and 5: what is worked out of one group once its members are scored."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from definitions import Member, Settings, Start, Task


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean."""
    return math.fsum(values) / len(values)


def learnability(qualities: list[float | None], closed_as_infra: bool) -> float | None:
    """Section 2.6: S, the population variance over the members with a quality; None below two of them.

    `statistics` counts in exact fractions: members of equal quality have an S of 0 to the last bit.
    """
    known = [q for q in qualities if q is not None]
    if closed_as_infra or len(known) < 2:
        return None
    return statistics.pvariance(known)


def is_relative(task: Task, goal: str, from_task: bool, settings: Settings) -> bool:
    """Section 2.7, and 8 for the paper's rule: is this step rewarded by its gain over the start?

    `from_task`: the start was drawn from M.
    """
    if goal in ("diverge", "solve"):
        return False
    if settings.paper and (from_task or task.format in ("answer", "dialogue")):
        return False
    return task.reward == "relative"


def reward(member: Member, start: Start, relative: bool, settings: Settings) -> float | None:
    """Section 2.7: r of one member; None where it has no quality."""
    q = member.quality
    if q is None:
        return None
    if not relative:
        return q
    if member.failed or member.unchanged(start):
        return 0.0 if settings.paper else -settings.penalty
    q_start = start.quality
    if q_start is None:
        raise ValueError("a relative step needs a start with a quality")
    if q_start == 1:
        return 1.0 if q == 1 else 0.0
    return max(0.0, (q - q_start) / (1 - q_start))


def plain_advantages(rewards: list[float | None]) -> list[float | None]:
    """Section 2.8: (r - mean) / (std + 1e-4), unbiased std, over the members with a quality."""
    known = [r for r in rewards if r is not None]
    if len(known) < 2:
        return [None for _ in rewards]
    centre = mean(known)
    std = math.sqrt(math.fsum((r - centre) ** 2 for r in known) / (len(known) - 1))
    return [None if r is None else (r - centre) / (std + 1e-4) for r in rewards]


def diversity(members: list[Member], settings: Settings) -> list[float]:
    """Section 2.8: d of every member, and 8 for the paper's divisor.

    The centroid is one of the group's statistics, which a member without a quality leaves (section 1).
    """
    apart = [i for i, m in enumerate(members) if m.snapshot is not None and m.quality is not None]
    d = [1.0 for _ in members]
    if not apart:
        return d
    vectors = {i: embedding_of(members[i]) for i in apart}
    centroid = [mean(column) for column in zip(*vectors.values(), strict=True)]
    distance = {i: math.dist(vectors[i], centroid) for i in apart}
    if settings.paper:
        spread = max(distance.values()) - min(distance.values())
        if spread >= 1e-9:
            for i in apart:
                d[i] = distance[i] / spread
        return d
    average = mean(list(distance.values()))
    if average > 0:
        for i in apart:
            d[i] = min(2.0, max(0.5, distance[i] / average))
    return d


def embedding_of(member: Member) -> list[float]:
    """The bonus can only be worked out where every snapshot has its embedding."""
    if member.embedding is None:
        raise ValueError(f"snapshot {member.snapshot} has no embedding")
    return member.embedding


def is_informative(
    rewards: list[float | None], relative: bool, q_start: float | None, standard_error: float
) -> bool:
    """Section 5, first sentence: is the spread of the rewards more than noise?"""
    known = [r for r in rewards if r is not None]
    if len(known) < 2:
        return False
    if relative and q_start is not None and q_start < 1:
        needed = max(0.01, 2 * standard_error / (1 - q_start))
    else:
        needed = max(0.01, 2 * standard_error)
    return max(known) - min(known) >= needed


@dataclass(frozen=True)
class Outcome:
    """Everything section 2 works out of one closed group."""

    q: list[float | None]
    S: float | None
    r: list[float | None]
    d: list[float]
    A: list[float | None]
    informative: bool
    relative: bool


def close(
    task: Task,
    start: Start,
    goal: str,
    from_task: bool,
    members: list[Member],
    bonus: bool,
    standard_error: float,
    closed_as_infra: bool,
    settings: Settings,
) -> Outcome:
    """Sections 2.6 to 2.8, in their order."""
    q = [member.quality for member in members]
    relative = is_relative(task, goal, from_task, settings)
    r = [reward(member, start, relative, settings) for member in members]
    S = learnability(q, closed_as_infra)
    plain = plain_advantages(r) if S is not None else [None for _ in members]
    d = diversity(members, settings) if bonus and S is not None else [1.0 for _ in members]
    A = [None if a is None else factor * a for a, factor in zip(plain, d, strict=True)]
    informative = S is not None and is_informative(r, relative, start.quality, standard_error)
    return Outcome(q=q, S=S, r=r, d=d, A=A, informative=informative, relative=relative)
