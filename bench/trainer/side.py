"""One of the trainers that bench/trainer/main.ts compares, in a process of its own.

    python side.py SIDE SETTINGS

Each loads the same model with the same adapter. A line on standard input is a shape, for which one gradient of the same
group is computed; what it took is a line of JSON on standard output. Between gradients it sleeps.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from exit_trainer.device import choose_device, choose_dtype, peak_memory
from exit_trainer.groups import Group, Reply
from exit_trainer.model import Trainee, load
from exit_trainer.objective import Objective
from exit_trainer.prefix import checkpointed
from exit_trainer.update import Budget, Fixed, accumulate

# Without the divergence from a reference, so that neither side holds one; its cost is a few operations a token.
OBJECTIVE = Objective(beta=0.0)


@dataclass(frozen=True)
class Settings:
    model: str
    device: str
    dtype: str
    threads: int
    """Of the CPU."""
    checkpointing: bool


@dataclass(frozen=True)
class Shape:
    members: int
    prompt: int
    """Tokens of the prompt."""
    reply: int
    """Tokens of each reply."""


@dataclass(frozen=True)
class Batch:
    prompt: list[int]
    replies: list[list[int]]
    advantages: list[float]
    old: list[Tensor]


def batch_of(shape: Shape, vocabulary: int) -> Batch:
    """Random tokens: how long it takes does not depend on which they are. The old log-probabilities are about those
    that a trained model gives them, so that ratios are finite."""
    generator = torch.Generator().manual_seed(1)

    def tokens(length: int) -> list[int]:
        return torch.randint(1, vocabulary, (length,), generator=generator).tolist()

    prompt = tokens(shape.prompt)
    replies = [tokens(shape.reply) for _ in range(shape.members)]
    advantages = torch.linspace(-1.5, 1.5, shape.members).tolist()
    return Batch(prompt, replies, advantages, [torch.full((shape.reply,), -14.0) for _ in replies])


Gradient = Callable[[Batch], float]
"""Leaves the gradient of a group in the adapter and returns the loss."""


def ours(settings: Settings, trainee: Trainee) -> Gradient:
    def gradient(batch: Batch) -> float:
        replies = [
            Reply(at, ids, [1.0] * len(ids), [float("nan")] * len(ids), batch.advantages[at])
            for at, ids in enumerate(batch.replies)
        ]
        group, fixed = Group("g", "p", batch.prompt, replies), Fixed(batch.old, None)
        with checkpointed(trainee.backbone) if settings.checkpointing else contextlib.nullcontext():
            return accumulate(trainee, [group], [fixed], [0], OBJECTIVE, Budget(4096)).loss

    return gradient


def theirs_with_triton(settings: Settings, trainee: Trainee) -> Gradient:
    """As `theirs` on a GPU, where Triton is: without it TRL puts the prompt's positions through the head as well."""
    import trl.trainer.utils

    trl.trainer.utils._use_triton = lambda _: True  # asked there about positions only
    return theirs(settings, trainee)


def theirs(settings: Settings, trainee: Trainee) -> Gradient:
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    # Its sums are in the precision of the weights (trainer/exit_trainer/mixed.py).
    for layer in trainee.model.modules():
        if isinstance(layer, nn.Linear | nn.Embedding):
            layer._forward_hooks.clear()
            layer._forward_pre_hooks.clear()
    trainee.tokenizer.pad_token = trainee.tokenizer.eos_token
    device = trainee.model.device
    arguments = GRPOConfig(
        output_dir=tempfile.mkdtemp(),
        use_cpu=device.type == "cpu",
        bf16=trainee.backbone.dtype == torch.bfloat16,
        report_to=[],
        loss_type="grpo",
        epsilon=OBJECTIVE.eps,
        epsilon_high=OBJECTIVE.eps_high,
        delta=OBJECTIVE.delta,
        beta=OBJECTIVE.beta,
        gradient_checkpointing=settings.checkpointing,
    )
    trainer = GRPOTrainer(
        model=trainee.model,
        reward_funcs=lambda completions, **_: [0.0] * len(completions),
        args=arguments,
        train_dataset=Dataset.from_dict({"prompt": ["."] * 8}),
        processing_class=trainee.tokenizer,
    )
    # As its training loop does before the first step.
    if settings.checkpointing:
        trainer.model.gradient_checkpointing_enable(arguments.gradient_checkpointing_kwargs)
    trainer.model.train()
    trainer.current_gradient_accumulation_steps = 1

    def gradient(batch: Batch) -> float:
        prompts = torch.tensor([batch.prompt] * len(batch.replies), device=device)
        completions = torch.tensor(batch.replies, device=device)
        inputs = {
            "prompt_ids": prompts,
            "prompt_mask": torch.ones_like(prompts),
            "completion_ids": completions,
            "completion_mask": torch.ones_like(completions),
            "advantages": torch.tensor(batch.advantages, device=device),
            "old_per_token_logps": torch.stack(batch.old).to(device),
            "num_items_in_batch": torch.tensor(completions.numel(), device=device),
        }
        loss = trainer._compute_loss(trainer.model, inputs)
        loss.backward()
        return float(loss)

    return gradient


SIDES = {"exit": ours, "trl": theirs, "trl-triton": theirs_with_triton}


def measured(model: nn.Module, gradient: Gradient, batch: Batch) -> dict[str, Any]:
    """Seconds, bytes before and at most, and the gradient's length; the model is left without a gradient."""
    device = next(model.parameters()).device
    before = reset_peak(device)
    began, busy = time.monotonic(), time.process_time()
    loss = gradient(batch)
    if device.type == "cuda":
        torch.cuda.synchronize()
    seconds, busy = time.monotonic() - began, time.process_time() - busy
    peak = peak_since(device)
    norms = [value.grad.float().norm() for value in model.parameters() if value.grad is not None]
    length = float(torch.stack(norms).norm())
    model.zero_grad(set_to_none=True)
    return {"seconds": seconds, "busy": busy, "before": before, "peak": peak, "loss": loss, "gradient": length}


def reset_peak(device: torch.device) -> int:
    """From here on the peak is counted anew. Returns the bytes in use now."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated()
    if sys.platform == "linux":
        ctypes.CDLL("libc.so.6").malloc_trim(0)  # what earlier work freed goes back, else it would hide what is taken
        Path("/proc/self/clear_refs").write_text("5")
        return status("VmRSS")
    return peak_memory(device)


def peak_since(device: torch.device) -> int:
    return status("VmHWM") if device.type != "cuda" and sys.platform == "linux" else peak_memory(device)


def status(name: str) -> int:
    """Bytes, of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def main() -> None:
    settings = Settings(**json.loads(sys.argv[2]))
    torch.set_num_threads(settings.threads)
    device = choose_device(settings.device)
    dtype = choose_dtype(settings.dtype, device)
    torch.manual_seed(0)
    trainee = load(Path(settings.model), device, dtype)
    for name, value in trainee.model.named_parameters():
        if "lora_B" in name:  # zero in a new adapter: then the other factor would have no gradient
            nn.init.normal_(value, std=0.02)
    vocabulary = trainee.backbone.config.vocab_size
    gradient = SIDES[sys.argv[1]](settings, trainee)
    # What a process does once, above all loading code, is behind it then.
    gradient(batch_of(Shape(2, 16, 16), vocabulary))
    trainee.model.zero_grad(set_to_none=True)
    ready = {
        "device": torch.cuda.get_device_name() if device.type == "cuda" else f"{device}, {settings.threads} threads",
        "dtype": str(dtype).removeprefix("torch."),
        "versions": {name: version(name) for name in ("torch", "transformers", "peft", "trl")},
    }
    print(json.dumps(ready), flush=True)
    for line in sys.stdin:
        batch = batch_of(Shape(**json.loads(line)), vocabulary)
        print(json.dumps(measured(trainee.model, gradient, batch)), flush=True)


if __name__ == "__main__":
    main()
