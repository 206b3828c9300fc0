"""Where the forward passes run, and in what precision: chosen in the open, never silently."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import torch

from exit_trainer.report import Refusal


def choose_device(wanted: str) -> torch.device:
    """
    Raises:
        Refusal: the device that was asked for is not there. The CPU never stands in for it.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        wanted = next(name for name, found in there.items() if found)
    if wanted not in there:
        raise Refusal("device", f"{wanted} is no device; there are cuda, mps and cpu.")
    if not there[wanted]:
        why = _why_no_cuda() if wanted == "cuda" else "this machine or this build of torch has none"
        raise Refusal("device", f"{wanted} was asked for, but {why}. --device cpu trains on the CPU, slowly.")
    if wanted == "cuda":  # torchrun gives each process of a machine a GPU of its own
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
        return device
    if wanted == "cpu":
        # Read by transformers: heads that share keys and values are not given copies of them. With an attention mask,
        # as replies after their prompt have, it makes copies for the sake of CUDA, whose fast kernels need them.
        os.environ["TRANSFORMERS_SDPA_FORCE_GQA"] = "1"
    return torch.device(wanted)


def choose_dtype(wanted: str, device: torch.device) -> torch.dtype:
    """bfloat16 where the hardware computes in it, else float32.

    On CPUs with AVX512_BF16 or AMX a frozen base in bfloat16 is two to three times as fast; on others it is slower.
    """
    known = {"bfloat16": torch.bfloat16, "float32": torch.float32}
    if wanted in known:
        return known[wanted]
    if wanted != "auto":
        raise Refusal("dtype", f"{wanted} is no precision; there are bfloat16 and float32.")
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    if device.type == "cpu":
        fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
        return torch.bfloat16 if fast else torch.float32
    return torch.float32


def peak_memory(device: torch.device) -> int:
    """Most bytes that were in use at a time: of the GPU's memory by torch, else of the machine's by this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "win32":
        return psutil.Process().memory_info().peak_wset
    import resource

    # Kilobytes, but on macOS bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def free_memory(device: torch.device) -> int:
    """Bytes that can be had now."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return psutil.virtual_memory().available


def is_out_of_memory(problem: BaseException) -> bool:
    """CUDA says it by a class or, outside torch's own allocator, in words; MPS and the CPU in words."""
    if isinstance(problem, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(problem, RuntimeError) and any(words in str(problem) for words in _NO_MEMORY)


_NO_MEMORY = ("out of memory", "DefaultCPUAllocator", "CUBLAS_STATUS_ALLOC_FAILED")


@contextmanager
def refusing_what_does_not_fit(what: str, device: torch.device) -> Iterator[None]:
    """
    Raises:
        Refusal: the memory of the device does not suffice; every other error as it is.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as problem:
        if not is_out_of_memory(problem):
            raise
        raise Refusal(
            "out-of-memory",
            f"{what} does not fit the memory of {device}. End what else uses it, or train with --base-bits 4 "
            "(weights), --checkpointing (activations) or a smaller model.",
        ) from None


def free_cache() -> None:
    """Gives back what torch keeps of a GPU's memory without using it."""
    torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def _why_no_cuda() -> str:
    if torch.version.cuda is None:
        return "this build of torch has no CUDA: install the CUDA build"
    return "torch finds no GPU: look at the driver with nvidia-smi"
