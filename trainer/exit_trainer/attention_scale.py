"""Gemma 3 scales its attention as the file's sizes say, which transformers (5.24) does not read out of one.

It takes 256 for every size, the number of values of a head in all but the largest (27B, 62 layers): that one has heads
of 128 and scales by the width of the model over its number of heads. What llama.cpp makes of them: `f_attention_scale`
in https://github.com/ggml-org/llama.cpp/blob/master/src/models/gemma3.cpp.
"""

from __future__ import annotations

from typing import Any

_LAYERS_OF_THE_LARGEST = 62


def scale_attention(backbone: Any) -> None:
    """Changes a model of the architecture `gemma3_text` in place; every other one is right as it was read."""
    config = backbone.config
    if config.model_type != "gemma3_text":
        return
    largest = config.num_hidden_layers == _LAYERS_OF_THE_LARGEST
    size = config.hidden_size // config.num_attention_heads if largest else config.head_dim
    config.query_pre_attn_scalar = size
    for layer in backbone.layers:
        layer.self_attn.scaling = size**-0.5
