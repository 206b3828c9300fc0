"""The objective against numbers worked by hand, and what must hold of it whatever the numbers."""

from __future__ import annotations

import math

import pytest
import torch

from exit_trainer.objective import Objective, behaviour_weight, coefficients, token_loss

HALF = math.log(0.5)


def test_two_tokens_by_hand() -> None:
    """Reply one: A = 1, ratios 1.5 (clipped to 1.28) and 0.9; reply two: A = -1, ratios 3 (capped at 2) and 0.5
    (held at 0.8). No reference. Each reply has two tokens: the loss is the mean of the four."""
    objective = Objective(beta=0.0)
    rows = [(1.0, [1.5, 0.9]), (-1.0, [3.0, 0.5])]
    masks = [torch.ones(2), torch.ones(2)]
    loss = 0.0
    for (advantage, ratios), share in zip(rows, coefficients(masks, objective), strict=True):
        old = torch.full((2,), HALF)
        now = old + torch.tensor(ratios).log()
        loss += float((token_loss(now, old, advantage, torch.ones(2), objective).loss * share).sum())
    assert loss == pytest.approx(-(1.28 + 0.9 - 2.0 - 0.8) / 4)


def test_kl_by_hand() -> None:
    """A ratio of 2 to 1 against the reference costs beta * (1/2 - log(1/2) - 1)."""
    objective = Objective(beta=0.1)
    now, reference = torch.tensor([math.log(0.4)]), torch.tensor([math.log(0.2)])
    token = token_loss(now, now, 0.0, torch.ones(1), objective, reference_T=reference)
    assert float(token.loss) == pytest.approx(0.1 * (0.5 + math.log(2) - 1), rel=1e-5)


def test_the_behaviour_policy_weighs_by_a_capped_ratio_and_not_where_it_is_unknown() -> None:
    old = torch.log(torch.tensor([0.5, 0.5, 0.5]))
    behaviour = torch.log(torch.tensor([0.4, 0.1, float("nan")]))
    assert behaviour_weight(old, behaviour, 2.0).tolist() == pytest.approx([1.25, 2.0, 1.0])


@pytest.mark.parametrize("reduction", ["grpo", "dr_grpo", "dapo", "bnpo", "gspo"])
def test_at_the_old_policy_the_gradient_is_reinforce(reduction) -> None:
    objective = Objective(reduction=reduction, beta=0.0, max_length=5)
    logprobs = torch.tensor([-1.0, -2.0, -0.5], requires_grad=True)
    (share,) = coefficients([torch.tensor([1.0, 0.0, 1.0])], objective)
    mask = torch.tensor([1.0, 0.0, 1.0])
    (token_loss(logprobs, logprobs.detach(), 0.7, mask, objective).loss * share).sum().backward()
    torch.testing.assert_close(logprobs.grad, -0.7 * share)


def test_a_reply_without_weight_leaves_the_mean_over_replies() -> None:
    masks = [torch.ones(2), torch.zeros(3), torch.ones(4)]
    shares = coefficients(masks, Objective())
    assert [float(share.sum()) for share in shares] == pytest.approx([0.5, 0.0, 0.5])


@pytest.mark.parametrize(
    ("reduction", "sums"),
    [("grpo", [0.5, 0.5]), ("gspo", [0.5, 0.5]), ("dapo", [0.2, 0.8]), ("bnpo", [0.2, 0.8]), ("dr_grpo", [0.1, 0.4])],
)
def test_what_a_token_counts(reduction, sums) -> None:
    objective = Objective(reduction=reduction, max_length=5)
    shares = coefficients([torch.ones(1), torch.ones(4)], objective)
    assert [float(share.sum()) for share in shares] == pytest.approx(sums)
