"""What a server answered, as groups that the trainer can score: the very tokens that were sampled."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exit_trainer.groups import Group, Reply
from exit_trainer.model import Trainee
from exit_trainer.report import Refusal
from exit_trainer.stage import measure_mismatch
from exit_trainer.update import Budget, group_logprobs

_BUDGET = Budget(4096)


@dataclass(frozen=True)
class Served:
    """Mean |difference| of log-probabilities of what the server sampled, in nats."""

    apart: float
    """Between the tuned model and the server."""
    from_base: float
    """Between the base and the server."""


def read_served(file: Path, trainee: Trainee) -> tuple[list[Group], Counter[str]]:
    """Replies of one prompt as one group, from a JSON list of `{prompt, text, tokens: [{id|null, text}], logprobs}`.

    A reply without ids is tokenised again; one that does not give as many tokens as were sampled is left out.

    Returns:
        The groups, and how many replies were left out, by reason.

    Raises:
        Refusal: no reply is left, or the file is no such list.
    """
    dropped: Counter[str] = Counter()
    by_prompt: dict[str, list[Reply]] = {}
    rows = _rows(file)
    for index, row in enumerate(rows):
        try:
            prompt, ids, recorded, logprobs = _sampled(row, trainee)
        except (KeyError, TypeError, ValueError) as problem:
            raise Refusal("served", f"Reply {index + 1} in {file} cannot be read: {problem!r}") from None
        if not ids or not trainee.tokenize(prompt):
            dropped["empty"] += 1
        elif len(ids) != recorded:
            dropped["retokenised to another number of tokens"] += 1
        elif len(ids) != len(logprobs):
            dropped["tokens and log-probabilities do not match"] += 1
        else:
            by_prompt.setdefault(prompt, []).append(Reply(index, ids, [1.0] * len(ids), logprobs, 0.0))
    if not by_prompt:
        why = ", ".join(f"{count} {reason}" for reason, count in dropped.items()) or "there is none"
        raise Refusal(
            "served", f"No reply of the server can be compared ({why}). Ask it again, with log-probabilities."
        )
    groups = [Group(prompt, "", trainee.tokenize(prompt), replies) for prompt, replies in by_prompt.items()]
    return groups, dropped


def compare(trainee: Trainee, groups: Sequence[Group]) -> Served:
    tuned = _apart(trainee, groups)
    with trainee.model.disable_adapter():
        base = _apart(trainee, groups)
    return Served(tuned, base)


def _apart(trainee: Trainee, groups: Sequence[Group]) -> float:
    apart = measure_mismatch(groups, [group_logprobs(trainee, group, _BUDGET) for group in groups])
    return math.nan if apart is None else apart


def _sampled(row: Any, trainee: Trainee) -> tuple[str, list[int], int, list[float]]:
    """Prompt, ids, how many tokens were sampled, log-probabilities."""
    recorded = row["tokens"]
    known = all(token["id"] is not None for token in recorded)
    ids = [int(token["id"]) for token in recorded] if known else trainee.tokenize(row["text"])
    return str(row["prompt"]), ids, len(recorded), [float(value) for value in row["logprobs"]]


def _rows(file: Path) -> list[Any]:
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise Refusal("served", f"{file} cannot be read as a JSON list of replies: {problem}") from None
    if not isinstance(rows, list):
        raise Refusal("served", f"{file} has to be a JSON list of replies.")
    return rows
