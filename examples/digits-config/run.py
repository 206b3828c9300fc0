"""Trains the classifier that solution/config.json describes and writes predictions.csv.

Not part of the solution: a revision changes the settings, never this file.
"""

import json
import os
import sys
import warnings

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer, FunctionTransformer, MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

# A solver that stops early is a weak setting, not a mistake.
warnings.filterwarnings("ignore", module="sklearn")


def read_config():
    """The settings, each one of the values that schema.json allows."""
    try:
        with open("solution/config.json", encoding="utf-8") as file:
            config = json.load(file)
    except (OSError, ValueError) as error:
        sys.exit(f"solution/config.json cannot be read as JSON: {error}")
    if not isinstance(config, dict):
        sys.exit("solution/config.json must hold one JSON object")
    with open("schema.json", encoding="utf-8") as file:
        allowed = {key: value["enum"] for key, value in json.load(file)["properties"].items()}
    for key, values in allowed.items():
        if key not in config:
            sys.exit(f'solution/config.json: key "{key}" is missing')
        # true == 1 in Python, so the type is compared too.
        if isinstance(config[key], bool) or config[key] not in values:
            sys.exit(f'solution/config.json: "{key}" is {config[key]!r}, allowed are {values}')
    for key in config:
        if key not in allowed:
            sys.exit(f'solution/config.json: key "{key}" is unknown')
    return config


def features(images, pixels):
    """Feature rows of 8 x 8 images, shape (n, 8, 8), values 0 to 16."""
    if pixels == "all":  # 64: every pixel
        view = images
    elif pixels == "half":  # 16: means of 2 x 2 blocks
        view = images.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4))
    elif pixels == "sums":  # 16: the mean of each row and of each column
        view = np.concatenate([images.mean(axis=2), images.mean(axis=1)], axis=1)
    else:  # 56 edges: difference of neighbours in a row
        view = np.diff(images, axis=2)
    return view.reshape(len(images), -1)


def build(config, width, seed):
    """The untrained pipeline; keys that its parts do not use are ignored."""
    scaler = {
        "none": FunctionTransformer(),
        "std": StandardScaler(),
        "minmax": MinMaxScaler(),
        "binary": Binarizer(threshold=4),
    }[config["scale"]]
    model = {
        "bayes": lambda: GaussianNB(var_smoothing=1e-3),
        "logit": lambda: LogisticRegression(C=config["C"], max_iter=100),
        "knn": lambda: KNeighborsClassifier(n_neighbors=config["k"]),
        "tree": lambda: DecisionTreeClassifier(max_depth=config["depth"], random_state=seed),
        "forest": lambda: RandomForestClassifier(
            n_estimators=config["trees"], max_depth=config["depth"], random_state=seed
        ),
        "svm": lambda: SVC(C=config["C"], kernel=config["kernel"], max_iter=20_000),
    }[config["model"]]()
    if config["pca"] == 0:
        return make_pipeline(scaler, model)
    return make_pipeline(scaler, PCA(min(config["pca"], width), random_state=seed), model)


def main():
    config = read_config()
    seed = int(os.environ.get("EXIT_SEED", "0")) % 2**32
    train = pd.read_csv("data/public/train.csv").head(config["train"])
    test = pd.read_csv("data/public/test.csv")
    columns = [f"p{i}" for i in range(64)]

    def rows(table):
        return features(table[columns].to_numpy(float).reshape(-1, 8, 8), config["pixels"])

    x = rows(train)
    model = build(config, x.shape[1], seed).fit(x, train["label"])
    test.assign(label=model.predict(rows(test)))[["id", "label"]].to_csv("predictions.csv", index=False)


main()
