"""Does the trainer read texts as the server does? Told by how many tokens each finds in the same texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from exit_trainer.model import facts_of, read_tokenizer, tokenize
from exit_trainer.report import Refusal

_SHOWN = 60
"""Characters of a text that a sentence shows."""


def refuse_other_tokenizer(file: Path, model: Path) -> None:
    """Compares the counts in `file`, a JSON list of `{text, tokens}`, before any weight is read.

    Raises:
        Refusal: a text has another number of tokens here.
        ValueError: the model's file cannot be trained on, in words.
    """
    probes = _read(file)
    facts_of(model)
    tokenizer = read_tokenizer(model)
    found = [(text, counted, len(tokenize(tokenizer, text))) for text, counted in probes]
    wrong = [(text, counted, ours) for text, counted, ours in found if counted != ours]
    if not wrong:
        return
    text, counted, ours = wrong[0]
    if all(counted == ours + 1 for _, counted, ours in found):
        cause = "The server puts a token of its own before each text: switch that off for raw prompts."
    else:
        cause = f"The server does not read texts as {model.name} says: take the very file that is served."
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    raise Refusal(
        "tokenizer",
        f"The server counts {counted} tokens in {json.dumps(shown, ensure_ascii=False)}, the trainer {ours}; "
        f"{len(wrong)} of {len(found)} texts differ. {cause}",
    )


def _read(file: Path) -> list[tuple[str, int]]:
    try:
        probes: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
        return [(str(probe["text"]), int(probe["tokens"])) for probe in probes]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise Refusal("probes", f"{file} cannot be read as a JSON list of {{text, tokens}}: {problem!r}") from None
