"""Events are JSON that any program reads."""

from __future__ import annotations

import json
import math

import pytest

from exit_trainer.report import tell


def test_numbers_that_are_none_are_null(capsys: pytest.CaptureFixture[str]) -> None:
    tell("update", "Diverged.", loss=math.nan, update=3, many=[1.5, -math.inf])

    def refuse(name: str) -> None:
        raise AssertionError(name)

    event = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert event == {"event": "update", "text": "Diverged.", "loss": None, "update": 3, "many": [1.5, None]}
