"""The estimate: its sums by hand, and its count of activations against what autograd really keeps."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from stage_child import groups_of, trainee_of
from torch import Tensor, nn

from exit_trainer.doctor import examine
from exit_trainer.estimate import (
    Memory,
    Shape,
    activations,
    disk_of,
    forwarded_tokens,
    measure,
    memory_of,
    seconds_of,
    shape_of,
)
from exit_trainer.groups import Group, Reply
from exit_trainer.prefix import Forwarded, SharedPrefix, checkpointed
from exit_trainer.stage import StageSettings
from exit_trainer.update import Budget
from tiny import FAMILIES, backbone_of, tiny_model, tokens

SHAPE = Shape(
    layers=2,
    hidden=4,
    intermediate=6,
    heads=4,
    kv=2,
    vocabulary=10,
    normalised=0,
    rank=1,
    weights=400,
    adapter=20,
)


def group(prompt: int, *replies: int) -> Group:
    rows = [Reply(at, [1] * length, [1.0] * length, [0.0] * length, 1.0) for at, length in enumerate(replies)]
    return Group("g", "p", [1] * prompt, rows)


def test_memory_of_a_small_model_by_hand() -> None:
    """A position of a layer: 4*4 + 2*4 + 2*2 + 4*6 = 52 values of 4 bytes and 7 of the adapter: 236 bytes."""
    assert activations(SHAPE, 1, False) == 2 * 236
    # Five prompt positions wait; their keys and values are 2 layers * 2 * 2 * 5 values. Two rows of three go at once.
    keys_values = 2 * 2 * 2 * 5 * 4
    assert memory_of(SHAPE, group(6, 3, 3, 2), Budget(6, chunk=2), False) == Memory(
        weights=400,
        adapter=80,
        optimiser=240,
        prompt=5 * 2 * 236 + 2 * keys_values,
        rows=6 * 2 * 236 + 2 * keys_values + 2 * 2 * 3 * (5 + 3) * 4,  # the last: three tokens see five and themselves
        logits=3 * 2 * 10 * 4,
    )


def test_checkpointing_keeps_a_layers_input_and_one_layer_whole() -> None:
    assert activations(SHAPE, 3, True) == 3 * (2 * 4 * 4 + 236)


def test_disk_and_time_by_hand() -> None:
    groups = [group(6, 3, 3, 2), group(2, 4, 4)]
    assert [forwarded_tokens(each) for each in groups] == [13, 9]
    assert disk_of(SHAPE, groups) == 2 * 3 * 80 + 2 * 2 * 16 * 4 + 80
    assert seconds_of(groups, groups[0], prepared=13.0, updated=26.0, references=1) == pytest.approx(22 * 4)
    assert seconds_of(groups, groups[0], prepared=13.0, updated=26.0, references=0) == pytest.approx(22 * 3)


@contextlib.contextmanager
def kept_by_autograd(model: nn.Module) -> Iterator[dict[int, int]]:
    """Bytes of every storage that is saved for the backward pass and is not the model's own, by its address."""
    own = {value.untyped_storage().data_ptr() for value in [*model.parameters(), *model.buffers()]}
    kept: dict[int, int] = {}
    alive: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        yield kept


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("family", FAMILIES)
def test_activations_are_what_autograd_keeps(family: str, dtype: torch.dtype, checkpointing: bool) -> None:
    model = tiny_model(family, dtype=dtype)
    shape = shape_of(model, backbone_of(model).config, rank=4)
    ids = torch.tensor([tokens(100, 1)])
    around = checkpointed(backbone_of(model)) if checkpointing else contextlib.nullcontext()
    with around, kept_by_autograd(model) as kept:
        backbone_of(model)(input_ids=ids, use_cache=False)
    counted = activations(shape, 100, checkpointing)
    if checkpointing:  # one layer is whole in the backward pass only; after the last one, the last norm's are kept
        layer = activations(dataclasses.replace(shape, layers=1), 100, False)
        counted += 100 * shape.hidden * 4 - layer
    assert counted == pytest.approx(sum(kept.values()), rel=0.15)


@pytest.mark.parametrize("shares_heads", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
def test_rows_after_their_prompt_keep_what_the_estimate_says(
    family: str, shares_heads: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the keys and values of the prompt before those of each row, and the mask this takes."""
    monkeypatch.setenv("TRANSFORMERS_SDPA_FORCE_GQA", str(int(shares_heads)))
    model = tiny_model(family)
    shape = shape_of(model, backbone_of(model).config, rank=4)
    rows, prompt, length = 4, 81, 30
    with SharedPrefix(backbone_of(model), tokens(prompt, 1), Forwarded()) as prefix, kept_by_autograd(model) as kept:
        prefix.hidden([tokens(length, seed) for seed in range(rows)])
    whole = memory_of(shape, group(prompt, *[length] * rows), Budget(rows * length), False, shares_heads)
    assert whole.rows == pytest.approx(sum(kept.values()), rel=0.15)


def test_a_measured_step_leaves_the_model_as_it_was() -> None:
    trainee, groups = trainee_of(), groups_of()
    before = [value.clone() for value in trainee.model.parameters()]
    assert measure(trainee, groups, groups[-1], StageSettings(), Budget(24), True) > 0
    for value, was in zip(trainee.model.parameters(), before, strict=True):
        assert value.grad is None and torch.equal(value, was)


def test_the_doctor_tells_what_a_training_would_run_on(tmp_path: Path) -> None:
    found = examine("cpu", tmp_path / "not" / "made" / "yet")
    assert found["device"] == "cpu" and found["dtype"] in ("float32", "bfloat16")
    assert torch.__version__.startswith(found["versions"]["torch"].split("+")[0])
    assert 0 < found["memory"]["free"] <= found["memory"]["machine"] and found["disk"] > 0
