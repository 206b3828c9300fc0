"""What a server answered, as groups that the trainer can score: the very tokens that were sampled."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from exit_trainer.groups import Group, Reply
from exit_trainer.model import Trainee
from exit_trainer.report import Refusal
from exit_trainer.update import Budget, group_logprobs

_BUDGET = Budget(4096)
_ERRORS = 3


Scores = list[list[Tensor]]
"""Log-probabilities one model gives the sampled tokens: for each group one tensor a reply."""


@dataclass(frozen=True)
class Served:
    """Mean |difference| of log-probabilities of what the server sampled, in nats."""

    apart: float
    """Between the tuned model and the server."""
    from_base: float
    """Between the base and the server."""
    effect: float
    """Between the tuned model and the base, on these very tokens."""
    certain: bool
    """Can it be told which of the two the server is nearer to?"""


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


def score(trainee: Trainee, groups: Sequence[Group]) -> Scores:
    return [group_logprobs(trainee, group, _BUDGET) for group in groups]


def scores_apart(one: Scores, other: Scores) -> float:
    """Mean |difference| over all tokens, in nats."""
    return float((_flat(one) - _flat(other)).abs().mean())


def compare(groups: Sequence[Group], tuned: Scores, base: Scores) -> Served:
    """The smaller of both distances is the server's own noise, whichever model it has. It can be told which one where
    the two are further from each other than that, or where the distances differ by more than three standard errors:
    one for each token, which are not quite independent."""
    server = [[torch.tensor(reply.behaviour) for reply in group.replies] for group in groups]
    from_tuned, from_base = ((_flat(scores) - _flat(server)).abs() for scores in (tuned, base))
    apart, effect = float(from_tuned.mean()), scores_apart(tuned, base)
    nearer = from_base - from_tuned
    error = float(nearer.std(correction=0)) / math.sqrt(len(nearer))
    noise = min(apart, float(from_base.mean()))
    certain = effect > noise or abs(float(nearer.mean())) > _ERRORS * error
    return Served(apart, float(from_base.mean()), effect, certain)


def _flat(scores: Scores) -> Tensor:
    return torch.cat([reply for group in scores for reply in group]).double()


def _sampled(row: Any, trainee: Trainee) -> tuple[str, list[int], int, list[float]]:
    """Prompt, ids, how many tokens were sampled, log-probabilities."""
    recorded = row["tokens"]
    known = all(token["id"] is not None for token in recorded)
    ids = [int(token["id"]) for token in recorded] if known else trainee.tokenize_reply(row["text"])
    return str(row["prompt"]), ids, len(recorded), [float(value) for value in row["logprobs"]]


def _rows(file: Path) -> list[Any]:
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise Refusal("served", f"{file} cannot be read as a JSON list of replies: {problem}") from None
    if not isinstance(rows, list):
        raise Refusal("served", f"{file} has to be a JSON list of replies.")
    return rows
