"""One stage of training: stored groups, at most sixteen updates, an adapter (EXIT.md section 6)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch import distributed as dist

from exit_trainer import checkpoint
from exit_trainer.device import free_cache, is_out_of_memory, peak_memory, refusing_what_does_not_fit
from exit_trainer.groups import Group
from exit_trainer.mismatch import mismatch_of, refuse_mismatch, tell_mismatch, told_of
from exit_trainer.model import Trainee
from exit_trainer.objective import Objective
from exit_trainer.reference import MovingReference
from exit_trainer.report import Refusal, rewind_log, tell
from exit_trainer.update import Budget, Fixed, Sums, accumulate, group_logprobs


@dataclass(frozen=True)
class StageSettings:
    """Everything that changes what a stage ends with; recorded with its result."""

    objective: Objective = field(default_factory=Objective)
    learning_rate: float = 2e-4
    """For LoRA; scale it down for models above 3B parameters."""
    updates: int = 16
    """At most."""
    least_groups: int = 3
    """Groups of an update, at least."""
    seed: int = 0
    """Of the order in which groups are taken."""
    gradient_norm: float = 1.0
    """Longer gradients are cut to this length."""
    most_square: float = 0.04
    """Mean squared log-ratio of current to old policy beyond which a stage ends early."""
    least_effective: float = 0.5
    """Relative effective sample size below which a stage ends early."""
    most_mismatch: float = 0.1
    """Nats by which the server's log-probabilities and ours may differ in the mean."""
    reference_decay: float | None = None
    """Share that a moving average of the adapter keeps of itself at each update, where that is `pi_ref`; None: `pi_ref`
    is the model without adapter."""


@dataclass(frozen=True)
class StageResult:
    updates: int
    """Those that were taken."""
    ended: str
    """`groups` (every group was taken), `drift` or `sample size`."""
    mismatch: float | None = None
    """Mean |log mu - log pi_old| in nats before the first update; None where no `mu` is known."""


def plan_updates(count: int, settings: StageSettings) -> list[list[int]]:
    """Which groups each update takes: every group once, in an order drawn from the seed."""
    size = max(settings.least_groups, math.ceil(count / settings.updates))
    order = torch.randperm(count, generator=torch.Generator().manual_seed(settings.seed)).tolist()
    return [order[at : at + size] for at in range(0, count, size)]


T = TypeVar("T")


class Budgeting:
    """The token budget, halved whenever the memory of the device does not suffice."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget

    def run(self, work: Callable[[Budget], T], undo: Callable[[], None] = lambda: None) -> T:
        """
        Raises:
            Refusal: not even one reply at a time fits.
        """
        while True:
            try:
                return work(self.budget)
            except (MemoryError, RuntimeError) as problem:
                if not is_out_of_memory(problem):
                    raise
                undo()
            # Below, the error is gone, and with it the tensors that its frames held.
            if self.budget.tokens <= 1:
                raise Refusal(
                    "out-of-memory",
                    "The longest group does not fit the memory of the device even one reply at a time. Use "
                    "--checkpointing, a smaller model, or shorter replies.",
                )
            self.budget = Budget(self.budget.tokens // 2, max(1, self.budget.chunk // 2))
            free_cache()
            tell(
                "memory",
                f"Out of memory: going on with {self.budget.tokens} tokens at a time.",
                tokens=self.budget.tokens,
            )


def train_stage(
    trainee: Trainee,
    groups: Sequence[Group],
    settings: StageSettings,
    budget: Budget,
    folder: Path,
    stage: str,
    policy: str | None,
) -> StageResult:
    """Trains the adapter of `trainee` and leaves checkpoints in `folder`; continues one of the same stage there.

    Args:
        stage: digest of everything the stage depends on (checkpoint.digest_of).
        policy: the version the training begins at; None: it is not known which one that is.
    """
    budgeting = Budgeting(budget)
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    parameters = [parameter for parameter in trainee.model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=settings.learning_rate, weight_decay=0.0)
    moving = None
    if settings.reference_decay is not None and settings.objective.beta > 0:
        moving = MovingReference(parameters, settings.reference_decay)
    fixed = _fixed(trainee, groups, settings, budgeting, folder, stage, rank, world)
    own = [at for at, group in enumerate(groups) if group.policy == policy]
    compared = own or list(range(len(groups)))
    mismatch = mismatch_of(compared, groups, fixed)
    if own:
        refuse_mismatch(mismatch, settings.most_mismatch)
    tell_mismatch(mismatch, told_of(len(own), len(groups)))

    plan = plan_updates(len(groups), settings)
    result = StageResult(0, "groups", mismatch)
    stored = checkpoint.load(folder, trainee.model, optimiser, stage, moving)
    if stored is not None:
        result = StageResult(**stored)
        tell(
            "resumed",
            f"Going on after update {result.updates} of {len(plan)}.",
            update=result.updates,
            updates=len(plan),
        )
    rewind_log(result.updates)
    for number in range(result.updates, len(plan)):
        if result.ended != "groups":
            break
        began = time.monotonic()
        chosen = [groups[at] for at in plan[number]]
        entries = [fixed[at] for at in plan[number]]
        mine = range(rank, len(chosen), world)
        if moving is not None:
            with moving.in_place():
                for at in mine:
                    scores = budgeting.run(lambda budget: group_logprobs(trainee, chosen[at], budget))  # noqa: B023
                    entries[at] = Fixed(entries[at].old, scores)
        sums = budgeting.run(
            lambda budget: accumulate(trainee, chosen, entries, mine, settings.objective, budget),  # noqa: B023
            undo=lambda: optimiser.zero_grad(set_to_none=True),
        )
        sums = _add_up(sums, parameters, world)
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, settings.gradient_norm))
        refuse_no_number(number + 1, sums.loss, norm)
        # The first update is at the old policy itself: what it differs by is rounding, and a stage ends with something.
        ended = _ended(sums, settings) if number > 0 else "groups"
        if ended == "groups":
            with refusing_what_does_not_fit("The optimiser of the adapter", trainee.model.device):
                optimiser.step()
            if moving is not None:
                moving.follow()
        optimiser.zero_grad(set_to_none=True)
        metrics = _metrics(sums, chosen, norm, time.monotonic() - began, trainee.model.device) | {
            "mismatch": mismatch_of([at for at in plan[number] if at in compared], groups, fixed),
            "update": number + 1,
            "updates": len(plan),
        }
        # Told before it is kept: a kill in between repeats the update, and rewind_log takes its first row away.
        if ended == "groups":
            result = StageResult(number + 1, ended, mismatch)
            tell("update", _sentence(metrics), **metrics)
        else:
            # The numbers are of the policy before the step: a gradient found this far away is not one to follow.
            result = StageResult(number, ended, mismatch)
            tell("left", f"{_why_left(sums, settings)} {_sentence(metrics)}", **metrics)
        if rank == 0:
            checkpoint.save(folder, trainee.model, optimiser, stage, asdict(result), moving)
    return result


def refuse_no_number(update: int, loss: float, norm: float) -> None:
    """
    Raises:
        Refusal: the gradient is infinite or no number, so a step along it would leave nothing of the adapter.
    """
    if math.isfinite(loss) and math.isfinite(norm):
        return
    raise Refusal(
        "diverged",
        f"The gradient of update {update} is no finite number (loss {loss}, length {norm}): it was not taken, and the "
        "checkpoint is that of the update before. Train with a lower --learning-rate, or with --dtype float32.",
    )


def _ended(sums: Sums, settings: StageSettings) -> str:
    if sums.mean_square > settings.most_square:
        return "drift"
    return "sample size" if sums.effective < settings.least_effective else "groups"


def _why_left(sums: Sums, settings: StageSettings) -> str:
    far = (
        f"mean squared log-ratio {sums.mean_square:.3f}, allowed {settings.most_square:g}"
        if sums.mean_square > settings.most_square
        else f"effective sample size {sums.effective:.2f}, at least {settings.least_effective:g}"
    )
    return (
        f"The policy has moved too far from the stored replies ({far}): this gradient is not taken, the stage ends. "
        "A lower --learning-rate goes further; --most-square and --least-effective allow more."
    )


def _fixed(
    trainee: Trainee,
    groups: Sequence[Group],
    settings: StageSettings,
    budgeting: Budgeting,
    folder: Path,
    stage: str,
    rank: int,
    world: int,
) -> list[Fixed]:
    """`pi_old`, and `pi_ref` unless it moves, of all groups: from the stage's file where an earlier process left it."""
    file = folder / "fixed.pt"
    if file.exists():
        stored = torch.load(file, weights_only=True)
        if stored["stage"] == stage:
            return [Fixed(**entry) for entry in stored["groups"]]
    mine: dict[int, dict[str, list[Tensor] | None]] = {}
    for at in range(rank, len(groups), world):
        group = groups[at]
        old = budgeting.run(lambda budget: group_logprobs(trainee, group, budget))  # noqa: B023
        reference = None
        if settings.objective.beta > 0 and settings.reference_decay is None:
            with trainee.model.disable_adapter():
                reference = budgeting.run(lambda budget: group_logprobs(trainee, group, budget))  # noqa: B023
        mine[at] = {"old": old, "reference": reference}
        tell("preparing", f"Log-probabilities of group {at + 1} of {len(groups)}.", group=at + 1, groups=len(groups))
    parts: list[dict[int, dict[str, list[Tensor] | None]]] = [mine]
    if world > 1:
        parts = [{} for _ in range(world)]
        dist.all_gather_object(parts, mine)
    whole = {at: entry for part in parts for at, entry in part.items()}
    entries = [whole[at] for at in range(len(groups))]
    if rank == 0:
        checkpoint.write_whole(file, lambda draft: torch.save({"stage": stage, "groups": entries}, draft))
    return [Fixed(**entry) for entry in entries]  # type: ignore[arg-type]


def _add_up(sums: Sums, parameters: Sequence[torch.nn.Parameter], world: int) -> Sums:
    """Gradients and sums of all processes, added: coefficients are of the whole update, so nothing is averaged."""
    if world == 1:
        return sums
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        dist.all_reduce(parameter.grad)
    names = list(asdict(sums))
    row = torch.tensor([float(getattr(sums, name)) for name in names], dtype=torch.float64)
    dist.all_reduce(row)
    return Sums(**dict(zip(names, row.tolist(), strict=True)))


def _metrics(sums: Sums, groups: Sequence[Group], norm: float, seconds: float, device: torch.device) -> dict[str, Any]:
    counted = max(sums.counted, 1e-9)
    replies = [reply for group in groups for reply in group.replies]
    lengths = sum(len(reply.ids) for reply in replies)
    rewards = [reply.reward for reply in replies if not math.isnan(reply.reward)]
    return {
        "loss": sums.loss,
        "reward": sum(rewards) / len(rewards) if rewards else None,
        "kl": sums.kl / counted,
        "clipped": sums.clipped / counted,
        "ratio": sums.ratio / counted,
        "square": sums.mean_square,
        "entropy": sums.entropy / counted,
        "effective": sums.effective,
        "gradient_norm": norm,
        "masked": 1 - sum(sum(reply.mask) for reply in replies) / lengths,
        "tokens_per_second": sums.tokens / seconds,
        "sharing": sums.tokens / max(sums.forwarded, 1),
        "seconds": seconds,
        "memory": float(peak_memory(device)),
    }


def _sentence(metrics: dict[str, Any]) -> str:
    return (
        f"update {metrics['update']} of {metrics['updates']}: loss {metrics['loss']:+.4f}, "
        f"KL {metrics['kl']:.4f}, clipped {metrics['clipped']:.1%}, entropy {metrics['entropy']:.2f}, "
        f"gradient {metrics['gradient_norm']:.3f}, {metrics['tokens_per_second']:.0f} tokens/s "
        f"(prompts shared: {metrics['sharing']:.1f} x)"
    )
