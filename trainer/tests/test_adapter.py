"""An adapter's layers find their tensors in files of every architecture that can be trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader, GGUFWriter

import tiny
import tiny_gguf
from exit_trainer.adapter import read_adapter
from exit_trainer.checkpoint import save_adapter
from exit_trainer.report import Refusal

OWN_NAMES = {name.split(".")[1]: own for name, (own, _, _) in tiny_gguf.LINEARS.items()}


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_each_layer_finds_its_tensor_and_only_llama_is_reordered(tmp_path: Path, family: str) -> None:
    model = tiny.tiny_model(family)
    save_adapter(tmp_path / "adapter", model)
    config = model.get_base_model().config
    writer = GGUFWriter(tmp_path / "base.gguf", family)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    wanted = {}
    for path, module in model.get_base_model().named_modules():
        *_, layer, _, name = ("", "", "", *path.split("."))
        if name not in OWN_NAMES:
            continue
        own = f"blk.{layer}.{OWN_NAMES[name]}.weight"
        writer.add_tensor(own, module.weight.detach().numpy())
        wanted[own] = module.get_delta_weight("default").detach().numpy()
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    found = read_adapter(tmp_path / "adapter", GGUFReader(tmp_path / "base.gguf"))
    assert set(found) == set(wanted)
    assert len(found) == 7 * config.num_hidden_layers
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    for own, delta in wanted.items():
        kind = own.split(".")[2]
        if family == "llama" and kind in heads:
            delta = delta[tiny_gguf.file_order(len(delta), heads[kind])]
        np.testing.assert_allclose(found[own].delta(), delta, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("layers", "why"),
    [
        (2, r"its model\.layers\.2\.\S+ has no tensor"),
        (3, r"its update of \S+ is 32 x 48, the file's tensor is 64 x 96"),
    ],
)
def test_an_adapter_of_another_model_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layers: int, why: str
) -> None:
    monkeypatch.setattr(tiny_gguf, "LAYERS", layers)
    tiny_gguf.write_base(tmp_path / "base.gguf", tiny_gguf.Type.F32)
    save_adapter(tmp_path / "adapter", tiny.tiny_model("llama"))
    with pytest.raises(Refusal, match=f"trained on another model: {why}"):
        read_adapter(tmp_path / "adapter", GGUFReader(tmp_path / "base.gguf"))
