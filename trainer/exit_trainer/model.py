"""The base model as it is served: weights and tokenizer out of its GGUF file, with an adapter on all linear layers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from gguf import GGUFReader
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, PreTrainedModel, PreTrainedTokenizerBase

from exit_trainer.attention_scale import scale_attention
from exit_trainer.four_bits import pack
from exit_trainer.mixed import keep_sums_in_float32
from exit_trainer.pre_tokenizer import BLANK, apply_rule
from exit_trainer.rope import UNSCALED, Divisors, frequency_divisors, slow_down

ARCHITECTURES = ("llama", "qwen2", "qwen3", "gemma3")
"""Values of `general.architecture` that can be read, trained and written back."""


@dataclass(frozen=True)
class Facts:
    """What the file says about itself."""

    architecture: str
    name: str
    end_token: int
    """Id with which a reply ends: the end of a turn where the file names one, else the end of the text."""
    template: str | None
    context_length: int
    frequency_divisors: Divisors = UNSCALED


@dataclass(frozen=True)
class Trainee:
    """A model in training: a frozen base, an adapter over it."""

    model: PeftModel
    tokenizer: PreTrainedTokenizerBase
    facts: Facts

    @property
    def backbone(self) -> PreTrainedModel:
        return cast(PreTrainedModel, self.model.get_base_model().model)

    @property
    def head(self) -> nn.Module:
        return cast(nn.Module, self.model.get_base_model().lm_head)

    @property
    def softcap(self) -> float | None:
        return getattr(self.backbone.config, "final_logit_softcapping", None)

    def tokenize(self, text: str) -> list[int]:
        """Ids of exactly this text: special tokens written in it are read as such, none is added."""
        return tokenize(self.tokenizer, text)

    def tokenize_reply(self, text: str) -> list[int]:
        """Ids of what the model went on with."""
        return tokenize_reply(self.tokenizer, text)


def tokenize(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    return tokenizer(text, add_special_tokens=False)["input_ids"]


_BEFORE = "\n"


def tokenize_reply(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Ids of a text that a model went on with: the blank that vocabularies of SentencePiece have put before a text was
    not sampled. After a line feed, which is a token of its own there, there is none."""
    first = tokenizer.convert_ids_to_tokens(tokenize(tokenizer, "a"))[0]
    if not first.startswith(BLANK):
        return tokenize(tokenizer, text)
    before = tokenize(tokenizer, _BEFORE)
    return tokenize(tokenizer, _BEFORE + text)[len(before) :]


def read_tokenizer(file: Path) -> PreTrainedTokenizerBase:
    """Without the weights, so in seconds."""
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name, local_files_only=True)
    apply_rule(tokenizer, file)
    return tokenizer


def facts_of(file: Path) -> Facts:
    """
    Raises:
        ValueError: the file cannot be trained on, in words.
    """
    try:
        reader = GGUFReader(file)
    except (OSError, ValueError, IndexError) as problem:
        raise ValueError(f"{file} cannot be read as a GGUF file: {problem}") from None

    def field(name: str) -> object:
        found = reader.get_field(name)
        return None if found is None else found.contents()

    architecture = str(field("general.architecture"))
    if architecture not in ARCHITECTURES:
        raise ValueError(
            f"{file.name} holds a {architecture} model; those that can be trained are {', '.join(ARCHITECTURES)}. "
            "Use a model of one of these families."
        )
    if (field("split.count") or 0) not in (0, 1):
        raise ValueError(f"{file.name} is one part of a model in several files: join them first.")
    tokens = cast(list[str] | None, field("tokenizer.ggml.tokens"))
    if tokens is None:
        raise ValueError(f"{file.name} has no tokenizer in it, so prompts cannot be read as the server read them.")
    template = cast(str | None, field("tokenizer.chat_template"))
    ends = field("tokenizer.ggml.eot_token_id"), turn_end(tokens, template), field("tokenizer.ggml.eos_token_id")
    end = next((end for end in ends if end is not None), None)
    if end is None:
        raise ValueError(f"{file.name} does not say with which token a reply ends.")
    return Facts(
        architecture=architecture,
        name=str(field("general.name") or file.stem),
        end_token=int(end),  # type: ignore[call-overload]
        template=template,
        context_length=int(field(f"{architecture}.context_length") or 0),  # type: ignore[call-overload]
        frequency_divisors=frequency_divisors(reader, architecture),
    )


_TURN_ENDS = ("<end_of_turn>", "<|im_end|>", "<|eot_id|>", "<|end|>")
"""Texts of tokens that end a turn, of those llama.cpp takes for one where a file names none (`special_eot_id` in
https://github.com/ggml-org/llama.cpp/blob/master/src/llama-vocab.cpp)."""


def turn_end(tokens: list[str], template: str | None) -> int | None:
    """Id of the token that ends a turn, of a file that does not name it: the one its chat template writes. Where there
    is no template, the one the vocabulary has."""
    known = [text for text in _TURN_ENDS if template is None or text in template]
    return next((tokens.index(text) for text in known if text in tokens), None)


def load(
    file: Path,
    device: torch.device,
    dtype: torch.dtype,
    rank: int = 16,
    alpha: int = 32,
    adapter: Path | None = None,
    base_bits: int | None = None,
) -> Trainee:
    """The served weights, dequantised, with a fresh adapter or the one in the folder `adapter`.

    The adapter is kept in float32 whatever the base is, and so is what it is added to (`mixed.py`), as its updates are
    smaller than bfloat16 can tell.

    Args:
        base_bits: 4 for linear layers packed anew in 4 bits.
    """
    facts = facts_of(file)
    tokenizer = read_tokenizer(file)
    options = {"gguf_file": file.name, "local_files_only": True}
    # Said outright: with a package of kernels installed, transformers would keep the weights packed.
    plain = GgufConfig(dequantize=True)
    base = AutoModelForCausalLM.from_pretrained(file.parent, **options, dtype=dtype, quantization_config=plain)
    base.config.use_cache = False
    slow_down(base.model.rotary_emb, facts.frequency_divisors)
    scale_attention(base.model)
    if base_bits == 4:
        pack(base.model, device, dtype)
        base.is_loaded_in_4bit = True  # type: ignore[assignment]  # where PEFT looks for it
    if adapter is None:
        settings = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules="all-linear")
        model: PeftModel = get_peft_model(base, settings, autocast_adapter_dtype=True)
    else:
        model = PeftModel.from_pretrained(base, adapter, is_trainable=True, autocast_adapter_dtype=True)
    if dtype != torch.float32:
        keep_sums_in_float32(model)
    return Trainee(model.to(device).eval(), tokenizer, facts)
