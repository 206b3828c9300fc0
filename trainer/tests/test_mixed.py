"""An adapter counts in full beside weights in bfloat16, however small it is."""

from __future__ import annotations

from pathlib import Path

import torch
from gguf import GGMLQuantizationType as Type
from peft.tuners.lora import Linear

import tiny_gguf
from exit_trainer.model import load

SMALL = 1e-4
"""So that what the adapter adds is less than half a step of bfloat16 nearly everywhere."""


def test_what_it_adds_to_a_layer_is_not_rounded_away(tmp_path: Path) -> None:
    tiny_gguf.write_base(tmp_path / "base.gguf", Type.F32)
    torch.manual_seed(0)
    model = load(tmp_path / "base.gguf", torch.device("cpu"), torch.bfloat16, rank=4).model
    layers = [module for module in model.modules() if isinstance(module, Linear)]
    assert layers
    for layer in layers:
        assert layer.base_layer.weight.dtype == torch.bfloat16
        first, second = layer.lora_A["default"], layer.lora_B["default"]
        torch.nn.init.normal_(second.weight, std=SMALL)
        x = torch.randn(7, first.in_features)
        added = layer.scaling["default"] * second(first(x))
        found = layer(x) - layer.base_layer(x)
        assert float((found - added).norm() / added.norm()) < 0.01


def test_what_goes_from_layer_to_layer_is_float32(tmp_path: Path) -> None:
    tiny_gguf.write_base(tmp_path / "base.gguf", Type.F32)
    trainee = load(tmp_path / "base.gguf", torch.device("cpu"), torch.bfloat16, rank=4)
    found: set[torch.dtype] = set()
    for layer in trainee.backbone.layers:
        layer.register_forward_hook(lambda _layer, _inputs, output: found.add(output.dtype))
    trainee.backbone(input_ids=torch.tensor([[300, 301, 302]]), use_cache=False)
    assert found == {torch.float32}
