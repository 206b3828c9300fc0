"""The command the README gives for several GPUs, on two processes of the CPU."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import torch
from gguf import GGMLQuantizationType as Type
from safetensors.torch import load_file

import tiny_gguf

PACKAGE = Path(__file__).parents[1]
PROGRAMS = Path(sys.executable).parent
GROUPS = 7
"""Odd, so that the processes never have equal shares."""


def write_groups(file: Path) -> None:
    """Ragged groups of three replies, as `exit-ml export` writes them."""
    rows = []
    for at in range(GROUPS):
        texts = ["go on" * (1 + at % 3), "stay here" + "!" * at, "next"]
        replies = [
            {
                "index": index,
                "text": text,
                "tokens": None,
                "logprobs": None,
                "tokensMatch": True,
                "finish": "stop",
                "constrained": None,
                "reward": None,
                "advantage": advantage,
            }
            for index, (text, advantage) in enumerate(zip(texts, (1.2, -0.4, -0.8), strict=True))
        ]
        prompt = {"rendered": "Where to?" * (1 + at)}
        rows.append({"version": 1, "id": f"g{at}", "policy": "m", "prompt": prompt, "replies": replies})
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def environment(folder: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(PACKAGE), "OMP_NUM_THREADS": "1", "HOME": str(folder), "PATH": str(PROGRAMS)}


def train(command: list[str], folder: Path, out: str) -> tuple[dict[str, torch.Tensor], list[dict]]:
    """The adapter, and what was told on standard output."""
    options = ["--model", "base.gguf", "--groups", "groups.jsonl", "--out", out, "--device", "cpu"]
    own = ["--dtype", "float32", "--rank", "4", "--learning-rate", "1e-3", "--most-square", "1e9"]
    done = subprocess.run(
        [*command, "-m", "exit_trainer", "train", *options, *own, "--least-effective", "0"],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return load_file(folder / out / "adapter" / "adapter_model.safetensors"), told


def test_torchrun_ends_with_the_adapter_of_one_process(tmp_path: Path) -> None:
    tiny_gguf.write_base(tmp_path / "base.gguf", Type.F32)
    write_groups(tmp_path / "groups.jsonl")
    wanted, alone = train([sys.executable], tmp_path, "alone")
    found, together = train([str(PROGRAMS / "torchrun"), "--standalone", "--nproc-per-node", "2"], tmp_path, "together")
    updates = [event["update"] for event in together if event["event"] == "update"]
    assert updates == [event["update"] for event in alone if event["event"] == "update"] == [1, 2, 3]
    assert found.keys() == wanted.keys()
    # Sums in another order differ in their last bits; a step of the optimiser is 1e-3.
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=1e-6)
    assert any(float(value.abs().max()) > 1e-3 for name, value in wanted.items() if "lora_B" in name)


FAULT = """
import os
from exit_trainer import stage
real = stage.accumulate
def accumulate(*args):
    if os.environ["RANK"] == "1":
        raise RuntimeError("injected")
    return real(*args)
stage.accumulate = accumulate
"""


def test_a_process_that_fails_ends_the_others_and_says_why(tmp_path: Path) -> None:
    tiny_gguf.write_base(tmp_path / "base.gguf", Type.F32)
    write_groups(tmp_path / "groups.jsonl")
    program = tmp_path / "faulty.py"
    program.write_text(f"{FAULT}\nimport runpy\nrunpy.run_module('exit_trainer', run_name='__main__')\n")
    options = ["--model", "base.gguf", "--groups", "groups.jsonl", "--out", "out", "--device", "cpu", "--rank", "4"]
    done = subprocess.run(
        [str(PROGRAMS / "torchrun"), "--standalone", "--nproc-per-node", "2", program.name, "train", *options],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode != 0
    assert "RuntimeError: injected" in done.stderr
    assert not (tmp_path / "out" / "adapter").exists()
