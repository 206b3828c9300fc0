"""`python -m exit_trainer merge`: the adapter's whole update added to the model file it was trained on.

Only the tensors the adapter touches change. They are not quantised as coarsely as they were: on a grid of four bits an
update smaller than half a step is rounded away, and with it everything that was learned. So each is written in the
first type that keeps enough of its update, and how much that is has been measured on the very bytes written. Two
numbers tell it: the share of the update that is there, and the rounding noise around it. On a grid that is not the
base's own the share alone says little: rounding then works like dither, and all of a small update is there on average
under noise of nine times its size (SmolLM2-135M, Q4_1 to Q8_0, update of 0.07 % of the weights).
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGML_QUANT_SIZES, GGUFReader, GGUFWriter, ReaderTensor
from gguf import GGMLQuantizationType as Type
from gguf.quants import dequantize, quantize
from numpy.typing import NDArray

from exit_trainer import checkpoint
from exit_trainer.adapter import Update, heads_of, read_adapter
from exit_trainer.gguf_copy import copy_with
from exit_trainer.model import facts_of
from exit_trainer.report import Refusal, tell

LEAST_RECOVERED = 0.95
"""Share of an update that has to survive its rounding; below it the next finer type is taken."""

MOST_NOISE = 1.0
"""Rounding noise against the size of the update; above it the next finer type is taken."""

BASE_KEY = "exit_ml.base.sha256"
ADAPTER_KEY = "exit_ml.adapter.sha256"


@dataclass(frozen=True)
class Change:
    """What became of a tensor and its update."""

    kind: Type
    recovered: float
    """Share of the update that is in the encoded values: `<found, update> / <update, update>`; 1 is all of it."""
    noise: float
    """What is in them besides: `|found - update| / |update|`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, required=True, help="GGUF file the adapter was trained on")
    parser.add_argument("--adapter", type=Path, required=True, help="folder of the adapter")
    parser.add_argument("--out", type=Path, required=True, help="GGUF file to write")
    parser.add_argument("--name", help="of the tuned model (default: the base's, tuned)")
    parser.add_argument(
        "--adapter-file",
        action="store_true",
        help="write the adapter alone, for servers that put it over the base themselves",
    )
    parser.add_argument(
        "--quantise",
        action="store_true",
        help="keep the base's types, however much of the updates that deletes: it is measured and said",
    )


def run(options: argparse.Namespace) -> None:
    """
    Raises:
        Refusal: what keeps the file from being written, in words.
    """
    try:
        facts = facts_of(options.model)
    except ValueError as problem:
        raise Refusal("model", str(problem)) from None
    base = GGUFReader(options.model)
    digest = checkpoint.file_digest(options.model)
    _refuse_wrong_base(options, base, digest)
    updates = read_adapter(options.adapter, base)
    name = options.name or f"{facts.name} tuned"
    source = {
        BASE_KEY: digest,
        ADAPTER_KEY: checkpoint.file_digest(options.adapter / "adapter_model.safetensors"),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    if options.adapter_file:
        write_adapter_file(base, updates, options.out, {"general.name": name, **source})
        size = options.out.stat().st_size
        tell(
            "merged",
            f"Wrote the adapter alone: {options.out} ({_megabytes(size)}). Nothing of it is rounded.",
            file=str(options.out),
            bytes=size,
            types={"F32": 2 * len(updates)},
            recovered=1.0,
            noise=0.0,
        )
        return
    _say_size(options, base, updates)
    changes = merge(base, updates, options.out, {"general.name": name, **source}, options.quantise)
    _say_changes(options.out, changes)


def merge(
    base: GGUFReader, updates: dict[str, Update], out: Path, settings: dict[str, str], quantise: bool = False
) -> dict[str, Change]:
    """Writes the tuned model, whole or not at all; a tensor whose update is zero keeps its bytes.

    Args:
        quantise: keep the base's types.

    Returns:
        Changed tensors by name.
    """
    changes: dict[str, Change] = {}

    def replace(tensor: ReaderTensor) -> tuple[Type, NDArray[Any]] | None:
        update = updates.get(tensor.name)
        if update is None or not update.b.any():
            return None
        changes[tensor.name], data = change(tensor, update, types_for(tensor, quantise))
        return changes[tensor.name].kind, data

    checkpoint.write_whole(out, lambda draft: copy_with(base, draft, replace, settings))
    return changes


def change(tensor: ReaderTensor, update: Update, types: Sequence[Type]) -> tuple[Change, NDArray[Any]]:
    """Dequantised base plus update, encoded in the first of `types` that keeps enough of the update, else the last."""
    base = dequantize(tensor.data, tensor.tensor_type).astype(np.float32, copy=False)
    delta = update.delta()
    values = (base + delta).astype(np.float32)
    for kind in types:
        data = _encoded(values, kind)
        found = dequantize(data, kind).astype(np.float64) - base
        recovered = float(np.vdot(found, delta) / np.vdot(delta, delta))
        noise = float(np.linalg.norm(found - delta) / np.linalg.norm(delta))
        if recovered >= LEAST_RECOVERED and noise <= MOST_NOISE:
            break
    return Change(kind, recovered, noise), data


def types_for(tensor: ReaderTensor, quantise: bool = False) -> Sequence[Type]:
    """Coarsest first. What was not quantised stays so: the tuned model is never coarser than its base."""
    if quantise or tensor.tensor_type in (Type.F32, Type.F16):
        return (tensor.tensor_type,)
    if tensor.tensor_type == Type.BF16:
        return (Type.BF16, Type.F16)
    return (Type.F16,) if tensor.shape[0] % GGML_QUANT_SIZES[Type.Q8_0][0] else (Type.Q8_0, Type.F16)


def sizes(base: GGUFReader, updates: dict[str, Update], quantise: bool = False) -> tuple[int, int]:
    """Least and most bytes the tuned model takes."""
    targets = [tensor for tensor in base.tensors if tensor.name in updates]
    rest = int(base.data.nbytes) - sum(tensor.n_bytes for tensor in targets)
    each = [sorted(_bytes(tensor, kind) for kind in types_for(tensor, quantise)) for tensor in targets]
    return rest + sum(size[0] for size in each), rest + sum(size[-1] for size in each)


def write_adapter_file(base: GGUFReader, updates: dict[str, Update], out: Path, settings: dict[str, str]) -> None:
    """The adapter alone, as llama.cpp reads it: factors in float32 under the names of the base's tensors.

    Source: https://github.com/ggml-org/llama.cpp/blob/master/src/llama-adapter.cpp (it scales by alpha / rank).
    """
    alphas = {update.scale * update.a.shape[0] for update in updates.values()}
    if len(alphas) != 1:
        raise Refusal("adapter", "The adapter has several scales, which an adapter file cannot say: merge it instead.")

    def write(draft: Path) -> None:
        writer = GGUFWriter(draft, heads_of(base).architecture)
        writer.add_type("adapter")
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", alphas.pop())
        for key, value in settings.items():
            writer.add_string(key, value)
        for name, update in updates.items():
            writer.add_tensor(f"{name}.lora_a", update.a)
            writer.add_tensor(f"{name}.lora_b", np.ascontiguousarray(update.b))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()

    checkpoint.write_whole(out, write)


def _refuse_wrong_base(options: argparse.Namespace, base: GGUFReader, digest: str) -> None:
    if base.byte_order != "I":
        raise Refusal("model", f"{options.model.name} is in the byte order of another kind of machine.")
    if options.out.exists() and options.out.samefile(options.model):
        raise Refusal("model", f"{options.out} is the base itself: name another file to write.")
    if base.get_field(BASE_KEY) is not None:
        raise Refusal(
            "model", f"{options.model.name} is a tuned model already. Updates are always added to the original file."
        )
    note = options.adapter.parent / "stage.json"
    if not note.exists():
        return
    trained_on = json.loads(note.read_text(encoding="utf-8"))["model"]
    if trained_on["sha256"] != digest:
        raise Refusal(
            "model", f"The adapter was trained on {trained_on['file']}, which is not this {options.model.name}."
        )


def _say_size(options: argparse.Namespace, base: GGUFReader, updates: dict[str, Update]) -> None:
    least, most = sizes(base, updates, options.quantise)
    tell(
        "size",
        f"The tuned model will take {_megabytes(least)} to {_megabytes(most)}; "
        f"the base takes {_megabytes(options.model.stat().st_size)}.",
        least=least,
        most=most,
        base=options.model.stat().st_size,
    )
    free = shutil.disk_usage(options.out.parent).free
    if free < most:
        raise Refusal(
            "disk", f"{options.out.parent} has {_megabytes(free)} free and {_megabytes(most)} may be needed: make room."
        )


def _say_changes(out: Path, changes: dict[str, Change]) -> None:
    types = Counter(one.kind.name for one in changes.values())
    told = ", ".join(f"{count} tensors in {kind}" for kind, count in types.items())
    recovered = min((one.recovered for one in changes.values()), default=1.0)
    noise = max((one.noise for one in changes.values()), default=0.0)
    tell(
        "merged",
        f"Wrote {out}: {told or 'no change'}; "
        f"at least {recovered:.1%} of each update is in it, under rounding noise of at most {noise:.2g} of its size; "
        "all else has the base's bytes.",
        file=str(out),
        bytes=out.stat().st_size,
        types=dict(types),
        recovered=recovered,
        noise=noise,
        tensors={name: {**asdict(one), "kind": one.kind.name} for name, one in changes.items()},
    )


def _encoded(values: NDArray[np.float32], kind: Type) -> NDArray[Any]:
    try:
        return quantize(values, kind)
    except NotImplementedError:
        pass  # The gguf package reads more types than it writes.
    try:
        import libgguf
    except ImportError:
        raise Refusal(
            "quantise", f"Writing {kind.name} takes the package libgguf: pip install libgguf, or leave out --quantise."
        ) from None
    try:
        return np.asarray(libgguf.quantize_rows(np.ascontiguousarray(values), kind))
    except ValueError as problem:
        raise Refusal("quantise", f"{kind.name} cannot be written: {problem}. Leave out --quantise.") from None


def _bytes(tensor: ReaderTensor, kind: Type) -> int:
    block, size = GGML_QUANT_SIZES[kind]
    return int(tensor.n_elements // block * size)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
