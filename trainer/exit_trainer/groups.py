"""Reading the native export (EXIT.md section 5): groups of replies as token ids with weights and advantages."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exit_trainer.json_values import in_spans, value_spans

EXPORT_VERSION = 1

Tokenize = Callable[[str], list[int]]
"""Text to ids, special tokens read as such and none added."""


@dataclass(frozen=True)
class Reply:
    """One completion, ready for the forward pass; all lists are of one length."""

    index: int
    ids: list[int]
    """Sampled tokens, and the end token where the reply ended by itself."""
    mask: list[float]
    """Token weights `m`."""
    behaviour: list[float]
    """Recorded log-probabilities `mu`; `nan` where none is known."""
    advantage: float
    reward: float = math.nan
    """What the advantage was made of; `nan` where it is not known."""


@dataclass(frozen=True)
class Group:
    id: str
    policy: str
    prompt: list[int]
    replies: list[Reply]

    @property
    def tokens(self) -> int:
        """Logical tokens: what rows without sharing would forward."""
        return sum(len(self.prompt) + len(reply.ids) for reply in self.replies)


@dataclass
class Intake:
    """What came of an export."""

    groups: list[Group] = field(default_factory=list)
    seen: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    """Replies and groups left out, by reason."""
    tokens: int = 0
    masked: int = 0
    """Tokens of kept replies whose weight is 0, of `tokens`."""

    @property
    def masked_share(self) -> float:
        return self.masked / self.tokens if self.tokens else 0.0


def read_groups(file: Path, tokenize: Tokenize, tokenize_reply: Tokenize, end_token: int) -> Intake:
    """Groups that a gradient can come from, in the order of the file.

    A reply is dropped, and counted, rather than silently changed: one whose tokens and log-probabilities do not match
    one to one, or whose recorded tokens are not those its text gives where the server recorded no ids. A group is
    dropped when fewer than two members have an advantage or all advantages are equal.

    Args:
        tokenize: gives the ids of a rendered prompt.
        tokenize_reply: gives those of a text that follows one.
        end_token: id with which a reply ends.

    Raises:
        ValueError: the file is no export of this version; names the line.
    """
    intake = Intake()
    for row in _rows(file):
        intake.seen += 1
        members = [reply for reply in row["replies"] if reply["advantage"] is not None]
        if len(members) < 2 or len({reply["advantage"] for reply in members}) == 1:
            intake.dropped["group without a difference"] += 1
            continue
        kept: list[Reply] = []
        for member in members:
            try:
                kept.append(_reply(member, tokenize_reply, end_token))
            except _Dropped as reason:
                intake.dropped[str(reason)] += 1
        if all(sum(reply.mask) == 0 or reply.advantage == 0 for reply in kept):
            intake.dropped["group without a token that counts"] += 1
            continue
        group = Group(row["id"], row["policy"], tokenize(row["prompt"]["rendered"]), kept)
        if not group.prompt:
            intake.dropped["group without a prompt"] += 1
            continue
        intake.tokens += sum(len(reply.ids) for reply in kept)
        intake.masked += sum(weight == 0 for reply in kept for weight in reply.mask)
        intake.groups.append(group)
    return intake


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                version = row["version"]
            except (ValueError, KeyError, TypeError) as problem:
                raise ValueError(f"{file} line {number} is no exported group: {problem}") from None
            if version != EXPORT_VERSION:
                raise ValueError(
                    f"{file} line {number} has format version {version}, this trainer reads {EXPORT_VERSION}: "
                    "export again with the version of ExIt ML the trainer came with."
                )
            yield row


class _Dropped(Exception):
    """Why a reply is left out."""


def _reply(row: dict[str, Any], tokenize: Tokenize, end_token: int) -> Reply:
    if not row["tokensMatch"]:
        raise _Dropped("tokens and log-probabilities do not match")
    recorded = row["tokens"]
    if recorded is not None and all(token["id"] is not None for token in recorded):
        ids = [int(token["id"]) for token in recorded]
    else:
        ids = tokenize(row["text"])
        if recorded is not None and len(ids) != len(recorded):
            raise _Dropped("retokenised to another number of tokens")
    ended, constrained = row["finish"] == "stop", row["constrained"] is not None
    weights = [1.0] * len(ids)
    if constrained:
        pieces = None if recorded is None else [token["text"] for token in recorded]
        if pieces is None or "".join(pieces) != row["text"]:
            raise _Dropped("texts of the tokens do not join to the reply")
        weights = [float(inside) for inside in in_spans(pieces, value_spans(row["text"]))]
    logprobs = row["logprobs"] or [math.nan] * len(ids)
    if len(logprobs) != len(ids):
        raise _Dropped("tokens and log-probabilities do not match")
    if ended:
        ids = [*ids, end_token]
        weights = [*weights, 0.0 if constrained else 1.0]
        logprobs = [*logprobs, math.nan]
    else:
        weights = [0.0] * len(ids)
    if not ids:
        raise _Dropped("empty")
    reward = math.nan if row["reward"] is None else row["reward"]
    return Reply(row["index"], ids, weights, logprobs, row["advantage"], reward)
