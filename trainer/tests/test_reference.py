"""A moving average of the adapter as the reference policy."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import stage_child
import torch
from stage_child import SETTINGS, UPDATES, run_stage, trainee_of
from test_stage import killed_before_keeping, same

from exit_trainer.model import Trainee
from exit_trainer.objective import Objective
from exit_trainer.reference import MovingReference
from exit_trainer.stage import StageSettings

PULLED = dataclasses.replace(SETTINGS, objective=Objective(beta=0.5))
"""Strongly towards the reference."""


def moving(decay: float) -> StageSettings:
    return dataclasses.replace(PULLED, reference_decay=decay)


def kl(folder: Path) -> list[float]:
    return [json.loads(line)["kl"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_the_average_by_hand() -> None:
    parameter = torch.nn.Parameter(torch.tensor([1.0]))
    reference = MovingReference([parameter], 0.75)
    for value, wanted in ((5.0, 2.0), (6.0, 3.0)):
        parameter.data = torch.tensor([value])
        reference.follow()
        assert reference.values[0].tolist() == [wanted]
    with reference.in_place():
        assert parameter.tolist() == [3.0]
    assert parameter.tolist() == [6.0]


def test_one_that_never_moves_from_a_zero_adapter_is_the_model_without_adapter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def zero_adapter() -> Trainee:
        trainee = trainee_of()
        for name, value in trainee.model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.zeros_(value)
        return trainee

    monkeypatch.setattr(stage_child, "trainee_of", zero_adapter)
    _, wanted = run_stage(tmp_path / "without", PULLED)
    _, found = run_stage(tmp_path / "moving", moving(1.0))
    same(found, wanted)
    assert max(kl(tmp_path / "moving")) > 1e-6


def test_one_that_keeps_nothing_is_the_policy_itself(tmp_path: Path) -> None:
    run_stage(tmp_path / "none", moving(0.0))
    assert kl(tmp_path / "none") == pytest.approx([0.0] * UPDATES, abs=1e-9)
    run_stage(tmp_path / "half", moving(0.5))
    assert min(kl(tmp_path / "half")[1:]) > 1e-8


@pytest.mark.parametrize("update", [1, 2])
def test_a_stage_that_goes_on_ends_with_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, update: int
) -> None:
    settings = moving(0.5)
    _, wanted = run_stage(tmp_path / "whole", settings)
    with killed_before_keeping(monkeypatch, lambda progress: progress["updates"] > update):
        run_stage(tmp_path / "cut", settings)
    _, found = run_stage(tmp_path / "cut", settings)
    same(found, wanted)
    assert kl(tmp_path / "cut") == kl(tmp_path / "whole")
