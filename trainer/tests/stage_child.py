"""A stage on a tiny model, and the processes that the tests of stages run it in."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import torch
from peft import get_peft_model_state_dict
from torch import Tensor
from torch import distributed as dist

from exit_trainer import report
from exit_trainer.groups import Group, Reply
from exit_trainer.model import Trainee
from exit_trainer.stage import StageResult, StageSettings, _add_up, train_stage
from exit_trainer.update import Budget, Fixed, accumulate, group_logprobs
from tiny import tiny_model, tokens

SETTINGS = StageSettings(learning_rate=1e-3, least_groups=2, most_square=1e9, least_effective=0.0)
UPDATES = 3
POLICY = "m@d.t#v1"

# A process of its own that has imported torch and never worked: its forks begin at once and clean.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["torch", "peft", "transformers.models.llama.modeling_llama"])


def trainee_of(seed: int = 0) -> Trainee:
    return Trainee(tiny_model("llama", seed), cast(Any, None), cast(Any, None))


def groups_of(count: int = 6) -> list[Group]:
    """Ragged groups of three replies; one reply in each has no weight at its first token."""
    groups = []
    for at in range(count):
        replies = []
        for index, advantage in enumerate((1.2, -0.4, -0.8)):
            ids = tokens(2 + (5 * index + 3 * at) % 9, 100 * at + index)
            mask = [0.0 if index == 1 and place == 0 else 1.0 for place in range(len(ids))]
            replies.append(Reply(index, ids, mask, [math.nan] * len(ids), advantage))
        groups.append(Group(f"g{at}", POLICY, tokens(3 + 4 * at, 50 + at), replies))
    return groups


def run_stage(folder: Path, settings: StageSettings = SETTINGS, budget: int = 24) -> tuple[StageResult, dict]:
    """The stage in `folder`, begun or gone on with: its result and the adapter."""
    torch.set_num_threads(1)
    trainee = trainee_of()
    folder.mkdir(parents=True, exist_ok=True)
    report.start_log(folder / "metrics.jsonl", folder / "tensorboard")
    work = folder / "checkpoint"
    result = train_stage(trainee, groups_of(), settings, Budget(budget, chunk=4), work, "a stage", POLICY)
    return result, get_peft_model_state_dict(trainee.model)


def gradients(mine: range, budget: int = 24) -> dict[str, Tensor]:
    """Of one update over all groups, as far as the groups `mine` go, added up over the processes there are."""
    torch.set_num_threads(1)
    trainee, groups = trainee_of(), groups_of()
    with torch.no_grad(), trainee.model.disable_adapter():
        reference = [group_logprobs(trainee, group, Budget(budget)) for group in groups]
    old = [[row + 0.1 for row in group_logprobs(trainee, group, Budget(budget))] for group in groups]
    fixed = [Fixed(*pair) for pair in zip(old, reference, strict=True)]
    sums = accumulate(trainee, groups, fixed, mine, SETTINGS.objective, Budget(budget, chunk=4))
    named = {name: value for name, value in trainee.model.named_parameters() if value.requires_grad}
    _add_up(sums, list(named.values()), dist.get_world_size() if dist.is_initialized() else 1)
    return {name: cast(Tensor, value.grad) for name, value in named.items()}


def in_process(work: Callable[..., None], *arguments: object) -> Any:
    process = _processes.Process(target=work, args=arguments)
    process.start()
    return process


def whole_stage(folder: Path) -> None:
    """Leaves the adapter, and how many function calls the stage takes."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    with _warm(folder):
        sys.setprofile(count)
        _, adapter = run_stage(folder)
        sys.setprofile(None)
    torch.save({"adapter": adapter, "calls": calls}, folder / "whole.pt")


def killed_stage(folder: Path, moment: int) -> None:
    """Is killed, as by kill -9, at its function call number `moment` (calls of C functions and returns count)."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    with _warm(folder):
        sys.setprofile(count)
        run_stage(folder)


def one_of_two(folder: Path, rank: int) -> None:
    """One of two processes as torchrun would start them."""
    os.environ["RANK"] = str(rank)
    with _silent(folder):
        dist.init_process_group("gloo", init_method=f"file://{folder / 'meeting'}", rank=rank, world_size=2)
        added = gradients(range(rank, 6, 2))
        _, adapter = run_stage(folder)
        dist.destroy_process_group()
    torch.save({"gradients": added, "adapter": adapter}, folder / f"process-{rank}.pt")


@contextlib.contextmanager
def _warm(folder: Path) -> Iterator[None]:
    """What only the first stage of a process does, above all imports, is behind it."""
    with _silent(folder):
        run_stage(folder / "warm")
        yield


@contextlib.contextmanager
def _silent(folder: Path) -> Iterator[None]:
    with (folder / "output.txt").open("a") as output, contextlib.redirect_stdout(output):
        yield
