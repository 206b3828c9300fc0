"""The training objective: EXIT.md section 6, as a sum over tokens.

Three policies: behaviour `mu` (recorded while sampling), old `pi_old` (recomputed once per stage), current `pi`. With
`rho = pi / pi_old`, `w = min(pi_old / mu, 2)` and token weights `m`, a token of a reply with advantage `A` costs

    - w * min(rho * A, clip(rho, 1 - eps, 1 + eps_high) * A) + beta * k3(pi_ref / pi)

and counts with a coefficient that the reduction gives it. Coefficients are worked out over a whole update, so how its
tokens are split into micro-batches never changes the gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Reduction = Literal["grpo", "dr_grpo", "dapo", "bnpo", "gspo"]


@dataclass(frozen=True)
class Objective:
    """Settings with the defaults of EXIT.md section 6."""

    reduction: Reduction = "grpo"
    """`grpo`: mean over replies of their token mean. `dapo`, `bnpo`: mean over the tokens of the update. `dr_grpo`: sum
    over tokens divided by replies times `max_length`. `gspo`: as `grpo`, with one ratio for a whole reply (the
    geometric mean of its tokens' ratios)."""
    eps: float = 0.2
    eps_high: float = 0.28
    delta: float = 2.0
    """Cap of the ratio where the advantage is negative."""
    beta: float = 0.001
    """Weight of the k3 estimate of KL(pi || pi_ref)."""
    behaviour_cap: float = 2.0
    """Cap of `pi_old / mu`."""
    max_length: int = 1024
    """Divisor of `dr_grpo`: the reply limit the groups were sampled with, in tokens."""


@dataclass(frozen=True)
class TokenLoss:
    """Per token, float32: what to sum up, and what to report."""

    loss: Tensor
    ratio: Tensor
    """`pi / pi_old`, of the whole reply under `gspo`; without gradient."""
    clipped: Tensor
    """1 where the clip took the gradient away, else 0."""
    kl: Tensor
    """k3 estimate; zeros where there is no reference."""


def coefficients(masks: Sequence[Tensor], objective: Objective) -> list[Tensor]:
    """How much each token of an update counts: the loss is the sum of coefficient times token loss.

    Args:
        masks: token weights `m` of every reply of the update, each (length,). A reply whose weights are all 0 is left
            out of the mean over replies.

    Returns:
        As `masks`, float32.
    """
    totals = [float(mask.sum()) for mask in masks]
    counted = sum(total > 0 for total in totals)
    if objective.reduction in ("dapo", "bnpo"):
        scale = 1 / max(sum(totals), 1.0)
        return [mask.float() * scale for mask in masks]
    if objective.reduction == "dr_grpo":
        scale = 1 / (max(len(masks), 1) * objective.max_length)
        return [mask.float() * scale for mask in masks]
    return [
        mask.float() / (total * counted) if total > 0 else torch.zeros_like(mask, dtype=torch.float32)
        for mask, total in zip(masks, totals, strict=True)
    ]


def token_loss(
    logprobs_T: Tensor,
    old_T: Tensor,
    advantage: float,
    mask_T: Tensor,
    objective: Objective,
    behaviour_T: Tensor | None = None,
    reference_T: Tensor | None = None,
) -> TokenLoss:
    """Loss of each token of one reply, before its coefficient.

    Args:
        logprobs_T: of the current policy, with gradient.
        old_T: of `pi_old`, without.
        advantage: of the reply, standardised in its group.
        mask_T: token weights `m`; needed for the mean of `gspo` only.
        behaviour_T: recorded log-probabilities; `nan` where one is not known; None where none is.
        reference_T: of `pi_ref`; None where `beta` is 0.
    """
    log_ratio = logprobs_T - old_T
    if objective.reduction == "gspo":
        weight = mask_T.float()
        log_ratio = ((log_ratio * weight).sum() / weight.sum().clamp(min=1e-9)).expand_as(log_ratio)
    ratio = log_ratio.exp()
    free = ratio.clamp(max=objective.delta) if advantage < 0 else ratio
    held = ratio.clamp(1 - objective.eps, 1 + objective.eps_high)
    gain = torch.minimum(free * advantage, held * advantage)
    if behaviour_T is not None:
        gain = gain * behaviour_weight(old_T, behaviour_T, objective.behaviour_cap)
    kl = torch.zeros_like(logprobs_T)
    if reference_T is not None:
        away = reference_T - logprobs_T
        kl = away.exp() - away - 1
    with torch.no_grad():
        beyond = ratio > 1 + objective.eps_high if advantage > 0 else ratio < 1 - objective.eps
        capped = (ratio > objective.delta) & (advantage < 0)
        clipped = (beyond & (advantage != 0)) | capped
    return TokenLoss(objective.beta * kl - gain, ratio.detach(), clipped.float(), kl.detach())


def behaviour_weight(old_T: Tensor, behaviour_T: Tensor, cap: float) -> Tensor:
    """`min(pi_old / mu, cap)`, a constant; 1 where `mu` is not known."""
    weight = (old_T - behaviour_T).exp().clamp(max=cap).detach()
    return torch.where(behaviour_T.isnan(), torch.ones_like(weight), weight)
