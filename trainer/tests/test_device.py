"""The device and its precision are chosen in the open, and each device's way to say that memory is out is known."""

from __future__ import annotations

import pytest
import torch

from exit_trainer.device import choose_dtype, is_out_of_memory, refusing_what_does_not_fit
from exit_trainer.report import Refusal

CPU = torch.device("cpu")
OUT_OF_MEMORY = {
    "cuda": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    "cuda, beside torch's allocator": RuntimeError("CUDA error: out of memory"),
    "cublas": RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    "mps": RuntimeError("MPS backend out of memory (MPS allocated: 17.97 GB)"),
    "cpu": RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4000 bytes"),
    "python": MemoryError(),
}
"""As each of them says it."""


@pytest.mark.parametrize("problem", OUT_OF_MEMORY.values(), ids=list(OUT_OF_MEMORY))
def test_out_of_memory_is_refused_with_what_needs_less(problem: BaseException) -> None:
    with pytest.raises(Refusal, match="--base-bits 4") as refusal, refusing_what_does_not_fit("It", CPU):
        raise problem
    assert refusal.value.reason == "out-of-memory"


def test_the_cpus_own_error_is_known() -> None:
    with pytest.raises(RuntimeError) as problem:
        torch.empty(10**15)
    assert is_out_of_memory(problem.value)


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="shapes"), refusing_what_does_not_fit("It", CPU):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")


@pytest.mark.parametrize(("native", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_bfloat16_is_taken_where_the_gpu_computes_in_it_and_not_where_it_is_emulated(
    monkeypatch: pytest.MonkeyPatch, native: bool, dtype: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation or native)
    assert choose_dtype("auto", torch.device("cuda")) is dtype
