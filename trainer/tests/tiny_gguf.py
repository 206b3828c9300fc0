"""A tiny random model of the llama architecture as a GGUF file, an adapter for it, and its forward pass in float64.

The forward pass is written out here, in transformers' layout, so that neither the code under test nor a library it
uses decides what is right.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from gguf import GGUFWriter
from gguf.quants import dequantize, quantize
from numpy.typing import NDArray
from safetensors.torch import save_file

LAYERS, WIDTH, INNER, HEADS, KEY_HEADS, HEAD = 2, 64, 96, 4, 2, 16
RANK, ALPHA = 4, 16
EPSILON, BASE = 1e-5, 10000.0

LINEARS = {
    "self_attn.q_proj": ("attn_q", HEADS * HEAD, WIDTH),
    "self_attn.k_proj": ("attn_k", KEY_HEADS * HEAD, WIDTH),
    "self_attn.v_proj": ("attn_v", KEY_HEADS * HEAD, WIDTH),
    "self_attn.o_proj": ("attn_output", WIDTH, HEADS * HEAD),
    "mlp.gate_proj": ("ffn_gate", INNER, WIDTH),
    "mlp.up_proj": ("ffn_up", INNER, WIDTH),
    "mlp.down_proj": ("ffn_down", WIDTH, INNER),
}
"""Name in transformers: name in the file, rows, columns."""

Weights = dict[str, NDArray[np.float64]]
"""By transformers' name, in transformers' layout."""


_SPECIAL = ["<unk>", "<s>", "</s>"]
_LETTERS = [chr(0x400 + at) for at in range(128)]
_TOKENS = [*_SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), *_LETTERS]
VOCABULARY = len(_TOKENS)

TOKEN_OF = {piece: _TOKENS.index(piece) for piece in _LETTERS} | {chr(byte): 3 + byte for byte in range(1, 128)}
"""Id of a token by its text, where it is a text of its own."""


@dataclass(frozen=True)
class Factors:
    a: NDArray[np.float32]
    b: NDArray[np.float32]


def write_base(file: Path, kind: Type, seed: int = 0, tokenizer: bool = True, **settings: int) -> Weights:
    """
    Args:
        kind: type of the linear layers' weights; all else is float32.
        settings: further numbers to put into the file.

    Returns:
        The weights that are in the file, after rounding.
    """
    random = np.random.default_rng(seed)
    writer = GGUFWriter(file, "llama")
    writer.add_name("tiny")
    writer.add_file_type(0)
    writer.add_vocab_size(VOCABULARY)
    writer.add_context_length(128)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_rope_dimension_count(HEAD)
    writer.add_rope_freq_base(BASE)
    for key, value in settings.items():
        writer.add_uint32(key.replace("__", "."), value)
    if tokenizer:
        _add_tokenizer(writer)
    weights: Weights = {}

    def put(name: str, own: str, values: NDArray[np.float32], kind: Type, heads: int | None = None) -> None:
        data = quantize(values, kind)
        weights[name] = dequantize(data, kind).astype(np.float64)
        # Rows are quantised one by one, so that they can be brought into the file's order afterwards.
        writer.add_tensor(own, data if heads is None else data[file_order(len(data), heads)], raw_dtype=kind)

    def normal(*shape: int, scale: float = 1.0) -> NDArray[np.float32]:
        return (scale * random.standard_normal(shape)).astype(np.float32)

    put("embed_tokens", "token_embd.weight", normal(VOCABULARY, WIDTH), Type.F32)
    for layer in range(LAYERS):
        for name, (own, rows, columns) in LINEARS.items():
            heads = {"attn_q": HEADS, "attn_k": KEY_HEADS}.get(own)
            values = normal(rows, columns, scale=columns**-0.5)
            put(f"layers.{layer}.{name}", f"blk.{layer}.{own}.weight", values, kind, heads)
        for name, own in (("input_layernorm", "attn_norm"), ("post_attention_layernorm", "ffn_norm")):
            put(f"layers.{layer}.{name}", f"blk.{layer}.{own}.weight", 1 + normal(WIDTH, scale=0.1), Type.F32)
    put("norm", "output_norm.weight", 1 + normal(WIDTH, scale=0.1), Type.F32)
    head = normal(VOCABULARY, WIDTH, scale=1.2 * WIDTH**-0.5)
    # Special tokens, which end a reply, and halves of characters, which have no text, are never among the likeliest.
    head[[token for token in range(VOCABULARY) if token not in TOKEN_OF.values()]] = 0
    put("lm_head", "output.weight", head, Type.F32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return weights


def write_adapter(folder: Path, scale: float = 1.0, seed: int = 1, **settings: object) -> dict[str, Factors]:
    """A random adapter in PEFT's layout.

    Args:
        scale: of the update, against weights of the same size.
        settings: take the place of those in `adapter_config.json`.

    Returns:
        Factors by transformers' name.
    """
    random = np.random.default_rng(seed)
    factors = {}
    for layer in range(LAYERS):
        for name, (_, rows, columns) in LINEARS.items():
            a = random.standard_normal((RANK, columns)) * columns**-0.5
            b = random.standard_normal((rows, RANK)) * scale * RANK**0.5 / ALPHA
            factors[f"layers.{layer}.{name}"] = Factors(a.astype(np.float32), b.astype(np.float32))
    folder.mkdir(parents=True)
    save_file(
        {
            f"base_model.model.model.{name}.lora_{letter}.weight": torch.from_numpy(value)
            for name, pair in factors.items()
            for letter, value in (("A", pair.a), ("B", pair.b))
        },
        folder / "adapter_model.safetensors",
    )
    targets = [name.split(".")[1] for name in LINEARS]
    config = {
        "peft_type": "LORA",
        "r": RANK,
        "lora_alpha": ALPHA,
        "target_modules": targets,
        "bias": "none",
        **settings,
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return factors


def tuned(weights: Weights, factors: dict[str, Factors]) -> Weights:
    updates = {
        name: ALPHA / RANK * pair.b.astype(np.float64) @ pair.a.astype(np.float64) for name, pair in factors.items()
    }
    return {name: value + updates.get(name, 0) for name, value in weights.items()}


def next_probabilities(weights: Weights, tokens: list[int]) -> NDArray[np.float64]:
    """(tokens, vocabulary)"""
    x = weights["embed_tokens"][tokens]
    for layer in range(LAYERS):
        of = {name: weights[f"layers.{layer}.{name}"] for name in (*LINEARS, *_NORMS)}
        normed = _normed(x, of["input_layernorm"])
        q = _turned(_heads(normed @ of["self_attn.q_proj"].T))
        k = np.repeat(_turned(_heads(normed @ of["self_attn.k_proj"].T)), HEADS // KEY_HEADS, axis=0)
        v = np.repeat(_heads(normed @ of["self_attn.v_proj"].T), HEADS // KEY_HEADS, axis=0)
        scores = q @ k.swapaxes(1, 2) / HEAD**0.5
        scores = np.where(np.tri(len(tokens), dtype=bool), scores, -np.inf)
        mixed = (_softmax(scores) @ v).swapaxes(0, 1).reshape(len(tokens), -1)
        x = x + mixed @ of["self_attn.o_proj"].T
        normed = _normed(x, of["post_attention_layernorm"])
        gate = normed @ of["mlp.gate_proj"].T
        x = x + (gate / (1 + np.exp(-gate)) * (normed @ of["mlp.up_proj"].T)) @ of["mlp.down_proj"].T
    return _softmax(_normed(x, weights["norm"]) @ weights["lm_head"].T)


_NORMS = ("input_layernorm", "post_attention_layernorm")


def file_order(rows: int, heads: int) -> list[int]:
    """Which of transformers' rows stands at each place of the file: a head's halves, interleaved."""
    half = rows // heads // 2
    return [head * 2 * half + side * half + at for head in range(heads) for at in range(half) for side in (0, 1)]


def _heads(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x.reshape(len(x), -1, HEAD).swapaxes(0, 1)


def _turned(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotary positions, a head's first half against its second."""
    angles = np.arange(x.shape[1])[:, None] * BASE ** (-np.arange(HEAD // 2) * 2 / HEAD)
    one, other = x[..., : HEAD // 2], x[..., HEAD // 2 :]
    cos, sin = np.cos(angles), np.sin(angles)
    return np.concatenate([one * cos - other * sin, other * cos + one * sin], axis=-1)


def _normed(x: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + EPSILON) * weight


def _softmax(x: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def _add_tokenizer(writer: GGUFWriter) -> None:
    """Special tokens, all bytes, as llama.cpp wants them, and letters, so that most tokens are known by their text."""
    writer.add_tokenizer_model("llama")
    writer.add_token_list(_TOKENS)
    writer.add_token_scores([0.0] * VOCABULARY)
    writer.add_token_types([2, 3, 3, *[6] * 256, *[1] * len(_LETTERS)])
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_space_prefix(False)
