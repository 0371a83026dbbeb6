"""How fast the kernels are beside what a user would pick instead, on the same numbers, in one go.

    pip install -r benches/requirements.txt
    python benches/compare.py                 all cases; prints a table and writes it
    python benches/compare.py judge pelt      some of them; prints only

Ours and theirs take turns, three times each, because the machine may have other work; the best counts. On one core the
ratio is the smaller of the ratios of elapsed and of processor time, so that a turn that was disturbed flatters nobody.
Python runs with one BLAS thread, and start-up and imports are not counted. Ours runs on one core unless the row says
otherwise.
R takes part when Rscript is there. The table goes between <!-- speed:begin --> and <!-- speed:end --> of README.md,
or to benches/results.md when README.md has no such lines.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import json
import math
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from typing import Callable

import numpy as np
import pandas as pd
import scipy
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

ROOT = pathlib.Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- speed:begin -->", "<!-- speed:end -->"
ROUNDS, SECONDS = 3, 0.5
METRICS, ITERATIONS, MARGIN = 1000, 30, 0.5
REQUESTS, PYTHON_REQUESTS = 100_000, 2_000


# ---------------------------------------------------------------- what a user of Python writes


def judge(differences):
    """groupby loop: exact Wilcoxon, Hodges-Lehmann with its limit, non-inferiority t, t limits; Holm and BH."""
    pairs = np.triu_indices(ITERATIONS)
    total = len(pairs[0])
    # The order statistic of the 95 % limit, counted once for all metrics.
    ways = np.ones(1)
    for rank in range(1, ITERATIONS + 1):
        ways = np.convolve(ways, np.r_[1, np.zeros(rank - 1), 1])
    beyond = np.searchsorted(np.cumsum(ways) / 2**ITERATIONS, 0.05, side="right") - 1
    frame = pd.DataFrame({"metric": np.repeat(np.arange(METRICS), ITERATIONS), "d": differences})
    answer, p_values = 0.0, []
    for _, group in frame.groupby("metric"):
        d = group["d"].to_numpy()
        p_values.append(stats.wilcoxon(d - MARGIN, alternative="less", method="exact").pvalue)
        walsh = np.sort((d[pairs[0]] + d[pairs[1]]) / 2)
        t = stats.ttest_1samp(d, MARGIN, alternative="less")
        upper = stats.ttest_1samp(d, 0).confidence_interval(0.95).high
        answer += np.median(walsh) + walsh[total - beyond - 1] + t.pvalue + upper
    for method in ("holm", "fdr_bh"):
        answer += multipletests(p_values, method=method)[1].sum()
    return answer


def bca_by_hand(statistic, left_out):
    """Resample with one fancy index, then the formulas of Efron (1987)."""

    def work(x):
        n = len(x)
        drawn = np.sort(statistic(x[np.random.default_rng(1).integers(0, n, (10_000, n), dtype=np.int32)]))
        found = statistic(x[None, :])[0]
        z0 = stats.norm.ppf(((drawn < found).mean() + (drawn <= found).mean()) / 2)
        d = (jackknife := left_out(x)).mean() - jackknife
        a = (d**3).sum() / (6 * (d**2).sum() ** 1.5)
        z = z0 + stats.norm.ppf([0.025, 0.975])
        return np.quantile(drawn, stats.norm.cdf(z0 + z / (1 - a * z)))[1]

    return work


def without_each(statistic):
    keep = ~np.eye(1000, dtype=bool)
    return lambda x: statistic(np.broadcast_to(x, (1000, 1000))[keep].reshape(1000, 999))


def bca_scipy(statistic):
    def work(x):
        found = stats.bootstrap((x,), statistic, n_resamples=10_000, method="BCa", rng=np.random.default_rng(1))
        return found.confidence_interval.high

    return work


MEAN = lambda x, axis=-1: np.mean(x, axis=axis)
MEDIAN = lambda x, axis=-1: np.median(x, axis=axis)
P95 = lambda x, axis=-1: np.quantile(x, 0.95, axis=axis)


def all_signs(d):
    """Every one of the 2^n sums, grown by doubling."""
    sums = np.zeros(1)
    for value in d:
        sums = np.concatenate((sums - value, sums + value))
    return np.count_nonzero(np.abs(sums) >= abs(d.sum()) * (1 - 1e-14)) / len(sums)


def million_signs(d):
    """A million random sign vectors, the usual choice when 2^n is too many."""
    signs = np.random.default_rng(1).integers(0, 2, (1_000_000, len(d)), dtype=np.int8) * 2.0 - 1
    return (np.count_nonzero(np.abs(signs @ d) >= abs(d.sum()) * (1 - 1e-14)) + 1) / 1_000_001


def halves_of_signs(d):
    """Exact by meeting in the middle, for those who know the trick."""

    def sums(part):
        out = np.zeros(1)
        for value in part:
            out = np.concatenate((out - value, out + value))
        return np.sort(out)

    left, right = sums(d[: len(d) // 2]), sums(d[len(d) // 2 :])
    threshold = abs(d.sum()) - 1e-14 * np.abs(d).sum()
    return 2 * (len(right) - np.searchsorted(right, threshold - left)).sum() / 2.0 ** len(d)


def mann_whitney(both):
    return stats.mannwhitneyu(*np.split(both, 2), method="asymptotic").pvalue


def hodges_lehmann(both):
    x, y = np.split(both, 2)
    return np.median(np.subtract.outer(x, y))


def pelt(kind):
    def work(series):
        import ruptures

        n = len(series)
        penalty = 3 * (stats.median_abs_deviation(np.diff(series), scale="normal") / math.sqrt(2)) ** 2 * math.log(n)
        search = (
            ruptures.Pelt(model="l2", min_size=2, jump=1)
            if kind == "Pelt"
            else ruptures.KernelCPD(kernel="linear", min_size=2, jump=1)
        )
        return len(search.fit(series).predict(pen=penalty))

    return work


def kaplan_meier(both):
    from lifelines import KaplanMeierFitter

    times, events = np.split(both, 2)
    return KaplanMeierFitter().fit(times, events).median_survival_time_


def requests_in_python(text):
    """One JSON line in, one out, with statsmodels between them. Fewer lines; the time is per line."""
    lines = text.split(b"\n")[:PYTHON_REQUESTS]
    out = []
    for line in lines:
        request = json.loads(line)
        low, high = proportion_confint(request["inputs"]["x"], request["inputs"]["n"], method="beta")
        out.append(json.dumps({"id": request["id"], "result": {"ci_low": low, "ci_high": high}}))
    return len(out) * (REQUESTS / PYTHON_REQUESTS)


# ---------------------------------------------------------------- the cases


@dataclass
class Case:
    name: str
    title: str
    data: Callable
    theirs: dict
    # Largest relative difference between the answers; None where both are random or counted.
    agree: float | None
    # Whether (elapsed seconds of ours, ratio to the fastest of theirs) reaches the target.
    target: Callable | None = None
    target_text: str = ""
    cores: int = 1
    scale: float = 1.0
    file: str = ""


def latencies(n):
    return lambda random: random.lognormal(0, 0.5, n)


def differences(n):
    return lambda random: random.normal(0.1, 1, n)


def steps(random):
    return random.normal(0, 1, 1000) + 3.0 * (np.arange(1000) // 100 % 3)


def survival(random):
    return np.concatenate((random.exponential(1, 100_000), (random.random(100_000) < 0.8).astype(float)))


def request_lines(random):
    n = random.integers(10, 1010, REQUESTS)
    k = random.integers(0, n + 1)
    line = '{"id":%d,"method":"clopper_pearson","inputs":{"x":%d,"n":%d},"args":{"conf_level":0.95}}\n'
    return "".join(line % row for row in zip(range(REQUESTS), k, n)).encode()


def bca_case(name, title, statistic, left_out, agree):
    hand = bca_by_hand(lambda x: statistic(x, axis=1), left_out)
    return Case(
        f"bca_{name}", f"BCa limits of the {title}, n = 1,000, 10,000 resamples", latencies(1000),
        {"numpy by hand": hand, "scipy.stats.bootstrap": bca_scipy(statistic)},
        agree, lambda ours, ratio: ratio >= 5, "≥ 5×",
    )


def cases():
    by_mean = lambda x: (x.sum() - x) / (len(x) - 1)
    return [
        Case("judge", "judge 1,000 metrics × 30 iterations (signed-rank, HL limit, NI-t, t limits, Holm, BH)",
             lambda random: random.normal(0.1, 1, METRICS * ITERATIONS), {"pandas + scipy loop": judge}, 1e-9,
             lambda ours, ratio: ratio >= 70, "≥ 70×"),
        bca_case("mean", "mean", MEAN, by_mean, 0.02),
        bca_case("median", "median", MEDIAN, without_each(lambda x: MEDIAN(x, axis=1)), 0.05),
        bca_case("p95", "95th percentile", P95, without_each(lambda x: P95(x, axis=1)), 0.05),
        Case("sign_flip_20", "exact sign-flip, N = 20", differences(20), {"numpy, all 2^20": all_signs}, 1e-9),
        Case("sign_flip_30", "exact sign-flip, N = 30", differences(30),
             {"numpy, 10^6 random": million_signs, "numpy, exact by halves": halves_of_signs}, 1e-9,
             lambda ours, ratio: ours < 0.003, "< 3 ms"),
        Case("sign_flip_40", "exact sign-flip, N = 40", differences(40), {"numpy, exact by halves": halves_of_signs}, 1e-9),
        Case("mann_whitney", "Mann–Whitney, 10^6 against 10^6", latencies(2_000_000),
             {"scipy.stats.mannwhitneyu": mann_whitney}, 1e-8, lambda ours, ratio: ratio >= 4, "≥ 4×"),
        Case("mann_whitney_2", "the same on two cores", latencies(2_000_000),
             {"scipy.stats.mannwhitneyu": mann_whitney}, 1e-8, cores=2, file="mann_whitney"),
        Case("signed_rank_30", "exact signed-rank, N = 30", differences(30),
             {"scipy.stats.wilcoxon": lambda d: stats.wilcoxon(d, method="exact").pvalue}, 1e-9),
        Case("signed_rank_50", "exact signed-rank, N = 50", differences(50),
             {"scipy.stats.wilcoxon": lambda d: stats.wilcoxon(d, method="exact").pvalue}, 1e-9),
        Case("hodges_lehmann", "Hodges–Lehmann shift with limits, 2,000 × 2,000", latencies(4000),
             {"numpy, estimate only": hodges_lehmann}, 1e-12),
        Case("pelt", "PELT, squared error, n = 1,000", steps,
             {"ruptures.Pelt": pelt("Pelt"), "ruptures.KernelCPD (C)": pelt("KernelCPD")}, 1e-12),
        Case("kaplan_meier", "Kaplan–Meier, 100,000 times", survival, {"lifelines": kaplan_meier}, 1e-9),
        Case("stat", "`unfazed stat`, 100,000 Clopper–Pearson requests, two cores", request_lines,
             {"statsmodels, JSON lines": requests_in_python}, 1e-12,
             lambda ours, ratio: REQUESTS / ours >= 100_000, "≥ 100,000/s", cores=2, scale=REQUESTS / PYTHON_REQUESTS),
    ]


# ---------------------------------------------------------------- timing


def binary():
    """The bench executable, built as cargo would run it."""
    command = ["cargo", "bench", "--locked", "--bench", "kernels", "--no-run", "--message-format=json"]
    lines = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()
    found = [message.get("executable") for message in map(json.loads, lines)
             if message.get("target", {}).get("name") == "kernels"]
    return next(path for path in found if path)


def time_ours(executable, case, directory):
    name = case.file or case.name
    environment = {**os.environ, "RAYON_NUM_THREADS": str(case.cores)}
    out = subprocess.run([executable, "--time", name, directory], env=environment, stdout=subprocess.PIPE, check=True)
    found = json.loads(out.stdout)
    return found["best"], found["cpu"], found["answer"]


def time_theirs(work, values, scale):
    answer = work(values)
    best, runs, begin, cpu = math.inf, 0, time.perf_counter(), time.process_time()
    while runs < 3 or time.perf_counter() - begin < SECONDS:
        started = time.perf_counter()
        work(values)
        best = min(best, time.perf_counter() - started)
        runs += 1
        if time.perf_counter() - begin > 8:
            break
    return best * scale, (time.process_time() - cpu) / runs * scale, answer


def write_numbers(selected, directory):
    data = {}
    for case in selected:
        name = case.file or case.name
        if name in data:
            continue
        values = case.data(np.random.default_rng(20240229))
        data[name] = values
        if isinstance(values, bytes):
            (directory / f"{name}.jsonl").write_bytes(values)
        else:
            values.astype("<f8").tofile(directory / f"{name}.f64")
    return data


def time_r(directory):
    if not shutil.which("Rscript"):
        return {}, "R is not installed: `apt-get install r-base-core r-cran-boot r-cran-survival`"
    out = subprocess.run(["Rscript", "--vanilla", ROOT / "benches/compare.R", directory], capture_output=True, text=True)
    version = subprocess.run(["Rscript", "--version"], capture_output=True, text=True)
    version = (version.stdout + version.stderr).split("version ")[1].split(" ")[0]
    if out.returncode:
        return {}, f"R {version} did not finish: {out.stderr.strip()}"
    found = {}
    for case, *taken in map(str.split, out.stdout.splitlines()):
        repeats = 200 if case.startswith("signed_rank") else 1
        found[case] = tuple(float(seconds) / repeats for seconds in taken)
    return found, f"R {version}"


@dataclass
class Row:
    case: Case
    ours: float
    ours_cpu: float
    theirs: dict
    difference: float | None

    def ratio(self, wall, cpu):
        """How many times faster ours is."""
        return wall / self.ours if self.case.cores > 1 else min(wall / self.ours, cpu / self.ours_cpu)


def compare(executable, case, values, directory):
    """Ours and theirs in turns; the best time of each and the least processor time of a round."""
    ours, theirs, difference = [], {}, 0.0
    for _ in range(ROUNDS):
        ours.append(time_ours(executable, case, directory))
        for name, work in case.theirs.items():
            theirs.setdefault(name, []).append(time_theirs(work, values, case.scale))
    for name, found in theirs.items():
        loose = "random" in name
        off = abs(found[0][2] - ours[0][2]) / max(abs(ours[0][2]), 1e-300)
        if case.agree is not None and off > (0.5 if loose else case.agree):
            sys.exit(f"{case.name}: ours says {ours[0][2]}, {name} says {found[0][2]}")
        if not loose:
            difference = max(difference, off)
    best = lambda found: (min(f[0] for f in found), min(f[1] for f in found))
    return Row(case, *best(ours), {name: best(found) for name, found in theirs.items()}, difference)


# ---------------------------------------------------------------- the table


def seconds(value):
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size or unit == "µs":
            return f"{value / size:.3g} {unit}"


def times(ratio):
    return f"{ratio:,.0f}×" if ratio >= 10 else f"{ratio:.1f}×"


def table(rows, of_r, words_of_r):
    lines = ["| task | ours (processor) | what it stands beside | theirs (processor) | ours is faster | R | ours is faster | target |",
             "|---|---|---|---|---|---|---|---|"]
    missed = []
    for row in rows:
        case, r = row.case, of_r.get(row.case.name)
        for at, (name, (wall, cpu)) in enumerate(sorted(row.theirs.items(), key=lambda item: item[1])):
            first = at == 0
            reached = ""
            if first and case.target:
                met = case.target(row.ours, row.ratio(wall, cpu))
                reached = f"{case.target_text} {'reached' if met else 'not reached'}"
                missed += [] if met else [case.name]
            lines.append(
                f"| {case.title if first else ''} | {f'{seconds(row.ours)} ({seconds(row.ours_cpu)})' if first else ''} "
                f"| {name} | {seconds(wall)} ({seconds(cpu)}) | {times(row.ratio(wall, cpu))} "
                f"| {f'{seconds(r[0])} ({seconds(r[1])})' if r and first else ''} | {times(row.ratio(*r)) if r and first else ''} | {reached} |"
            )
    import lifelines, ruptures, statsmodels

    lines += [
        "",
        f"Best of {ROUNDS} turns each on the same numbers; in brackets the processor time of a mean run; on one core the smaller of the two ratios. "
        f"{processor()}, {platform.system()}; ours on one core where nothing else is said. "
        f"Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}, pandas {pd.__version__}, "
        f"statsmodels {statsmodels.__version__}, lifelines {lifelines.__version__}, ruptures {ruptures.__version__.removeprefix('v')}, one BLAS thread, "
        f"imports not counted; {words_of_r}. The answers agree to 1e-8 where nothing is drawn at random "
        "(`benches/compare.py` stops when they do not).",
    ]
    return "\n".join(lines) + "\n", missed


def processor():
    try:
        lines = open("/proc/cpuinfo").read().splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def write(text):
    readme = ROOT / "README.md"
    old = readme.read_text() if readme.exists() else ""
    if BEGIN in old and END in old:
        before, after = old.split(BEGIN)[0], old.split(END)[1]
        readme.write_text(f"{before}{BEGIN}\n{text}{END}{after}")
        return readme
    results = ROOT / "benches/results.md"
    results.write_text("# Speed beside Python and R\n\nWritten by `benches/compare.py`.\n\n" + text)
    return results


def main():
    warnings.simplefilter("ignore")
    chosen = sys.argv[1:]
    selected = [case for case in cases() if not chosen or case.name in chosen]
    if chosen and len(selected) < len(chosen):
        sys.exit(f"unknown case; the cases are {', '.join(case.name for case in cases())}")
    executable = binary()
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        data = write_numbers(selected, directory)
        rows = []
        for case in selected:
            rows.append(compare(executable, case, data[case.file or case.name], directory))
            row = rows[-1]
            print(f"{case.name}: ours {seconds(row.ours)}, "
                  + ", ".join(f"{name} {seconds(wall)}" for name, (wall, _) in row.theirs.items())
                  + f", answers differ by {row.difference:.1e}", file=sys.stderr)
        of_r, words = time_r(directory) if not chosen else ({}, "R was not asked")
    text, missed = table(rows, of_r, words)
    print(text)
    if not chosen:
        print(f"written to {write(text).relative_to(ROOT)}", file=sys.stderr)
    if missed:
        print(f"targets not reached: {', '.join(missed)}", file=sys.stderr)


if __name__ == "__main__":
    main()
