"""Tiny random models of the supported architectures, with an adapter that is not zero."""

from __future__ import annotations

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from exit_trainer.mixed import keep_sums_in_float32

VOCABULARY = 97
WINDOW = 8

_sizes = dict(
    vocab_size=VOCABULARY,
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=3,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=128,
    pad_token_id=0,
    # Larger than a trained model starts with: attention that is nearly uniform has gradients for queries and keys that
    # cancel to almost nothing, and a relative error of them would measure rounding.
    initializer_range=0.2,
)

_families: dict[str, tuple[type[PreTrainedModel], object]] = {
    "llama": (LlamaForCausalLM, LlamaConfig(**_sizes)),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config(**_sizes)),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config(**_sizes, head_dim=8)),
    "gemma3": (
        Gemma3ForCausalLM,
        Gemma3TextConfig(
            **_sizes,
            head_dim=8,
            sliding_window=WINDOW,
            query_pre_attn_scalar=8,
            layer_types=["sliding_attention", "full_attention", "sliding_attention"],
        ),
    ),
}

FAMILIES = list(_families)


def tiny_model(family: str, seed: int = 0, dtype: torch.dtype = torch.float32) -> PeftModel:
    """With LoRA on all linear layers but the head, both factors random; precisions as `load` makes them."""
    torch.manual_seed(seed)
    kind, config = _families[family]
    base = kind(config).to(dtype)
    adapter = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", lora_dropout=0.0)
    model = get_peft_model(base, adapter)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.2)
    if dtype != torch.float32:
        keep_sums_in_float32(model)
    return model.eval()


def backbone_of(model: PeftModel) -> PreTrainedModel:
    return model.get_base_model().model


def head_of(model: PeftModel) -> nn.Module:
    return model.get_base_model().lm_head


def lora_gradients(model: PeftModel) -> dict[str, Tensor]:
    """Gradients by name, taken away from the model."""
    gradients = {
        name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None
    }
    model.zero_grad(set_to_none=True)
    return gradients


def tokens(length: int, seed: int) -> list[int]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(1, VOCABULARY, (length,), generator=generator).tolist()
