"""Writes a tiny model and a random adapter for it into a folder, with the reply of a server that has the tuned
weights."""

import json
import math
import sys
from pathlib import Path

import tiny_gguf
from gguf import GGMLQuantizationType as Type

PROMPT = "<s>lr="
REPLY = "<s>0.1"
"""Begins with a token of its own: so this vocabulary has no space before it."""

folder = Path(sys.argv[1])
base = tiny_gguf.write_base(folder / "base.gguf", Type.F32)
factors = tiny_gguf.write_adapter(folder / "random-adapter")


def ids(text: str) -> list[int]:
    return [1, *(tiny_gguf.TOKEN_OF[piece] for piece in text.removeprefix("<s>"))]


prompt, reply = ids(PROMPT), ids(REPLY)
probabilities = tiny_gguf.next_probabilities(tiny_gguf.tuned(base, factors), [*prompt, *reply])
served = {
    "prompt": PROMPT,
    "text": REPLY,
    "tokens": [{"id": None, "text": ""} for _ in reply],
    "logprobs": [math.log(probabilities[len(prompt) - 1 + at, token]) for at, token in enumerate(reply)],
}
(folder / "served.json").write_text(json.dumps([served]))
