"""`python -m exit_trainer estimate`: memory, disk and time of a stage, before it is started."""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import torch
from peft import LoraConfig
from torch import nn
from transformers import PretrainedConfig

from exit_trainer import train
from exit_trainer.device import choose_device, choose_dtype, free_memory
from exit_trainer.groups import Group
from exit_trainer.model import Trainee
from exit_trainer.prefix import checkpointed
from exit_trainer.report import tell
from exit_trainer.stage import Budgeting, StageSettings, plan_updates
from exit_trainer.update import Budget, Fixed, accumulate, group_logprobs, micro_batches

_FLOAT = 4
"""Bytes of an activation."""


@dataclass(frozen=True)
class Shape:
    """What of a model decides how much memory its training takes; sizes in numbers of values."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    """Query heads times their size."""
    kv: int
    """Key heads times their size."""
    vocabulary: int
    normalised: int
    """Values of a layer that norms beyond the usual two keep, in float32: of queries and keys, and after a half."""
    rank: int
    weights: int
    """Bytes of the frozen values; tied ones once."""
    adapter: int
    """Trained values, held in float32."""


@dataclass(frozen=True)
class Memory:
    """Bytes at the fullest moment: while the longest group's largest micro-batch is sent back. What Python and torch
    themselves take, and what loading takes for a moment, are beside it."""

    weights: int
    adapter: int
    optimiser: int
    """Gradient and the two moments of AdamW."""
    prompt: int
    """The prompt's own activations, its keys and values and their gradients: they wait for phase C."""
    rows: int
    """Activations of the micro-batch, with the prompt's keys and values repeated for each of its rows, and the mask by
    which its tokens see them."""
    logits: int
    """Of one chunk, float32: themselves, their softmax, their gradient."""

    @property
    def total(self) -> int:
        return sum(asdict(self).values())


def shape_of(model: nn.Module, config: PretrainedConfig, rank: int) -> Shape:
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    heads, kv = config.num_attention_heads * size, config.num_key_value_heads * size
    first = next(name for name, _ in model.named_modules() if name.endswith("layers.0"))
    norms = [name.rpartition(".")[2] for name, _ in model.get_submodule(first).named_modules() if name.endswith("norm")]
    after = sum(name not in ("q_norm", "k_norm") for name in norms) - 2
    trained = sum(value.numel() for value in model.parameters() if value.requires_grad)
    frozen = sum(value.nbytes for value in model.parameters() if not value.requires_grad)
    return Shape(
        layers=config.num_hidden_layers,
        hidden=config.hidden_size,
        intermediate=config.intermediate_size,
        heads=heads,
        kv=kv,
        vocabulary=config.vocab_size,
        normalised=2 * after * config.hidden_size + (heads + kv if "q_norm" in norms else 0),
        rank=rank,
        weights=frozen,
        adapter=trained,
    )


def activations(shape: Shape, tokens: int, checkpointing: bool) -> int:
    """Bytes that `tokens` positions leave for the backward pass.

    A layer keeps, for each position: its input and the input of its second half (the residual stream) and both
    normalised; queries, attention's output; keys and values; gate, up, the gate's activation and their product; and for
    the adapter on each of its seven linear layers the `rank` values between its factors. All of it is float32, whatever
    the frozen weights are (`mixed.py`). With checkpointing: its input, and all of this for the one layer that is
    computed again.
    """
    layer = (
        4 * shape.hidden + 2 * shape.heads + 2 * shape.kv + 4 * shape.intermediate + shape.normalised + 7 * shape.rank
    ) * _FLOAT
    if not checkpointing:
        return shape.layers * tokens * layer
    return shape.layers * tokens * shape.hidden * _FLOAT + tokens * layer


def memory_of(shape: Shape, group: Group, budget: Budget, checkpointing: bool, shares_heads: bool = True) -> Memory:
    """Memory of the update that holds this group.

    Args:
        shares_heads: query heads read the keys and values they share; else each is given a copy (device.py).
    """
    prompt = len(group.prompt) - 1
    lengths = [len(reply.ids) for reply in group.replies]
    rows, longest = max(
        ((len(batch), max(lengths[at] for at in batch)) for batch in micro_batches(lengths, budget.tokens)),
        key=lambda batch: batch[0] * batch[1],
    )
    keys_values = shape.layers * 2 * shape.kv * prompt * _FLOAT
    # What the attention of a layer keeps of the rows beside the activations: keys and values of prompt and row behind
    # each other, and as it computes in float32 the mask is one too. With checkpointing of one layer at a time.
    kept = 2 * (prompt + longest) * (shape.kv if shares_heads else shape.heads) - 2 * longest * shape.kv
    mask = longest * (prompt + longest)
    attended = rows * (kept + mask) * _FLOAT * (1 if checkpointing else shape.layers)
    return Memory(
        weights=shape.weights,
        adapter=shape.adapter * 4,
        optimiser=3 * shape.adapter * 4,
        prompt=activations(shape, prompt, checkpointing) + 2 * keys_values,
        rows=activations(shape, rows * longest, checkpointing) + attended,
        logits=3 * min(budget.chunk, longest) * shape.vocabulary * 4,
    )


def disk_of(shape: Shape, groups: Sequence[Group]) -> int:
    """Bytes a stage writes at most at a time: two checkpoints (adapter and moments), the fixed log-probabilities twice,
    the adapter."""
    replies = sum(len(reply.ids) for group in groups for reply in group.replies)
    return 2 * 3 * shape.adapter * 4 + 2 * 2 * replies * 4 + shape.adapter * 4


def forwarded_tokens(group: Group) -> int:
    """Positions that go through the model for one group when its prompt is shared, padding left out."""
    return len(group.prompt) - 1 + sum(len(reply.ids) for reply in group.replies)


def seconds_of(groups: Sequence[Group], measured: Group, prepared: float, updated: float, references: int) -> float:
    """Time of a stage by its tokens: every group is prepared once (with a reference twice) and learned from once.

    Args:
        prepared: seconds in which the log-probabilities of `measured` were computed.
        updated: seconds in which its gradient was.
        references: 1 where there is a reference policy, else 0.
    """
    share = sum(map(forwarded_tokens, groups)) / forwarded_tokens(measured)
    return share * ((1 + references) * prepared + updated)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    train.add_arguments(parser)
    parser.add_argument("--dry", action="store_true", help="no measured step: memory and disk only")


def run(options: argparse.Namespace) -> None:
    """
    Raises:
        Refusal: what keeps the stage from being trained, in words.
    """
    settings = train.settings_of(options)
    device = choose_device(options.device)
    dtype = choose_dtype(options.dtype, device)
    trainee = train.load_trainee(options, device, dtype)
    groups = train.read_intake(options.groups, trainee).groups
    budget = Budget(options.tokens)
    longest = max(groups, key=forwarded_tokens)
    rank = cast(LoraConfig, trainee.model.peft_config["default"]).r
    shape = shape_of(trainee.model, trainee.backbone.config, rank)
    memory, other = (
        memory_of(shape, longest, budget, checkpointing, shares_heads=device.type != "cuda")
        for checkpointing in (options.checkpointing, not options.checkpointing)
    )
    # The weights are there already.
    fits = memory.total - memory.weights - memory.adapter <= free_memory(device)
    disk = disk_of(shape, groups)
    free = shutil.disk_usage(options.out if options.out.exists() else Path(".")).free
    seconds = None if options.dry else measure(trainee, groups, longest, settings, budget, options.checkpointing)
    updates = len(plan_updates(len(groups), settings))
    tell(
        "estimate",
        f"{updates} updates over {len(groups)} groups take about {memory.total / 1e9:.1f} GB of memory "
        f"({'it fits' if fits else 'more than is free'}; {'without' if options.checkpointing else 'with'} "
        f"--checkpointing {other.total / 1e9:.1f} GB), {disk / 1e6:.0f} MB of disk"
        + (f" and about {max(1, round(seconds / 60))} min." if seconds is not None else "."),
        device=str(device),
        dtype=str(dtype).removeprefix("torch."),
        updates=updates,
        groups=len(groups),
        memory=asdict(memory) | {"total": memory.total},
        **{"with_checkpointing" if not options.checkpointing else "without_checkpointing": other.total},
        fits=fits,
        disk=disk,
        disk_free=free,
        seconds=seconds,
    )


def measure(
    trainee: Trainee,
    groups: Sequence[Group],
    longest: Group,
    settings: StageSettings,
    budget: Budget,
    checkpointing: bool,
) -> float:
    """Seconds of a stage, by one preparation and one gradient of its longest group, which leave the model as it was."""
    budgeting = Budgeting(budget)
    began = _now(trainee.model.device)
    old = budgeting.run(lambda budget: group_logprobs(trainee, longest, budget))
    prepared = _now(trainee.model.device) - began
    reference = old if settings.objective.beta > 0 else None
    fixed = [Fixed(old, reference)]

    def forget() -> None:
        trainee.model.zero_grad(set_to_none=True)

    began = _now(trainee.model.device)
    with checkpointed(trainee.backbone) if checkpointing else nullcontext():
        budgeting.run(
            lambda budget: accumulate(trainee, [longest], fixed, range(1), settings.objective, budget), undo=forget
        )
    updated = _now(trainee.model.device) - began
    forget()
    return seconds_of(groups, longest, prepared, updated, 0 if reference is None else 1)


def _now(device: torch.device) -> float:
    """Seconds, once the GPU has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.monotonic()
