"""The chunked head is the whole head."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from exit_trainer.logprobs import completion_logprobs


@pytest.mark.parametrize("softcap", [None, 3.0])
@pytest.mark.parametrize("chunk", [1, 3, 7, 100])
def test_values_gradients_and_entropies_do_not_depend_on_the_chunk(chunk: int, softcap: float | None) -> None:
    torch.manual_seed(0)
    head = nn.Linear(5, 11, bias=False)
    hidden = torch.randn(7, 5, requires_grad=True)
    targets = torch.randint(0, 11, (7,))
    weights = torch.linspace(-1, 2, 7)

    logits = head(hidden)
    if softcap is not None:
        logits = softcap * torch.tanh(logits / softcap)
    whole = torch.log_softmax(logits, -1)
    picked = whole.gather(-1, targets[:, None]).squeeze(-1)
    (picked * weights).sum().backward()
    wanted = (hidden.grad.clone(), head.weight.grad.clone())
    hidden.grad = head.weight.grad = None

    found, entropy = completion_logprobs(hidden, head, targets, softcap, chunk)
    (found * weights).sum().backward()
    torch.testing.assert_close(found, picked)
    torch.testing.assert_close(entropy, -(whole.exp() * whole).sum(-1))
    torch.testing.assert_close((hidden.grad, head.weight.grad), wanted)
