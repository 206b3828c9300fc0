"""The trainer cuts texts as the server does (llama.cpp's counts of the rendered prompts, SmolLM2-135M-Instruct)."""

from __future__ import annotations

import os
from pathlib import Path

from exit_trainer.model import read_tokenizer, tokenize

CACHE = Path(os.environ.get("EXIT_ML_CACHE", Path.home() / ".cache" / "exit-ml"))
MODEL = CACHE / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"

# Without the 30 tokens of the template around them.
COUNTED = {
    "def mean(values):\n    return sum(values) / len(values)\n\n\n# 1234567890  3.14159e-05\t\tend": 45,
    '{"learning_rate": 0.001, "layers": [64, 128], "name": null}\r\n': 30,
    "1234567890": 10,
    "3.14159e-05": 11,
}


def test_digits_stand_alone_where_the_file_says_so() -> None:
    tokenizer = read_tokenizer(MODEL)
    assert {text: len(tokenize(tokenizer, text)) for text in COUNTED} == COUNTED
