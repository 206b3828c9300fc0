"""Rotary positions turn as slowly as the file says, which transformers (5.24) leaves out when it reads one.

A file divides frequencies in two ways: each by its own number (`rope_freqs.weight`: Llama 3.1 and later), or all by one
(`ARCH.rope.scaling.factor`: Gemma 3 from 4B on, there in the layers of full attention alone). What llama.cpp makes of
them: `load_hparams` and `get_rope_factors` in https://github.com/ggml-org/llama.cpp/blob/master/src/llama-model.cpp.
"""

from __future__ import annotations

import torch
from gguf import GGUFReader
from torch import nn

Divisors = tuple[float, ...]
"""One for all frequencies of a head, or one for each."""

UNSCALED: Divisors = (1.0,)


def frequency_divisors(reader: GGUFReader, architecture: str) -> Divisors:
    """
    Raises:
        ValueError: the file scales in a way that cannot be trained; says which.
    """

    def field(name: str) -> object:
        found = reader.get_field(f"{architecture}.rope.{name}")
        return None if found is None else found.contents()

    def refuse(what: str) -> None:
        raise ValueError(
            f"The model's positions are scaled by {what}, which the trainer does not know: its log-probabilities would "
            "not be the server's. Use a model without that."
        )

    kind = field("scaling.type") or "linear"
    if kind not in ("none", "linear"):
        refuse(f"{architecture}.rope.scaling.type = {kind}")
    if field("scaling.attn_factor") not in (None, 1.0):
        refuse(f"{architecture}.rope.scaling.attn_factor")
    linear = float(field("scaling.factor") or field("scale_linear") or 1.0)  # type: ignore[arg-type]
    tensors = {tensor.name: tensor for tensor in reader.tensors if tensor.name.startswith("rope_")}
    own = tensors.pop("rope_freqs.weight", None) if architecture == "llama" else None
    if tensors:
        refuse(f"its tensor {next(iter(tensors))}")
    factors = UNSCALED if own is None else tuple(own.data.tolist())
    return tuple(factor * (1.0 if kind == "none" else linear) for factor in factors)


def slow_down(rotary: nn.Module, divisors: Divisors) -> None:
    """Divides the frequencies of a rotary embedding: where layers have two kinds, those of full attention."""
    for name, frequencies in rotary.named_buffers():
        if name in ("inv_freq", "full_attention_inv_freq"):
            frequencies.div_(torch.tensor(divisors, dtype=frequencies.dtype, device=frequencies.device))
