"""Writes data/: made-up deliveries and the minutes each took.

Standard library only; running it again gives the same files byte for byte. Nothing here is measured: places,
vehicles and times are invented. Hidden from every revision, because it holds the rule behind the times.
"""

import csv
import math
import pathlib
import random

SEED = 7
SIZES = {"train": 1600, "test": 600, "final": 800}
NOISE = 4.0  # minutes, standard deviation: no honest model gets below it

DISTRICTS = {
    "harbour": 9.0, "old_town": 14.0, "station": 6.0, "hill": 11.0, "park": 1.0, "mill": 3.0,
    "market": 12.0, "north": 0.0, "south": 2.0, "college": 7.0,
}  # fmt: skip
SPEED = {"bike": 16.0, "van": 30.0, "truck": 24.0}  # km/h on an empty street
WEATHER = {"clear": 0.6, "rain": 0.3, "snow": 0.1}


def rush(hour):
    """Traffic, 0 to about 1, with a peak in the morning and one in the afternoon."""
    return math.exp(-((hour - 8.0) ** 2) / 3) + math.exp(-((hour - 17.0) ** 2) / 5)


def minutes(d, draw):
    slow = {"clear": 1.0, "rain": 1.15, "snow": 1.5}[d["weather"]]
    if d["vehicle"] == "bike":
        slow *= {"clear": 1.0, "rain": 1.2, "snow": 1.5}[d["weather"]]
        traffic = 0.15 * rush(d["hour"])
    else:
        traffic = 0.9 * rush(d["hour"]) * (1.0 if d["weekday"] < 5 else 0.2)
    driving = 60 * d["distance_km"] / SPEED[d["vehicle"]] * slow * (1 + traffic)
    parking = DISTRICTS[d["district"]] * {"bike": 0.1, "van": 0.8, "truck": 1.3}[d["vehicle"]]
    handling = 1.5 * d["stops"] + 0.004 * d["weight_kg"] ** 1.6 * (0.4 if d["lift"] == "yes" else 1.0)
    newcomer = 12 * math.exp(-d["months_on_job"] / 5)
    battery = 8.0 if d["vehicle"] == "bike" and d["temperature"] < 2 else 0.0
    return max(3.0, driving + parking + handling + newcomer + battery + draw.gauss(0, NOISE))


def delivery(draw):
    weather = draw.choices(list(WEATHER), list(WEATHER.values()))[0]
    vehicle = draw.choices(list(SPEED), [3, 5, 2])[0]
    d = {
        "hour": round(draw.triangular(6, 21, 12), 1),
        "weekday": draw.randrange(7),
        "district": draw.choice(list(DISTRICTS)),
        "vehicle": vehicle,
        "weather": weather,
        "distance_km": round(0.5 + draw.gammavariate(2, 1.2 if vehicle == "bike" else 2.6), 2),
        "stops": 1 + min(9, int(draw.expovariate(0.5))),
        "weight_kg": round(draw.gammavariate(1.5, {"bike": 4, "van": 20, "truck": 60}[vehicle]), 1),
        "lift": draw.choice(["yes", "no"]),
        "months_on_job": round(draw.expovariate(1 / 14), 1),
        "temperature": round(draw.gauss(-2 if weather == "snow" else 12, 5), 1),
        "box_colour": draw.choice(["brown", "white", "blue"]),
    }
    answer = round(minutes(d, draw), 1)
    # What the depot forgot to write down.
    for column, share in {"months_on_job": 0.12, "temperature": 0.15, "weight_kg": 0.06, "weather": 0.05}.items():
        if draw.random() < share:
            d[column] = ""
    return d, answer


def write(path, header, rows):
    path = pathlib.Path(__file__).parent / path
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)


def main():
    draw = random.Random(SEED)
    start = 0
    for part, size in SIZES.items():
        made = [(start + i, *delivery(draw)) for i in range(size)]
        start += size
        columns = list(made[0][1])
        if part == "train":
            write("data/public/train.csv", ["id", *columns, "minutes"], ([i, *d.values(), m] for i, d, m in made))
            continue
        folder, answers = {
            "test": ("data/public", "data/hidden"),
            "final": ("data/final", "data/final"),
        }[part]
        write(f"{folder}/test.csv", ["id", *columns], ([i, *d.values()] for i, d, _ in made))
        write(f"{answers}/test_minutes.csv", ["id", "minutes"], ([i, m] for i, _, m in made))


main()
