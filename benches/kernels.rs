//! How fast the kernels are, at the sizes of a real campaign.
//!
//! `cargo bench --bench kernels` times all of them. `cargo bench --bench kernels -- --time CASE DIR` times one of
//! them on the numbers in DIR and prints one line of JSON: the best and the mean time, and the answer, so that
//! `benches/compare.py` can set it beside the same computation in Python and R.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a measurement reads its numbers, takes times and prints them; counts here are small"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use divan::{Bencher, black_box};
use unfazed::stats::bootstrap::{Distribution, Method, Statistic};
use unfazed::stats::hodges_lehmann::{pseudo_median, shift};
use unfazed::stats::kaplan_meier::{Ending, KaplanMeier, Observation};
use unfazed::stats::mann_whitney::mann_whitney;
use unfazed::stats::multiplicity::{Adjustment, adjusted};
use unfazed::stats::pelt::{Segmentation, segments, usual_penalty};
use unfazed::stats::random::Stream;
use unfazed::stats::resample::Resampling;
use unfazed::stats::sign_flip::sign_flip_test;
use unfazed::stats::signed_rank::{NullDistribution, Zeros, signed_rank_test};
use unfazed::stats::student_t::MeanEstimate;
use unfazed::stats::{Alternative, PValue};
use unfazed::unit::Seed;

const ITERATIONS: usize = 30;
const METRICS: usize = 1000;
/// The margin of the relative claim, on the scale of the differences.
const MARGIN: f64 = 0.5;
const RESAMPLES: usize = 10_000;
const REQUESTS: usize = 100_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().position(|argument| argument == "--time") {
        Some(at) => time(&arguments[at + 1], Path::new(&arguments[at + 2])),
        None => divan::main(),
    }
}

/// Judges every metric: the exact signed-rank p-value, the Hodges–Lehmann limit, the non-inferiority t and the t
/// limit, then Holm and Benjamini–Hochberg over all metrics. The answer sums everything that came out.
fn judge(differences: &[f64]) -> f64 {
    let mut answer = 0.0;
    let mut p_values = Vec::with_capacity(METRICS);
    for metric in differences.chunks_exact(ITERATIONS) {
        let below: Vec<f64> = metric.iter().map(|d| d - MARGIN).collect();
        let test =
            signed_rank_test(&below, Alternative::Less, Zeros::Pratt, NullDistribution::Exact);
        p_values.push(Some(test.expect("differences are finite").p));
        let middle = pseudo_median(metric, 0.95, Alternative::Less).expect("finite differences");
        let mean = MeanEstimate::of_one(metric).expect("differences have a spread");
        let limits = mean.interval(0.95, Alternative::TwoSided).expect("a level of 95 %");
        answer += middle.estimate
            + middle.interval.upper.unwrap_or(f64::NAN)
            + mean.p(MARGIN, Alternative::Less).get()
            + limits.upper.unwrap_or(f64::NAN);
    }
    for adjustment in [Adjustment::Holm, Adjustment::BenjaminiHochberg] {
        let of = |p: Option<PValue>| p.map_or(f64::NAN, PValue::get);
        answer += adjusted(&p_values, adjustment).into_iter().map(of).sum::<f64>();
    }
    answer
}

/// The upper `BCa` limit.
fn bca(values: &[f64], statistic: Statistic) -> f64 {
    let draws = Resampling { seed: Seed(1), key: "latency", resamples: RESAMPLES };
    Distribution::drawn(values, statistic, draws)
        .and_then(|drawn| drawn.interval(Method::Bca, 0.95, Alternative::TwoSided))
        .expect("a sample with spread")
        .upper
        .unwrap_or(f64::NAN)
}

/// The exact two-sided p-value.
fn sign_flip(differences: &[f64]) -> f64 {
    sign_flip_test(differences, Alternative::TwoSided).expect("at most 40 differences").p.get()
}

/// The exact two-sided p-value.
fn signed_rank(differences: &[f64]) -> f64 {
    let test =
        signed_rank_test(differences, Alternative::TwoSided, Zeros::Drop, NullDistribution::Exact);
    test.expect("differences are finite").p.get()
}

/// The p-value of two samples in one list, x first.
fn rank_sum(both: &[f64]) -> f64 {
    let (x, y) = both.split_at(both.len() / 2);
    let null = NullDistribution::NormalWithContinuity;
    mann_whitney(x, y, Alternative::TwoSided, null).expect("finite samples").p.get()
}

/// The estimated shift of two samples in one list, x first.
fn shift_estimate(both: &[f64]) -> f64 {
    let (x, y) = both.split_at(both.len() / 2);
    shift(x, y, 0.95, Alternative::TwoSided).expect("finite samples").estimate
}

/// The number of segments.
fn change_points(series: &[f64]) -> f64 {
    let penalty = usual_penalty(series).expect("a finite series");
    let rule = Segmentation { penalty, min_size: 2, jump: 1 };
    segments(series, rule).expect("a finite series").ends.len() as f64
}

/// The median of times in one list with their endings (1: event), times first.
fn survival_median(both: &[f64]) -> f64 {
    let (times, events) = both.split_at(both.len() / 2);
    let observed = |(&time, &event): (&f64, &f64)| Observation {
        time,
        ending: if event > 0.5 { Ending::Event } else { Ending::Censored },
    };
    let observations: Vec<Observation> = times.iter().zip(events).map(observed).collect();
    let curve = KaplanMeier::fit(&observations).expect("times are finite");
    curve.quantile(0.5).unwrap_or(f64::NAN)
}

/// The lines of answers.
fn answers(requests: &[u8]) -> f64 {
    let mut answers = Vec::new();
    unfazed::app::stat::answer_lines(requests, &mut answers).expect("memory takes every line");
    answers.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count() as f64
}

/// Clopper–Pearson, the request a user makes most.
fn requests() -> Vec<u8> {
    let mut stream = Stream::new(Seed(1), "requests", "bench");
    (0..REQUESTS)
        .flat_map(|id| {
            let n = 10 + stream.index(1000);
            let k = stream.index(n + 1);
            format!(
                "{{\"id\":{id},\"method\":\"clopper_pearson\",\"inputs\":{{\"x\":{k},\"n\":{n}}},\
                 \"args\":{{\"conf_level\":0.95}}}}\n"
            )
            .into_bytes()
        })
        .collect()
}

/// One kernel by name, on the numbers that compare.py wrote for it.
fn run(case: &str, values: &[f64], text: &[u8]) -> f64 {
    match case {
        "judge" => judge(values),
        "bca_mean" => bca(values, Statistic::Mean),
        "bca_median" => bca(values, Statistic::Median),
        "bca_p95" => bca(values, Statistic::Quantile(0.95)),
        "sign_flip_20" | "sign_flip_30" | "sign_flip_40" => sign_flip(values),
        "signed_rank_30" | "signed_rank_50" => signed_rank(values),
        "mann_whitney" => rank_sum(values),
        "hodges_lehmann" => shift_estimate(values),
        "pelt" => change_points(values),
        "kaplan_meier" => survival_median(values),
        "stat" => answers(text),
        unknown => panic!("there is no case {unknown}"),
    }
}

/// Times one case for half a second and at least three runs, on the cores that `RAYON_NUM_THREADS` allows.
fn time(case: &str, directory: &Path) {
    let numbers = std::fs::read(directory.join(format!("{case}.f64"))).unwrap_or_default();
    let text = std::fs::read(directory.join(format!("{case}.jsonl"))).unwrap_or_default();
    assert!(!numbers.is_empty() || !text.is_empty(), "{case} has no numbers");
    let values: Vec<f64> = numbers
        .chunks_exact(8)
        .map(|bytes| f64::from_le_bytes(bytes.try_into().expect("chunks of eight")))
        .collect();
    // The first run starts threads and touches memory.
    let answer = run(case, &values, &text);
    let (mut best, mut runs) = (Duration::MAX, 0_u32);
    let (begin, cpu) = (Instant::now(), processor_seconds());
    while runs < 3 || begin.elapsed() < Duration::from_millis(500) {
        let started = Instant::now();
        black_box(run(case, black_box(&values), black_box(&text)));
        best = best.min(started.elapsed());
        runs += 1;
    }
    let mean = (processor_seconds() - cpu) / f64::from(runs);
    println!(
        "{{\"case\":\"{case}\",\"best\":{:e},\"cpu\":{mean:e},\"runs\":{runs},\"answer\":{answer:e}}}",
        best.as_secs_f64()
    );
}

/// Processor time of all threads, from Linux; 0 elsewhere.
fn processor_seconds() -> f64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0.0 };
    let spent = |task: std::fs::DirEntry| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    };
    tasks.flatten().filter_map(spent).sum::<f64>() / 1e9
}

/// Skewed positive numbers, as latencies are.
fn latencies(n: usize, purpose: &str) -> Vec<f64> {
    let mut stream = Stream::new(Seed(1), purpose, "bench");
    (0..n).map(|_| (0.5 * stream.normal()).exp()).collect()
}

fn normals(n: usize, purpose: &str) -> Vec<f64> {
    let mut stream = Stream::new(Seed(1), purpose, "bench");
    (0..n).map(|_| 0.1 + stream.normal()).collect()
}

/// One core, so that the numbers compare with libraries that use one.
fn on_one_core(bencher: Bencher, work: impl Fn() -> f64 + Sync) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread starts");
    bencher.bench_local(|| pool.install(&work));
}

#[divan::bench(sample_count = 20)]
fn judge_1000_metrics_of_30_iterations(bencher: Bencher) {
    let differences = normals(METRICS * ITERATIONS, "judge");
    bencher.bench(|| judge(black_box(&differences)));
}

#[divan::bench(args = ["mean", "median", "p95"], sample_count = 20)]
fn bca_of_1000_values_by_10000_resamples(bencher: Bencher, statistic: &str) {
    let values = latencies(1000, "bca");
    let statistic = match statistic {
        "mean" => Statistic::Mean,
        "median" => Statistic::Median,
        _ => Statistic::Quantile(0.95),
    };
    on_one_core(bencher, || bca(black_box(&values), statistic));
}

#[divan::bench(args = [20, 30, 40], sample_count = 20)]
fn exact_sign_flip(bencher: Bencher, n: usize) {
    let differences = normals(n, "sign-flip");
    bencher.bench(|| sign_flip(black_box(&differences)));
}

#[divan::bench(args = [1, 2], sample_count = 10)]
fn mann_whitney_million_by_million(bencher: Bencher, cores: usize) {
    let both = latencies(2_000_000, "rank-sum");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(cores).build().expect("threads start");
    bencher.bench_local(|| pool.install(|| rank_sum(black_box(&both))));
}

#[divan::bench(args = [30, 50])]
fn exact_signed_rank(bencher: Bencher, n: usize) {
    let differences = normals(n, "signed-rank");
    bencher.bench(|| signed_rank(black_box(&differences)));
}

#[divan::bench(sample_count = 20)]
fn hodges_lehmann_shift_2000_by_2000(bencher: Bencher) {
    let both = latencies(4000, "shift");
    bencher.bench(|| shift_estimate(black_box(&both)));
}

#[divan::bench]
fn pelt_1000_values(bencher: Bencher) {
    let mut series = normals(1000, "pelt");
    for (at, value) in series.iter_mut().enumerate() {
        *value += 3.0 * (at / 100 % 3) as f64;
    }
    bencher.bench(|| change_points(black_box(&series)));
}

#[divan::bench(sample_count = 20)]
fn kaplan_meier_100000_times(bencher: Bencher) {
    let mut both = latencies(100_000, "survival");
    both.extend((0..100_000).map(|at| if at % 5 == 0 { 0.0 } else { 1.0 }));
    bencher.bench(|| survival_median(black_box(&both)));
}

#[divan::bench(sample_count = 5)]
fn stat_100000_small_requests(bencher: Bencher) {
    let requests = requests();
    bencher.bench(|| answers(black_box(&requests)));
}
