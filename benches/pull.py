#!/usr/bin/env python3
"""`unfazed pull` beside the same questions asked with curl, of one Prometheus on this machine, in turns.

    python benches/pull.py target/release/unfazed [ROUNDS]

Twenty iterations, ten metrics, fifty series each, a sample a second, windows of five minutes and five minutes. curl asks what
`pull` asks (the log of a small proxy is not needed: the questions are instant queries of `selector[range]`), one after the
other over one connection, and throws the answers away: that is the server's own time. Four at a time, as `pull` asks,
is the second figure.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

ITERATIONS, METRICS, SERIES = 20, 10, 50
WINDOW, PAUSE, MARGIN = 300, 60, 2
BEGIN = 1_700_000_000
PORT = 19393


def stamp(second):
    return datetime.fromtimestamp(second, timezone.utc).isoformat()


def document(directory):
    metrics = "".join(f"    - {{name: m{n}, gauge: 'm{n}', reduce: max}}\n" for n in range(METRICS))
    (directory / "experiment.yaml").write_text(
        "apiVersion: unfazed/v1\nkind: Experiment\nmetadata: {name: bench, owner: me}\nspec:\n"
        "  hypothesis: It is quick.\n  environment: bench\n"
        f"  windows: {{baseline: {WINDOW}s, experiment: {WINDOW}s}}\n"
        f"  source: {{prometheus: {{url: 'http://127.0.0.1:{PORT}', step: 1s}}}}\n  metrics:\n{metrics}"
    )
    iterations = []
    for number in range(ITERATIONS):
        start = BEGIN + 100 + number * (2 * WINDOW + PAUSE)
        iterations.append({
            "index": number + 1, "arm": "fault",
            "baseline": {"start": stamp(start), "end": stamp(start + WINDOW)},
            "fault": {"at": stamp(start + WINDOW), "outcome": "killed"},
            "experiment": {"start": stamp(start + WINDOW), "end": stamp(start + 2 * WINDOW)},
        })
    run = {"schema": "unfazed.run/v1", "run_id": "r", "experiment": "bench", "started_at": stamp(BEGIN), "iterations": iterations}
    (directory / "run.json").write_text(json.dumps(run))


def samples(directory):
    path = directory / "data.om"
    seconds = 200 + ITERATIONS * (2 * WINDOW + PAUSE)
    with path.open("w") as file:
        for tick in range(seconds):
            lines = [
                f'm{metric}{{instance="host-{series}:9100",job="bench"}} {(tick * 7 + series * 13 + metric) % 997}.{series % 10} {BEGIN + tick}'
                for metric in range(METRICS) for series in range(SERIES)
            ]
            file.write("\n".join(lines) + "\n")
        file.write("# EOF\n")
    subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", str(path), str(directory / "data")],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    path.unlink()


def questions(directory):
    urls = []
    for number in range(ITERATIONS):
        start = BEGIN + 100 + number * (2 * WINDOW + PAUSE) - MARGIN
        end = start + 2 * WINDOW + 2 * MARGIN
        for metric in range(METRICS):
            query = urllib.parse.urlencode({"query": f"m{metric}[{(end - start) * 1000 + 1}ms]", "time": end})
            urls.append(f'url = "http://127.0.0.1:{PORT}/api/v1/query?{query}"\noutput = "/dev/null"')
    (directory / "urls").write_text("\n".join(urls))


def timed(command, **more):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    subprocess.run(command, check=True, **more)
    elapsed = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return elapsed, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    program = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    directory = Path(tempfile.mkdtemp())
    document(directory)
    samples(directory)
    questions(directory)
    (directory / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n")
    server = subprocess.Popen(
        ["prometheus", f"--config.file={directory}/prometheus.yml", f"--storage.tsdb.path={directory}/data",
         "--storage.tsdb.retention.time=10y", f"--web.listen-address=127.0.0.1:{PORT}", "--log.level=error"])
    try:
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/-/ready").read()
                break
            except OSError:
                time.sleep(0.1)
        for number in range(rounds):
            quiet = ["curl", "-sS", "--fail", "-K", str(directory / "urls")]
            one, _ = timed(quiet)
            four, _ = timed(quiet[:1] + ["--parallel", "--parallel-max", "4"] + quiet[1:])
            shutil.rmtree(directory / "rec", ignore_errors=True)
            ours, cpu = timed([program, "--quiet", "pull", "experiment.yaml", "--run", "run.json", "-o", "rec"], cwd=directory)
            size = (directory / "rec/samples.parquet").stat().st_size
            print(f"round {number + 1}: curl {one:.2f} s, curl four at a time {four:.2f} s, "
                  f"unfazed pull {ours:.2f} s ({cpu:.2f} s processor, {size} bytes): {ours / one:.2f} and {ours / four:.2f}")
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
