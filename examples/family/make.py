"""Writes the task family into a folder: `python3 make.py DIR`.

24 tasks, 12 to train on and 12 held out, each with its own made-up data. Standard library only; the same files byte
for byte every time. README.md explains what differs between the tasks.
"""

import argparse
import csv
import json
import math
import pathlib
import random
import shutil
import sys

SEED = 20250904
ROWS = {"train": 300, "test": 400, "final": 400}
KINDS = 3
# worst: guessing among the kinds.
METRIC = {"name": "accuracy", "direction": "maximize", "worst": 0.333, "best": 1}
WRONG = 0.12  # share of wrong labels among the training rows where a task has any

SHAPES = {
    "lines": "straight lines divide the kinds",
    "steps": "thresholds on single columns divide the kinds",
    "clusters": "each kind forms several small clusters",
    "rings": "the kinds lie around each other like rings",
}
UNITS = {
    "same": "all columns have the same unit",
    "mixed": "the columns have very different units",
    "skewed": "most values are small and a few are huge",
}
# For each shape and unit two tasks, in the order of the names: (unrelated columns, wrong labels).
EXTRA = {"few": 2, "many": 12}
SUBJECTS = {
    "lines": ["apples", "bearings", "cheeses", "doors", "engines", "fabrics"],
    "steps": ["glasses", "hats", "inks", "jars", "kites", "lamps"],
    "clusters": ["mosses", "nails", "olives", "paints", "quartzes", "ropes"],
    "rings": ["soils", "tiles", "urns", "vines", "waxes", "yarns"],
}


def family():
    """The 24 tasks as plain records."""
    tasks = []
    for row, shape in enumerate(SHAPES):
        for column, unit in enumerate(UNITS):
            for second in (0, 1):
                # Alternating, so that no trait goes with the split: of the two tasks one is held out and one has
                # wrong labels.
                held_out = (row + column + second) % 2 == 1
                wrong_in_train = (column + row // 2) % 2 == 1
                tasks.append({
                    "name": SUBJECTS[shape][2 * column + second],
                    "shape": shape,
                    "unit": unit,
                    "extra": "many" if second else "few",
                    "wrong": wrong_in_train != held_out,
                    "split": "heldout" if held_out else "train",
                })  # fmt: skip
    return tasks


def shaped(shape, draw):
    """A function that draws one row: its kind and the columns that tell it, of about unit size."""
    if shape == "lines":
        weights = [draw.choice([-1, 1]) * draw.uniform(0.6, 1.4) for _ in range(4)]
        size = math.sqrt(sum(weight * weight for weight in weights))

        def row():
            x = [draw.gauss(0, 1) for _ in weights]
            along = sum(a * b for a, b in zip(weights, x)) / size
            return (0 if along < -0.43 else 1 if along < 0.43 else 2), x

    elif shape == "steps":
        cuts = [draw.uniform(-0.4, 0.4) for _ in range(3)]
        # Eight corners; the first column alone decides nothing, the three together everything.
        kinds = draw.sample([0, 0, 0, 1, 1, 1, 2, 2], 8)

        def row():
            x = [draw.gauss(0, 1) for _ in range(4)]
            return kinds[sum((x[i] > cuts[i]) << i for i in range(3))], x

    elif shape == "clusters":
        centers = [(kind, [draw.uniform(-2, 2) for _ in range(3)]) for kind in range(KINDS) for _ in range(5)]

        def row():
            kind, center = draw.choice(centers)
            return kind, [draw.gauss(value, 0.28) for value in center]

    else:
        stretch = [draw.uniform(0.8, 1.25) for _ in range(2)]

        def row():
            kind = draw.randrange(KINDS)
            radius, angle = kind * 0.9 + 0.3 + draw.gauss(0, 0.12), draw.uniform(0, 2 * math.pi)
            return kind, [stretch[0] * radius * math.cos(angle), stretch[1] * radius * math.sin(angle)]

    return row


def table(task):
    """Rows of (kind, columns), as many as all parts need, the columns in their units and in a drawn order."""
    draw = random.Random(f"{SEED} {task['name']}")
    row = shaped(task["shape"], draw)
    extra = EXTRA[task["extra"]]
    width = len(row()[1]) + extra
    order = draw.sample(range(width), width)
    size = [10 ** draw.uniform(-2, 3) if task["unit"] != "same" else 1.0 for _ in range(width)]
    rows = []
    for _ in range(sum(ROWS.values())):
        kind, x = row()
        x += [draw.gauss(0, 1) for _ in range(extra)]
        if task["unit"] == "skewed":
            x = [math.exp(1.6 * value) for value in x]
        rows.append((kind, [f"{x[i] * size[i]:.4g}" for i in order]))
    wrong = [draw.random() < WRONG and task["wrong"] for _ in range(ROWS["train"])]
    for place, is_wrong in enumerate(wrong):
        if is_wrong:
            kind, x = rows[place]
            rows[place] = ((kind + 1 + draw.randrange(KINDS - 1)) % KINDS, x)
    return rows


def instruction(task, width):
    facts = [SHAPES[task["shape"]], UNITS[task["unit"]]]
    facts.append("most columns are unrelated to the kind" if task["extra"] == "many" else "most columns matter")
    if task["wrong"]:
        facts.append("some labels are wrong")
    return (
        f"Raise the accuracy of a classifier that tells {KINDS} kinds of {task['name']} apart by {width} columns, "
        f"with {ROWS['train']} labelled rows. Known: {'; '.join(facts)}. "
        "scale: how columns are brought to one scale. columns: how many of the most telling columns are used. "
        "model: the classifier. complexity: 1 simplest, 6 most complex."
    )


def task_file(task, width):
    folder = f"tasks/{task['name']}"
    return {
        "name": task["name"],
        "instruction": instruction(task, width),
        "solution": {"files": [f"{folder}/config.json"], "format": "json", "schema": "schema.json"},
        "run": {
            "command": ["python3", "run.py", folder],
            "inputs": ["run.py", "schema.json", f"{folder}/data/**"],
            "outputs": [f"{folder}/predictions.csv"],
            "timeout": "1m",
        },
        "score": {
            "command": ["python3", "-I", "score.py", folder],
            "hidden": ["score.py", f"{folder}/hidden/**"],
            "timeout": "1m",
        },
        "metric": METRIC,
        "holdout": {
            "replace": {
                f"{folder}/data/test.csv": f"{folder}/final/test.csv",
                f"{folder}/hidden/kinds.csv": f"{folder}/final/kinds.csv",
            }
        },
        "sandbox": {"image": "exit-ml/python:local", "cpus": 1, "memory": "512m", "disk": "16m"},
        "split": task["split"],
    }


def write_csv(path, header, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def write_task(task, config, workspace):
    folder = workspace / "tasks" / task["name"]
    rows = table(task)
    columns = [f"c{i + 1}" for i in range(len(rows[0][1]))]
    start = 0
    for part, count in ROWS.items():
        ids = range(start, start + count)
        if part == "train":
            known = ([i, *rows[i][1], rows[i][0]] for i in ids)
            write_csv(folder / "data/train.csv", ["id", *columns, "kind"], known)
        else:
            tables, kinds = ("data", "hidden") if part == "test" else ("final", "final")
            write_csv(folder / tables / "test.csv", ["id", *columns], ([i, *rows[i][1]] for i in ids))
            write_csv(folder / kinds / "kinds.csv", ["id", "kind"], ([i, rows[i][0]] for i in ids))
        start += count
    write_json(folder / "exit.task.json", task_file(task, len(columns)))
    write_json(folder / "config.json", config)


def main():
    parser = argparse.ArgumentParser(description="Writes the task family into a new folder.")
    parser.add_argument("folder", type=pathlib.Path, help="a folder that does not exist yet, or an empty one")
    workspace = parser.parse_args().folder
    here = pathlib.Path(__file__).parent
    if workspace.exists() and any(workspace.iterdir()):
        sys.exit(f"{workspace} is not empty. Name a new folder.")
    shutil.copytree(here / "workspace", workspace, dirs_exist_ok=True)
    roots = json.loads((here / "roots.json").read_text(encoding="utf-8"))
    tasks = family()
    for task in tasks:
        write_task(task, roots[task["name"]], workspace)
    train = sum(task["split"] == "train" for task in tasks)
    print(f"{workspace}: {train} tasks to train on, {len(tasks) - train} held out.")


if __name__ == "__main__":
    main()
