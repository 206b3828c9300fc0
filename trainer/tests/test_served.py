"""Written files give the tuned model's probabilities in the runtime that serves them (llama.cpp)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tiny_gguf
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader
from numpy.typing import NDArray

from exit_trainer import adapter, merge

TOKENS = [1, 75, 104, 111, 111, 114, 35, 122]

BOUNDS = {Type.F32: 1e-3, Type.F16: 1e-3, Type.Q8_0: 1e-2, Type.Q4_0: 1e-2}
"""Largest difference of a probability, by the base's type."""

WRONG = 5e-2
"""What a file with rows in the wrong order exceeds."""


def served(*jobs: tuple[Path, Path | None]) -> list[NDArray[np.float64]]:
    """(tokens, vocabulary) for each model file and adapter file."""
    cache = Path(os.environ.get("EXIT_ML_CACHE") or Path.home() / ".cache" / "exit-ml")
    runtime = cache / "embedded"
    assert runtime.exists(), "The embedded runtime is missing: run `node scripts/setup/setup.mjs embedded`."
    asked = [
        {"model": str(model), "adapter": None if lora is None else str(lora), "tokens": TOKENS} for model, lora in jobs
    ]
    script = Path(__file__).with_name("embedded_probabilities.mjs")
    done = subprocess.run(
        ["node", str(script), str(runtime)], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [np.array(one) for one in json.loads(done.stdout)]


def apart(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.abs(one - other).max())


@pytest.mark.parametrize("kind", BOUNDS)
def test_merged_and_adapter_files_are_served_as_the_tuned_model(tmp_path: Path, kind: Type) -> None:
    base = tmp_path / "base.gguf"
    weights = tiny_gguf.write_base(base, kind)
    factors = tiny_gguf.write_adapter(tmp_path / "adapter")
    reader = GGUFReader(base)
    updates = adapter.read_adapter(tmp_path / "adapter", reader)
    merged, lora = tmp_path / "merged.gguf", tmp_path / "lora.gguf"
    changes = merge.merge(reader, updates, merged, {})
    merge.write_adapter_file(reader, updates, lora, {})

    untuned = tiny_gguf.next_probabilities(weights, TOKENS)
    wanted = tiny_gguf.next_probabilities(tiny_gguf.tuned(weights, factors), TOKENS)
    of_base, of_merged, of_lora = served((base, None), (merged, None), (base, lora))
    found = {
        "base": apart(of_base, untuned),
        "merged": apart(of_merged, wanted),
        "adapter": apart(of_lora, wanted),
        "effect": apart(untuned, wanted),
    }
    print(kind.name, found)
    assert {one.kind for one in changes.values()} == {Type.Q8_0 if kind is Type.Q4_0 else kind}
    assert found["merged"] <= BOUNDS[kind]
    assert found["adapter"] <= BOUNDS[kind]
    assert found["effect"] > WRONG


def test_files_with_rows_in_transformers_order_load_and_are_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the test above would catch them: nothing else does."""
    base = tmp_path / "base.gguf"
    weights = tiny_gguf.write_base(base, Type.F32)
    factors = tiny_gguf.write_adapter(tmp_path / "adapter")
    reader = GGUFReader(base)
    monkeypatch.setattr(adapter.Heads, "to_file_rows", lambda _heads, _tensor, rows: rows)
    updates = adapter.read_adapter(tmp_path / "adapter", reader)
    merged, lora = tmp_path / "merged.gguf", tmp_path / "lora.gguf"
    merge.merge(reader, updates, merged, {})
    merge.write_adapter_file(reader, updates, lora, {})

    wanted = tiny_gguf.next_probabilities(tiny_gguf.tuned(weights, factors), TOKENS)
    found = [apart(one, wanted) for one in served((merged, None), (base, lora))]
    print(found)
    assert min(found) > WRONG
