"""What a merge changes, what it leaves, how it is measured and when it is refused."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader
from gguf.quants import dequantize, quantize

import tiny_gguf
from exit_trainer import merge
from exit_trainer.adapter import read_adapter
from exit_trainer.gguf_copy import setting_bytes
from exit_trainer.permute import Heads, interleave
from exit_trainer.report import Refusal


@dataclasses.dataclass
class Case:
    """A base, an adapter for it, and where the tuned model goes."""

    base: Path
    adapter: Path
    out: Path

    def run(self, *flags: str) -> None:
        parser = argparse.ArgumentParser()
        merge.add_arguments(parser)
        named = ["--model", str(self.base), "--adapter", str(self.adapter), "--out", str(self.out)]
        merge.run(parser.parse_args([*named, *flags]))


@pytest.fixture
def case(tmp_path: Path) -> Case:
    made = Case(tmp_path / "base.gguf", tmp_path / "stage" / "adapter", tmp_path / "tuned.gguf")
    tiny_gguf.write_base(made.base, Type.Q4_0)
    tiny_gguf.write_adapter(made.adapter)
    return made


def last_event(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def tensors(file: Path) -> dict[str, Any]:
    return {tensor.name: tensor for tensor in GGUFReader(file).tensors}


def test_untouched_tensors_and_all_settings_keep_their_bytes(case: Case) -> None:
    case.run()
    before, after = tensors(case.base), tensors(case.out)
    assert list(before) == list(after)
    untouched = [name for name, tensor in before.items() if tensor.tensor_type == Type.F32]
    assert len(untouched) == 7
    for name in untouched:
        assert after[name].data.tobytes() == before[name].data.tobytes()
    kept, found = setting_bytes(GGUFReader(case.base)), setting_bytes(GGUFReader(case.out))
    added = {merge.BASE_KEY, merge.ADAPTER_KEY}
    changed = {"general.name", "general.file_type"}
    assert set(found) == set(kept) | added
    assert {name for name in kept if found[name] != kept[name]} == changed


def test_the_tuned_file_says_what_it_is_and_what_it_came_from(case: Case) -> None:
    case.run("--name", "first round")
    reader = GGUFReader(case.out)
    digest = hashlib.sha256(case.base.read_bytes()).hexdigest()
    settings = {name: reader.fields[name].contents() for name in ("general.name", "general.file_type", merge.BASE_KEY)}
    assert settings == {"general.name": "first round", "general.file_type": 7, merge.BASE_KEY: digest}


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_a_merge_in_the_file_is_a_merge_in_transformers_layout_bit_for_bit(tmp_path: Path, heads: int) -> None:
    """In float32: permuting the rows of B permutes the rows of the update."""
    random = np.random.default_rng(heads)
    weight, a, b = (random.standard_normal(size).astype(np.float32) for size in ((48, 32), (4, 32), (48, 4)))
    order = tiny_gguf.file_order(48, heads)
    name = "blk.0.attn_q.weight"
    of_file = merge.Update(a, Heads("llama", heads, heads).to_file_rows(name, b), 2.0)
    in_file = (weight[order] + of_file.delta()).astype(np.float32)
    in_transformers = (weight + merge.Update(a, b, 2.0).delta()).astype(np.float32)
    assert in_file.tobytes() == in_transformers[order].tobytes()
    assert in_file.tobytes() != in_transformers.tobytes()


def test_only_queries_and_keys_of_llama_are_reordered_keys_by_their_own_heads() -> None:
    rows = np.arange(16, dtype=np.float32)[:, None]
    llama, qwen = Heads("llama", 4, 2), Heads("qwen2", 4, 2)
    assert (llama.to_file_rows("blk.3.attn_q.weight", rows) == interleave(rows, 4)).all()
    assert llama.to_file_rows("blk.3.attn_k.weight", rows)[:8, 0].tolist() == [0, 4, 1, 5, 2, 6, 3, 7]
    for heads, name in ((llama, "attn_v"), (llama, "attn_q_norm"), (qwen, "attn_q"), (qwen, "attn_k")):
        assert (heads.to_file_rows(f"blk.3.{name}.weight", rows) == rows).all()


def tensor_of(tmp_path: Path, kind: Type) -> Any:
    file = tmp_path / f"{kind.name}.gguf"
    tiny_gguf.write_base(file, kind)
    return tensors(file)["blk.0.ffn_up.weight"]


def update_of(size: float) -> merge.Update:
    """A rank-4 update of `size` times the weights."""
    random = np.random.default_rng(5)
    a, b = random.standard_normal((4, tiny_gguf.WIDTH)), random.standard_normal((tiny_gguf.INNER, 4))
    scale = size * tiny_gguf.WIDTH**-0.5 / 2
    return merge.Update(a.astype(np.float32), b.astype(np.float32), scale)


@pytest.mark.parametrize(
    ("base", "size", "kind"),
    [
        (Type.Q4_0, 0.1, Type.Q8_0),
        (Type.Q4_0, 0.001, Type.F16),  # All there on average, under noise of several times its size.
        (Type.Q8_0, 0.1, Type.Q8_0),
        (Type.Q8_0, 0.002, Type.F16),  # Less than half a step of the base's own grid: rounded away.
        (Type.BF16, 0.1, Type.BF16),
        (Type.BF16, 0.001, Type.F16),
        (Type.F16, 0.1, Type.F16),
        (Type.F32, 0.001, Type.F32),
    ],
)
def test_a_tensor_takes_the_first_type_that_keeps_its_update(
    tmp_path: Path, base: Type, size: float, kind: Type
) -> None:
    tensor, update = tensor_of(tmp_path, base), update_of(size)
    change, data = merge.change(tensor, update, merge.types_for(tensor))
    before = dequantize(tensor.data, base).astype(np.float64)
    delta = update.delta()
    found = dequantize(data, change.kind) - before
    assert change.kind is kind
    assert change.recovered == pytest.approx((found * delta).sum() / (delta * delta).sum(), rel=1e-6)
    assert change.noise == pytest.approx(np.sqrt(((found - delta) ** 2).sum() / (delta**2).sum()), rel=1e-6)
    assert change.recovered >= merge.LEAST_RECOVERED
    assert change.noise <= merge.MOST_NOISE


def test_a_known_update_on_the_bases_own_grid_is_rounded_away_or_kept() -> None:
    """Per block of 32 one weight is 127 steps large and sets the step to 1; the others hear an update of 0.4 or 0.6
    steps as 0 or 1."""
    weights = np.zeros((1, 64), dtype=np.float32)
    weights[0, [0, 32]] = 127
    tensor = argparse.Namespace(
        data=quantize(weights, Type.Q8_0), tensor_type=Type.Q8_0, shape=np.array([64, 1]), name="blk.0.ffn_up.weight"
    )
    row = np.full((1, 64), 1, dtype=np.float32)
    row[0, [0, 32]] = 0
    one = np.ones((1, 1), dtype=np.float32)
    lost, _ = merge.change(tensor, merge.Update(row, one, 0.4), [Type.Q8_0, Type.F16])
    kept, _ = merge.change(tensor, merge.Update(row, one, 0.6), [Type.Q8_0, Type.F16])
    assert (lost.kind, lost.recovered) == (Type.F16, pytest.approx(1, abs=1e-3))
    assert (kept.kind, kept.recovered, kept.noise) == (Type.Q8_0, pytest.approx(1 / 0.6), pytest.approx(0.4 / 0.6))


def test_rows_that_are_no_multiple_of_32_become_f16() -> None:
    tensor = argparse.Namespace(tensor_type=Type.Q4_0, shape=np.array([48, 4]))
    assert merge.types_for(tensor) == (Type.F16,)


def test_a_zero_update_leaves_the_bases_bytes(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    case.adapter = case.adapter.with_name("zero")
    tiny_gguf.write_adapter(case.adapter, scale=0)
    case.run()
    before, after = tensors(case.base), tensors(case.out)
    assert {name: t.data.tobytes() for name, t in before.items()} == {
        name: t.data.tobytes() for name, t in after.items()
    }
    assert last_event(capsys)["tensors"] == {}


def test_the_size_is_said_before_and_is_met(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    case.run()
    said, done = map(json.loads, capsys.readouterr().out.splitlines())
    assert said["event"] == "size"
    # Settings of its own and padding are not counted.
    assert said["least"] <= case.out.stat().st_size <= said["least"] + 1024
    assert said["most"] > said["least"] > said["base"]
    assert done["bytes"] == case.out.stat().st_size
    assert done["types"] == {"Q8_0": 14}


def test_no_space_is_refused_before_anything_is_written(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge.shutil, "disk_usage", lambda _folder: argparse.Namespace(free=1000))
    with pytest.raises(Refusal, match="make room"):
        case.run()
    assert not case.out.exists()


def test_a_merge_that_fails_half_way_leaves_the_file_that_was_there(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.out.write_text("the model before")
    change, calls = merge.change, []

    def failing(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 5:
            raise OSError("no space left on device")
        return change(*given)

    monkeypatch.setattr(merge, "change", failing)
    with pytest.raises(OSError, match="no space"):
        case.run()
    assert case.out.read_text() == "the model before"
    assert [file.name for file in case.out.parent.glob("tuned*")] == ["tuned.gguf"]


def test_an_adapter_file_holds_the_pairs_and_the_scale(case: Case) -> None:
    case.run("--adapter-file")
    reader = GGUFReader(case.out)
    said = {
        name: reader.fields[name].contents()
        for name in ("general.type", "general.architecture", "adapter.type", "adapter.lora.alpha")
    }
    assert said == {
        "general.type": "adapter",
        "general.architecture": "llama",
        "adapter.type": "lora",
        "adapter.lora.alpha": tiny_gguf.ALPHA,
    }
    shapes = {tensor.name: tensor.shape.tolist() for tensor in reader.tensors}
    assert len(shapes) == 28
    assert shapes["blk.1.ffn_down.weight.lora_a"] == [tiny_gguf.INNER, tiny_gguf.RANK]
    assert shapes["blk.1.ffn_down.weight.lora_b"] == [tiny_gguf.RANK, tiny_gguf.WIDTH]


def test_a_rank_stabilised_adapter_keeps_its_scale_in_either_form(case: Case) -> None:
    case.adapter = case.adapter.with_name("stabilised")
    tiny_gguf.write_adapter(case.adapter, use_rslora=True)
    scale = tiny_gguf.ALPHA / tiny_gguf.RANK**0.5
    assert {update.scale for update in read_adapter(case.adapter, GGUFReader(case.base)).values()} == {scale}
    case.run("--adapter-file")
    assert GGUFReader(case.out).fields["adapter.lora.alpha"].contents() == scale * tiny_gguf.RANK


@pytest.mark.parametrize(
    ("settings", "why"),
    [({"use_dora": True}, "DoRA"), ({"rank_pattern": {"q_proj": 8}}, "ranks"), ({"bias": "all"}, "biases")],
)
def test_adapters_that_are_no_plain_sum_are_refused(case: Case, settings: dict[str, object], why: str) -> None:
    case.adapter = case.adapter.with_name("other")
    tiny_gguf.write_adapter(case.adapter, **settings)
    with pytest.raises(Refusal, match=why):
        case.run()


def test_an_adapter_of_another_model_is_refused(case: Case) -> None:
    (case.adapter.parent / "stage.json").write_text(json.dumps({"model": {"file": "other.gguf", "sha256": "0"}}))
    with pytest.raises(Refusal, match=r"trained on other\.gguf"):
        case.run()


def test_a_split_file_is_refused(case: Case) -> None:
    tiny_gguf.write_base(case.base, Type.F32, split__count=2)
    with pytest.raises(Refusal, match="join them"):
        case.run()


def test_updates_are_never_added_to_a_tuned_model(case: Case) -> None:
    case.run()
    case.base, case.out = case.out, case.out.with_name("twice.gguf")
    with pytest.raises(Refusal, match="original file"):
        case.run()


def test_the_base_is_never_written_over(case: Case) -> None:
    before = case.base.read_bytes()
    case.out = case.base
    with pytest.raises(Refusal, match="another file"):
        case.run()
    assert case.base.read_bytes() == before
