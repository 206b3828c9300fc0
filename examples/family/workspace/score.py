"""Compares a task's predictions.csv with the true kinds and prints one JSON line: `score.py FOLDER`.

One program for all tasks of the family, hidden from every revision. Standard library only, so that it starts at
once. The reasons name what is wrong with the file and never a true kind.
"""

import csv
import json
import pathlib
import sys

MAX_BYTES = 1_000_000
KINDS = ["0", "1", "2"]


def invalid(reason):
    print(json.dumps({"invalid": reason}))
    sys.exit(0)


def read_predictions(path, wanted):
    """Predicted kind by id: exactly the wanted ids, once each."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            text = file.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            invalid(f"{path.name} is larger than {MAX_BYTES} characters")
        rows = list(csv.reader(text.splitlines(), strict=True))
    except FileNotFoundError:
        invalid(f"{path.name} is missing")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        invalid(f"{path.name} cannot be read: {type(error).__name__}")
    if not rows or rows[0] != ["id", "kind"]:
        invalid(f'{path.name} must start with the line "id,kind"')
    found = {}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != 2 or row[0] not in wanted or row[0] in found:
            invalid(f"{path.name}, line {number}: not one new id of test.csv and a kind")
        if row[1] not in KINDS:
            invalid(f"{path.name}, line {number}: the kind must be 0, 1 or 2")
        found[row[0]] = row[1]
    if len(found) != len(wanted):
        invalid(f"{path.name} has {len(found)} rows, expected {len(wanted)}")
    return found


def main():
    folder = pathlib.Path(sys.argv[1])
    with open(folder / "hidden/kinds.csv", newline="", encoding="utf-8") as file:
        truth = {row["id"]: row["kind"] for row in csv.DictReader(file)}
    found = read_predictions(folder / "predictions.csv", truth)
    accuracy = sum(found[key] == kind for key, kind in truth.items()) / len(truth)
    print(json.dumps({"score": round(accuracy, 6)}))


main()
