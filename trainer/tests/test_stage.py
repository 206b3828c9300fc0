"""A stage ends with the same adapter whatever happens to it on the way."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import stage_child
import torch
from peft import get_peft_model_state_dict
from stage_child import (
    POLICY,
    SETTINGS,
    UPDATES,
    gradients,
    groups_of,
    in_process,
    killed_stage,
    one_of_two,
    run_stage,
    trainee_of,
    whole_stage,
)

from exit_trainer import checkpoint, report, stage, update
from exit_trainer.groups import Group, Reply
from exit_trainer.mismatch import measure_mismatch, policy_at_start, refuse_mismatch
from exit_trainer.report import Refusal
from exit_trainer.stage import (
    StageResult,
    StageSettings,
    plan_updates,
)
from exit_trainer.update import Sums, micro_batches

KILLS = int(os.environ.get("EXIT_ML_TEST_KILLS", "5"))


def same(found: dict, wanted: dict, tolerance: float = 0.0) -> None:
    assert found.keys() == wanted.keys()
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name], rtol=0, atol=tolerance)


def losses(folder: Path) -> list[tuple[int, float]]:
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [(row["update"], row["loss"]) for row in rows]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a stage that nothing happened to."""
    folder = tmp_path_factory.mktemp("whole")
    process = in_process(whole_stage, folder)
    process.join()
    assert process.exitcode == 0
    return folder


def test_every_group_is_taken_once_in_an_order_of_the_seed() -> None:
    plan = plan_updates(50, StageSettings())
    assert [len(part) for part in plan] == [4] * 12 + [2]
    assert sorted(at for part in plan for at in part) == list(range(50))
    assert plan == plan_updates(50, StageSettings()) != plan_updates(50, StageSettings(seed=1))
    assert [len(part) for part in plan_updates(7, StageSettings())] == [3, 3, 1]


def test_micro_batches_keep_to_the_budget_and_take_the_longest_first() -> None:
    assert list(micro_batches([3, 9, 4, 4], 12)) == [[1], [2, 3, 0]]
    assert list(micro_batches([30, 2], 12)) == [[0], [1]]


def test_the_token_budget_does_not_change_the_gradient() -> None:
    wanted = gradients(range(6), budget=10_000)
    for budget in (1, 13, 30):
        found = gradients(range(6), budget)
        assert max(float((found[name] - wanted[name]).norm() / wanted[name].norm()) for name in wanted) < 1e-5


def test_a_stage_killed_at_any_moment_ends_with_the_same_bits(whole: Path, tmp_path: Path) -> None:
    """Bit for bit, on one thread of a CPU; so does the loss curve, without a gap and without a row twice."""
    ended = torch.load(whole / "whole.pt", weights_only=True)
    assert [number for number, _ in losses(whole)] == list(range(1, UPDATES + 1))
    draw = random.Random(7)
    for number in range(KILLS):
        folder = tmp_path / str(number)
        folder.mkdir()
        moment = draw.randrange(1, ended["calls"])
        process = in_process(killed_stage, folder, moment)
        process.join()
        assert process.exitcode == -signal.SIGKILL, f"not killed at call {moment}"
        result, adapter = run_stage(folder)
        assert result == StageResult(UPDATES, "groups")
        same(adapter, ended["adapter"])
        assert losses(folder) == losses(whole), f"killed at call {moment}"


def test_a_checkpoint_cut_off_while_it_is_written_leaves_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainee = trainee_of()
    optimiser = torch.optim.AdamW(trainee.model.parameters(), lr=1.0)
    checkpoint.save(tmp_path, trainee.model, optimiser, "a stage", {"updates": 1})

    def faulty_save(_: object, file: Path) -> None:
        file.write_bytes(b"half of it")
        raise OSError("No space left on device")

    monkeypatch.setattr(torch, "save", faulty_save)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(tmp_path, trainee.model, optimiser, "a stage", {"updates": 2})
    assert checkpoint.load(tmp_path, trainee.model, optimiser, "a stage") == {"updates": 1}
    assert checkpoint.load(tmp_path, trainee.model, optimiser, "another stage") is None


@pytest.mark.parametrize(
    "problem", [torch.OutOfMemoryError("injected"), RuntimeError("MPS backend out of memory: injected")]
)
def test_out_of_memory_halves_the_budget_and_changes_nothing_else(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], problem: Exception
) -> None:
    real, budgets = update._group, []

    def faulty_group(*arguments):
        budgets.append(arguments[-1].tokens)
        if len(budgets) == 4:  # the second of an update: the gradient of the first is there, and must go
            raise problem
        return real(*arguments)

    monkeypatch.setattr(update, "_group", faulty_group)
    _, adapter = run_stage(tmp_path)
    assert budgets == [24] * 4 + [12] * 4
    assert '"event": "memory"' in capsys.readouterr().out
    same(adapter, torch.load(whole / "whole.pt", weights_only=True)["adapter"], 1e-5)


def test_what_does_not_fit_one_reply_at_a_time_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty_accumulate(*_):
        raise torch.OutOfMemoryError("injected")

    monkeypatch.setattr(stage, "accumulate", faulty_accumulate)
    with pytest.raises(Refusal, match="--checkpointing") as refusal:
        run_stage(tmp_path)
    assert refusal.value.reason == "out-of-memory"


def test_mismatch_is_over_tokens_that_count_and_are_known() -> None:
    nan = float("nan")
    reply = Reply(0, [1, 2, 3, 4], [1.0, 0.0, 1.0, 1.0], [-1.0, -9.0, -2.0, nan], 1.0)
    groups = [Group("g", "p", [1], [reply])]
    assert measure_mismatch(groups, [[torch.tensor([-1.1, 0.0, -2.3, 0.0])]]) == pytest.approx(0.2)
    unknown = dataclasses.replace(reply, behaviour=[nan] * 4)
    assert measure_mismatch([Group("g", "p", [1], [unknown])], [[torch.zeros(4)]]) is None


def recorded(group: Group, logprob: float, policy: str = POLICY) -> Group:
    """With this log-probability recorded for each token."""
    replies = [dataclasses.replace(reply, behaviour=[logprob] * len(reply.ids)) for reply in group.replies]
    return dataclasses.replace(group, replies=replies, policy=policy)


def test_groups_of_another_model_are_refused_with_a_diagnosis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strange = [recorded(group, -0.01) for group in groups_of()]
    monkeypatch.setattr(stage_child, "groups_of", lambda: strange)
    with pytest.raises(Refusal, match="did not sample from these weights") as refusal:
        run_stage(tmp_path)
    assert refusal.value.reason == "mismatch"
    refuse_mismatch(0.1, 0.1)
    refuse_mismatch(None, 0.1)


def test_groups_of_the_policy_before_tell_nothing_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was learned since they were sampled is no fault of the server. Where there are only such groups, the
    difference is told."""
    older = [recorded(group, -0.01, "m@d.t#v0") for group in groups_of()]
    mixed = [*groups_of()[:3], *older[3:]]
    for name, groups in (("mixed", mixed), ("older", older)):
        monkeypatch.setattr(stage_child, "groups_of", lambda groups=groups: groups)
        run_stage(tmp_path / name)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    of_mixed, of_older = (event for event in told if event["event"] == "mismatch")
    assert of_mixed["mismatch"] is None
    assert of_older["mismatch"] > 1 and "not judged" in of_older["text"]
    strange = [recorded(groups_of()[0], -0.01), *older[1:]]
    monkeypatch.setattr(stage_child, "groups_of", lambda: strange)
    with pytest.raises(Refusal, match="did not sample from these weights"):
        run_stage(tmp_path / "strange")


def test_the_log_has_the_rewards_and_the_mismatch_of_each_update(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As shares of the whole: there are two groups of three replies in each update."""
    groups = []
    for at, group in enumerate(groups_of()):
        replies = [dataclasses.replace(reply, reward=at + reply.index / 8) for reply in group.replies]
        replies[0] = dataclasses.replace(replies[0], reward=math.nan)
        groups.append(recorded(dataclasses.replace(group, replies=replies), -4.0))
    monkeypatch.setattr(stage_child, "groups_of", lambda: groups)
    result, _ = run_stage(tmp_path, dataclasses.replace(SETTINGS, most_mismatch=100))
    plan = plan_updates(len(groups), SETTINGS)
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    counted = [sum(sum(reply.mask) for at in part for reply in groups[at].replies) for part in plan]
    for row, part in zip(rows, plan, strict=True):
        assert row["reward"] == pytest.approx(sum(at + 1.5 / 8 for at in part) / len(part))
    whole = sum(row["mismatch"] * tokens for row, tokens in zip(rows, counted, strict=True)) / sum(counted)
    assert result.mismatch == pytest.approx(whole)


def test_the_policy_a_training_begins_at_is_told_by_the_names_or_not_at_all() -> None:
    base, first, ninth, tenth = (f"m@d.t#v{version}" for version in (0, 1, 9, 10))
    assert policy_at_start([base, base], continued=False) == base
    # Of one that was rolled back there are groups too.
    assert policy_at_start([first, base], continued=False) == base
    assert policy_at_start([first], continued=False) is None
    assert policy_at_start([ninth, tenth, ninth], continued=True) == tenth
    assert policy_at_start([ninth, ninth], continued=True) is None
    assert policy_at_start(["a model by hand"], continued=False) == "a model by hand"


def test_the_effective_sample_size_is_of_tokens_and_does_not_hang_on_the_length_of_replies() -> None:
    """Of ratios 1 and 3: (1 + 3)^2 / (2 (1 + 9))."""
    pair = Sums(counted=2.0, ratio=4.0, ratio_squared=10.0)
    assert pair.effective == pytest.approx(0.8)
    longer = Sums()
    for _ in range(500):
        longer.add(pair)
    assert longer.effective == pytest.approx(0.8)
    assert Sums().effective == 1


@pytest.mark.parametrize(
    ("limit", "ended"),
    [({"most_square": 1e-9}, "drift"), ({"least_effective": 1.0}, "sample size")],
)
def test_a_policy_that_moved_too_far_ends_the_stage_for_good_and_its_gradient_is_not_taken(
    tmp_path: Path, limit: dict, ended: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = []
    real = checkpoint.save

    def watched_save(folder, model, *rest) -> None:
        kept.append({name: value.clone() for name, value in get_peft_model_state_dict(model).items()})
        real(folder, model, *rest)

    monkeypatch.setattr(checkpoint, "save", watched_save)
    settings = dataclasses.replace(SETTINGS, **limit)
    result, adapter = run_stage(tmp_path, settings)
    # The first update is at the old policy itself; the second finds it moved.
    assert result == StageResult(1, ended)
    assert len(kept) == 2
    same(adapter, kept[0])
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["update"] for event in told if event["event"] == "update"] == [1]
    (left,) = (event for event in told if event["event"] == "left")
    assert left["update"] == 2 and "not taken" in left["text"]
    assert [number for number, _ in losses(tmp_path)] == [1]
    again, same_adapter = run_stage(tmp_path, settings)
    assert again == result
    same(same_adapter, adapter)


@contextmanager
def killed_before_keeping(monkeypatch: pytest.MonkeyPatch, at: Callable[[dict[str, Any]], bool]) -> Iterator[None]:
    """Injects a kill before the checkpoint whose progress `at` names is written."""
    real = checkpoint.save

    def faulty_save(folder: Path, model: Any, optimiser: Any, stage: str, progress: dict, *more: Any) -> None:
        if at(progress):
            raise OSError("killed")
        real(folder, model, optimiser, stage, progress, *more)

    with monkeypatch.context() as patch, pytest.raises(OSError, match="killed"):
        patch.setattr(checkpoint, "save", faulty_save)
        yield


def test_a_stage_killed_before_its_end_is_kept_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = dataclasses.replace(SETTINGS, most_square=1e-9)
    wanted = run_stage(tmp_path / "whole", settings)
    with killed_before_keeping(monkeypatch, lambda progress: progress["ended"] != "groups"):
        run_stage(tmp_path / "cut", settings)
    result, adapter = run_stage(tmp_path / "cut", settings)
    assert result == wanted[0]
    same(adapter, wanted[1])
    assert losses(tmp_path / "cut") == losses(tmp_path / "whole")


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_a_gradient_that_is_no_number_is_refused_and_the_last_checkpoint_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: float
) -> None:
    real, calls = stage.accumulate, []

    def faulty_accumulate(trainee, *rest):
        sums = real(trainee, *rest)
        calls.append(sums)
        if len(calls) == 2:
            next(value for value in trainee.model.parameters() if value.grad is not None).grad.fill_(broken)
        return sums

    with monkeypatch.context() as patch:
        patch.setattr(stage, "accumulate", faulty_accumulate)
        with pytest.raises(Refusal, match="--learning-rate") as refusal:
            run_stage(tmp_path)
    assert refusal.value.reason == "diverged"
    kept = torch.load(tmp_path / "checkpoint" / "state.pt", weights_only=True)
    assert kept["progress"]["updates"] == 1
    assert all(value.isfinite().all() for value in kept["adapter"].values())
    assert [number for number, _ in losses(tmp_path)] == [1]


def test_two_processes_give_what_one_gives(whole: Path, tmp_path: Path) -> None:
    processes = [in_process(one_of_two, tmp_path, rank) for rank in range(2)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    first, second = (torch.load(tmp_path / f"process-{rank}.pt", weights_only=True) for rank in range(2))
    same(first["adapter"], second["adapter"])
    same(first["gradients"], gradients(range(6)), 1e-6)
    same(first["adapter"], torch.load(whole / "whole.pt", weights_only=True)["adapter"], 1e-6)
    assert [number for number, _ in losses(tmp_path)] == list(range(1, UPDATES + 1))


def test_what_was_told_after_the_last_checkpoint_is_told_once(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    file.write_text('{"update": 1, "loss": 0.5}\n{"update": 2, "loss": 0.4}\n{"update": 3, "lo')
    report.start_log(file, tmp_path / "tensorboard")
    report.rewind_log(1)
    report.tell("update", "again", update=2, loss=0.25)
    assert losses(tmp_path) == [(1, 0.5), (2, 0.25)]


def test_of_several_processes_only_the_first_touches_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, text = tmp_path / "metrics.jsonl", '{"update": 1, "loss": 0.5}\n{"update": 2, "loss": 0.4}\n'
    file.write_text(text)
    monkeypatch.setenv("RANK", "1")
    report.start_log(file, tmp_path / "tensorboard")
    report.rewind_log(0)
    report.tell("update", "again", update=1, loss=0.25)
    assert file.read_text() == text
    assert [each.name for each in tmp_path.iterdir()] == ["metrics.jsonl"]
