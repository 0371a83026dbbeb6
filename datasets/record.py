#!/usr/bin/env python3
"""Records one of the data sets beside this file: a real service, real worker processes, real SIGKILLs.

    python3 -m pip install polars pyyaml
    cargo build --release --example payments
    python3 datasets/record.py payment-worker-kill --service target/release/examples/payments

What happens, in this order:

1. The experiment document `<name>/experiment.yaml` is read. Its windows, its numbers of iterations, its
   preconditions and its abort rules are obeyed; nothing of them is repeated here.
2. The service is started (`examples/payments`), with the options that SETUPS names.
3. One thread scrapes `/metrics` every half second. All samples of a scrape share one time: the moment
   the request was sent.
4. Fault and control iterations follow each other in a seeded random order:
   jitter -> baseline -> preconditions -> SIGKILL of one canary worker (or nothing) -> experiment -> cooldown.
   The victim is the worker that `/workers` names; its command line is read again before the signal.
5. `run.json` and `samples.parquet` are written beside the document (or to `--output`).

`--pilot 4:2 --output DIR` records 4 kills and 2 controls elsewhere: look at a pilot as often as you like
before the claims are committed, and never change a claim after the recording.
"""

import argparse
import hashlib
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import polars
import yaml

STEP_SECONDS = 0.5
MARGIN_SECONDS = 5.0  # before the first baseline and after the last experiment: at least two steps
SETTLE_SECONDS = 10.0  # for a service that has just started
PATIENCE_SECONDS = 120.0  # for preconditions and recovery, before the recording gives up


@dataclass(frozen=True)
class Setup:
    """What makes one recording different from another, apart from its document."""

    port: int
    seed: int  # of the service's arrivals and of the order, jitter and victims of the iterations
    restart_delay: str


SETUPS = {
    "payment-worker-kill": Setup(port=9111, seed=2211, restart_delay="1s"),
    "payment-worker-slow-restart": Setup(port=9112, seed=2212, restart_delay="20s"),
    "payment-worker-three-kills": Setup(port=9113, seed=2213, restart_delay="1s"),
}


def rfc3339(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_of(text):
    """`20s`, `2m` or `500ms` in seconds."""
    for unit, factor in (("ms", 0.001), ("s", 1.0), ("m", 60.0)):
        if text.endswith(unit):
            return float(text[: -len(unit)]) * factor
    raise SystemExit(f"{text!r}: expected a duration such as 500ms, 20s or 2m")


def amount_of(value):
    """`1%` as 0.01; a plain number as it is."""
    text = str(value)
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)


def fetch(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode()
        if answer.status != 200:
            raise OSError(f"{path} answered {answer.status}: {body.strip()}")
        return body
    finally:
        connection.close()


def parse_exposition(text):
    """(metric, labels or None) -> value. The service writes no timestamps, exemplars or spaces in labels."""
    values = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            metric, brace, labels = series.partition("{")
            values[(metric, brace + labels or None)] = float(value)
    return values


def total(values, selector):
    """Sum of a metric's series; `selector` is a name or a name with exact labels in braces."""
    metric, brace, labels = selector.partition("{")
    found = [v for (m, l), v in values.items() if m == metric and (not brace or l == brace + labels)]
    if not found:
        raise SystemExit(f"no series matches {selector}")
    return sum(found)


class Scraper(threading.Thread):
    """Scrapes on a fixed grid; a scrape that fails is an event and a gap, never an invented value."""

    def __init__(self, port, on_event):
        super().__init__(daemon=True)
        self.port = port
        self.on_event = on_event
        self.scrapes = []  # (seconds, values), appended by this thread only
        self.stopping = threading.Event()

    def run(self):
        due = time.time()
        restarts = None
        while not self.stopping.wait(max(0.0, due - time.time())):
            due = max(due + STEP_SECONDS, time.time() - STEP_SECONDS)
            at = time.time()
            try:
                values = parse_exposition(fetch(self.port, "/metrics"))
            except (OSError, ValueError, http.client.HTTPException) as problem:
                self.on_event(at, "scrape_failed", str(problem))
                continue
            self.scrapes.append((at, values))
            before, restarts = restarts, total(values, "process_restarts_total")
            if before is not None and restarts > before:
                self.on_event(at, "restart_seen", f"process_restarts_total rose from {before:.0f} to {restarts:.0f}")

    def latest(self):
        at, values = self.scrapes[-1]
        if time.time() - at > 5 * STEP_SECONDS:
            raise SystemExit("the service has stopped answering")
        return values


class Recorder:
    def __init__(self, setup, document, digest, pilot):
        self.setup = setup
        self.spec = document["spec"]
        self.name = document["metadata"]["name"]
        self.digest = digest
        self.random = random.Random(setup.seed)
        self.windows = {key: seconds_of(text) for key, text in self.spec["windows"].items()}
        self.faults, self.controls = pilot or (
            self.spec["iterations"]["fault"],
            self.spec["iterations"].get("control", 0),
        )
        self.events = []
        self.iterations = []
        self.current = None
        self.scraper = Scraper(setup.port, self.event)
        self.started_at = time.time()
        self.run_id = f"{self.name}-{datetime.fromtimestamp(self.started_at, timezone.utc):%Y%m%dT%H%M%SZ}"

    def event(self, at, kind, message):
        self.events.append(
            {
                "at": rfc3339(at),
                "kind": kind,
                "message": message,
                "correlation_id": f"{self.run_id}/{self.current}" if self.current else None,
                "iteration": self.current,
            }
        )
        print(rfc3339(at), f"[{self.current or '-'}]", kind, message, flush=True)

    # -- what the document asks for -------------------------------------------------------------

    def unmet_preconditions(self):
        values = self.scraper.latest()
        for rule in self.spec["safety"]["preconditions"]:
            value = total(values, rule["query"])
            if "at_most" in rule and value > amount_of(rule["at_most"]):
                yield f"{rule['name']}: {rule['query']} is {value:g}, at most {rule['at_most']} is accepted"
            if "at_least" in rule and value < amount_of(rule["at_least"]):
                yield f"{rule['name']}: {rule['query']} is {value:g}, at least {rule['at_least']} is needed"

    def abort_rule_that_fires(self):
        """Rules on a ratio of the document: over the bound at every step of the last `consecutive`."""
        for rule in self.spec["safety"]["abort"]:
            ratio = next(m["ratio"] for m in self.spec["metrics"] if m["name"] == rule["metric"])
            steps = int(seconds_of(rule["consecutive"]) / STEP_SECONDS)
            recent = [values for _, values in self.scraper.scrapes[-steps - 1 :]]
            shares = []
            for before, after in zip(recent, recent[1:]):
                requests = total(after, ratio["total"]) - total(before, ratio["total"])
                bad = total(after, ratio["bad"]) - total(before, ratio["bad"])
                shares.append(bad / requests if requests else 0.0)
            if len(shares) == steps and all(share > amount_of(rule["above"]) for share in shares):
                return f"{rule['metric']} above {rule['above']} for {rule['consecutive']}"
        return None

    # -- one iteration --------------------------------------------------------------------------

    def wait_until_ready(self, what):
        deadline = time.time() + PATIENCE_SECONDS
        while problems := list(self.unmet_preconditions()):
            if time.time() > deadline:
                raise SystemExit(f"{what}: {'; '.join(problems)}")
            time.sleep(STEP_SECONDS)

    def wait(self, until):
        """Sleeps; returns the abort rule that fired on the way, if any."""
        while (left := until - time.time()) > 0:
            time.sleep(min(left, STEP_SECONDS))
            if rule := self.abort_rule_that_fires():
                return rule
        return None

    def kill_one_canary(self):
        workers = json.loads(fetch(self.setup.port, "/workers"))
        serving = [w for w in workers if w["pool"] == "canary" and w["state"] in ("idle", "busy")]
        if not serving:
            return {"at": rfc3339(time.time()), "until": None, "outcome": "no_target", "targets": []}, time.time()
        victim = self.random.choice(serving)
        # The descriptor pins the process: whatever happens to the number, nobody else is signalled.
        descriptor = os.pidfd_open(victim["pid"])
        try:
            words = Path(f"/proc/{victim['pid']}/cmdline").read_bytes().decode().split("\0")
            if words[1:4] != ["worker", "--queue", "canary"]:
                raise SystemExit(f"process {victim['pid']} is not a canary worker: {words}")
            at = time.time()
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        finally:
            os.close(descriptor)
        self.event(at, "kill", f"SIGKILL to {victim['name']} (pid {victim['pid']}, {victim['state']})")
        target = {"kind": "process", "name": "payments", "id": str(victim["pid"])}
        return {"at": rfc3339(at), "until": None, "outcome": "killed", "targets": [target]}, at

    def iterate(self, index, arm):
        time.sleep(self.random.uniform(0, self.windows["jitter"]))
        self.wait_until_ready(f"before iteration {index}")
        self.current = index
        baseline_start = time.time()
        self.event(baseline_start, "iteration_started", f"{arm} iteration {index}")
        fired = self.wait(baseline_start + self.windows["baseline"])
        at, fault = time.time(), None
        baseline_end = at
        if arm == "fault" and not fired:
            if problems := list(self.unmet_preconditions()):
                self.event(at, "refused", "; ".join(problems))
                fault = {"at": rfc3339(at), "until": None, "outcome": "refused", "targets": []}
            else:
                fault, at = self.kill_one_canary()
                baseline_end = at
        experiment_end = at + self.windows["experiment"]
        fired = fired or self.wait(experiment_end)
        iteration = {
            "index": index,
            "arm": arm,
            "baseline": {"start": rfc3339(baseline_start), "end": rfc3339(baseline_end)},
            "fault": fault,
            "experiment": {"start": rfc3339(at), "end": rfc3339(experiment_end)},
            "detected_at": None,
            "remediated_at": None,
            "recovered_at": None,
            "aborted": {"at": rfc3339(time.time()), "rule": fired} if fired else None,
        }
        self.iterations.append(iteration)
        if fired:
            self.event(time.time(), "aborted", fired)
            raise SystemExit(f"aborted in iteration {index}: {fired}")
        # Recovery usually lies far inside the window; the cooldown still counts from the window's end, so
        # that nothing of one kill reaches the next baseline.
        self.wait_until_ready(f"after iteration {index}")
        self.current = None
        time.sleep(self.windows["cooldown"])

    # -- the run --------------------------------------------------------------------------------

    def run(self):
        arms = ["fault"] * self.faults + ["control"] * self.controls
        self.random.shuffle(arms)
        self.scraper.start()
        time.sleep(SETTLE_SECONDS)
        for index, arm in enumerate(arms, start=1):
            self.iterate(index, arm)
        time.sleep(MARGIN_SECONDS)

    def write(self, directory):
        self.scraper.stopping.set()
        self.scraper.join()
        run = {
            "schema": "unfazed.run/v1",
            "run_id": self.run_id,
            "experiment": self.name,
            "experiment_digest": self.digest,
            "started_at": rfc3339(self.started_at),
            "ended_at": rfc3339(time.time()),
            "origin": {"tool": "record.py", "file": "datasets/record.py"},
            "iterations": self.iterations,
            "events": self.events,
        }
        first = min(i["baseline"]["start"] for i in self.iterations)
        rows = [
            (metric, labels, int(at * 1000), value)
            for at, values in self.scraper.scrapes
            if at >= datetime.fromisoformat(first).timestamp() - MARGIN_SECONDS
            for (metric, labels), value in values.items()
        ]
        columns = {
            "metric": polars.String,
            "labels": polars.String,
            "timestamp": polars.Datetime("ms", "UTC"),
            "value": polars.Float64,
        }
        samples = polars.DataFrame(rows, schema=columns, orient="row").sort("metric", "labels", "timestamp")
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "run.json").write_text(json.dumps(run, indent=1) + "\n")
        samples.write_parquet(directory / "samples.parquet", compression="zstd", compression_level=19)
        print(f"{directory}: {len(self.iterations)} iterations, {samples.height} samples", flush=True)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=sorted(SETUPS))
    parser.add_argument("--service", required=True, type=Path, help="the compiled example `payments`")
    parser.add_argument("--output", type=Path, help="where run.json and samples.parquet go [the data set itself]")
    parser.add_argument("--pilot", metavar="KILLS:CONTROLS", help="other numbers of iterations; needs --output")
    given = parser.parse_args()
    if given.pilot and not given.output:
        parser.error("--pilot needs --output: a pilot is no recording")
    return given


def main():
    given = arguments()
    home = Path(__file__).resolve().parent / given.name
    written = (home / "experiment.yaml").read_bytes()
    setup = SETUPS[given.name]
    pilot = tuple(int(n) for n in given.pilot.split(":")) if given.pilot else None
    recorder = Recorder(setup, yaml.safe_load(written), f"sha256:{hashlib.sha256(written).hexdigest()}", pilot)
    try:
        os.nice(-10)  # on a shared machine, other people's work should not look like an effect of the kill
    except PermissionError:
        print("not allowed to raise the priority; going on without", file=sys.stderr)
    service = subprocess.Popen(
        [
            str(given.service.resolve()),
            *("--listen", f"127.0.0.1:{setup.port}"),
            *("--seed", str(setup.seed)),
            *("--restart-delay", setup.restart_delay),
        ]
    )
    try:
        time.sleep(1)
        recorder.run()
    finally:
        if recorder.iterations:
            recorder.write(given.output or home)
        service.terminate()
        service.wait()


if __name__ == "__main__":
    main()
