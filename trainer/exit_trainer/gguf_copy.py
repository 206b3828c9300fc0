"""Copies a GGUF file with some tensors replaced: everything else keeps its very bytes.

Settings are copied as bytes rather than read and written again, as a tokenizer is large and its pieces need not be
valid text. Layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gguf import GGUF_MAGIC, GGUF_VERSION, GGUFReader, GGUFValueType, LlamaFileType, ReaderTensor
from gguf import GGMLQuantizationType as Type
from numpy.typing import NDArray

Replace = Callable[[ReaderTensor], tuple[Type, NDArray[Any]] | None]
"""New type of a tensor and its values encoded in it, or None where it stays."""

_FILE_TYPE = "general.file_type"
_FILE_TYPES = {
    Type.F32: LlamaFileType.ALL_F32,
    Type.F16: LlamaFileType.MOSTLY_F16,
    Type.BF16: LlamaFileType.MOSTLY_BF16,
    Type.Q8_0: LlamaFileType.MOSTLY_Q8_0,
}


def copy_with(base: GGUFReader, out: Path, replace: Replace, settings: Mapping[str, str]) -> None:
    """Writes `out`, tensor after tensor, never holding more than one.

    Args:
        settings: take the place of the base's own, or are added at the end. The type the file says it is in follows
            what most of its weights are in.
    """
    kept = setting_bytes(base) | {key: _setting(key, value) for key, value in settings.items()}
    header = 24 + sum(map(len, kept.values())) + sum(len(_info(t, t.tensor_type, 0)) for t in base.tensors)
    start = _padded(header, base.alignment)
    infos = bytearray()
    weights: Counter[Type] = Counter()
    with out.open("wb") as file:
        file.seek(start)
        for tensor in base.tensors:
            offset = file.tell() - start
            kind, data = replace(tensor) or (tensor.tensor_type, tensor.data)
            file.write(data.tobytes())
            file.write(bytes(_padded(file.tell(), base.alignment) - file.tell()))
            infos += _info(tensor, kind, offset)
            weights[kind] += tensor.n_elements
        most = _FILE_TYPES.get(weights.most_common(1)[0][0])
        if most is not None and _FILE_TYPE in kept:
            kept[_FILE_TYPE] = _setting(_FILE_TYPE, most)
        file.seek(0)
        file.write(struct.pack("<IIQQ", GGUF_MAGIC, GGUF_VERSION, len(base.tensors), len(kept)))
        file.write(b"".join(kept.values()))
        file.write(infos)
        file.write(bytes(start - header))


def setting_bytes(base: GGUFReader) -> dict[str, bytes]:
    """Each setting as it stands in the file: key, type and value."""
    fields = [field for name, field in base.fields.items() if not name.startswith("GGUF.")]
    ends = [field.offset for field in fields[1:]] + [base.tensors[0].field.offset]
    return {field.name: base.data[field.offset : end].tobytes() for field, end in zip(fields, ends, strict=True)}


def _setting(key: str, value: str | LlamaFileType) -> bytes:
    if isinstance(value, str):
        return _text(key) + struct.pack("<I", GGUFValueType.STRING) + _text(value)
    return _text(key) + struct.pack("<II", GGUFValueType.UINT32, value)


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _info(tensor: ReaderTensor, kind: Type, offset: int) -> bytes:
    sizes = tensor.shape.tolist()
    return _text(tensor.name) + struct.pack(f"<I{len(sizes)}QIQ", len(sizes), *sizes, kind, offset)


def _padded(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment
