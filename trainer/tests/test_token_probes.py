"""A tokenizer that reads texts as the server does not is refused before any weight is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from gguf import GGMLQuantizationType as Type

import tiny_gguf
from exit_trainer.report import Refusal
from exit_trainer.token_probes import refuse_other_tokenizer


def refuse(folder: Path, *counts: tuple[str, int]) -> None:
    model, probes = folder / "base.gguf", folder / "probes.json"
    tiny_gguf.write_base(model, Type.F32)
    probes.write_text(json.dumps([{"text": text, "tokens": tokens} for text, tokens in counts]))
    refuse_other_tokenizer(probes, model)


def test_the_same_counts_pass(tmp_path: Path) -> None:
    refuse(tmp_path, ("<s>lr=0.1\n", 8), ("<s>ab", 3))


def test_another_count_is_refused_with_the_text_and_both_counts(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r'counts 5 tokens in "<s>abc", the trainer 4; 1 of 2 .* base\.gguf') as refusal:
        refuse(tmp_path, ("<s>ab", 3), ("<s>abc", 5))
    assert refusal.value.reason == "tokenizer"


def test_one_more_everywhere_is_a_token_of_the_servers_own(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="puts a token of its own before each text"):
        refuse(tmp_path, ("<s>ab", 4), ("<s>abc", 5))


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "probes.json"
    file.write_text('["ab"]')
    with pytest.raises(Refusal, match="JSON list of"):
        refuse_other_tokenizer(file, tmp_path / "base.gguf")
