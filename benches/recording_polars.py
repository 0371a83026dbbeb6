"""The same reduction in Python polars, to stand beside `cargo bench --bench recording -- --recording DIR`.

    pip install polars numpy
    python benches/recording_polars.py generate DIR [sorted|time]   36 million samples: 100 metrics, 10 series, 10 h at 1 s
    python benches/recording_polars.py reduce DIR                   mean and maximum per series and half hour
"""

import os
import resource
import sys
import time

import polars as pl

START, WINDOW = 1_764_000_000_000, 1_800_000
METRICS, SERIES, SAMPLES = 100, 10, 36_000


def generate(directory, layout):
    import numpy as np

    random = np.random.default_rng(1)
    counter = lambda: np.cumsum(random.poisson(20, SAMPLES)).astype(float)
    gauge = lambda: np.round(random.gamma(4, 25, SAMPLES), 3)
    values = [gauge() if m % 2 else counter() for m in range(METRICS) for _ in range(SERIES)]
    count = METRICS * SERIES
    times = START + np.arange(SAMPLES, dtype=np.int64) * 1000
    rows = pl.DataFrame(
        {
            "series": np.repeat(np.arange(count, dtype=np.uint32), SAMPLES),
            "timestamp": np.tile(times, count),
            "value": np.concatenate(values),
        }
    ).with_columns(pl.col("timestamp").cast(pl.Datetime("ms", "UTC")))
    if layout == "time":
        rows = rows.sort("timestamp", maintain_order=True)
    names = pl.DataFrame(
        {
            "series": np.arange(count, dtype=np.uint32),
            "metric": [f"metric_{i // SERIES:03d}" for i in range(count)],
            "labels": [f'{{instance="10.0.0.{i % SERIES}:9100",job="payments"}}' for i in range(count)],
        }
    )
    os.makedirs(directory, exist_ok=True)
    rows.join(names, on="series", how="left", maintain_order="left").select(
        "metric", "labels", "timestamp", "value"
    ).write_parquet(f"{directory}/samples.parquet")


def reduce(directory):
    begin = time.time()
    window = (pl.col("timestamp").dt.epoch("ms") - START) // WINDOW
    reduced = (
        pl.scan_parquet(f"{directory}/samples.parquet")
        .group_by("metric", "labels", window.alias("window"))
        .agg(pl.col("value").mean().alias("mean"), pl.col("value").max().alias("max"))
        .collect(engine="streaming")
    )
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"{reduced.height} reductions in {time.time() - begin:.2f} s, "
        f"processor {usage.ru_utime + usage.ru_stime:.2f} s, peak {usage.ru_maxrss // 1024} MiB"
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["generate", directory, *layout]:
            generate(directory, (layout or ["sorted"])[0])
        case ["reduce", directory]:
            reduce(directory)
        case _:
            sys.exit(__doc__)
