"""Writes data/ from the digits that scikit-learn carries (sklearn.datasets.load_digits).

Needs numpy and scikit-learn. Running it again gives the same files byte for byte.
"""

import csv
import pathlib
import random

from sklearn.datasets import load_digits

SEED = 20240229
SIZES = {"train": 900, "test": 400, "final": 497}


def write(path, header, rows):
    path = pathlib.Path(__file__).parent / path
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)


def main():
    digits = load_digits()
    images = digits.data.astype(int).tolist()
    labels = digits.target.tolist()
    order = list(range(len(images)))
    random.Random(SEED).shuffle(order)
    parts, start = {}, 0
    for name, size in SIZES.items():
        parts[name] = order[start : start + size]
        start += size

    pixels = [f"p{i}" for i in range(64)]
    # The id is the place after shuffling: it says nothing about the digit.
    ids = {row: place for place, row in enumerate(order)}
    write("data/public/train.csv", ["id", *pixels, "label"], ([ids[i], *images[i], labels[i]] for i in parts["train"]))
    for part, where, answers in [
        ("test", "data/public/test.csv", "data/hidden/test_labels.csv"),
        ("final", "data/final/test.csv", "data/final/test_labels.csv"),
    ]:
        write(where, ["id", *pixels], ([ids[i], *images[i]] for i in parts[part]))
        write(answers, ["id", "label"], ([ids[i], labels[i]] for i in parts[part]))


main()
