"""Texts are cut as in the runtime that serves the file where its vocabulary is one of SentencePiece."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from gguf import GGUFWriter
from test_served import part

from exit_trainer.model import read_tokenizer, tokenize, tokenize_reply

_BLANK = "\u2581"
_PIECES = [_BLANK, "a", "b", "[", "]", "I", "N", "IN", "ab", "aba", *(_BLANK + text for text in ("a", "ab", "[", "IN"))]
_PIECES += [_BLANK * 2, _BLANK * 4]
_TOKENS = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *_PIECES]

TEXTS = [
    *("a", " a", "  ab", "abab aba", "a b  ab", "[IN] ab [IN]", "\nab", "ab\n  ab\n", "x", "a\u00e9", " ", ""),
    *("<s>[IN] a", "<s>ab</s>ab", "<s> ab</s> ab", "</s><s>a", "ab<s>"),
]


def write(file: Path, blank_before: bool | None) -> None:
    writer = GGUFWriter(file, "llama")
    writer.add_tokenizer_model("llama")
    writer.add_token_list(_TOKENS)
    # As SentencePiece has them: the later a piece was made, the lower; single signs below those.
    made = {piece: -float(at) for at, piece in enumerate(sorted(_PIECES, key=lambda piece: -len(piece)))}
    writer.add_token_scores([0.0] * 259 + [made[piece] for piece in _PIECES])
    writer.add_token_types([2, 3, 3, *[6] * 256, *[1] * len(_PIECES)])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_block_count(1)
    writer.add_context_length(128)
    writer.add_embedding_length(8)
    writer.add_feed_forward_length(8)
    writer.add_head_count(1)
    writer.add_layer_norm_rms_eps(1e-5)
    if blank_before is not None:
        writer.add_add_space_prefix(blank_before)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def embedded(file: Path, texts: list[str]) -> list[list[int]]:
    script = Path(__file__).with_name("embedded_tokens.mjs")
    asked = ["node", str(script), str(part("embedded")), str(file)]
    done = subprocess.run(asked, input=json.dumps(texts), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("blank_before", [None, True, False])
def test_a_text_is_cut_as_by_the_embedded_runtime(tmp_path: Path, blank_before: bool | None) -> None:
    file = tmp_path / "vocabulary.gguf"
    write(file, blank_before)
    tokenizer = read_tokenizer(file)
    for text, wanted in zip(TEXTS, embedded(file, TEXTS), strict=True):
        assert (text, tokenize(tokenizer, text)) == (text, wanted)


@pytest.mark.parametrize("blank_before", [True, False])
def test_a_reply_has_no_blank_before_it_which_was_not_sampled(tmp_path: Path, blank_before: bool) -> None:
    file = tmp_path / "vocabulary.gguf"
    write(file, blank_before)
    tokenizer = read_tokenizer(file)
    for text, pieces in {
        "ab": ["ab"],
        " ab": [_BLANK + "ab"],
        "[IN] ab": ["[", "IN", "]", _BLANK + "ab"],
        "\nab": ["<0x0A>", "ab"],
        "": [],
    }.items():
        assert tokenizer.convert_ids_to_tokens(tokenize_reply(tokenizer, text)) == pieces
