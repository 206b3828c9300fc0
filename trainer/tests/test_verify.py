"""The fingerprint passes the tuned file and nothing else."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader

import tiny_gguf
from exit_trainer import adapter, merge, verify
from exit_trainer.groups import Group, Reply
from exit_trainer.report import Refusal
from exit_trainer.served import compare


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    names = {"model": "base.gguf", "adapter": "adapter", "merged": "merged.gguf", "probes": "probes.json"}
    made = {name: tmp_path / file for name, file in names.items()}
    tiny_gguf.write_base(made["model"], Type.Q4_0)
    tiny_gguf.write_adapter(made["adapter"], scale=0.5)
    made["probes"].write_text(json.dumps(["lr = 0.1\n", "<s>def f(x):"]))
    return made


def write_merged(files: dict[str, Path]) -> None:
    reader = GGUFReader(files["model"])
    merge.merge(reader, adapter.read_adapter(files["adapter"], reader), files["merged"], {})


def run(files: dict[str, Path], device: str = "cpu") -> None:
    parser = argparse.ArgumentParser()
    verify.add_arguments(parser)
    named = [part for name, file in files.items() for part in (f"--{name}", str(file))]
    verify.run(parser.parse_args([*named, "--device", device]))


def events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_tuned_file_passes_and_its_numbers_are_told(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    write_merged(files)
    run(files)
    *_, first, second, last = events(capsys)
    assert last["event"] == "fingerprint"
    assert last["ok"] is True
    assert last["file"] < 0.05 < last["effect"]
    assert first["probe"] == "lr = 0.1\n"
    for probe in (first, second):
        assert {len(values) for values in probe["logprobs"].values()} == {len(probe["tokens"]) - 1}
        assert {len(tokens) for tokens in probe["next"].values()} == {verify.NEXT}


def test_the_log_probabilities_are_the_models_own(files: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Against the forward pass in float64."""
    weights = tiny_gguf.write_base(files["model"], Type.F32)
    files["adapter"] = files["adapter"].with_name("another")
    factors = tiny_gguf.write_adapter(files["adapter"])
    write_merged(files)
    run(files)
    probe = events(capsys)[-2]
    for name, model in {"base": weights, "tuned": tiny_gguf.tuned(weights, factors)}.items():
        probabilities = tiny_gguf.next_probabilities(model, probe["tokens"])
        wanted = [math.log(probabilities[at, token]) for at, token in enumerate(probe["tokens"][1:])]
        assert probe["logprobs"][name] == pytest.approx(wanted, abs=1e-4)


def test_a_file_with_rows_in_the_wrong_order_is_refused(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(adapter.Heads, "to_file_rows", lambda _heads, _tensor, rows: rows)
        write_merged(files)
    with pytest.raises(Refusal, match="not the model that was trained"):
        run(files)
    assert events(capsys)[-1]["ok"] is False


def test_the_base_in_place_of_the_tuned_file_is_refused(files: dict[str, Path]) -> None:
    files["merged"] = files["model"]
    with pytest.raises(Refusal, match="not the model that was trained"):
        run(files)


def test_an_adapter_that_changes_nothing_is_refused(files: dict[str, Path]) -> None:
    files["adapter"] = files["adapter"].with_name("zero")
    tiny_gguf.write_adapter(files["adapter"], scale=0)
    write_merged(files)
    with pytest.raises(Refusal, match="as its base does"):
        run(files)


@pytest.mark.parametrize(
    ("effect", "file"), [(0.02, 0.011), (1.0, 0.11), (1.0, float("nan")), (float("nan"), 0.0), (1e-4, 0.0)]
)
def test_a_file_is_near_the_tuned_model_and_nearer_than_the_base(effect: float, file: float) -> None:
    verify.judge(0.02, 0.009, 0.1)
    verify.judge(1.0, 0.09, 0.1)
    with pytest.raises(Refusal):
        verify.judge(effect, file, 0.1)


PROMPT, TEXT = "<s>", "f(x)"


def reply_of(weights: tiny_gguf.Weights, ids: bool = True) -> dict[str, Any]:
    """As a server with these weights answers, in float64."""
    tokens = [3 + byte for byte in TEXT.encode()]
    probabilities = tiny_gguf.next_probabilities(weights, [1, *tokens])
    return {
        "prompt": PROMPT,
        "text": TEXT,
        "tokens": [{"id": token if ids else None, "text": ""} for token in tokens],
        "logprobs": [math.log(probabilities[at, token]) for at, token in enumerate(tokens)],
    }


def run_served(files: dict[str, Path], *replies: dict[str, Any]) -> None:
    files["served"] = files["model"].with_name("served.json")
    files["served"].write_text(json.dumps(replies))
    run(files)


@pytest.fixture
def models(files: dict[str, Path]) -> dict[str, tiny_gguf.Weights]:
    """Weights of the base, of the tuned model and of another one; the files are written."""
    base = tiny_gguf.write_base(files["model"], Type.F32)
    files["adapter"] = files["adapter"].with_name("another")
    factors = tiny_gguf.write_adapter(files["adapter"])
    write_merged(files)
    other = tiny_gguf.write_base(files["model"].with_name("other.gguf"), Type.F32, seed=7)
    return {"base": base, "tuned": tiny_gguf.tuned(base, factors), "other": other}


@pytest.mark.parametrize("ids", [True, False])
def test_a_server_with_the_tuned_weights_passes(
    files: dict[str, Path], models: dict[str, tiny_gguf.Weights], ids: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    run_served(files, reply_of(models["tuned"], ids))
    last = events(capsys)[-1]
    assert last["ok"] is True
    assert last["served"] < 1e-3
    tuned, base = (reply_of(models[name])["logprobs"] for name in ("tuned", "base"))
    wanted = sum(abs(one - other) for one, other in zip(tuned, base, strict=True)) / len(tuned)
    assert last["servedFromBase"] == pytest.approx(wanted, abs=1e-3)


def test_a_server_is_compared_alone_where_it_serves_an_adapter(
    files: dict[str, Path], models: dict[str, tiny_gguf.Weights], capsys: pytest.CaptureFixture[str]
) -> None:
    del files["merged"]
    with pytest.raises(Refusal, match="nothing to compare"):
        run(files)
    run_served(files, reply_of(models["tuned"]))
    assert events(capsys)[-1]["ok"] is True
    with pytest.raises(Refusal, match="answer with the base"):
        run_served(files, reply_of(models["base"]))


@pytest.mark.parametrize(("name", "said"), [("base", "answer with the base"), ("other", "answers with neither")])
def test_a_server_with_other_weights_is_refused_by_what_it_answers_with(
    files: dict[str, Path],
    models: dict[str, tiny_gguf.Weights],
    name: str,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(Refusal, match=said) as refusal:
        run_served(files, reply_of(models[name]))
    assert refusal.value.reason == "fingerprint"
    assert events(capsys)[-1]["ok"] is False


def test_replies_whose_tokens_are_not_known_are_left_out_and_counted(
    files: dict[str, Path], models: dict[str, tiny_gguf.Weights], capsys: pytest.CaptureFixture[str]
) -> None:
    whole = reply_of(models["tuned"])
    joined = reply_of(models["tuned"], ids=False)
    joined["tokens"] = joined["tokens"][1:]
    cut = {**whole, "logprobs": whole["logprobs"][1:]}
    run_served(files, whole, joined, cut)
    told = next(event for event in events(capsys) if event["event"] == "served")
    assert told["kept"] == 1 and sum(told["dropped"].values()) == 2
    with pytest.raises(Refusal, match="No reply of the server can be compared") as refusal:
        run_served(files, joined, cut)
    assert refusal.value.reason == "served"


def test_what_the_noise_of_a_server_hides_is_not_proven_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    hidden = verify.Served(apart=0.03, from_base=0.029, effect=0.02, certain=False)
    verify.judge(0.05, 0.001, 0.1, hidden)
    (told,) = events(capsys)
    assert told["ok"] is True and told["proven"] is False
    assert "is not proven" in told["text"]
    # Without a file that is the tuned model, nothing speaks for it.
    with pytest.raises(Refusal, match="answer with the base"):
        verify.judge(0.05, None, 0.1, hidden)
    with pytest.raises(Refusal, match="not the model that was trained"):
        verify.judge(0.05, 0.04, 0.1, hidden)
    with pytest.raises(Refusal):
        verify.judge(0.05, 0.001, 0.1, dataclasses.replace(hidden, apart=0.11))
    with pytest.raises(Refusal):
        verify.judge(0.05, 0.001, 0.1, dataclasses.replace(hidden, apart=math.nan))


def test_a_base_is_refused_however_much_the_probes_moved_or_did_not() -> None:
    base = verify.Served(apart=0.03, from_base=0.001, effect=0.03, certain=True)
    for effect in (0.005, 0.05):
        with pytest.raises(Refusal, match="answer with the base"):
            verify.judge(effect, 0.001, 0.1, base)


def scored(*logprobs: float) -> list[list[torch.Tensor]]:
    return [[torch.tensor(logprobs[:2]), torch.tensor(logprobs[2:])]]


def replies(*logprobs: float) -> list[Group]:
    parts = (list(logprobs[:2]), list(logprobs[2:]))
    return [Group("g", "", [1], [Reply(0, [1] * len(part), [1.0] * len(part), part, 0.0) for part in parts])]


def test_distances_and_effect_are_of_the_sampled_tokens() -> None:
    found = compare(replies(-1.0, -2.0, -3.0), scored(-1.0, -2.5, -3.25), scored(-2.0, -2.0, -3.0))
    assert (found.apart, found.from_base, found.effect) == pytest.approx((0.25, 1 / 3, 1.75 / 3))
    assert found.certain


def test_noise_above_the_effect_hides_the_weights_unless_all_tokens_agree() -> None:
    base, tuned = [-1.0] * 100, [-1.001] * 100
    scores = [[[torch.tensor(one)]] for one in (tuned, base)]
    scattered = [-1.0 + (0.05 if at % 2 else -0.05) + 0.0004 for at in range(100)]
    one_sided = [-1.05] * 100

    def found(server: list[float]) -> verify.Served:
        return compare([Group("g", "", [1], [Reply(0, [1] * 100, [1.0] * 100, server, 0.0)])], *scores)

    assert not found(scattered).certain
    assert found(one_sided).certain
    assert found(tuned).certain and found(tuned).apart == 0


def test_what_was_learned_of_the_tasks_counts_where_the_probes_did_not_move(
    files: dict[str, Path], models: dict[str, tiny_gguf.Weights], capsys: pytest.CaptureFixture[str]
) -> None:
    """A probe on which base and tuned model are the same, as general questions may be."""
    still = verify.Reading([1, 2], [-1.0], {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, "read", lambda *_: still)
        patch.setattr(verify, "_tell_probe", lambda *_: None)
        run_served(files, reply_of(models["tuned"]))
        last = events(capsys)[-1]
        assert last["ok"] is True and last["proven"] is True
        assert last["effect"] == last["servedEffect"] > 0.1
        assert last["file"] < 0.05
        with pytest.raises(Refusal, match="answer with the base"):
            run_served(files, reply_of(models["base"]))
        files["merged"] = files["model"]
        with pytest.raises(Refusal, match="not the model that was trained"):
            run_served(files, reply_of(models["tuned"]))


def test_what_does_not_fit_the_gpu_is_compared_on_the_cpu_unless_the_gpu_was_asked_for(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_merged(files)
    real, devices = verify.load, []

    def faulty_load(file: Path, device: torch.device, dtype: torch.dtype, **more: Any) -> Any:
        devices.append((device.type, dtype))
        if device.type == "cuda":
            raise torch.OutOfMemoryError("injected")
        return real(file, device, dtype, **more)

    monkeypatch.setattr(verify, "load", faulty_load)
    monkeypatch.setattr(verify, "choose_device", lambda wanted: torch.device("cpu" if wanted == "cpu" else "cuda"))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    run(files, device="auto")
    told = {event["event"]: event for event in events(capsys)}
    assert "comparing on cpu with weights in torch.float32" in told["memory"]["text"]
    assert told["device"]["device"] == "cpu"
    assert told["fingerprint"]["ok"] is True
    assert devices == [("cuda", torch.float32), ("cuda", torch.bfloat16), *[("cpu", torch.float32)] * 2]
    with pytest.raises(Refusal, match="--device cpu") as refusal:
        run(files, device="cuda")
    assert refusal.value.reason == "out-of-memory"


def test_a_file_that_seems_another_one_in_bfloat16_is_compared_in_float32(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_merged(files)
    real = verify._compared

    def faulty(options: Any, device: torch.device, dtype: torch.dtype) -> verify.Found:
        """A GPU on which float32 does not fit, and bfloat16 is as coarse as what was learned."""
        if device.type == "cpu":
            return real(options, device, dtype)
        if dtype == torch.float32:
            raise torch.OutOfMemoryError("injected")
        return verify.Found(effect=0.04, file=0.03, served=None)

    monkeypatch.setattr(verify, "_compared", faulty)
    monkeypatch.setattr(verify, "choose_device", lambda wanted: torch.device("cpu" if wanted == "cpu" else "cuda"))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    run(files, device="auto")
    told = events(capsys)
    assert [event["text"] for event in told if event["event"] == "memory"] == [
        "The model does not fit the memory of cuda in torch.float32: comparing on cuda with weights in torch.bfloat16.",
        "In torch.bfloat16 the file seems to be another model: comparing on cpu with weights in torch.float32.",
    ]
    assert told[-1]["ok"] is True
    with pytest.raises(Refusal, match="not the model that was trained"):
        run(files, device="cuda")
