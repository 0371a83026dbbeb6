#!/usr/bin/env python3
"""Makes a history of many runs, and measures `unfazed weekly` on it.

    python3 benches/history.py make DIR RUNS          a history of RUNS runs over half a year, the same for everybody
    python3 benches/history.py measure UNFAZED        weekly over 1,000, 10,000 and 100,000 runs: seconds and memory

A made history has an index and no objects: `weekly` reads the index alone, `history verify` would name every object as
missing. Each run has five claims and twenty kills, like the recordings in datasets/.
"""

import hashlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

EXPERIMENTS = 40
SERVICES = ["payments", "checkout", "search", "accounts", "mail", "stock", "prices", "login"]
CLAIMS = [
    ("errors", "ratio", "all_requests", "at_most", 0.001, "at most 0.1 %"),
    ("p95", "seconds", "most_kills", "at_most", 0.2, "at most 200 ms"),
    ("queue-depth", None, "typical_kill", "increase_at_most", 0.4, "increases by at most 40 % or by 100"),
    ("conversion", "ratio", "typical_kill", "decrease_at_most", 0.02, "decreases by at most 2 pp"),
    ("lost", None, "this_run", "at_most", 0.0, "at most 0"),
]
WORSE = {"pass": 0, "inconclusive": 1, "fail": 2}
END = datetime(2026, 11, 23, tzinfo=timezone.utc)


def text_of(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def run(draw, number, experiment, started):
    """The summary of one run, in the order of the fields of `RunSummary`."""
    kind = experiment % 10
    # Some experiments fail on and off, some drift, some are short of kills; most pass.
    age = (started - (END - timedelta(days=182))).days / 182
    drift = 1.0 + (age if kind == 7 else 0.0)
    fails = kind == 3 and draw.random() < 0.4
    kills = 3 if kind == 5 else 20
    claims = []
    for name, unit, estimand, form, bound, words in CLAIMS:
        verdict = "inconclusive" if kills < 14 and estimand != "this_run" else "pass"
        if fails and name == "p95":
            verdict = "fail"
        scale = {"errors": 0.0003, "p95": 0.05, "queue-depth": 30.0, "conversion": -0.001, "lost": 0.0}[name]
        value = scale * drift * draw.uniform(0.9, 1.1) * (5 if verdict == "fail" else 1)
        claims.append({
            "metric": name, "unit": unit, "estimand": estimand, "form": form, "bound": bound, "text": words,
            "verdict": verdict, "inside": 0 if verdict == "fail" else kills, "outside": kills if verdict == "fail" else 0,
            "unknown": 0, "baseline": scale / 2, "experiment": value, "effect": value, "effect_form": "difference",
            "reasons": ["too_few_iterations"] if verdict == "inconclusive" else [],
        })
    seen = [round(draw.lognormvariate(1.5, 0.4), 3) for _ in range(kills - (2 if fails else 0))]
    times = {"seen": seen, "censored": [40.0] * (kills - len(seen)), "resolution_s": 0.5}
    detect = {"seen": [round(draw.uniform(0.2, 2.0), 3) for _ in range(kills)], "censored": [], "resolution_s": 0.5}
    verdict = max((claim["verdict"] for claim in claims), key=WORSE.get)
    name = f"kill-{SERVICES[experiment % len(SERVICES)]}-{experiment:02}"
    run_id = f"{name}-{number:06}"
    return {
        "run_id": run_id, "experiment": name, "environment": "staging", "owner": "sre", "ticket": None,
        "labels": {"service": SERVICES[experiment % len(SERVICES)], "tier": "worker"},
        "digest": "sha256:" + hashlib.sha256(name.encode()).hexdigest(),
        "samples_digest": "sha256:" + hashlib.sha256(run_id.encode()).hexdigest(), "wave": 1 + experiment % 3,
        "started_at": text_of(started), "ended_at": text_of(started + timedelta(minutes=33)),
        "sessions": [{"run_id": run_id, "started_at": text_of(started)}], "tool": "0.1.0", "confidence": 0.95,
        "verdict": verdict, "headline": f"A made run: {verdict}.", "warnings": ["single_session"],
        "reasons": ["too_few_iterations"] if verdict == "inconclusive" else [],
        "kills": {"planned": kills, "fault": kills, "control": 5 if experiment % 2 else 0, "usable": kills,
                  "outcomes": {"killed": kills}, "aborted": 0},
        "claims": claims,
        "recovery": {"signal": "queue-depth", "verdict": "fail" if fails else "pass", "deadline_s": 12.0,
                     "recovered": len(seen), "missed": kills - len(seen), "detect": detect, "remediate": None,
                     "recover": times, "reasons": []},
        "runbook": {"path": f"runbooks/{name}.md",
                    "digest": "sha256:" + hashlib.sha256(f"{name}{int(age * 4)}".encode()).hexdigest()},
        "postmortem": None,
    }


def make(folder, runs):
    draw = random.Random(20261123)
    folder = Path(folder)
    folder.mkdir(parents=True)
    (folder / "objects").mkdir()
    (folder / "history.json").write_text('{"schema": "unfazed.history/v1"}\n')
    step = timedelta(days=182) / runs
    previous, size = None, 0
    with open(folder / "index.jsonl", "w") as index:
        for number in range(1, runs + 1):
            started = END - timedelta(days=182) + number * step - timedelta(seconds=1)
            summary = run(draw, number, number % EXPERIMENTS, started)
            body = json.dumps({
                "schema": "unfazed.history/v1", "sequence": number, "previous": previous,
                "object": "sha256:" + hashlib.sha256(str(number).encode()).hexdigest(), "run": summary,
            }, separators=(",", ":"))[:-1]
            previous = "sha256:" + hashlib.sha256(body.encode()).hexdigest()
            size += index.write(f'{body},"hash":"{previous}"}}\n')
    (folder / "head.json").write_text(json.dumps({"count": runs, "hash": previous, "bytes": size}) + "\n")


def measure(unfazed):
    print("| runs | index | seconds | processor | memory |\n|--:|--:|--:|--:|--:|")
    for runs in [1_000, 10_000, 100_000]:
        with tempfile.TemporaryDirectory() as folder:
            history = os.path.join(folder, "history")
            make(history, runs)
            size = os.path.getsize(os.path.join(history, "index.jsonl")) / 1e6
            best = None
            for _ in range(3):
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                started = time.monotonic()
                child = subprocess.Popen([unfazed, "--quiet", "weekly", "--history", history,
                                          "-o", os.path.join(folder, "weekly.html")], stdout=subprocess.DEVNULL)
                _, status, used = os.wait4(child.pid, 0)
                seconds = time.monotonic() - started
                assert status == 0, status
                del before
                turn = (seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
                best = min(best or turn, turn)
            print(f"| {runs:,} | {size:.1f} MB | {best[0]:.2f} | {best[1]:.2f} | {best[2]:.0f} MB |", flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", folder, runs]:
            make(folder, int(runs))
        case ["measure", unfazed]:
            measure(unfazed)
        case _:
            sys.exit(__doc__)
