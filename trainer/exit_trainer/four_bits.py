"""Frozen weights in 4 bits, for a device whose memory does not hold them otherwise.

What is trained then is no longer exactly what is served: the stage measures by how much, as it always does before it
begins, and the adapter is merged into the original file all the same.
"""

from __future__ import annotations

import torch
from torch import nn

from exit_trainer.report import Refusal


def pack(backbone: nn.Module, device: torch.device, dtype: torch.dtype) -> None:
    """Puts the linear layers on the device as NF4 of bitsandbytes; they compute in `dtype`.

    Raises:
        Refusal: bitsandbytes is not there, or does not know the device.
    """
    try:
        from bitsandbytes.nn import Linear4bit, Params4bit
    except ImportError:
        raise Refusal(
            "base-bits",
            "4-bit weights need the package bitsandbytes: install it beside torch, or leave --base-bits away.",
        ) from None
    if device.type not in ("cuda", "cpu"):
        raise Refusal("base-bits", f"There are no 4-bit weights on {device.type}: leave --base-bits away.")
    layers = {name: module for name, module in backbone.named_modules() if isinstance(module, nn.Linear)}
    for name, layer in layers.items():
        packed = Linear4bit(layer.in_features, layer.out_features, compute_dtype=dtype, quant_type="nf4", device="meta")
        packed.weight = Params4bit(layer.weight.data, requires_grad=False, quant_type="nf4")
        packed.bias = layer.bias
        packed.support_avx512bf16_for_cpu = False  # else a pass without gradients brings weights into another order
        backbone.set_submodule(name, packed.to(device))
