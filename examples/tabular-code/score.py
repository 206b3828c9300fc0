"""Compares predictions.csv with the minutes each delivery took and prints one JSON line.

Hidden from every revision. Standard library only, so that it starts at once. The reasons name what is wrong
with the file and never a true value.
"""

import csv
import json
import math
import re
import sys

PREDICTIONS = "predictions.csv"
TRUTH = "data/hidden/test_minutes.csv"
MAX_BYTES = 1_000_000
LARGEST = 1e6  # minutes; keeps the sum of squares finite
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?")


def invalid(reason):
    print(json.dumps({"invalid": reason}))
    sys.exit(0)


def read_predictions(wanted):
    """Predicted minutes by id: exactly the wanted ids, once each, finite numbers."""
    try:
        with open(PREDICTIONS, newline="", encoding="utf-8") as file:
            text = file.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            invalid(f"{PREDICTIONS} is larger than {MAX_BYTES} characters")
        rows = list(csv.reader(text.splitlines(), strict=True))
    except FileNotFoundError:
        invalid(f"{PREDICTIONS} is missing")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        invalid(f"{PREDICTIONS} cannot be read: {type(error).__name__}")
    if not rows or rows[0] != ["id", "minutes"]:
        invalid(f'{PREDICTIONS} must start with the line "id,minutes"')
    if len(rows) - 1 != len(wanted):
        invalid(f"{PREDICTIONS} has {len(rows) - 1} rows, expected {len(wanted)}")
    found = {}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != 2:
            invalid(f"{PREDICTIONS}, line {number}: {len(row)} columns, expected 2")
        if row[0] not in wanted:
            invalid(f"{PREDICTIONS}, line {number}: the id is not one of test.csv")
        if row[0] in found:
            invalid(f"{PREDICTIONS}, line {number}: the id occurs twice")
        if not NUMBER.fullmatch(row[1]) or abs(float(row[1])) > LARGEST:
            invalid(f"{PREDICTIONS}, line {number}: minutes must be a plain number of at most {LARGEST:.0f}")
        found[row[0]] = float(row[1])
    return found


def main():
    with open(TRUTH, newline="", encoding="utf-8") as file:
        truth = {row["id"]: float(row["minutes"]) for row in csv.DictReader(file)}
    found = read_predictions(truth)
    errors = [found[key] - true for key, true in truth.items()]
    rmse = math.sqrt(sum(error * error for error in errors) / len(errors))
    metrics = {
        "mae": round(sum(abs(error) for error in errors) / len(errors), 4),
        "bias": round(sum(errors) / len(errors), 4),
    }
    print(json.dumps({"score": round(rmse, 6), "metrics": metrics}))


main()
