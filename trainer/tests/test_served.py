"""Written files give the tuned model's probabilities in the runtime that serves them (llama.cpp)."""

from __future__ import annotations

import json
import math
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader
from numpy.typing import NDArray

import ollama
import tiny_gguf
from exit_trainer import adapter, merge

TEXT = "Hello#z"
TOKENS = [1, *(tiny_gguf.TOKEN_OF[piece] for piece in TEXT)]

BOUNDS = {Type.F32: 1e-3, Type.F16: 1e-3, Type.Q8_0: 1e-2, Type.Q4_0: 1e-2}
"""Largest difference of a probability, by the base's type."""

WRONG = 5e-2
"""What a file with rows in the wrong order exceeds."""


@dataclass(frozen=True)
class Files:
    base: Path
    merged: Path
    lora: Path
    """An adapter file."""
    kinds: set[Type]
    """Types of the changed tensors."""
    untuned: NDArray[np.float64]
    """Probabilities there should be: (tokens, vocabulary)."""
    tuned: NDArray[np.float64]


def write(folder: Path, kind: Type) -> Files:
    base, merged, lora = (folder / f"{name}-{kind.name.lower()}.gguf" for name in ("base", "merged", "lora"))
    weights = tiny_gguf.write_base(base, kind)
    factors = tiny_gguf.write_adapter(folder / "adapter")
    reader = GGUFReader(base)
    updates = adapter.read_adapter(folder / "adapter", reader)
    changes = merge.merge(reader, updates, merged, {})
    merge.write_adapter_file(reader, updates, lora, {})
    untuned = tiny_gguf.next_probabilities(weights, TOKENS)
    tuned = tiny_gguf.next_probabilities(tiny_gguf.tuned(weights, factors), TOKENS)
    return Files(base, merged, lora, {one.kind for one in changes.values()}, untuned, tuned)


def write_in_wrong_order(folder: Path, patch: pytest.MonkeyPatch) -> Files:
    patch.setattr(adapter.Heads, "to_file_rows", lambda _heads, _tensor, rows: rows)
    return write(folder, Type.F32)


def part(name: str) -> Path:
    """A part that the set-up brings."""
    cache = Path(os.environ.get("EXIT_ML_CACHE") or Path.home() / ".cache" / "exit-ml")
    assert (cache / name).exists(), f"It is missing here: run `node scripts/setup/setup.mjs {name}`."
    return cache / name


def embedded(*jobs: tuple[Path, Path | None], tokens: list[int] = TOKENS) -> list[NDArray[np.float64]]:
    """Probabilities, (tokens, vocabulary), for each model file and adapter file."""
    asked = [
        {"model": str(model), "adapter": None if lora is None else str(lora), "tokens": tokens} for model, lora in jobs
    ]
    script = Path(__file__).with_name("embedded_probabilities.mjs")
    done = subprocess.run(
        ["node", str(script), str(part("embedded"))],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [np.array(one) for one in json.loads(done.stdout)]


def apart(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.abs(one - other).max())


@pytest.mark.parametrize("kind", BOUNDS, ids=lambda kind: kind.name)
def test_the_embedded_runtime_serves_the_tuned_model(tmp_path: Path, kind: Type) -> None:
    files = write(tmp_path, kind)
    of_base, of_merged, of_lora = embedded((files.base, None), (files.merged, None), (files.base, files.lora))
    assert files.kinds == {Type.Q8_0 if kind is Type.Q4_0 else kind}
    assert apart(of_base, files.untuned) <= BOUNDS[kind]
    assert apart(of_merged, files.tuned) <= BOUNDS[kind]
    assert apart(of_lora, files.tuned) <= BOUNDS[kind]
    assert apart(files.untuned, files.tuned) > WRONG


def test_files_with_rows_in_transformers_order_load_and_are_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the tests here would catch them: nothing else does."""
    files = write_in_wrong_order(tmp_path, monkeypatch)
    found = [apart(one, files.tuned) for one in embedded((files.merged, None), (files.base, files.lora))]
    assert min(found) > WRONG


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ollama.Ollama]:
    with ollama.serving(part("ollama") / "ollama", tmp_path_factory.mktemp("ollama") / "home") as started:
        yield started


def listed_apart(server: ollama.Ollama, name: str, wanted: NDArray[np.float64]) -> float:
    """Largest difference of a probability, among those Ollama lists after each beginning of the text."""
    return max(
        abs(math.exp(logprob) - wanted[length, tiny_gguf.TOKEN_OF[piece]])
        for length in range(1, len(TOKENS))
        for piece, logprob in server.next_tokens(name, TEXT[:length]).items()
    )


@pytest.mark.parametrize("kind", [Type.F32, Type.F16, Type.Q8_0], ids=lambda kind: kind.name)
def test_ollama_serves_the_tuned_model(server: ollama.Ollama, tmp_path: Path, kind: Type) -> None:
    files = write(tmp_path, kind)
    assert listed_apart(server, server.create(files.base), files.untuned) <= BOUNDS[kind]
    assert listed_apart(server, server.create(files.merged), files.tuned) <= BOUNDS[kind]
    assert listed_apart(server, server.create(files.base, files.lora), files.tuned) <= BOUNDS[kind]


def test_ollama_serves_a_file_with_rows_in_transformers_order_wrongly(
    server: ollama.Ollama, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_in_wrong_order(tmp_path, monkeypatch)
    assert listed_apart(server, server.create(files.merged), files.tuned) > WRONG
