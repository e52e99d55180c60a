#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Quantiles against Python's statistics module, which computes them from all values: random distributions of every shape and magnitude, and three years
of air quality, by station, metric and month.

usage: sketch_test.py [DRIVER]   (SKETCH_SEED, SKETCH_CASES in the environment)
"""
import csv
import gzip
import json
import math
import os
import random
import statistics
import subprocess
import sys
from pathlib import Path

DATA = Path(os.environ.get("DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "beijing-air-quality.csv.gz"
METRICS = "pm2_5 pm10 so2 no2 co o3 temperature dew_point pressure rain wind_speed".split()
PERCENTILES = [1, 5, 10, 25, 50, 75, 90, 95, 99]
ERROR = 0.00992  # of each of the two values that a quantile may lie between
MEMORY_MAX = 40200


class Driver:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, values, parts):
        question = {"values": values, "quantiles": [p / 100 for p in PERCENTILES], "parts": parts}
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the driver is gone"
        return json.loads(line)

    def end(self):
        self.process.stdin.close()
        return self.process.wait(timeout=60)


def quantiles(values):
    """By the oracle, of sorted values."""
    if len(values) == 1:
        return [values[0]] * len(PERCENTILES)
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return [statistics.median(values) if p == 50 else cuts[p - 1] for p in PERCENTILES]


def slack(values, percent):
    """What exact results and sketches may be off by: rounding (of the place between two values, too), and the error of a sketch's values at both."""
    rank, rest = divmod((len(values) - 1) * percent, 100)
    low, high = values[rank], values[min(rank + 1, len(values) - 1)] if rest else values[rank]
    rounding = 1e-15 * (max(abs(low), abs(high)) + len(values) * (high - low)) + 1e-323
    return rounding if percent != 50 else 0, ERROR * (abs(low) * (100 - rest) + abs(high) * rest) / 100 + rounding


def check(driver, values, parts):
    answer = driver.ask(values, parts)
    values = sorted(values)
    for percent, want, sketch, exact in zip(PERCENTILES, quantiles(values), answer["sketch"], answer["exact"]):
        what = f"{percent} % of {len(values)} values from {values[0]} to {values[-1]}: true {want}, sketch {sketch}, exact {exact}"
        exact_slack, sketch_slack = slack(values, percent)
        assert abs(exact - want) <= exact_slack, what
        assert abs(sketch - want) <= sketch_slack, what
    assert answer["same"], f"order or merging shows in the bytes of {len(values)} values"
    assert answer["bytes"] <= MEMORY_MAX, answer
    return answer


SHAPES = [
    ("uniform", lambda r: r.uniform(10, 100)),
    ("two decimals", lambda r: round(r.uniform(10, 100), 2)),
    ("lognormal", lambda r: r.lognormvariate(0, 3)),
    ("pareto", lambda r: r.paretovariate(0.5)),
    ("negative", lambda r: -r.expovariate(0.01)),
    ("both signs", lambda r: r.gauss(0, 20)),
    ("around zero", lambda r: r.choice([0.0, -0.0, 0.1, -0.1, r.gauss(0, 1e-3)])),
    ("mostly zeros", lambda r: 0.0 if r.random() < 0.9 else r.expovariate(1)),
    ("tiny", lambda r: r.uniform(-1, 1) * 1e-300),
    ("subnormal", lambda r: r.randrange(40) * 5e-324),
    ("huge", lambda r: r.uniform(-1, 1) * 1e304),
    ("constant", lambda r: 21.5),
    ("outliers", lambda r: r.gauss(20, 5) if r.random() < 0.95 else r.choice([1e30, -1e30, 1e-30, 1e300])),
]


def random_shapes(driver, seed, cases):
    for case in range(cases):
        rng = random.Random(f"{seed}/{case}")
        name, draw = SHAPES[case % len(SHAPES)]
        count = rng.choice([1, 2, 3, 4, 5, 7, 10, 100, 1001, 5000])
        try:
            check(driver, [draw(rng) for _ in range(count)], rng.randint(1, 5))
        except AssertionError as e:
            raise AssertionError(f"{name} (case {case} of SKETCH_SEED={seed}): {e}") from None
    print(f"{cases} random cases")


def months(rows):
    groups = {}
    for row in rows:
        month = int(row["timestamp_ms"]) // (30 * 86400000)
        for metric in METRICS:
            if row[metric] != "":
                groups.setdefault((row["station"], metric, month), []).append(float(row[metric]))
    return groups


def real_data(driver):
    if not DATA.exists():
        print(f"skipped: {DATA} is not there")
        return
    with gzip.open(DATA, "rt", newline="") as file:
        groups = months(csv.DictReader(file))
    memory, saved, worst = [], [], 0
    for key, values in groups.items():
        try:
            answer = check(driver, values, 3)
        except AssertionError as e:
            raise AssertionError(f"{key}: {e}") from None
        memory.append(answer["bytes"])
        saved.append(answer["saved"])
        median = statistics.median(values)
        if median:
            worst = max(worst, abs(answer["sketch"][PERCENTILES.index(50)] / median - 1))
    print(f"{sum(map(len, groups.values()))} readings in {len(groups)} groups: median of memory {statistics.median(memory):.0f} bytes, at most "
          f"{max(memory)}; in a checkpoint {statistics.median(saved):.0f}, at most {max(saved)}; a median is at most {worst:.2%} off")


def main():
    driver = Driver(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.environ.get("WEIR_BUILD", "build"), "sketch_driver"))
    seed = int(os.environ.get("SKETCH_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"SKETCH_SEED={seed}", flush=True)
    random_shapes(driver, seed, int(os.environ.get("SKETCH_CASES", 650)))
    real_data(driver)
    assert driver.end() == 0


if __name__ == "__main__":
    main()
