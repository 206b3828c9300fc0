"""`python -m exit_trainer doctor`: what this machine offers to a training, and what is missing."""

from __future__ import annotations

import argparse
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil
import torch

from exit_trainer.device import choose_device, choose_dtype, free_memory
from exit_trainer.report import tell

PACKAGES = ("torch", "transformers", "peft", "gguf", "tensorboard", "bitsandbytes")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="cuda, mps, cpu, or auto (default): the first there is")
    parser.add_argument("--out", type=Path, default=Path("."), help="folder whose disk is looked at")


def run(options: argparse.Namespace) -> None:
    """
    Raises:
        Refusal: the device that was asked for is not there.
    """
    found = examine(options.device, options.out)
    gigabytes = found["memory"]["free"] / 1e9
    tell(
        "doctor",
        f"Python {found['python']}, torch {found['versions']['torch']}. A training would run on {found['device']} "
        f"with weights in {found['dtype']}; {gigabytes:.1f} GB of its memory and {found['disk'] / 1e9:.1f} GB of the "
        "disk are free.",
        **found,
    )


def examine(wanted: str, folder: Path) -> dict[str, Any]:
    """Facts for programs; bytes where there are sizes. `dtype` is what `auto` gives on this device."""
    device = choose_device(wanted)
    return {
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
        "cuda": {
            "build": torch.version.cuda,
            "found": torch.cuda.is_available(),
            "gpus": [torch.cuda.get_device_name(at) for at in range(torch.cuda.device_count())],
        },
        "mps": torch.backends.mps.is_available(),
        "device": str(device),
        "dtype": str(choose_dtype("auto", device)).removeprefix("torch."),
        "cores": psutil.cpu_count(logical=False) or psutil.cpu_count(),
        "memory": {"free": free_memory(device), "machine": psutil.virtual_memory().total},
        "disk": shutil.disk_usage(_existing(folder)).free,
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _existing(folder: Path) -> Path:
    return next(place for place in (folder.resolve(), *folder.resolve().parents) if place.exists())
