"""Log-probabilities of completion tokens without ever holding all logits.

A vocabulary is large against a hidden state: the logits of one completion of 200 tokens of a 150,000-word vocabulary
take 120 MB in float32, and a backward pass keeps several copies. So the head is applied to a chunk of positions at a
time and its chunk is recomputed in the backward pass.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

CHUNK = 512
"""Positions whose logits exist at the same time."""


def completion_logprobs(
    hidden_NH: Tensor, head: nn.Module, targets_N: Tensor, softcap: float | None = None, chunk: int = CHUNK
) -> tuple[Tensor, Tensor]:
    """Natural log-probability of each target and the entropy of its distribution, at temperature 1.

    Args:
        hidden_NH: last hidden states at the positions that predict the targets.
        head: maps hidden states to logits; called as a module, so an adapter on it counts.
        targets_N: token ids.
        softcap: `final_logit_softcapping` of models that have one.
        chunk: any size gives the same values and gradients.

    Returns:
        logprobs (N,) with gradient and entropies (N,) in nats without one, both float32.
    """

    def one(hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        logits = head(hidden).float()
        if softcap is not None:
            logits = softcap * torch.tanh(logits / softcap)
        norm = torch.logsumexp(logits, dim=-1)
        picked = logits.gather(-1, targets[:, None]).squeeze(-1)
        with torch.no_grad():
            entropy = norm - (torch.softmax(logits, dim=-1) * logits).sum(-1)
        return picked - norm, entropy

    step: Callable[..., tuple[Tensor, Tensor]] = one
    if torch.is_grad_enabled() and hidden_NH.requires_grad:
        step = lambda *pair: checkpoint(one, *pair, use_reentrant=False)  # noqa: E731
    parts = [step(h, t) for h, t in zip(hidden_NH.split(chunk), targets_N.split(chunk), strict=True)]
    return torch.cat([logprob for logprob, _ in parts]), torch.cat([entropy for _, entropy in parts])
