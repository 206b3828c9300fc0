"""EXIT.md section 1: verdicts, qualities, tasks and nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FAILED = {"invalid", "crash", "oom", "timeout", "output_limit", "disk_limit"}
WITHOUT_QUALITY = {"quarantine", "infra", "eval_error", "cancelled"}


def quality(verdict: str | None, score: float | None, worst: float, best: float) -> float | None:
    """Section 1, "Verdict and quality": q in [0, 1], or None where there is none.

    `score` is the raw r, in the task's own units; only a `scored` verdict has one.
    """
    if verdict is None or verdict in WITHOUT_QUALITY:
        return None
    if verdict in FAILED:
        return 0.0
    if verdict != "scored" or score is None:
        raise ValueError(f"no such verdict: {verdict} with score {score}")
    return min(1.0, max(0.0, (score - worst) / (best - worst)))


@dataclass(frozen=True)
class Task:
    """Section 1, "task instance m". `reward` is the rule in force: the task's own or its format's default."""

    name: str
    format: str  # code | json | answer | dialogue
    split: str  # train | heldout
    worst: float
    best: float
    reward: str  # relative | absolute

    @staticmethod
    def read(record: dict[str, Any]) -> Task:
        """Section 2.7 gives the default rule: relative for code and json, absolute for the others."""
        default = "relative" if record["format"] in ("code", "json") else "absolute"
        return Task(
            name=record["name"],
            format=record["format"],
            split=record["split"],
            worst=record["worst"],
            best=record["best"],
            reward=record.get("reward") or default,
        )


@dataclass(frozen=True)
class Start:
    """What a group starts from: a node, seen through its snapshot (None: the bare request)."""

    task: str
    snapshot: str | None
    verdict: str | None
    quality: float | None

    @property
    def failed(self) -> bool:
        """Section 1: a failed node is one with a verdict that means q = 0."""
        return self.verdict in FAILED


@dataclass(frozen=True)
class Member:
    """One reply of a group once it is scored (sections 2.4 and 2.5)."""

    snapshot: str | None  # None: no edit could be read
    verdict: str
    quality: float | None
    embedding: list[float] | None

    @property
    def failed(self) -> bool:
        """Section 1, as for a node."""
        return self.verdict in FAILED

    def unchanged(self, start: Start) -> bool:
        """Section 2.4: an unchanged solution shares its start's snapshot."""
        return self.snapshot is not None and self.snapshot == start.snapshot

    @staticmethod
    def read(record: dict[str, Any], task: Task) -> Member:
        """The quality is worked out here, never read."""
        found = quality(record["verdict"], record.get("score"), task.worst, task.best)
        return Member(record["snapshot"], record["verdict"], found, record.get("embedding"))


@dataclass(frozen=True)
class Settings:
    """The settings EXIT.md names, by its names. Sections 2, 3 and 8."""

    strategy: str = "exit"
    p: float | None = None  # None: the strategy's own (section 3)
    p_div: float | None = None
    kappa: float = 5.0
    capacity: int = 24  # N
    b_min: int = 3
    insert: str = "one"
    penalty: float = 0.1  # lambda
    max_policy_age: int = 1
    depth: int = 2  # D
    paper: bool = False

    @staticmethod
    def read(record: dict[str, Any]) -> Settings:
        """Names of the record as in EXIT.md; what is absent keeps its default."""
        names = {
            "strategy": "strategy",
            "p": "p",
            "pDiv": "p_div",
            "kappa": "kappa",
            "N": "capacity",
            "bMin": "b_min",
            "insert": "insert",
            "lambda": "penalty",
            "maxPolicyAge": "max_policy_age",
            "depth": "depth",
            "paper": "paper",
        }
        unknown = set(record) - set(names)
        if unknown:
            raise ValueError(f"no such setting: {sorted(unknown)}")
        return Settings(**{names[name]: value for name, value in record.items()})
