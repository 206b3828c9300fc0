"""Positions turn as in the runtime that serves the file (llama.cpp), also where the file slows them down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType as Type
from gguf import GGUFWriter
from numpy.typing import NDArray
from test_served import WRONG, apart, embedded

import tiny_gguf
from exit_trainer import model
from exit_trainer.model import facts_of, load
from tiny_gguf import HEADS, INNER, KEY_HEADS, VOCABULARY, WIDTH

TOKENS = [1, *(259 + 7 * at % 128 for at in range(48))]
BOUND = 5e-3
"""Largest difference of a probability."""

FACTORS = [1.0, 1.0, 1.5, 2.0, 4.0, 8.0, 8.0, 8.0]
"""As Llama 3.1 has them: of slow rotations the larger ones."""


def write(
    file: Path,
    architecture: str,
    settings: dict[str, Any],
    factors: list[float] | None = None,
    sizes: tuple[int, int] | None = None,
) -> None:
    """A random model.

    Args:
        sizes: values of a head, and layers; None: as these families have them.
        settings: of `rope`, by the end of their names.
        factors: of `rope_freqs.weight`.
    """
    random = np.random.default_rng(3)
    # The sixth layer of Gemma 3 is its first of full attention.
    head, layers = sizes or {"qwen3": (128, 2), "gemma3": (256, 6)}.get(architecture, (16, 2))
    writer = GGUFWriter(file, architecture)
    writer.add_name("tiny")
    writer.add_vocab_size(VOCABULARY)
    writer.add_context_length(128)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_dimension_count(head)
    writer.add_rope_freq_base(10000.0)
    if architecture == "gemma3":
        writer.add_sliding_window(512)
    for name, value in settings.items():
        key = f"{architecture}.rope.{name}"
        (writer.add_string if isinstance(value, str) else writer.add_float32)(key, value)
    tiny_gguf._add_tokenizer(writer)

    def put(name: str, values: NDArray[Any]) -> None:
        writer.add_tensor(name, values.astype(np.float32), raw_dtype=Type.F32)

    def linear(name: str, rows: int, columns: int, scale: float = 1.0) -> None:
        put(f"{name}.weight", scale * random.standard_normal((rows, columns)) * columns**-0.5)

    def norm(name: str, size: int = WIDTH, scale: float = 1.0) -> None:
        put(f"{name}.weight", scale * (1 + 0.1 * random.standard_normal(size)))

    put("token_embd.weight", random.standard_normal((VOCABULARY, WIDTH)) * 0.3)
    for layer in range(layers):
        at = f"blk.{layer}."
        # Large, so that attention looks at few positions.
        linear(f"{at}attn_q", HEADS * head, WIDTH, 2)
        linear(f"{at}attn_k", KEY_HEADS * head, WIDTH, 2)
        linear(f"{at}attn_v", KEY_HEADS * head, WIDTH)
        linear(f"{at}attn_output", WIDTH, HEADS * head)
        linear(f"{at}ffn_gate", INNER, WIDTH)
        linear(f"{at}ffn_up", INNER, WIDTH)
        linear(f"{at}ffn_down", WIDTH, INNER)
        norm(f"{at}attn_norm")
        norm(f"{at}ffn_norm")
        if architecture == "qwen2":
            for name, heads in (("q", HEADS), ("k", KEY_HEADS), ("v", KEY_HEADS)):
                put(f"{at}attn_{name}.bias", random.standard_normal(heads * head))
        if architecture in ("qwen3", "gemma3"):
            norm(f"{at}attn_q_norm", head, 1.4)
            norm(f"{at}attn_k_norm", head, 1.4)
        if architecture == "gemma3":
            norm(f"{at}post_attention_norm")
            norm(f"{at}post_ffw_norm")
    norm("output_norm")
    if factors is not None:
        put("rope_freqs.weight", np.array(factors))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@torch.no_grad()
def ours(file: Path) -> NDArray[np.float64]:
    trainee = load(file, torch.device("cpu"), torch.float32, rank=4)
    logits = trainee.head(trainee.backbone(input_ids=torch.tensor([TOKENS])).last_hidden_state[0])
    return torch.softmax(logits.double(), dim=-1).numpy()


@pytest.mark.parametrize(
    ("architecture", "settings", "factors"),
    [
        ("llama", {}, FACTORS),
        ("llama", {"scaling.type": "linear", "scaling.factor": 4.0}, None),
        ("llama", {"scaling.factor": 2.0}, FACTORS),
        ("qwen2", {"scale_linear": 4.0}, None),
        ("qwen3", {"scaling.factor": 4.0}, None),
        ("gemma3", {"scaling.type": "linear", "scaling.factor": 8.0}, None),
    ],
)
def test_positions_turn_as_in_the_embedded_runtime(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    architecture: str,
    settings: dict[str, Any],
    factors: list[float] | None,
) -> None:
    monkeypatch.setattr(model, "read_tokenizer", lambda _: None)
    plain, scaled = tmp_path / "plain.gguf", tmp_path / "scaled.gguf"
    write(plain, architecture, {})
    write(scaled, architecture, settings, factors)
    of_plain, of_scaled = embedded((plain, None), (scaled, None), tokens=TOKENS)
    assert apart(of_plain, ours(plain)) <= BOUND
    assert apart(of_scaled, ours(scaled)) <= BOUND
    assert apart(of_plain, of_scaled) > WRONG


@pytest.mark.parametrize(("layers", "bound"), [(6, BOUND), (62, 0.1)])
def test_gemma_3_scales_attention_as_the_embedded_runtime_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layers: int, bound: float
) -> None:
    """The one of 62 layers by its width over its heads, the others by the size of a head. So many random layers make
    much of the runtime's rounding (0.05); a scale that is an eighth off is 0.3 away."""
    monkeypatch.setattr(model, "read_tokenizer", lambda _: None)
    file = tmp_path / "gemma.gguf"
    write(file, "gemma3", {}, sizes=(128, layers))
    (found,) = embedded((file, None), tokens=TOKENS)
    assert apart(found, ours(file)) <= bound
    monkeypatch.setattr(model, "scale_attention", lambda _: None)
    assert apart(found, ours(file)) > bound


def test_scaling_of_the_kind_none_scales_nothing(tmp_path: Path) -> None:
    write(tmp_path / "none.gguf", "qwen2", {"scaling.type": "none", "scaling.factor": 4.0})
    assert facts_of(tmp_path / "none.gguf").frequency_divisors == (1.0,)


@pytest.mark.parametrize(
    ("settings", "factors", "named"),
    [
        ({"scaling.type": "yarn", "scaling.factor": 4.0}, None, r"qwen2\.rope\.scaling\.type = yarn"),
        ({"scaling.type": "longrope"}, None, "longrope"),
        ({"scaling.attn_factor": 1.2}, None, "attn_factor"),
        ({}, FACTORS, r"rope_freqs\.weight"),
    ],
)
def test_other_scaling_is_refused_by_its_name(
    tmp_path: Path, settings: dict[str, Any], factors: list[float] | None, named: str
) -> None:
    write(tmp_path / "other.gguf", "qwen2", settings, factors)
    with pytest.raises(ValueError, match=named):
        facts_of(tmp_path / "other.gguf")
