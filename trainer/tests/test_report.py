"""Events are JSON that any program reads."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from exit_trainer import report
from exit_trainer.report import tell


def refuse(name: str) -> None:
    raise AssertionError(name)


def test_numbers_that_are_none_are_null(capsys: pytest.CaptureFixture[str]) -> None:
    tell("update", "Diverged.", loss=math.nan, update=3, many=[1.5, -math.inf])

    event = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert event == {"event": "update", "text": "Diverged.", "loss": None, "update": 3, "many": [1.5, None]}


def test_they_are_null_in_the_log_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "_log", tmp_path / "metrics.jsonl")
    tell("update", "Diverged.", loss=math.nan, update=3)
    row = json.loads((tmp_path / "metrics.jsonl").read_text(), parse_constant=refuse)
    assert row == {"loss": None, "update": 3}
