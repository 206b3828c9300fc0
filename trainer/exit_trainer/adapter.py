"""A trained adapter in the terms of the GGUF file it belongs to: its tensor names and its order of rows."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf import MODEL_ARCH_NAMES, GGUFReader, ReaderTensor, get_tensor_name_map
from numpy.typing import NDArray
from safetensors.torch import load_file

from exit_trainer.permute import Heads
from exit_trainer.report import Refusal

_CANNOT = {
    "use_dora": "is of the DoRA kind, which is no sum of base and update",
    "bias": "has trained biases",
    "modules_to_save": "holds whole layers besides its updates",
    "rank_pattern": "has layers of different ranks",
    "alpha_pattern": "has layers of different scales",
}


@dataclass(frozen=True)
class Update:
    """What is added to one tensor: `scale * b @ a`."""

    a: NDArray[np.float32]
    """(rank, in)"""
    b: NDArray[np.float32]
    """(out, rank), rows in the file's order."""
    scale: float

    def delta(self) -> NDArray[np.float64]:
        """(out, in). In float64, so that it does not depend on how a product is blocked."""
        return self.scale * (self.b.astype(np.float64) @ self.a.astype(np.float64))


def read_adapter(folder: Path, base: GGUFReader) -> dict[str, Update]:
    """Updates by the name of the tensor in `base` they belong to.

    Raises:
        Refusal: the adapter cannot be put into this file, in words.
    """
    try:
        settings = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        weights = load_file(folder / "adapter_model.safetensors")
    except (OSError, ValueError) as problem:
        raise Refusal("adapter", f"{folder} cannot be read as an adapter: {problem}") from None
    for name, what in _CANNOT.items():
        if settings.get(name) not in (None, False, "none", {}, []):
            raise Refusal("adapter", f"The adapter in {folder} {what}; train it with `exit_trainer train`.")
    heads = heads_of(base)
    there = {tensor.name: tensor for tensor in base.tensors}
    names = get_tensor_name_map(_family(heads.architecture), _number(base, f"{heads.architecture}.block_count"))
    factors: dict[str, dict[str, NDArray[np.float32]]] = defaultdict(dict)
    for key, value in weights.items():
        module, _, factor = key.removeprefix("base_model.model.").removesuffix(".weight").rpartition(".")
        tensor = names.get_name(module)
        if factor not in ("lora_A", "lora_B") or tensor is None:
            raise Refusal(
                "adapter", f"The adapter was trained on another model: its {module} has no tensor in this file."
            )
        factors[f"{tensor}.weight"][factor] = value.float().numpy()
    root = bool(settings.get("use_rslora"))
    return {
        name: _update(name, pair, there.get(name), heads, settings["lora_alpha"], root)
        for name, pair in factors.items()
    }


def heads_of(base: GGUFReader) -> Heads:
    field = base.get_field("general.architecture")
    architecture = "" if field is None else str(field.contents())
    query = _number(base, f"{architecture}.attention.head_count")
    key = f"{architecture}.attention.head_count_kv"
    return Heads(architecture, query, query if base.get_field(key) is None else _number(base, key))


def _update(
    name: str,
    pair: dict[str, NDArray[np.float32]],
    tensor: ReaderTensor | None,
    heads: Heads,
    alpha: float,
    root: bool,
) -> Update:
    if len(pair) != 2:
        raise Refusal("adapter", f"The adapter has one of two factors for {name}: its file is not whole.")
    a, b = pair["lora_A"], pair["lora_B"]
    rank = a.shape[0]
    shape = None if tensor is None else tuple(reversed(tensor.shape.tolist()))
    if shape != (b.shape[0], a.shape[1]) or b.shape[1] != rank:
        raise Refusal(
            "adapter",
            f"The adapter was trained on another model: its update of {name} is {b.shape[0]} x {a.shape[1]}, "
            f"the file's tensor is {'missing' if shape is None else ' x '.join(map(str, shape))}.",
        )
    return Update(a, heads.to_file_rows(name, b), alpha / (math.sqrt(rank) if root else rank))


def _family(architecture: str) -> Any:
    return next(family for family, name in MODEL_ARCH_NAMES.items() if name == architecture)


def _number(base: GGUFReader, key: str) -> int:
    field = base.get_field(key)
    value = None if field is None else field.contents()
    if not isinstance(value, int):
        raise Refusal("model", f"The model file does not say one number for {key}; it cannot be written back.")
    return value
