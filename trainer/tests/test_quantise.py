"""K-quants: written as ggml writes them, and told what they cost."""

from __future__ import annotations

import argparse
import ctypes
import os
import sys
from pathlib import Path
from typing import Any

import libgguf
import numpy as np
import pytest
from gguf import GGMLQuantizationType as Type

from exit_trainer import merge
from exit_trainer.report import Refusal

K_QUANTS = [Type.Q4_K, Type.Q5_K, Type.Q6_K]


def weights() -> Any:
    return np.random.default_rng(0).standard_normal((64, 512)).astype(np.float32)


def update_of(size: float) -> merge.Update:
    random = np.random.default_rng(1)
    a, b = random.standard_normal((16, 512)), random.standard_normal((64, 16))
    return merge.Update(a.astype(np.float32), b.astype(np.float32), size / 4)


@pytest.mark.parametrize("kind", [*K_QUANTS, Type.Q8_0], ids=lambda kind: kind.name)
def test_bytes_are_ggmls_own(kind: Type) -> None:
    """The library is young; the runtime's own quantiser says what is right."""
    cache = Path(os.environ.get("EXIT_ML_CACHE") or Path.home() / ".cache" / "exit-ml")
    (library,) = (cache / "embedded" / "node_modules" / "@node-llama-cpp").glob("*/bins/*/libggml-base.*")
    ggml_quantize_chunk = ctypes.CDLL(str(library)).ggml_quantize_chunk
    ggml_quantize_chunk.restype = ctypes.c_size_t
    values = weights()
    found = libgguf.quantize_rows(values, kind)
    wanted = np.zeros_like(found)
    rows, columns = map(ctypes.c_int64, values.shape)
    source, target = (ctypes.c_void_p(array.ctypes.data) for array in (values, wanted))
    written = ggml_quantize_chunk(ctypes.c_int(kind), source, target, ctypes.c_int64(0), rows, columns, None)
    assert written == found.nbytes
    assert found.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("kind", K_QUANTS, ids=lambda kind: kind.name)
def test_a_k_quant_deletes_a_small_update_and_says_so(kind: Type) -> None:
    data = libgguf.quantize_rows(weights(), kind)
    tensor = argparse.Namespace(data=data, tensor_type=kind, shape=np.array([512, 64]), name="blk.0.ffn_up.weight")
    small, _ = merge.change(tensor, update_of(0.003), merge.types_for(tensor, quantise=True))
    large, written = merge.change(tensor, update_of(0.3), merge.types_for(tensor, quantise=True))
    print(kind.name, small, large)
    assert small.kind is large.kind is kind
    assert small.recovered < 0.1
    assert large.recovered > 0.9
    assert written.nbytes == data.nbytes
    fine, _ = merge.change(tensor, update_of(0.003), merge.types_for(tensor))
    assert (fine.kind, fine.recovered) == (Type.F16, pytest.approx(1, abs=0.02))


def test_without_the_library_it_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "libgguf", None)
    data = libgguf.quantize_rows(weights(), Type.Q4_K)
    tensor = argparse.Namespace(data=data, tensor_type=Type.Q4_K, shape=np.array([512, 64]))
    with pytest.raises(Refusal, match="pip install libgguf"):
        merge.change(tensor, update_of(0.3), merge.types_for(tensor, quantise=True))
