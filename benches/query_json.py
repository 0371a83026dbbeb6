#!/usr/bin/env python3
"""Answers of query_range, decoded the usual way: Python's json, then pandas. Made here, so that ours decodes the same bytes.

    pip install pandas
    python benches/query_json.py make /tmp/answers          # counter.json, gauge.json, float.json
    python benches/query_json.py read /tmp/answers          # json + pandas, best of five
    UNFAZED_ANSWERS=/tmp/answers cargo bench --bench query_json
"""

import json
import random
import sys
import time
from pathlib import Path

SERIES, SAMPLES, BEGIN = 50, 20_000, 1_700_000_000
KINDS = ("counter", "gauge", "float")


def value(kind, count, chance):
    if kind == "counter":
        return str(count)
    if kind == "gauge":
        return f"{chance.randrange(100_000) / 100}"
    return repr(chance.random() * 100)


def make(directory):
    directory.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        chance = random.Random(1)
        series = []
        for number in range(SERIES):
            count, samples = 0, []
            for tick in range(SAMPLES):
                count += chance.randrange(40)
                millisecond = number * 137 % 1000
                samples.append(f'[{BEGIN + tick * 5}.{millisecond:03},"{value(kind, count, chance)}"]')
            labels = f'{{"__name__":"x_total","instance":"host-{number}:9100","job":"payments"}}'
            series.append(f'{{"metric":{labels},"values":[{",".join(samples)}]}}')
        text = '{"status":"success","data":{"resultType":"matrix","result":[' + ",".join(series) + "]}}"
        (directory / f"{kind}.json").write_text(text)


def read(directory):
    import pandas

    for kind in KINDS:
        path = directory / f"{kind}.json"
        content = path.read_bytes()
        best = float("inf")
        for _ in range(5):
            begin = time.perf_counter()
            answer = json.loads(content)
            frames = []
            for series in answer["data"]["result"]:
                frame = pandas.DataFrame(series["values"], columns=["time", "value"])
                frame["value"] = frame["value"].astype(float)
                frames.append(frame)
            best = min(best, time.perf_counter() - begin)
        samples = sum(len(frame) for frame in frames)
        rate = len(content) / best / 1e6
        print(f"{kind}: {samples} samples, {len(content)} bytes, {best:.3f} s, {rate:.0f} MB/s")


if __name__ == "__main__":
    {"make": make, "read": read}[sys.argv[1]](Path(sys.argv[2]))
