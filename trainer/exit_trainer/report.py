"""What the trainer tells while it works: JSON lines for a program, sentences for a person at a terminal."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

_log: Path | None = None
_curve_folder: Path | None = None
_curves: Any = None


def start_log(file: Path, curves: Path) -> None:
    """From here on numbers of updates also go to `file` (one JSON object a line) and, where TensorBoard is
    installed, to the folder `curves`."""
    global _log, _curve_folder
    _log, _curve_folder = file, curves


def rewind_log(update: int) -> None:
    """Takes away what an earlier process told of updates after this one, as they are done again."""
    global _curves
    if _log is None or _curve_folder is None or not _is_first():
        return
    lines = _log.read_text(encoding="utf-8").splitlines(keepends=True) if _log.exists() else []
    # A kill may have cut the last line.
    kept = [line for line in lines if line.endswith("\n") and json.loads(line)["update"] <= update]
    draft = _log.with_name(f"{_log.name}.draft")
    draft.write_text("".join(kept), encoding="utf-8")
    draft.replace(_log)
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return
    _curves = SummaryWriter(_curve_folder, purge_step=update + 1)


def tell(kind: str, sentence: str, **facts: Any) -> None:
    """One event on standard output: `{"event": kind, "text": sentence, ...facts}`, or the sentence on a terminal.

    Of the processes that torchrun starts only the first one tells, but each says why it refuses.
    """
    if not _is_first() and kind != "refused":
        return
    event = {"event": kind, "text": sentence, **facts}
    print(sentence if sys.stdout.isatty() else _strict_json(event), flush=True)
    if kind != "update":
        return
    if _log is not None:
        with _log.open("a", encoding="utf-8") as log:
            log.write(_strict_json(facts) + "\n")
    if _curves is not None:
        for name, value in facts.items():
            if isinstance(value, (int, float)):
                _curves.add_scalar(name, value, facts["update"])
        _curves.flush()


def _is_first() -> bool:
    """Of the processes that torchrun starts; one that runs alone is."""
    return os.environ.get("RANK", "0") == "0"


def _strict_json(value: Any) -> str:
    """NaN and infinity, which Python writes and other programs do not read, become null."""
    return json.dumps(json.loads(json.dumps(value), parse_constant=lambda _: None))


class Refusal(Exception):
    """Something a person has to mend; its text is a sentence that says what and how.

    `reason` is a word for programs.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
