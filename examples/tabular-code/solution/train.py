"""Predicts how many minutes each delivery of test.csv takes and writes predictions.csv."""

import os

import pandas as pd
from sklearn.tree import DecisionTreeRegressor

seed = int(os.environ.get("EXIT_SEED", "0")) % 2**32
train = pd.read_csv("data/public/train.csv")
test = pd.read_csv("data/public/test.csv")

columns = ["distance_km"]
model = DecisionTreeRegressor(max_depth=2, random_state=seed)
model.fit(train[columns], train["minutes"])

test["minutes"] = model.predict(test[columns])
test[["id", "minutes"]].to_csv("predictions.csv", index=False)
