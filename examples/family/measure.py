"""Every configuration of every task, enumerated: where the family's README has its numbers from.

    python3 measure.py             # prints the tables; needs numpy and scikit-learn, about a minute
    python3 measure.py --roots     # draws the roots anew and writes roots.json
"""

import itertools
import json
import pathlib
import random
import statistics
import sys
import warnings

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent / "workspace"))
import make  # noqa: E402
import run  # noqa: E402

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent
ROOT_QUALITY = (0.2, 0.4)


def grid():
    schema = json.loads((HERE / "workspace/schema.json").read_text(encoding="utf-8"))["properties"]
    return [dict(zip(schema, values)) for values in itertools.product(*(part["enum"] for part in schema.values()))]


def quality(accuracy):
    worst, best = make.METRIC["worst"], make.METRIC["best"]
    return min(1.0, max(0.0, (accuracy - worst) / (best - worst)))


def qualities(task, configs):
    """Quality of each configuration on the data of the search and of the holdout, two lists."""
    rows = make.table(task)
    y = np.array([kind for kind, _ in rows])
    x = np.array([columns for _, columns in rows], float)
    train, test = make.ROWS["train"], make.ROWS["train"] + make.ROWS["test"]
    found = [run.predict(config, x[:train], y[:train], x[train:]) == y[train:] for config in configs]
    return (
        [quality(float(right[: test - train].mean())) for right in found],
        [quality(float(right[test - train :].mean())) for right in found],
    )


def draw_roots(tasks, configs, of):
    """For each task a configuration of low quality, a different one each."""
    draw = random.Random(make.SEED)
    roots = {}
    for task in tasks:
        search = of[task["name"]][0]
        low = [c for c, q in zip(configs, search) if ROOT_QUALITY[0] <= q <= ROOT_QUALITY[1]]
        roots[task["name"]] = draw.choice([config for config in low if config not in roots.values()])
    lines = ",\n".join(f"  {json.dumps(name)}: {{ {json.dumps(config)[1:-1]} }}" for name, config in roots.items())
    (HERE / "roots.json").write_text("{\n" + lines + "\n}\n", encoding="utf-8")


def mean_of(tasks, of, place, split):
    return statistics.mean(of[task["name"]][split][place] for task in tasks)


def best_place(tasks, of):
    return max(range(len(of[tasks[0]["name"]][0])), key=lambda place: mean_of(tasks, of, place, 0))


def show(tasks, configs, of):
    roots = json.loads((HERE / "roots.json").read_text(encoding="utf-8"))
    columns = ["task", "split", "data", "root", "25 %", "50 %", "75 %", "90 %", "best", "holdout of the best"]
    print(f"| {' | '.join(columns)} | best configuration |")
    print("|---" * (len(columns) + 1) + "|")
    for task in tasks:
        search, final = of[task["name"]]
        best = max(range(len(configs)), key=search.__getitem__)
        data = f"{task['shape']}, {task['unit']}, {task['extra']} unrelated{', wrong labels' if task['wrong'] else ''}"
        root = search[configs.index(roots[task["name"]])]
        parts = [root, *np.percentile(search, [25, 50, 75, 90]), search[best], final[best]]
        words = " ".join(str(value) for value in configs[best].values())
        numbers = " | ".join(f"{value:.2f}" for value in parts)
        print(f"| {task['name']} | {task['split']} | {data} | {numbers} | {words} |")
    train = [task for task in tasks if task["split"] == "train"]
    heldout = [task for task in tasks if task["split"] == "heldout"]
    place = best_place(train, of)
    print(f"\nMean quality of the {len(heldout)} held-out tasks")
    of_roots = [of[t["name"]][0][configs.index(roots[t["name"]])] for t in heldout]
    print(f"- their roots: {statistics.mean(of_roots):.3f}")
    print(f"- a configuration drawn at random: {statistics.mean(statistics.mean(of[t['name']][0]) for t in heldout):.3f}")
    one = f"the one configuration that is best over the train tasks ({configs[place]})"
    print(f"- {one}: {mean_of(heldout, of, place, 0):.3f}")
    for trait in ("shape", "unit"):
        by = [mean_of([t], of, best_place([u for u in train if u[trait] == t[trait]], of), 0) for t in heldout]
        print(f"- for each task the best over the train tasks of its {trait}: {statistics.mean(by):.3f}")
    print(f"- the best of each task: {statistics.mean(max(of[t['name']][0]) for t in heldout):.3f}")
    print("\nMean quality of all tasks by the value of one key")
    for key in configs[0]:
        values = dict.fromkeys(config[key] for config in configs)
        of_value = {v: [i for i, config in enumerate(configs) if config[key] == v] for v in values}
        means = (f"{v} {statistics.mean(mean_of(tasks, of, i, 0) for i in of_value[v]):.2f}" for v in values)
        print(f"- {key}: {', '.join(means)}")
    optima = {max(range(len(configs)), key=of[t["name"]][0].__getitem__) for t in tasks}
    print(f"\nDifferent best configurations: {len(optima)} of {len(tasks)} tasks; {len(configs)} configurations.")


def main():
    tasks, configs = make.family(), grid()
    of = {task["name"]: qualities(task, configs) for task in tasks}
    if "--roots" in sys.argv[1:]:
        draw_roots(tasks, configs, of)
    show(tasks, configs, of)


if __name__ == "__main__":
    main()
