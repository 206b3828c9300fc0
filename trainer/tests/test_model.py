"""What a file says about itself, and that it is read as the runtime that serves it reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
from gguf import GGUFWriter

from exit_trainer.model import facts_of

EOS, EOT, TURN, IM = range(4)
VOCABULARY = ["<eos>", "<eot>", "<end_of_turn>", "<|im_end|>", "a"]
GEMMA = "{{ '<start_of_turn>model\n' + text + '<end_of_turn>\n' }}"
MISTRAL = "{{ '[INST]' + text + '[/INST]' + eos_token }}"


def end_token(file: Path, tokens: list[str], template: str | None, **ids: int) -> int:
    writer = GGUFWriter(file, "gemma3")
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    for name, token in ids.items():
        writer.add_uint32(f"tokenizer.ggml.{name}_token_id", token)
    if template is not None:
        writer.add_chat_template(template)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return facts_of(file).end_token


@pytest.mark.parametrize(
    ("template", "ids", "wanted"),
    [
        (GEMMA, {"eos": EOS, "eot": EOT}, EOT),
        (GEMMA, {"eos": EOS}, TURN),
        (GEMMA.replace("<end_of_turn>", "<|im_end|>"), {"eos": EOS}, IM),
        (MISTRAL, {"eos": EOS}, EOS),
        (None, {"eos": EOS}, TURN),
        (GEMMA, {"eos": IM}, TURN),
    ],
)
def test_a_reply_ends_with_the_end_of_a_turn_that_the_file_names_or_its_template_writes(
    tmp_path: Path, template: str | None, ids: dict[str, int], wanted: int
) -> None:
    assert end_token(tmp_path / "model.gguf", VOCABULARY, template, **ids) == wanted


def test_without_a_known_end_of_a_turn_it_is_the_end_of_the_text(tmp_path: Path) -> None:
    assert end_token(tmp_path / "one.gguf", ["<eos>", "a"], GEMMA, eos=EOS) == EOS
    with pytest.raises(ValueError, match="with which token a reply ends"):
        end_token(tmp_path / "none.gguf", ["a", "b"], GEMMA)
