"""How texts are cut before tokens are merged, where transformers does not take it from the GGUF file.

A file names its rule in `tokenizer.ggml.pre`. transformers (5.24) reads byte-level vocabularies all by the rule of
GPT-2; the families below have each digit stand alone besides, so that "  3" is two blanks and a digit, not a blank and
" 3". Source: `llm_tokenizer_bpe` in https://github.com/ggml-org/llama.cpp/blob/master/src/llama-vocab.cpp.
"""

from __future__ import annotations

from pathlib import Path

from gguf import GGUFReader
from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence
from transformers import PreTrainedTokenizerBase

DIGITS_ALONE = frozenset({"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"})
"""Values of `tokenizer.ggml.pre`."""


def apply_rule(tokenizer: PreTrainedTokenizerBase, file: Path) -> None:
    """Has the tokenizer cut texts as the file says."""
    field = GGUFReader(file).get_field("tokenizer.ggml.pre")
    if field is None or field.contents() not in DIGITS_ALONE:
        return
    rules = [Digits(individual_digits=True), ByteLevel(add_prefix_space=False, use_regex=True)]
    tokenizer.backend_tokenizer.pre_tokenizer = Sequence(rules)
