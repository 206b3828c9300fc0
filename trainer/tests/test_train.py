"""The command `train`: what a second call finds, and what is refused in words."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from gguf import GGMLQuantizationType as Type
from peft import PeftModel
from test_torchrun import write_groups

import tiny_gguf
from exit_trainer import train
from exit_trainer.report import Refusal

OPTIONS = ["--device", "cpu", "--dtype", "float32", "--rank", "4", "--updates", "1"]


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    """Folder with a model and groups."""
    tiny_gguf.write_base(tmp_path / "base.gguf", Type.F32)
    write_groups(tmp_path / "groups.jsonl")
    return tmp_path


def run(folder: Path, *more: str) -> None:
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    files = ["--model", "base.gguf", "--groups", "groups.jsonl", "--out", "out"]
    named = [str(folder / part) if at % 2 else part for at, part in enumerate(files)]
    train.run(parser.parse_args([*named, *OPTIONS, *more]))


def events(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The last one of each kind."""
    return {event["event"]: event for event in map(json.loads, capsys.readouterr().out.splitlines())}


def test_a_finished_stage_is_told_again_and_not_trained_again(
    stage: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(stage)
    first = events(capsys)
    log = (stage / "out" / "metrics.jsonl").read_bytes()
    note = json.loads((stage / "out" / "stage.json").read_text())
    assert note["result"] == {"updates": 1, "ended": "groups", "mismatch": first["mismatch"]["mismatch"]}
    with monkeypatch.context() as patch:
        patch.setattr(train, "load_trainee", lambda *_: pytest.fail("The model was loaded."))
        run(stage)
    again = events(capsys)
    assert again == {kind: first[kind] for kind in ("mismatch", "trained")}
    assert (stage / "out" / "metrics.jsonl").read_bytes() == log
    assert not (stage / "out" / "checkpoint").exists()


def test_another_stage_in_the_folder_and_one_without_its_adapter_are_trained(
    stage: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(stage)
    run(stage, "--learning-rate", "1e-5")
    assert "update" in events(capsys)
    weights = stage / "out" / "adapter" / "adapter_model.safetensors"
    weights.unlink()
    run(stage, "--learning-rate", "1e-5")
    assert "update" in events(capsys)
    assert weights.exists()


@pytest.mark.parametrize(("missing", "reason"), [("base.gguf", "model"), ("groups.jsonl", "groups")])
def test_a_file_that_is_not_there_is_refused(stage: Path, missing: str, reason: str) -> None:
    (stage / missing).unlink()
    with pytest.raises(Refusal, match=f"{missing} cannot be read") as refusal:
        run(stage)
    assert refusal.value.reason == reason


def test_a_model_that_does_not_fit_is_refused(stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty_to(*_: object) -> None:
        raise RuntimeError("MPS backend out of memory")

    monkeypatch.setattr(PeftModel, "to", faulty_to)
    with pytest.raises(Refusal, match=r"base\.gguf.* does not fit") as refusal:
        run(stage)
    assert refusal.value.reason == "out-of-memory"


def test_an_optimiser_that_does_not_fit_is_refused(stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty_step(*_: object) -> None:
        raise torch.OutOfMemoryError("injected")

    monkeypatch.setattr(torch.optim.AdamW, "step", faulty_step)
    with pytest.raises(Refusal, match="optimiser") as refusal:
        run(stage)
    assert refusal.value.reason == "out-of-memory"


def test_a_decay_that_is_no_share_is_refused(stage: Path) -> None:
    with pytest.raises(Refusal, match="share from 0 to 1"):
        run(stage, "--reference-decay", "1.5")
