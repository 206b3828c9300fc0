"""Did the server sample from the very weights that are trained? Its log-probabilities against the trainer's tell."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from torch import Tensor

from exit_trainer.groups import Group
from exit_trainer.report import Refusal, tell
from exit_trainer.update import Fixed


def measure_mismatch(groups: Sequence[Group], old: Sequence[Sequence[Tensor]]) -> float | None:
    """Mean |log mu - log pi_old| over the tokens that count and whose `mu` is known; None if there is none."""
    total, count = 0.0, 0
    for group, rows in zip(groups, old, strict=True):
        for reply, row in zip(group.replies, rows, strict=True):
            for weight, recorded, ours in zip(reply.mask, reply.behaviour, row.tolist(), strict=True):
                if weight > 0 and not math.isnan(recorded):
                    total += abs(recorded - ours)
                    count += 1
    return total / count if count else None


def refuse_mismatch(mismatch: float | None, most: float) -> None:
    """
    Raises:
        Refusal: what was sampled is not what is trained.
    """
    if mismatch is None or mismatch <= most:
        return
    raise Refusal(
        "mismatch",
        f"The server's log-probabilities differ from the trainer's by {mismatch:.3f} nats in the mean, more than "
        f"{most}: it did not sample from these weights, with this template, at temperature 1. "
        "Check that the model was not changed since the groups were sampled and that no other options were set; "
        "--most-mismatch allows more. With --base-bits 4 a part of it is that the weights were packed anew.",
    )


def policy_at_start(policies: Sequence[str], continued: bool) -> str | None:
    """Which of the policy versions that sampled the groups is the one the training begins at, by their names (they end
    in `#v` and the number of promotions); None where that cannot be told.

    Only groups of this one say what the server computes differently: those of another one, and there may be some of one
    version before, differ by what was learned in between. Version 0 is the base. An adapter that is gone on with is the
    newest of several; a single one may be it, or the one before.
    """
    versions = {policy: int(found[1]) if (found := _VERSION.search(policy)) else 0 for policy in policies}
    if not continued:
        return next((policy for policy, version in versions.items() if version == 0), None)
    return max(versions, key=lambda policy: versions[policy]) if len(versions) > 1 else None


_VERSION = re.compile(r"#v(\d+)$")


def mismatch_of(chosen: Sequence[int], groups: Sequence[Group], fixed: Sequence[Fixed]) -> float | None:
    return measure_mismatch([groups[at] for at in chosen], [fixed[at].old for at in chosen])


def told_of(own: int, groups: int) -> str:
    if own == groups:
        return ""
    if own == 0:
        return "; not judged, as no group is known to be of the very policy that is trained (--policy)"
    return f", over the {own} of {groups} groups of the policy that is trained"


def tell_mismatch(mismatch: float | None, where: str = "") -> None:
    shown = "not known (none were recorded)" if mismatch is None else f"{mismatch:.4f} nats{where}"
    tell("mismatch", f"Mean difference to the server's log-probabilities: {shown}.", mismatch=mismatch)
