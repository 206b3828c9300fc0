"""Compares predictions.csv with the labels and prints one JSON line.

Hidden from every revision. Standard library only, so that it starts at once. The reasons name what is wrong
with the file and never a label.
"""

import csv
import json
import sys

PREDICTIONS = "predictions.csv"
LABELS = "data/hidden/test_labels.csv"
MAX_BYTES = 1_000_000
DIGITS = [str(digit) for digit in range(10)]


def invalid(reason):
    print(json.dumps({"invalid": reason}))
    sys.exit(0)


def read_predictions(wanted):
    """Predicted digit by id: exactly the wanted ids, once each."""
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
    if not rows or rows[0] != ["id", "label"]:
        invalid(f'{PREDICTIONS} must start with the line "id,label"')
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
        if row[1] not in DIGITS:
            invalid(f"{PREDICTIONS}, line {number}: the label must be a digit from 0 to 9")
        found[row[0]] = row[1]
    return found


def main():
    with open(LABELS, newline="", encoding="utf-8") as file:
        truth = {row["id"]: row["label"] for row in csv.DictReader(file)}
    found = read_predictions(truth)
    recalls = []
    for digit in DIGITS:
        ids = [key for key, label in truth.items() if label == digit]
        recalls.append(sum(found[key] == digit for key in ids) / len(ids))
    accuracy = sum(found[key] == label for key, label in truth.items()) / len(truth)
    metrics = {"mean_recall": round(sum(recalls) / len(recalls), 4), "worst_recall": round(min(recalls), 4)}
    print(json.dumps({"score": round(accuracy, 6), "metrics": metrics}))


main()
