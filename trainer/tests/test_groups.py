"""Reading an export: what counts, what is left out, and that nothing is left out silently."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from exit_trainer.groups import read_groups
from exit_trainer.json_values import in_spans, value_spans

END = 99


def tokenize(text: str) -> list[int]:
    """A token for each letter."""
    return [ord(letter) % 90 for letter in text]


def reply(text: str = "ab", **change) -> dict:
    pieces = change.pop("pieces", list(text))
    row = {
        "index": 0,
        "text": text,
        "tokens": [{"id": None, "text": piece} for piece in pieces],
        "logprobs": [-0.5] * len(pieces),
        "finish": "stop",
        "constrained": None,
        "reward": 0.25,
        "advantage": 1.0,
        "tokensMatch": True,
    }
    return row | change


def export(folder: Path, *replies: dict, **change) -> Path:
    row = {"version": 1, "id": "g1", "policy": "m@d.t#v0", "prompt": {"rendered": "go"}, "replies": list(replies)}
    file = folder / "groups.jsonl"
    file.write_text(json.dumps(row | change) + "\n")
    return file


def test_the_end_token_is_appended_where_a_reply_ended_by_itself(tmp_path: Path) -> None:
    file = export(tmp_path, reply(), reply("b", advantage=-1.0))
    (group,) = read_groups(file, tokenize, tokenize, END).groups
    first = group.replies[0]
    assert (first.ids, first.mask) == ([*tokenize("ab"), END], [1.0, 1.0, 1.0])
    assert first.behaviour[:2] == [-0.5, -0.5] and math.isnan(first.behaviour[2])
    assert group.tokens == (2 + 3) + (2 + 2)


def test_rewards_are_read_and_may_be_unknown(tmp_path: Path) -> None:
    file = export(tmp_path, reply(), reply("b", advantage=-1.0, reward=None))
    (group,) = read_groups(file, tokenize, tokenize, END).groups
    assert group.replies[0].reward == 0.25 and math.isnan(group.replies[1].reward)


def test_a_cut_reply_keeps_its_place_without_weight(tmp_path: Path) -> None:
    file = export(tmp_path, reply(finish="length"), reply("b", advantage=-1.0))
    (group,) = read_groups(file, tokenize, tokenize, END).groups
    assert group.replies[0].mask == [0.0, 0.0] and group.replies[0].ids == tokenize("ab")


def test_under_a_grammar_only_values_count(tmp_path: Path) -> None:
    pieces = ['{"', "depth", '": ', "12", ', "kind": ', '"tr', 'ee"', "}"]
    text = "".join(pieces)
    numbers = [{"id": at, "text": piece} for at, piece in enumerate(pieces)]
    constrained = reply(text, tokens=numbers, logprobs=[-1.0] * len(pieces), constrained="schema")
    file = export(tmp_path, constrained, reply("b", advantage=-1.0))
    intake = read_groups(file, tokenize, tokenize, END)
    assert intake.groups[0].replies[0].mask == [0, 0, 0, 1, 0, 1, 1, 0, 0]
    assert intake.masked == 6 and intake.tokens == 9 + 2


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (reply(tokensMatch=False), "tokens and log-probabilities do not match"),
        (reply(tokens=None, logprobs=[-0.5]), "tokens and log-probabilities do not match"),
        (reply("abc", pieces=["a", "bc"]), "retokenised to another number of tokens"),
        (reply("abc", pieces=["a", "b", "x"], constrained="s"), "texts of the tokens do not join to the reply"),
    ],
)
def test_a_reply_that_cannot_be_trusted_is_dropped_and_counted(tmp_path: Path, broken: dict, reason: str) -> None:
    file = export(tmp_path, broken, reply("b", advantage=-1.0), reply("c"))
    intake = read_groups(file, tokenize, tokenize, END)
    assert dict(intake.dropped) == {reason: 1}
    assert len(intake.groups[0].replies) == 2


def test_a_group_without_a_difference_never_reaches_the_model(tmp_path: Path) -> None:
    intake = read_groups(export(tmp_path, reply(), reply("b")), tokenize, tokenize, END)
    assert intake.groups == [] and intake.dropped.total() == 1


def test_other_files_are_refused_with_the_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line 1 has format version 2"):
        read_groups(export(tmp_path, reply(), version=2), tokenize, tokenize, END)
    file = tmp_path / "groups.jsonl"
    file.write_text("not json\n")
    with pytest.raises(ValueError, match="line 1 is no exported group"):
        read_groups(file, tokenize, tokenize, END)


def test_values_are_found_with_escapes_nesting_and_a_cut_end() -> None:
    text = '{"a\\"b": "c: \\"d", "list": [1, -2.5e3, null], "deep": {"x": true}, "cut": "unfin'
    found = [text[start:stop] for start, stop in value_spans(text)]
    assert found == ['"c: \\"d"', "1", "-2.5e3", "null", "true"]


def test_a_piece_counts_if_any_of_it_lies_in_a_value() -> None:
    assert in_spans(["ab", "", "cd", "ef"], [(3, 5)]) == [False, False, True, True]
