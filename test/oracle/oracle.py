"""The second implementation of EXIT.md: JSON lines in, JSON lines out, one answer for each scenario.

`python3 oracle.py < scenarios.jsonl > answers.jsonl`; README.md has the format.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from typing import Any

from definitions import Member, Settings, Start, Task, quality
from group import close
from history import History


def group(scenario: dict[str, Any]) -> dict[str, Any]:
    """One group by itself: sections 1, 2.6 to 2.8 and 5."""
    task = Task.read(scenario["task"])
    given = scenario["start"]
    found = quality(given["verdict"], given.get("score"), task.worst, task.best)
    outcome = close(
        task,
        Start(task.name, given["snapshot"], given["verdict"], found),
        scenario["goal"],
        scenario["fromTask"],
        [Member.read(member, task) for member in scenario["members"]],
        scenario["bonus"],
        scenario.get("startSE") or 0.0,
        scenario.get("infra", False),
        Settings.read(scenario["settings"]),
    )
    return vars(outcome)


def held_out(scenario: dict[str, Any]) -> dict[str, Any]:
    """Section 5: is the subtree of this depth-1 node held out from birth?"""
    digest = hashlib.sha256(scenario["snapshot"].encode()).digest()
    return {"heldOut": int.from_bytes(digest[:4], "big") % 5 == 0}


def history(scenario: dict[str, Any]) -> dict[str, Any]:
    """A whole history: sections 2 and 3."""
    workspace = History([Task.read(task) for task in scenario["tasks"]])
    steps: list[dict[str, Any]] = []
    for step in scenario["steps"]:
        try:
            steps.append(workspace.step(step))
        except (KeyError, IndexError, StopIteration, TypeError, ValueError) as error:
            # Most likely a draw is missing: the two sides have parted before.
            return {"steps": steps, "error": f"{type(error).__name__}: {error}"}
    return {"steps": steps, "buffer": workspace.finish()}


KINDS = {"group": group, "heldOut": held_out, "history": history}


def answers(lines: Iterator[str]) -> Iterator[str]:
    """One answer a scenario, in order; a scenario that cannot be answered gives its `error`."""
    for line in lines:
        scenario = json.loads(line)
        try:
            answer = KINDS[scenario["kind"]](scenario)
        except (KeyError, IndexError, StopIteration, TypeError, ValueError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        yield json.dumps(answer)


if __name__ == "__main__":
    for text in answers(sys.stdin):
        print(text, flush=True)
