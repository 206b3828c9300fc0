"""Trains the classifier that a task's config.json describes: `run.py FOLDER` writes FOLDER/predictions.csv.

One program for all tasks of the family, and not part of any solution: a revision changes the settings, never this
file. It takes no random choice, so the same settings always give the same predictions.
"""

import csv
import json
import pathlib
import sys
import warnings

import numpy as np

# A solver that stops early is a weak setting, not a mistake.
warnings.filterwarnings("ignore", module="sklearn")

NEIGHBORS = [61, 31, 15, 7, 3, 1]  # by complexity: few neighbors follow the data most closely
DEPTH = [1, 2, 3, 4, 6, 12]
C = [0.001, 0.01, 0.1, 1.0, 10.0, 100.0]
GAMMA = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0]
FEW = 4


def read_config(folder, schema):
    """The settings, each one of the values that the schema allows."""
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        sys.exit(f"{path} cannot be read as JSON: {error}")
    if not isinstance(config, dict):
        sys.exit(f"{path} must hold one JSON object")
    allowed = {key: value["enum"] for key, value in schema["properties"].items()}
    if set(config) != set(allowed):
        sys.exit(f"{path} must have exactly the keys {', '.join(allowed)}")
    for key, values in allowed.items():
        # true == 1 in Python, so the type is compared too.
        if isinstance(config[key], bool) or config[key] not in values:
            sys.exit(f"{path}: {key} is {config[key]!r}, allowed are {values}")
    return config


def read_table(path):
    """(rows, names): every row of numbers under its header."""
    with open(path, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return np.array(rows, float), header


def scaled(train, other, how):
    """Both tables (n, columns) with the columns of `train` brought to a common scale; `other` follows."""
    if how == "none":
        return train, other
    if how == "rank":  # share of the training rows below, 0 to 1
        order = np.sort(train, axis=0)
        return tuple(
            np.stack([np.searchsorted(order[:, i], table[:, i]) for i in range(train.shape[1])], axis=1) / len(train)
            for table in (train, other)
        )
    if how == "log":
        unit = np.median(np.abs(train), axis=0) + 1e-12
        train, other = (np.sign(table) * np.log1p(np.abs(table) / unit * 10) for table in (train, other))
    center, spread = train.mean(axis=0), train.std(axis=0) + 1e-12
    return (train - center) / spread, (other - center) / spread


def kept_columns(x, y, how):
    """Indices of the columns that tell most about the class, each looked at alone."""
    if how == "all":
        return np.arange(x.shape[1])
    order = np.sort(x, axis=0)
    bins = np.stack([np.searchsorted(order[:, i], x[:, i]) * 6 // len(x) for i in range(x.shape[1])], axis=1)
    tells = [information(bins[:, i], y) for i in range(x.shape[1])]
    count = max(FEW, x.shape[1] // 2) if how == "half" else FEW
    return np.sort(np.argsort(tells, kind="stable")[::-1][:count])


def information(a, b):
    """Mutual information of two rows of small integers, in nats."""
    joint = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(joint, (a, b), 1 / len(a))
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    there = joint > 0
    return float((joint[there] * np.log(joint[there] / apart[there])).sum())


def build(name, complexity):
    """The untrained model. Each part of scikit-learn is imported only where it is used: that is most of a run."""
    step = complexity - 1
    if name == "linear":
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=C[step], max_iter=200)
    if name == "neighbors":
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(n_neighbors=NEIGHBORS[step])
    if name == "tree":
        from sklearn.tree import DecisionTreeClassifier

        return DecisionTreeClassifier(max_depth=DEPTH[step], random_state=0)
    from sklearn.svm import SVC

    return SVC(C=3.0, gamma=GAMMA[step], max_iter=20_000)


def predict(config, x, y, x_new):
    """Classes of the rows of `x_new` by the classifier that the settings describe, trained on `x` and `y`."""
    columns = kept_columns(x, y, config["columns"])
    x, x_new = scaled(x[:, columns], x_new[:, columns], config["scale"])
    return build(config["model"], config["complexity"]).fit(x, y).predict(x_new)


def main():
    folder = pathlib.Path(sys.argv[1])
    config = read_config(folder, json.loads(pathlib.Path("schema.json").read_text(encoding="utf-8")))
    train, _ = read_table(folder / "data/train.csv")
    test, _ = read_table(folder / "data/test.csv")
    found = predict(config, train[:, 1:-1], train[:, -1].astype(int), test[:, 1:])
    with open(folder / "predictions.csv", "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["id", "kind"])
        out.writerows(zip(test[:, 0].astype(int).tolist(), found.tolist()))


if __name__ == "__main__":
    main()
