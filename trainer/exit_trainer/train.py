"""`python -m exit_trainer train`: from an export and the served model's GGUF file to an adapter."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import distributed as dist

from exit_trainer import checkpoint
from exit_trainer.device import choose_device, choose_dtype, refusing_what_does_not_fit
from exit_trainer.groups import Intake, read_groups
from exit_trainer.mismatch import policy_at_start, tell_mismatch
from exit_trainer.model import Trainee, load
from exit_trainer.objective import Objective
from exit_trainer.prefix import checkpointed, refuse_unsupported
from exit_trainer.report import Refusal, start_log, tell
from exit_trainer.stage import StageResult, StageSettings, train_stage
from exit_trainer.token_probes import refuse_other_tokenizer
from exit_trainer.update import Budget


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, required=True, help="GGUF file of the model that was served")
    parser.add_argument("--groups", type=Path, required=True, help="groups.jsonl of an export")
    parser.add_argument("--out", type=Path, required=True, help="folder of the stage: checkpoints, metrics, adapter")
    parser.add_argument("--adapter", type=Path, help="adapter to go on from; without it a new one")
    parser.add_argument(
        "--policy", help="policy version the training begins at, as the groups name it (default: by name)"
    )
    parser.add_argument("--probes", type=Path, help="JSON list of {text, tokens}: what the server counted in texts")
    parser.add_argument("--device", default="auto", help="cuda, mps, cpu, or auto (default): the first there is")
    parser.add_argument("--dtype", default="auto", help="of the frozen weights: bfloat16, float32, or auto (default)")
    parser.add_argument("--rank", type=int, default=16, help="of a new adapter (default: 16)")
    parser.add_argument("--alpha", type=int, default=32, help="of a new adapter (default: 32)")
    parser.add_argument("--base-bits", type=int, choices=[4], help="frozen weights packed anew (needs bitsandbytes)")
    parser.add_argument("--tokens", type=int, default=4096, help="tokens that go through the model at once")
    parser.add_argument("--checkpointing", action="store_true", help="less memory, a third more time")
    parser.add_argument("--reference-decay", type=float, help="a moving average of the adapter as reference (try 0.99)")
    objective, stage = Objective(), StageSettings()
    parser.add_argument(
        "--reduction",
        default=objective.reduction,
        choices=["grpo", "dr_grpo", "dapo", "bnpo", "gspo"],
        help=f"how token losses become one (default: {objective.reduction})",
    )
    for name, owner in [
        *((name, objective) for name in ("eps", "eps_high", "delta", "beta", "behaviour_cap", "max_length")),
        *((name, stage) for name in ("learning_rate", "updates", "least_groups", "seed", "gradient_norm")),
        *((name, stage) for name in ("most_square", "least_effective", "most_mismatch")),
    ]:
        default: Any = getattr(owner, name)
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, type=type(default), default=default, help=f"default: {default}")


def settings_of(options: argparse.Namespace) -> StageSettings:
    """
    Raises:
        Refusal: one of them is no value it can have.
    """
    named = vars(options)
    if options.reference_decay is not None and not 0 <= options.reference_decay <= 1:
        raise Refusal("settings", f"--reference-decay is a share from 0 to 1, not {options.reference_decay}.")
    objective = Objective(**{name: named[name] for name in asdict(Objective())})
    own = {name: named[name] for name in asdict(StageSettings()) if name != "objective"}
    return StageSettings(objective=objective, **own)


def run(options: argparse.Namespace) -> None:
    """
    Raises:
        Refusal: what keeps the stage from being trained, in words.
    """
    settings = settings_of(options)
    options.out.mkdir(parents=True, exist_ok=True)
    start_log(options.out / "metrics.jsonl", options.out / "tensorboard")
    device = choose_device(options.device)
    dtype = choose_dtype(options.dtype, device)
    stage = stage_of(options, settings, dtype)
    work = options.out / "checkpoint"
    done = finished(options.out, stage)
    if done is not None:
        shutil.rmtree(work, ignore_errors=True)
        tell_mismatch(done.mismatch)
        tell_trained(done, options.out)
        return
    tell("device", f"Training on {device} with weights in {dtype}.", device=str(device), dtype=str(dtype))
    if "RANK" in os.environ:
        # gloo adds up what lies in the machine's memory: sums and log-probabilities.
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    tell("loading", f"Reading {options.model.name}: the weights are dequantised (some minutes for a large model).")
    if options.base_bits is not None:
        tell("base-bits", "In 4 bits the weights are not quite those that are served; the mismatch says how far.")
    trainee = load_trainee(options, device, dtype)
    intake = read_intake(options.groups, trainee)
    result = _train(trainee, intake, settings, options, work, stage)
    if not dist.is_initialized() or dist.get_rank() == 0:
        checkpoint.save_adapter(options.out / "adapter", trainee.model)
        _note(options, stage, settings, intake, result)
        shutil.rmtree(work)
        tell_trained(result, options.out)
    # Not after an error: the others wait for this process, and the end of a group for them (`__main__`).
    if dist.is_initialized():
        dist.destroy_process_group()


def stage_of(options: argparse.Namespace, settings: StageSettings, dtype: torch.dtype) -> str:
    """Digest of everything the stage depends on."""

    def digest(reason: str, file: Path) -> str:
        try:
            return checkpoint.file_digest(file)
        except OSError as problem:
            raise Refusal(reason, f"{file} cannot be read: {problem.strerror}. Name another file.") from None

    parent = options.adapter and options.adapter / "adapter_model.safetensors"
    return checkpoint.digest_of(
        asdict(settings),
        digest("model", options.model),
        digest("groups", options.groups),
        parent and digest("adapter", parent),
        [options.rank, options.alpha, options.base_bits, str(dtype)],
    )


def finished(out: Path, stage: str) -> StageResult | None:
    """What the stage in this folder ended with; None where this very one did not end there."""
    try:
        note = json.loads((out / "stage.json").read_text(encoding="utf-8"))
        whole = note["stage"] == stage and (out / "adapter" / "adapter_model.safetensors").exists()
        return StageResult(**note["result"]) if whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def tell_trained(result: StageResult, out: Path) -> None:
    tell(
        "trained",
        f"Trained: {result.updates} updates, ended by {result.ended}. The adapter is in {out / 'adapter'}.",
        updates=result.updates,
        ended=result.ended,
        adapter=str(out / "adapter"),
    )


def load_trainee(options: argparse.Namespace, device: torch.device, dtype: torch.dtype) -> Trainee:
    try:
        if options.probes is not None:
            refuse_other_tokenizer(options.probes, options.model)
        torch.manual_seed(options.seed)
        sizes = options.rank, options.alpha, options.adapter, options.base_bits
        with refusing_what_does_not_fit(f"{options.model.name}, dequantised to {dtype},", device):
            trainee = load(options.model, device, dtype, *sizes)
        refuse_unsupported(trainee.model, trainee.backbone.config)
    except ValueError as problem:
        raise Refusal("model", str(problem)) from None
    return trainee


def read_intake(file: Path, trainee: Trainee) -> Intake:
    try:
        intake = read_groups(file, trainee.tokenize, trainee.tokenize_reply, trainee.facts.end_token)
    except (OSError, ValueError) as problem:
        raise Refusal("groups", str(problem)) from None
    dropped = ", ".join(f"{count} {reason}" for reason, count in intake.dropped.items()) or "none"
    tell(
        "groups",
        f"{len(intake.groups)} of {intake.seen} groups; left out: {dropped}; "
        f"{intake.masked_share:.0%} of the tokens have no weight.",
        kept=len(intake.groups),
        seen=intake.seen,
        dropped=dict(intake.dropped),
        masked=intake.masked_share,
    )
    if not intake.groups:
        raise Refusal("groups", f"{file} holds no group to learn from. Search longer, then export again.")
    return intake


def _train(
    trainee: Trainee,
    intake: Intake,
    settings: StageSettings,
    options: argparse.Namespace,
    work: Path,
    stage: str,
) -> StageResult:
    budget = Budget(options.tokens)
    policy = options.policy or policy_at_start([group.policy for group in intake.groups], options.adapter is not None)
    with checkpointed(trainee.backbone) if options.checkpointing else nullcontext():
        return train_stage(trainee, intake.groups, settings, budget, work, stage, policy)


def _note(
    options: argparse.Namespace, stage: str, settings: StageSettings, intake: Intake, result: StageResult
) -> None:
    """`stage.json`: what the adapter came from, for whoever finds the folder later."""
    note = {
        "stage": stage,
        "model": {"file": options.model.name, "sha256": checkpoint.file_digest(options.model)},
        "groups": {"sha256": checkpoint.file_digest(options.groups), "kept": len(intake.groups), "seen": intake.seen},
        "dropped": dict(intake.dropped),
        "settings": asdict(settings),
        "rank": options.rank,
        "alpha": options.alpha,
        "base_bits": options.base_bits,
        "result": asdict(result),
        "versions": {"torch": torch.__version__},
    }
    file = options.out / "stage.json"
    checkpoint.write_whole(file, lambda draft: draft.write_text(json.dumps(note, indent=2) + "\n"))
