"""Recordings to measure `unfazed analyze` end to end.

    pip install polars numpy
    python benches/recording_polars.py generate DIR   first: the samples of the large recording, 36 million
    python benches/campaign.py large DIR              adds experiment.yaml (100 gauges, each with a claim) and run.json (20 kills)
    python benches/campaign.py small DIR [COUNT]      COUNT (1000) recordings of five kills under DIR, for --batch

How long an analysis takes, beside the reduction in Python polars, is then told by `benches/measure.sh`.
"""

import json
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

START = datetime.fromtimestamp(1_764_000_000, timezone.utc)

HEAD = """apiVersion: unfazed/v1
kind: Experiment
metadata: {{name: {name}, owner: benchmarks}}
spec:
  hypothesis: The load of a benchmark stays as it was.
  environment: benchmark
  iterations: {{fault: {kills}}}
  windows: {{baseline: {baseline}s, experiment: {experiment}s}}
  metrics:
"""


def write_run(directory, name, kills, every, baseline, experiment):
    """One kill every `every` seconds, a window before and a window after it."""

    def moment(seconds):
        return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")

    iterations = [
        {
            "index": index + 1,
            "arm": "fault",
            "baseline": {"start": moment(start), "end": moment(start + baseline)},
            "fault": {"at": moment(start + baseline), "until": None, "outcome": "killed", "targets": []},
            "experiment": {"start": moment(start + baseline), "end": moment(start + baseline + experiment)},
        }
        for index in range(kills)
        for start in [index * every]
    ]
    record = {
        "schema": "unfazed.run/v1",
        "run_id": directory.name,
        "experiment": name,
        "experiment_digest": None,
        "started_at": moment(0),
        "ended_at": moment(kills * every),
        "iterations": iterations,
        "events": [],
    }
    (directory / "run.json").write_text(json.dumps(record, indent=1))


def large(directory):
    kills, baseline, experiment = 20, 780, 900
    document = HEAD.format(name="large", kills=kills, baseline=baseline, experiment=experiment)
    for metric in range(100):
        document += f"    - {{name: m{metric:03d}, gauge: metric_{metric:03d}, expect: {{increase_at_most: 20%}}}}\n"
    (directory / "experiment.yaml").write_text(document)
    write_run(directory, "large", kills, 1800, baseline, experiment)


SMALL = """    - {name: errors, ratio: {bad: 'requests_total{code="500"}', total: requests_total}, min_requests: 10, expect: {at_most: 1%}}
    - {name: latency, histogram: request_duration_seconds, quantile: 0.95, expect: {at_most: 200ms}}
    - {name: queue, gauge: queue_depth, reduce: max, expect: {increase_at_most: 40%, or_by: 20}}
  recovery: {signal: queue, healthy: {increase_at_most: 20%, or_by: 20}, stable_for: 30s, within: 2m}
"""


def small(directory, count):
    import numpy as np
    import polars as pl

    kills, every, baseline, experiment, step = 5, 700, 300, 300, 5
    samples = kills * every // step
    times = int(START.timestamp()) * 1000 + np.arange(samples, dtype=np.int64) * step * 1000
    for number in range(count):
        random = np.random.default_rng(number)
        counter = lambda rate: np.cumsum(random.poisson(rate, samples)).astype(float)
        series = []
        for pod in range(4):
            good, bad = counter(200), counter(0.2)
            series.append(("requests_total", f'{{code="200",pod="{pod}"}}', good))
            series.append(("requests_total", f'{{code="500",pod="{pod}"}}', bad))
            buckets = [np.floor((good + bad) * share) for share in (0.5, 0.9, 0.97, 1.0)]
            for le, bucket in zip(("0.05", "0.1", "0.2", "+Inf"), buckets):
                series.append(("request_duration_seconds_bucket", f'{{le="{le}",pod="{pod}"}}', bucket))
            series.append(("request_duration_seconds_count", f'{{pod="{pod}"}}', buckets[-1]))
            series.append(("queue_depth", f'{{pod="{pod}"}}', random.poisson(12, samples).astype(float)))
        here = directory / f"{number:04d}"
        here.mkdir(parents=True, exist_ok=True)
        series.sort(key=lambda one: (one[0], one[1]))
        pl.concat(
            pl.DataFrame({"timestamp": times, "value": values}).select(
                pl.lit(metric).alias("metric"),
                pl.lit(labels).alias("labels"),
                pl.col("timestamp").cast(pl.Datetime("ms", "UTC")),
                "value",
            )
            for metric, labels, values in series
        ).write_parquet(here / "samples.parquet")
        head = HEAD.format(name="small", kills=kills, baseline=baseline, experiment=experiment)
        (here / "experiment.yaml").write_text(head + SMALL)
        write_run(here, "small", kills, every, baseline, experiment)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["large", directory]:
            large(Path(directory))
        case ["small", directory, *count]:
            small(Path(directory), int((count or ["1000"])[0]))
        case _:
            sys.exit(__doc__)
