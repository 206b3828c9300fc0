"""Checkpoints that are whole or not there, so that a killed stage goes on with the same numbers."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel, get_peft_model_state_dict, set_peft_model_state_dict

from exit_trainer.reference import MovingReference

_FILE = "state.pt"


def digest_of(*parts: Any) -> str:
    """SHA-256 of JSON values: what a stage depends on, so that a checkpoint of another one is not taken up."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def file_digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def save(
    folder: Path,
    model: PeftModel,
    optimiser: torch.optim.Optimizer,
    stage: str,
    progress: dict[str, Any],
    reference: MovingReference | None = None,
) -> None:
    """Replaces the checkpoint in `folder`; a kill at any moment leaves the old or the new one."""
    state = {
        "stage": stage,
        "progress": progress,
        "adapter": get_peft_model_state_dict(model),
        "optimiser": optimiser.state_dict(),
        "reference": None if reference is None else reference.values,
    }
    write_whole(folder / _FILE, lambda draft: torch.save(state, draft))


def load(
    folder: Path,
    model: PeftModel,
    optimiser: torch.optim.Optimizer,
    stage: str,
    reference: MovingReference | None = None,
) -> dict[str, Any] | None:
    """Takes up the checkpoint of this very stage.

    Returns:
        The progress it was saved with; None if there is none, or one of another stage.
    """
    file = folder / _FILE
    if not file.exists():
        return None
    state = torch.load(file, map_location="cpu", weights_only=True)
    if state["stage"] != stage:
        return None
    set_peft_model_state_dict(model, state["adapter"])
    optimiser.load_state_dict(state["optimiser"])
    if reference is not None:
        reference.restore(state["reference"])
    return state["progress"]


def write_whole(file: Path, write: Any) -> None:
    """Has `write` make a draft beside `file`, flushes it to the disk and puts it in its place."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.draft")
    try:
        write(draft)
        _flush(draft)
        os.replace(draft, file)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _flush_folder(file.parent)


def save_adapter(folder: Path, model: PeftModel) -> None:
    """The adapter in PEFT's own layout (`adapter_config.json`, `adapter_model.safetensors`), whole or not at all."""
    draft = folder.with_name(f"{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    model.save_pretrained(str(draft))
    for file in draft.iterdir():
        _flush(file)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(draft, folder)
    _flush_folder(folder.parent)


def _flush(file: Path) -> None:
    with file.open("r+b") as stream:
        os.fsync(stream.fileno())


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows cannot open a folder.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
