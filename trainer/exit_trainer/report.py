"""What the trainer tells while it works: JSON lines for a program, sentences for a person at a terminal."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, TextIO

_log: TextIO | None = None
_curves: Any = None


def start_log(file: Path, curves: Path) -> None:
    """From here on numbers of updates also go to `file` (one JSON object a line) and, where TensorBoard is
    installed, to the folder `curves`."""
    global _log, _curves
    _log = file.open("a", encoding="utf-8")
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return
    _curves = SummaryWriter(curves)


def tell(kind: str, sentence: str, **facts: Any) -> None:
    """One event on standard output: `{"event": kind, "text": sentence, ...facts}`, or the sentence on a terminal."""
    event = {"event": kind, "text": sentence, **facts}
    print(sentence if sys.stdout.isatty() else json.dumps(event), flush=True)
    if kind != "update":
        return
    if _log is not None:
        _log.write(json.dumps(facts) + "\n")
        _log.flush()
    if _curves is not None:
        for name, value in facts.items():
            _curves.add_scalar(name, value, facts["update"])
        _curves.flush()


class Refusal(Exception):
    """Something a person has to mend; its text is a sentence that says what and how.

    `reason` is a word for programs.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
