"""The order of query and key rows in files of the llama architecture.

transformers turns a head's first half against its second half, llama.cpp turns neighbours against each other, so
llama.cpp's converter interleaves the two halves of each head when it writes such a file, and transformers' reader
undoes that. Whatever is trained on what the reader gave has to be interleaved again on its way back into a file. A
file without it loads, answers, and is wrong. Other architectures turn halves in both and keep their rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_QUERY_OR_KEY = re.compile(r"blk\.\d+\.attn_([qk])\.weight")


@dataclass(frozen=True)
class Heads:
    """How many heads the file's attention has."""

    architecture: str
    query: int
    key: int

    def to_file_rows(self, tensor: str, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rows of the tensor named `tensor` in the file's order, from transformers' order.

        Of a low-rank update B A these are the rows of B; A has none of them.
        """
        found = _QUERY_OR_KEY.fullmatch(tensor)
        if self.architecture != "llama" or found is None:
            return rows
        return interleave(rows, self.query if found[1] == "q" else self.key)


def interleave(rows: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Rows 0, n/2, 1, n/2 + 1, ... of each head of n rows."""
    return rows.reshape(heads, 2, -1, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)
