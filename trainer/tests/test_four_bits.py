"""A base in 4 bits: trained as any other, and its adapter belongs to the original file."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader
from peft import PeftModel

import tiny_gguf
from exit_trainer.adapter import read_adapter
from exit_trainer.four_bits import pack
from exit_trainer.model import load
from exit_trainer.prefix import Forwarded, SharedPrefix
from exit_trainer.report import Refusal
from tiny import backbone_of, lora_gradients, tiny_model

CPU = torch.device("cpu")
PROMPT, COMPLETIONS = [300, 301, 302, 303], [[310, 311, 312], [320]]


def loaded(file: Path, base_bits: int | None) -> PeftModel:
    torch.manual_seed(0)
    model = load(file, CPU, torch.float32, rank=4, base_bits=base_bits).model
    for name, value in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(value, std=0.1)
    return model


@pytest.fixture
def base(tmp_path: Path) -> Path:
    tiny_gguf.write_base(tmp_path / "base.gguf", Type.F32)
    return tmp_path / "base.gguf"


def test_the_prompt_is_shared_with_the_gradients_of_separate_rows(base: Path) -> None:
    model = loaded(base, 4)
    for completion in COMPLETIONS:
        ids = torch.tensor([PROMPT + completion])
        backbone_of(model)(input_ids=ids, use_cache=False).last_hidden_state[
            0, len(PROMPT) - 1 : -1
        ].sin().sum().backward()
    wanted = lora_gradients(model)
    with SharedPrefix(backbone_of(model), PROMPT, Forwarded()) as prefix:
        sum(state.sin().sum() for state in prefix.hidden(COMPLETIONS)).backward()
    found = lora_gradients(model)
    assert len(wanted) == sum("lora" in name for name, _ in model.named_parameters())
    assert max(float((found[name] - wanted[name]).norm() / wanted[name].norm()) for name in wanted) < 1e-5


def test_it_is_near_the_served_one_and_smaller(base: Path) -> None:
    whole, packed = loaded(base, None), loaded(base, 4)
    ids = torch.tensor([PROMPT])
    with torch.no_grad():
        one, other = (backbone_of(model)(input_ids=ids, use_cache=False).last_hidden_state for model in (whole, packed))
    assert 1e-3 < float((one - other).norm() / one.norm()) < 0.3
    sizes = [
        sum(value.nbytes for name, value in model.named_parameters() if "base_layer" in name)
        for model in (whole, packed)
    ]
    assert sizes[1] * 8 == sizes[0]


def test_its_adapter_fits_the_original_file(base: Path, tmp_path: Path) -> None:
    loaded(base, 4).save_pretrained(str(tmp_path / "adapter"))
    updates = read_adapter(tmp_path / "adapter", GGUFReader(base))
    assert len(updates) == tiny_gguf.LAYERS * len(tiny_gguf.LINEARS)


def test_without_bitsandbytes_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes.nn", None)
    with pytest.raises(Refusal, match="install it"):
        pack(backbone_of(tiny_model("llama")), CPU, torch.float32)


def test_on_a_device_that_cannot_it_is_refused() -> None:
    with pytest.raises(Refusal, match="on mps"):
        pack(backbone_of(tiny_model("llama")), torch.device("mps"), torch.float32)
