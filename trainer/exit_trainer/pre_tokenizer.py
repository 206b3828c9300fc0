"""How texts are cut before tokens are merged, where transformers does not take it from the GGUF file.

A file names its rule in `tokenizer.ggml.pre`. transformers (5.24) reads byte-level vocabularies all by the rule of
GPT-2; the families below have each digit stand alone besides, so that "  3" is two blanks and a digit, not a blank and
" 3". Source: `llm_tokenizer_bpe` in https://github.com/ggml-org/llama.cpp/blob/master/src/llama-vocab.cpp.

Vocabularies of SentencePiece have a blank put before a text and after each special token in it, unless the file says
otherwise; transformers puts one before the text alone, and none where it begins with one. Source: what is done for
`LLAMA_VOCAB_TYPE_SPM` in `llama_vocab::impl::tokenize`, in the same file.
"""

from __future__ import annotations

from pathlib import Path

from gguf import GGUFReader
from tokenizers import normalizers
from tokenizers.pre_tokenizers import ByteLevel, Digits, Metaspace, Sequence
from transformers import PreTrainedTokenizerBase

DIGITS_ALONE = frozenset({"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"})
"""Values of `tokenizer.ggml.pre`."""

BLANK = "\u2581"
"""What stands for a blank in pieces of SentencePiece."""


def apply_rule(tokenizer: PreTrainedTokenizerBase, file: Path) -> None:
    """Has the tokenizer cut texts as the file says."""
    reader, backend = GGUFReader(file), tokenizer.backend_tokenizer
    if isinstance(backend.pre_tokenizer, Metaspace):
        field = reader.get_field("tokenizer.ggml.add_space_prefix")
        puts_blank = field is None or bool(field.contents())
        blanks = [normalizers.Prepend(BLANK)] if puts_blank else []
        backend.normalizer = normalizers.Sequence([*blanks, normalizers.Replace(" ", BLANK)])
        backend.pre_tokenizer = None
        return
    field = reader.get_field("tokenizer.ggml.pre")
    if field is None or field.contents() not in DIGITS_ALONE:
        return
    rules = [Digits(individual_digits=True), ByteLevel(add_prefix_space=False, use_regex=True)]
    backend.pre_tokenizer = Sequence(rules)
