"""One update: the gradient of the objective over some groups, and what there is to tell about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from exit_trainer.groups import Group
from exit_trainer.logprobs import completion_logprobs
from exit_trainer.model import Trainee
from exit_trainer.objective import Objective, coefficients, token_loss
from exit_trainer.prefix import Forwarded, SharedPrefix


@dataclass(frozen=True)
class Fixed:
    """Log-probabilities of one group that stay the same for a whole stage, one tensor a reply, on the CPU."""

    old: list[Tensor]
    reference: list[Tensor] | None
    """None where `beta` is 0, or where the reference moves: then it is that of one update."""


@dataclass
class Sums:
    """Sums over the tokens of an update, from which its metrics are made; those of several processes add up."""

    loss: float = 0.0
    counted: float = 0.0
    """Tokens, each with its weight `m`."""
    clipped: float = 0.0
    kl: float = 0.0
    ratio: float = 0.0
    square: float = 0.0
    """Of the log-ratio of current to old policy."""
    entropy: float = 0.0
    tokens: int = 0
    """Logical tokens: every reply with its own prompt."""
    forwarded: int = 0
    ratio_squared: float = 0.0

    @property
    def mean_square(self) -> float:
        return self.square / max(self.counted, 1e-9)

    @property
    def effective(self) -> float:
        """Relative effective sample size of the ratios that the objective weighs tokens by, from 1 down to 0.

        Not of the ratios of whole replies: those multiply up, so that the same policy would seem the farther away the
        longer its replies are.
        """
        return self.ratio**2 / (self.counted * self.ratio_squared) if self.ratio_squared else 1.0

    def add(self, other: Sums) -> None:
        for name in vars(other):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True)
class Budget:
    """How many positions go through the model at once. Never changes a gradient."""

    tokens: int
    chunk: int = field(default=512)


def micro_batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indices of rows that together, padded to the longest, have at most `budget` tokens; at least one each.

    The longest come first, so that an update that does not fit fails at its beginning.
    """
    batch: list[int] = []
    longest = 0
    for index in sorted(range(len(lengths)), key=lambda at: -lengths[at]):
        if batch and (len(batch) + 1) * longest > budget:
            yield batch
            batch = []
        if not batch:
            longest = lengths[index]
        batch.append(index)
    if batch:
        yield batch


def group_logprobs(trainee: Trainee, group: Group, budget: Budget) -> list[Tensor]:
    """Log-probabilities of every reply's tokens, without gradient, on the CPU."""
    found: list[Tensor] = [torch.empty(0)] * len(group.replies)
    with torch.no_grad(), SharedPrefix(trainee.backbone, group.prompt, Forwarded()) as prefix:
        for batch in micro_batches([len(reply.ids) for reply in group.replies], budget.tokens):
            states = prefix.hidden([group.replies[index].ids for index in batch])
            for index, state in zip(batch, states, strict=True):
                found[index] = _logprobs(trainee, state, group.replies[index].ids, budget)[0].cpu()
    return found


def _logprobs(trainee: Trainee, state: Tensor, ids: list[int], budget: Budget) -> tuple[Tensor, Tensor]:
    targets = torch.tensor(ids, device=state.device)
    return completion_logprobs(state, trainee.head, targets, trainee.softcap, budget.chunk)


def accumulate(
    trainee: Trainee,
    groups: Sequence[Group],
    fixed: Sequence[Fixed],
    mine: Sequence[int],
    objective: Objective,
    budget: Budget,
) -> Sums:
    """Adds the gradient of the objective over `groups` to the adapter, as far as this process's share goes.

    Args:
        groups: all groups of the update: their token weights fix what a token counts.
        mine: indices of the groups that are computed here; the gradients of all processes add up to the whole.

    Returns:
        Sums over the tokens computed here; `loss` adds up to the objective.
    """
    masks = [torch.tensor(reply.mask) for group in groups for reply in group.replies]
    shares = iter(coefficients(masks, objective))
    coefficient = [[next(shares) for _ in group.replies] for group in groups]
    sums = Sums()
    for at in mine:
        sums.add(_group(trainee, groups[at], fixed[at], coefficient[at], objective, budget))
    return sums


def _group(
    trainee: Trainee,
    group: Group,
    fixed: Fixed,
    coefficient: list[Tensor],
    objective: Objective,
    budget: Budget,
) -> Sums:
    sums = Sums(tokens=group.tokens)
    # A reply without advantage pulls nowhere but towards the reference.
    rows = [
        index
        for index, reply in enumerate(group.replies)
        if float(coefficient[index].sum()) > 0 and (reply.advantage != 0 or objective.beta > 0)
    ]
    forwarded = Forwarded()
    with SharedPrefix(trainee.backbone, group.prompt, forwarded) as prefix:
        for places in micro_batches([len(group.replies[index].ids) for index in rows], budget.tokens):
            batch = [rows[place] for place in places]
            states = prefix.hidden([group.replies[index].ids for index in batch])
            total = torch.zeros((), device=states[0].device)
            for index, state in zip(batch, states, strict=True):
                total = total + _reply(trainee, group, index, state, fixed, coefficient[index], objective, budget, sums)
            total.backward()
    sums.forwarded = forwarded.tokens
    return sums


def _reply(
    trainee: Trainee,
    group: Group,
    index: int,
    state: Tensor,
    fixed: Fixed,
    coefficient: Tensor,
    objective: Objective,
    budget: Budget,
    sums: Sums,
) -> Tensor:
    reply = group.replies[index]
    device = state.device
    logprobs, entropy = _logprobs(trainee, state, reply.ids, budget)
    mask = torch.tensor(reply.mask, device=device)
    old = fixed.old[index].to(device)
    behaviour = torch.tensor(reply.behaviour, device=device)
    reference = None if fixed.reference is None else fixed.reference[index].to(device)
    token = token_loss(logprobs, old, reply.advantage, mask, objective, behaviour, reference)
    loss = (token.loss * coefficient.to(device)).sum()
    with torch.no_grad():
        log_ratio = logprobs - old
        sums.loss += float(loss)
        sums.counted += float(mask.sum())
        sums.clipped += float((token.clipped * mask).sum())
        sums.kl += float((token.kl * mask).sum())
        sums.ratio += float((token.ratio * mask).sum())
        sums.ratio_squared += float((token.ratio.square() * mask).sum())
        sums.square += float((log_ratio.square() * mask).sum())
        sums.entropy += float((entropy * mask).sum())
    return loss
