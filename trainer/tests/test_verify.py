"""The fingerprint passes the tuned file and nothing else."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import pytest
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader

import tiny_gguf
from exit_trainer import adapter, merge, verify
from exit_trainer.report import Refusal


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    names = {"model": "base.gguf", "adapter": "adapter", "merged": "merged.gguf", "probes": "probes.json"}
    made = {name: tmp_path / file for name, file in names.items()}
    tiny_gguf.write_base(made["model"], Type.Q4_0)
    tiny_gguf.write_adapter(made["adapter"], scale=0.5)
    made["probes"].write_text(json.dumps(["lr = 0.1\n", "<s>def f(x):"]))
    return made


def write_merged(files: dict[str, Path]) -> None:
    reader = GGUFReader(files["model"])
    merge.merge(reader, adapter.read_adapter(files["adapter"], reader), files["merged"], {})


def run(files: dict[str, Path]) -> None:
    parser = argparse.ArgumentParser()
    verify.add_arguments(parser)
    named = [part for name, file in files.items() for part in (f"--{name}", str(file))]
    verify.run(parser.parse_args([*named, "--device", "cpu"]))


def events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_tuned_file_passes_and_its_numbers_are_told(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    write_merged(files)
    run(files)
    *_, first, second, last = events(capsys)
    assert last["event"] == "fingerprint"
    assert last["ok"] is True
    assert last["apart"] < 0.05 < last["effect"]
    assert first["probe"] == "lr = 0.1\n"
    for probe in (first, second):
        assert {len(values) for values in probe["logprobs"].values()} == {len(probe["tokens"]) - 1}
        assert {len(tokens) for tokens in probe["next"].values()} == {verify.NEXT}


def test_the_log_probabilities_are_the_models_own(files: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Against the forward pass in float64."""
    weights = tiny_gguf.write_base(files["model"], Type.F32)
    files["adapter"] = files["adapter"].with_name("another")
    factors = tiny_gguf.write_adapter(files["adapter"])
    write_merged(files)
    run(files)
    probe = events(capsys)[-2]
    for name, model in {"base": weights, "tuned": tiny_gguf.tuned(weights, factors)}.items():
        probabilities = tiny_gguf.next_probabilities(model, probe["tokens"])
        wanted = [math.log(probabilities[at, token]) for at, token in enumerate(probe["tokens"][1:])]
        assert probe["logprobs"][name] == pytest.approx(wanted, abs=1e-4)


def test_a_file_with_rows_in_the_wrong_order_is_refused(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(adapter.Heads, "to_file_rows", lambda _heads, _tensor, rows: rows)
        write_merged(files)
    with pytest.raises(Refusal, match="not the model that was trained"):
        run(files)
    assert events(capsys)[-1]["ok"] is False


def test_the_base_in_place_of_the_tuned_file_is_refused(files: dict[str, Path]) -> None:
    files["merged"] = files["model"]
    with pytest.raises(Refusal, match="not the model that was trained"):
        run(files)


def test_an_adapter_that_changes_nothing_is_refused(files: dict[str, Path]) -> None:
    files["adapter"] = files["adapter"].with_name("zero")
    tiny_gguf.write_adapter(files["adapter"], scale=0)
    write_merged(files)
    with pytest.raises(Refusal, match="as its base does"):
        run(files)


@pytest.mark.parametrize(
    ("effect", "apart"), [(0.02, 0.011), (1.0, 0.11), (1.0, float("nan")), (float("nan"), 0.0), (1e-4, 0.0)]
)
def test_a_file_is_near_the_tuned_model_and_nearer_than_the_base(effect: float, apart: float) -> None:
    verify.judge(0.02, 0.009, 0.1)
    verify.judge(1.0, 0.09, 0.1)
    with pytest.raises(Refusal):
        verify.judge(effect, apart, 0.1)
