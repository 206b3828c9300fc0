"""Sharing a prompt gives the log-probabilities and gradients of separate rows (research: T1 to T7, T9, T11, T12)."""

from __future__ import annotations

import contextlib
import gc
import weakref

import pytest
import torch
from peft import PeftModel
from torch import Tensor

from exit_trainer.logprobs import completion_logprobs
from exit_trainer.prefix import Forwarded, SharedPrefix, checkpointed, refuse_unsupported
from tiny import FAMILIES, WINDOW, backbone_of, head_of, lora_gradients, tiny_model, tokens

PROMPT = tokens(19, 1)
COMPLETIONS = [tokens(length, 2 + length) for length in (7, 3, 12, 1, 5)]
# Each token weighs differently, so that no two errors can cancel.
WEIGHTS = [torch.linspace(-1, 2, len(completion)).sin() for completion in COMPLETIONS]


def separate(model: PeftModel, prompt: list[int], completions: list[list[int]]) -> list[Tensor]:
    """Log-probabilities by whole, unpadded rows through the plain model."""
    rows = []
    for completion in completions:
        ids = torch.tensor([prompt + completion])
        logits = model.get_base_model()(input_ids=ids, use_cache=False).logits[0].float()
        picked = torch.log_softmax(logits[len(prompt) - 1 : -1], -1)
        rows.append(picked.gather(-1, torch.tensor(completion)[:, None]).squeeze(-1))
    return rows


def shared(
    model: PeftModel,
    prompt: list[int],
    completions: list[list[int]],
    weights: list[Tensor] | None,
    micro_batch: int,
    forwarded: Forwarded | None = None,
) -> list[Tensor]:
    """The same with sharing; with weights, gradients of the weighted sum are left in the model."""
    rows: list[Tensor] = []
    with SharedPrefix(backbone_of(model), prompt, forwarded or Forwarded()) as prefix:
        for at in range(0, len(completions), micro_batch):
            part = completions[at : at + micro_batch]
            states = prefix.hidden(part)
            logprobs = [
                completion_logprobs(state, head_of(model), torch.tensor(completion), chunk=4)[0]
                for state, completion in zip(states, part, strict=True)
            ]
            if weights is not None:
                sum((w * row).sum() for w, row in zip(weights[at:], logprobs, strict=False)).backward()
            rows += [row.detach() for row in logprobs]
    return rows


def worst(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> float:
    """Largest relative difference of any gradient."""
    assert found.keys() == wanted.keys()
    return max(float((found[name] - wanted[name]).norm() / wanted[name].norm()) for name in wanted)


def wanted_gradients(model: PeftModel, prompt: list[int], completions: list[list[int]], weights: list[Tensor]):
    rows = separate(model, prompt, completions)
    sum((w * row).sum() for w, row in zip(weights, rows, strict=True)).backward()
    return [row.detach() for row in rows], lora_gradients(model)


@pytest.fixture(params=["0", "1"], ids=["copied heads", "shared heads"])
def heads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways in which transformers computes attention with a mask (`choose_device` chooses)."""
    monkeypatch.setenv("TRANSFORMERS_SDPA_FORCE_GQA", request.param)


@pytest.mark.usefixtures("heads")
@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("micro_batch", [1, 2, len(COMPLETIONS)])
@pytest.mark.parametrize("family", FAMILIES)
def test_values_and_gradients_are_those_of_separate_rows(family: str, micro_batch: int, checkpointing: bool) -> None:
    model = tiny_model(family)
    rows, gradients = wanted_gradients(model, PROMPT, COMPLETIONS, WEIGHTS)
    assert len(gradients) == sum("lora" in name for name, _ in model.named_parameters())
    with checkpointed(backbone_of(model)) if checkpointing else contextlib.nullcontext():
        found = shared(model, PROMPT, COMPLETIONS, WEIGHTS, micro_batch)
    assert max(float((a - b).abs().max()) for a, b in zip(found, rows, strict=True)) < 1e-5
    assert worst(lora_gradients(model), gradients) < 1e-5


@pytest.mark.usefixtures("heads")
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("prompt", "completions"),
    [
        pytest.param(tokens(1, 5), COMPLETIONS[:2], id="prompt of one token"),
        pytest.param(tokens(2, 5), COMPLETIONS[:2], id="prompt of two tokens"),
        pytest.param(PROMPT, [tokens(1, 6), tokens(1, 7)], id="completions of one token"),
        pytest.param(PROMPT, [tokens(4, 6)], id="one completion"),
        pytest.param(PROMPT, [tokens(4, 6)] * 3, id="equal completions"),
        pytest.param(tokens(3 * WINDOW, 8), [tokens(2 * WINDOW, 9), tokens(3, 9)], id="beyond the window"),
    ],
)
def test_edges_are_exact_too(family: str, prompt: list[int], completions: list[list[int]]) -> None:
    model = tiny_model(family)
    weights = [torch.linspace(1, 2, len(completion)) for completion in completions]
    rows, gradients = wanted_gradients(model, prompt, completions, weights)
    found = shared(model, prompt, completions, weights, 2)
    assert max(float((a - b).abs().max()) for a, b in zip(found, rows, strict=True)) < 1e-5
    assert worst(lora_gradients(model), gradients) < 1e-5


@pytest.mark.parametrize("family", FAMILIES)
def test_five_steps_end_with_the_same_adapter(family: str) -> None:
    plain, sharing = tiny_model(family), tiny_model(family)
    optimisers = [
        torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3, weight_decay=0)
        for model in (plain, sharing)
    ]
    for _ in range(5):
        sum((w * row).sum() for w, row in zip(WEIGHTS, separate(plain, PROMPT, COMPLETIONS), strict=True)).backward()
        shared(sharing, PROMPT, COMPLETIONS, WEIGHTS, 2)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()
    pairs = zip(plain.parameters(), sharing.parameters(), strict=True)
    assert max(float((a - b).abs().max()) for a, b in pairs) < 1e-5


def test_a_completion_does_not_see_the_others() -> None:
    model = tiny_model("llama")
    before = shared(model, PROMPT, COMPLETIONS, None, len(COMPLETIONS))
    changed = [tokens(7, 99), *COMPLETIONS[1:]]
    after = shared(model, PROMPT, changed, None, len(COMPLETIONS))
    assert not torch.allclose(before[0], after[0])
    for old, new in zip(before[1:], after[1:], strict=True):
        torch.testing.assert_close(old, new, rtol=0, atol=1e-6)


def test_without_the_gradients_of_the_prompt_the_check_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The values stay right then, so only a test of gradients can notice."""
    model = tiny_model("llama")
    rows, gradients = wanted_gradients(model, PROMPT, COMPLETIONS, WEIGHTS)
    monkeypatch.setattr(SharedPrefix, "_send_back", lambda self: None)
    found = shared(model, PROMPT, COMPLETIONS, WEIGHTS, 2)
    assert max(float((a - b).abs().max()) for a, b in zip(found, rows, strict=True)) < 1e-5
    assert worst(lora_gradients(model), gradients) > 0.1


def test_the_prompt_is_forwarded_once() -> None:
    forwarded = Forwarded()
    shared(tiny_model("llama"), PROMPT, COMPLETIONS, WEIGHTS, 1, forwarded)
    assert forwarded.tokens == len(PROMPT) - 1 + sum(len(completion) for completion in COMPLETIONS)


@pytest.mark.parametrize("family", FAMILIES)
def test_bfloat16_is_as_close_to_float32_as_separate_rows_are(family: str) -> None:
    exact = separate(tiny_model(family), PROMPT, COMPLETIONS)
    model = tiny_model(family, dtype=torch.bfloat16)
    with torch.no_grad():
        plain = separate(model, PROMPT, COMPLETIONS)
        found = shared(model, PROMPT, COMPLETIONS, None, 2)

    def error(rows: list[Tensor]) -> float:
        return float(torch.cat([(a - b).abs() for a, b in zip(rows, exact, strict=True)]).mean())

    assert error(found) < 1.5 * error(plain)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_an_error_in_the_middle_leaves_nothing_of_the_prompt(checkpointing: bool) -> None:
    """As when the memory does not suffice: the attempt with fewer tokens needs all of it."""
    model = tiny_model("llama")
    left: list[weakref.ref[Tensor]] = []

    def fail() -> None:
        with SharedPrefix(backbone_of(model), PROMPT, Forwarded()) as prefix:
            left.extend(weakref.ref(part) for pair in prefix._graph for part in pair)
            prefix.hidden(COMPLETIONS)
            raise MemoryError

    with checkpointed(backbone_of(model)) if checkpointing else contextlib.nullcontext(), pytest.raises(MemoryError):
        fail()
    gc.collect()
    assert len(left) == 2 * backbone_of(model).config.num_hidden_layers
    assert [each() for each in left] == [None] * len(left)


def test_what_is_not_proven_exact_is_refused() -> None:
    model = tiny_model("llama")
    config = model.get_base_model().config
    refuse_unsupported(model, config)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.1
    if not any(isinstance(module, torch.nn.Dropout) for module in model.modules()):
        model.add_module("dropout", torch.nn.Dropout(0.1))
    with pytest.raises(ValueError, match="Dropout"):
        refuse_unsupported(model, config)
    config.model_type = "mamba"
    with pytest.raises(ValueError, match="mamba"):
        refuse_unsupported(tiny_model("llama"), config)
