//! What holds of every verdict, whatever the data.
//!
//! Random campaigns with a fixed seed: units, order and direction never matter, worse data never help, limits and
//! levels agree, and no data make the judge panic or write a number that is none.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use unfazed::run::Arm;
use unfazed::summary::{Loss, PreKillLoss, Timing};
use unfazed::verdict::result::{AnalysisResult, Decision, MetricResult, Verdict};

use crate::campaign::{Cell, Measured, Numbers, Recovered, Seen};

/// Claims on a gauge: `{b}` is the bound, an amount in the metric's unit; a share stays as it is.
const AT_MOST: &str = "expect: {at_most: {b}, for: {for}}";
const AT_LEAST: &str = "expect: {at_least: {b}, for: {for}}";
const RISE: &str = "expect: {increase_at_most: {b}, for: {for}}";
const FALL: &str = "expect: {decrease_at_most: {b}, for: {for}}";
const RISE_SHARE: &str = "expect: {increase_at_most: 40%, for: {for}}";
const RISE_LARGER: &str = "expect: {increase_at_most: 40%, or_by: {b}, for: {for}}";
const FALL_LARGER: &str = "expect: {decrease_at_most: 40%, or_by: {b}, for: {for}}";
const FORMS: [&str; 7] = [AT_MOST, AT_LEAST, RISE, FALL, RISE_SHARE, RISE_LARGER, FALL_LARGER];
/// Estimands for which worse data never help.
const ESTIMANDS: [&str; 4] = ["most_kills", "every_kill", "typical_kill", "this_run"];

/// A claim on a gauge, two numbers per kill.
#[derive(Debug, Clone)]
struct Gauge {
    form: &'static str,
    estimand: &'static str,
    bound: i32,
    strict: bool,
    pairs: Vec<(f64, f64)>,
}

impl Gauge {
    fn document(&self, bound: f64) -> String {
        let expect = self
            .form
            .replace("{b}", &bound.to_string())
            .replace("{for}", self.estimand)
            .replace('}', if self.strict { ", strict: true}" } else { "}" });
        format!("gauge: g\n{expect}\n")
    }

    fn numbers(&self) -> Numbers {
        let seen = self
            .pairs
            .iter()
            .map(|(before, after)| Seen::kill(Cell::Value(*before), Cell::Value(*after)))
            .collect();
        Numbers::of(Measured::new("g", &self.document(f64::from(self.bound)), seen))
    }

    fn verdict(&self) -> Verdict {
        metric(&judged(&self.numbers())).verdict.expect("a claim has a verdict")
    }

    fn higher_is_better(&self) -> bool {
        self.form.contains("at_least") || self.form.contains("decrease")
    }
}

fn judged(numbers: &Numbers) -> AnalysisResult {
    numbers.judge().unwrap_or_else(|problems| panic!("the document is refused:\n{problems}"))
}

fn metric(result: &AnalysisResult) -> &MetricResult {
    &result.metrics[0]
}

fn decision(result: &AnalysisResult) -> &Decision {
    metric(result).decision.as_ref().expect("a claim has a decision")
}

/// A claim on positive whole numbers near its bound.
fn gauges() -> impl Strategy<Value = Gauge> {
    let pairs = prop::collection::vec((1_i32..30, 1_i32..45), 1..24);
    let form = prop::sample::select(FORMS.to_vec());
    let estimand = prop::sample::select(ESTIMANDS.to_vec());
    (form, estimand, 1_i32..30, any::<bool>(), pairs).prop_map(
        |(form, estimand, bound, strict, pairs)| Gauge {
            form,
            estimand,
            bound,
            strict,
            pairs: pairs.iter().map(|(b, e)| (f64::from(*b), f64::from(*e))).collect(),
        },
    )
}

/// A ratio over all requests.
fn ratios() -> impl Strategy<Value = (f64, Vec<Seen>)> {
    let counts = prop::collection::vec((0_u32..40, 500_u32..3000), 1..15);
    (1_u32..40, counts).prop_map(|(bound, counts)| {
        let seen = counts
            .iter()
            .map(|(bad, total)| {
                let total = f64::from(*total);
                let baseline = Cell::Counts { bad: 0.0, total };
                Seen::kill(baseline, Cell::Counts { bad: f64::from(*bad), total })
            })
            .collect();
        (f64::from(bound) / 1000.0, seen)
    })
}

fn ratio(bound: f64, seen: Vec<Seen>) -> Numbers {
    let document =
        format!("ratio: {{bad: b_total, total: t_total}}\nexpect: {{at_most: {bound}}}\n");
    Numbers::of(Measured::new("r", &document, seen))
}

/// Cases per property, unless `PROPTEST_CASES` asks for more.
const CASES: u32 = 96;

/// Runs a property on cases that are the same in every run.
fn check<S: Strategy>(strategy: S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let cases = asked.unwrap_or(CASES);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(config, random);
    if let Err(failure) = runner.run(&strategy, property) {
        panic!("{failure}");
    }
}

#[test]
fn units_never_matter() {
    check(gauges(), |gauge| {
        let mut scaled = gauge.clone();
        scaled.bound *= 1000;
        for pair in &mut scaled.pairs {
            *pair = (pair.0 * 1000.0, pair.1 * 1000.0);
        }
        prop_assert_eq!(gauge.verdict(), scaled.verdict());
        Ok(())
    });
}

#[test]
fn the_order_of_kills_never_matters() {
    check((gauges(), any::<prop::sample::Index>()), |(gauge, turn)| {
        let mut turned = gauge.clone();
        let by = turn.index(turned.pairs.len());
        turned.pairs.rotate_left(by);
        turned.pairs.reverse();
        // Against the baseline the order says whether baselines drift.
        let (before, after) = (judged(&gauge.numbers()), judged(&turned.numbers()));
        let drifts = |result: &AnalysisResult| {
            result.reasons.iter().any(|reason| reason.code.word() == "baseline_unstable")
        };
        prop_assume!(!drifts(&before) && !drifts(&after));
        prop_assert_eq!(before.verdict, after.verdict);
        let (before, after) = (decision(&before), decision(&after));
        prop_assert_eq!(before.p_pass, after.p_pass);
        prop_assert_eq!(before.p_fail, after.p_fail);
        Ok(())
    });
}

#[test]
fn the_order_of_requests_never_matters() {
    check((ratios(), any::<prop::sample::Index>()), |((bound, seen), turn)| {
        let mut turned = seen.clone();
        let by = turn.index(turned.len());
        turned.rotate_left(by);
        let (before, after) = (judged(&ratio(bound, seen)), judged(&ratio(bound, turned)));
        prop_assert_eq!(before.verdict, after.verdict);
        Ok(())
    });
}

#[test]
fn direction_never_matters() {
    // Negative numbers have no logarithm, so that a share mirrors only as a difference on both sides.
    let mirrored = gauges().prop_filter("a bound that mirrors", |gauge| gauge.form != RISE_SHARE);
    check(mirrored, |gauge| {
        let mut mirror = gauge.clone();
        let absolute = matches!(gauge.form, AT_MOST | AT_LEAST);
        mirror.form = match gauge.form {
            AT_MOST => AT_LEAST,
            AT_LEAST => AT_MOST,
            RISE => FALL,
            FALL => RISE,
            RISE_LARGER => FALL_LARGER,
            _ => RISE_LARGER,
        };
        if absolute {
            mirror.bound = -gauge.bound;
        }
        for pair in &mut mirror.pairs {
            *pair = (-pair.0, -pair.1);
        }
        prop_assert_eq!(gauge.verdict(), mirror.verdict());
        let (one, other) = (judged(&gauge.numbers()), judged(&mirror.numbers()));
        prop_assert_eq!(decision(&one).p_pass, decision(&other).p_pass);
        prop_assert_eq!(decision(&one).p_fail, decision(&other).p_fail);
        let worst = |result: &AnalysisResult| {
            metric(result).kills.as_ref().and_then(|kills| kills.worst.as_ref().map(|w| w.index))
        };
        prop_assert_eq!(worst(&one), worst(&other));
        Ok(())
    });
}

#[test]
fn a_worse_kill_never_helps() {
    check((gauges(), any::<prop::sample::Index>(), 1_i32..60), |(gauge, which, by)| {
        let mut worse = gauge.clone();
        let at = which.index(worse.pairs.len());
        let by = f64::from(by);
        worse.pairs[at].1 += if gauge.higher_is_better() { -by } else { by };
        if gauge.verdict() != Verdict::Pass {
            prop_assert_ne!(worse.verdict(), Verdict::Pass);
        }
        if gauge.verdict() == Verdict::Fail {
            prop_assert_eq!(worse.verdict(), Verdict::Fail);
        }
        Ok(())
    });
}

#[test]
fn lost_data_never_help_either_side() {
    let picks = (any::<prop::sample::Index>(), any::<bool>(), 1_u32..8);
    check((gauges(), picks), |(gauge, (which, aborted, sessions))| {
        let mut whole = gauge.numbers();
        // Shares of kills in sessions are clustered ratios, for which this is not true.
        if gauge.estimand == "typical_kill" {
            whole.sessions = (0..24).map(|at| 1 + at % sessions).collect();
        }
        let mut holed = whole.clone();
        let at = which.index(gauge.pairs.len());
        if aborted {
            holed.metrics[0].seen[at].aborted = true;
        } else {
            holed.metrics[0].seen[at].experiment = Cell::Lost(Loss::MissingData);
        }
        let (whole, holed) = (judged(&whole).verdict, judged(&holed).verdict);
        prop_assert!(
            holed == whole || holed == Verdict::Inconclusive,
            "{whole:?} became {holed:?}"
        );
        Ok(())
    });
}

#[test]
fn lost_requests_never_help_a_pass_and_never_fail_one() {
    check((ratios(), any::<prop::sample::Index>()), |((bound, seen), which)| {
        let mut holed = seen.clone();
        let at = which.index(holed.len());
        holed[at].experiment = Cell::Lost(Loss::NoTraffic);
        let whole = judged(&ratio(bound, seen)).verdict;
        let holed = judged(&ratio(bound, holed)).verdict;
        if whole != Verdict::Pass {
            prop_assert_ne!(holed, Verdict::Pass);
        }
        // Not "fails only what failed": losing the one kill that differs makes the others more alike.
        if whole == Verdict::Pass {
            prop_assert_ne!(holed, Verdict::Fail);
        }
        Ok(())
    });
}

#[test]
fn lost_changes_of_ratios_never_help_a_pass_and_never_fail_one() {
    check((ratios(), any::<prop::sample::Index>(), 1_u32..40), |((_, seen), which, before)| {
        let claim = "ratio: {bad: b_total, total: t_total}\nexpect: {increase_at_most: 50%, for: all_requests}\n";
        let of = |lost: bool| {
            let mut seen = seen.clone();
            let at = which.index(seen.len());
            for (place, seen) in seen.iter_mut().enumerate() {
                let bad = f64::from((before + u32::try_from(place).expect("few") * 7) % 40);
                seen.baseline = Cell::Counts { bad, total: 2000.0 };
            }
            if lost {
                seen[at].experiment = Cell::Lost(Loss::MissingData);
            }
            judged(&Numbers::of(Measured::new("r", claim, seen))).verdict
        };
        if of(false) != Verdict::Pass {
            prop_assert_ne!(of(true), Verdict::Pass);
        }
        if of(false) == Verdict::Pass {
            prop_assert_ne!(of(true), Verdict::Fail);
        }
        Ok(())
    });
}

#[test]
fn a_pass_and_a_fail_exclude_each_other_and_levels_agree_with_limits() {
    let inferred = gauges().prop_filter("an inference", |gauge| gauge.estimand != "this_run");
    check(inferred, |gauge| {
        let result = judged(&gauge.numbers());
        let found = decision(&result);
        let level = |p: Option<f64>| p.is_some_and(|p| p <= 0.05);
        prop_assert!(!(level(found.p_pass) && level(found.p_fail)), "{found:?}");
        let better_below = found.method == "signed_rank" && !gauge.higher_is_better();
        let (pass_limit, fail_limit) =
            if better_below { (found.upper, found.lower) } else { (found.lower, found.upper) };
        // One unit in the twelfth place is equality, which falls as the claim says.
        let near = |limit: f64| (limit - found.bound).abs() <= 1e-9 * found.bound.abs().max(1.0);
        let inside = |limit: f64| {
            if better_below { limit <= found.bound } else { limit >= found.bound }
        };
        if let Some(limit) = pass_limit.filter(|limit| !near(*limit)) {
            prop_assert_eq!(inside(limit), level(found.p_pass), "{:?}", found);
        }
        if let Some(limit) = fail_limit.filter(|limit| !near(*limit)) {
            prop_assert_eq!(!inside(limit), level(found.p_fail), "{:?}", found);
        }
        if found.method == "signed_rank" {
            // A limit at the bound passes unless the claim is strict, and then fails.
            let at = |limit: Option<f64>| limit.is_some_and(near);
            prop_assert!(!at(pass_limit) || level(found.p_pass) != gauge.strict, "{found:?}");
            prop_assert!(!at(fail_limit) || level(found.p_fail) == gauge.strict, "{found:?}");
        }
        Ok(())
    });
}

#[test]
fn the_limits_of_clustered_ratios_hold_the_ratio_and_their_levels() {
    check(ratios(), |(bound, seen)| {
        let result = judged(&ratio(bound, seen));
        let found = decision(&result);
        let estimate = metric(&result).experiment.estimate.expect("there were requests");
        prop_assert!(found.lower.is_none_or(|lower| lower <= estimate), "{found:?} {estimate}");
        prop_assert!(found.upper.is_none_or(|upper| upper >= estimate), "{found:?} {estimate}");
        let level = |p: Option<f64>| p.is_some_and(|p| p <= 0.05);
        prop_assert!(!(level(found.p_pass) && level(found.p_fail)), "{found:?}");
        if let Some(upper) = found.upper {
            prop_assert_eq!(upper <= found.bound, level(found.p_pass), "{:?}", found);
        }
        if let Some(lower) = found.lower {
            prop_assert_eq!(lower > found.bound, level(found.p_fail), "{:?}", found);
        }
        Ok(())
    });
}

#[test]
fn more_errors_everywhere_never_help_against_a_fail() {
    // Of the upper limit this is not true: the same rate on top makes the iterations more alike.
    check((ratios(), 1_u32..20), |((bound, seen), more)| {
        let worse: Vec<Seen> = seen
            .iter()
            .map(|seen| match seen.experiment {
                Cell::Counts { bad, total } => {
                    let bad = bad + (total * f64::from(more) / 1000.0).ceil();
                    Seen { experiment: Cell::Counts { bad, total }, ..*seen }
                }
                _ => *seen,
            })
            .collect();
        let (before, after) = (judged(&ratio(bound, seen)), judged(&ratio(bound, worse)));
        let (before, after) = (decision(&before), decision(&after));
        if let (Some(before), Some(after)) = (before.lower, after.lower) {
            prop_assert!(after >= before, "{before} {after}");
        }
        Ok(())
    });
}

#[test]
fn three_kills_never_pass_a_claim_over_kills() {
    let values = prop::collection::vec((0_i32..5, 0_i32..5), 3);
    let estimand = prop::sample::select(vec!["most_kills", "every_kill", "typical_kill"]);
    let form = prop::sample::select(FORMS.to_vec());
    check((values, estimand, form), |(values, estimand, form)| {
        let pairs = values.iter().map(|(b, e)| (f64::from(*b), f64::from(*e))).collect();
        let gauge = Gauge { form, estimand, bound: 100, strict: false, pairs };
        prop_assert_ne!(gauge.verdict(), Verdict::Pass);
        Ok(())
    });
}

/// Any cell, most of them degenerate.
fn cells() -> impl Strategy<Value = Cell> + Clone {
    prop_oneof![
        Just(Cell::Value(0.0)),
        Just(Cell::Value(1.0)),
        Just(Cell::Value(-1.0)),
        Just(Cell::Value(1e-300)),
        Just(Cell::Value(1e300)),
        Just(Cell::Value(f64::INFINITY)),
        Just(Cell::Value(f64::NAN)),
        Just(Cell::Lost(Loss::MissingData)),
        Just(Cell::Lost(Loss::NoTraffic)),
        (-5_i32..5).prop_map(|value| Cell::Value(f64::from(value))),
    ]
}

fn request_cells() -> impl Strategy<Value = Cell> + Clone {
    prop_oneof![
        Just(Cell::Counts { bad: 0.0, total: 0.0 }),
        Just(Cell::Counts { bad: 0.0, total: 1.0 }),
        Just(Cell::Counts { bad: 1.0, total: 1.0 }),
        Just(Cell::Counts { bad: 0.0, total: 1e9 }),
        Just(Cell::Counts { bad: 1e9, total: 1e9 }),
        Just(Cell::Lost(Loss::NoTraffic)),
        (0_u32..5).prop_map(|bad| Cell::Counts { bad: f64::from(bad), total: 5.0 }),
    ]
}

fn share_cells() -> impl Strategy<Value = Cell> + Clone {
    prop_oneof![
        Just(Cell::Share { lower: 0.0, upper: 1.0, total: 100.0, quantile: 0.1 }),
        Just(Cell::Share { lower: 1.0, upper: 1.0, total: 100.0, quantile: 0.1 }),
        Just(Cell::Share { lower: 0.0, upper: 0.0, total: 100.0, quantile: 0.1 }),
        Just(Cell::Share { lower: 0.95, upper: 0.95, total: 100.0, quantile: 0.1 }),
        Just(Cell::Lost(Loss::MissingData)),
    ]
}

fn iterations(cells: impl Strategy<Value = Cell> + Clone) -> impl Strategy<Value = Vec<Seen>> {
    let fate = prop_oneof![8 => Just(0_u8), 1 => Just(1), 1 => Just(2), 1 => Just(3)];
    prop::collection::vec((cells.clone(), cells, fate), 1..12).prop_map(|all| {
        all.into_iter()
            .map(|(baseline, experiment, fate)| {
                let mut seen = Seen::kill(baseline, experiment);
                match fate {
                    1 => seen.arm = Arm::Control,
                    2 => seen.excluded = Some(PreKillLoss::NotInjected),
                    3 => seen.aborted = true,
                    _ => {}
                }
                // A window without traffic before the kill excludes.
                if matches!(baseline, Cell::Lost(_) | Cell::Counts { total: 0.0, .. }) {
                    seen.excluded = seen.excluded.or(Some(PreKillLoss::BaselineMissing));
                }
                seen
            })
            .collect()
    })
}

/// A result that says why, and that reads back as it was written.
fn sound(numbers: &Numbers) -> Result<(), TestCaseError> {
    let result = judged(numbers);
    let text = serde_json::to_string(&result).expect("a result can be written");
    prop_assert!(!text.contains("NaN") && !text.contains("inf\""), "{text}");
    let back: AnalysisResult = serde_json::from_str(&text).expect("a result can be read back");
    prop_assert_eq!(&back, &result);
    for metric in &result.metrics {
        if metric.verdict == Some(Verdict::Inconclusive) {
            prop_assert!(!metric.reasons.is_empty(), "{metric:?}");
        }
        for reason in &metric.reasons {
            prop_assert!(!reason.message.is_empty(), "{reason:?}");
        }
    }
    Ok(())
}

#[test]
fn degenerate_gauges_get_a_reasoned_answer() {
    let form = prop::sample::select(FORMS.to_vec());
    let estimand = prop::sample::select(ESTIMANDS.to_vec());
    check((iterations(cells()), form, estimand, 1_u32..8), |(seen, form, estimand, sessions)| {
        let gauge = Gauge { form, estimand, bound: 1, strict: false, pairs: Vec::new() };
        let mut numbers = Numbers::of(Measured::new("g", &gauge.document(1.0), seen));
        numbers.sessions = (0..12).map(|at| 1 + at % sessions).collect();
        sound(&numbers)
    });
}

#[test]
fn degenerate_ratios_get_a_reasoned_answer() {
    let claims = vec![
        "expect: {at_most: 0}",
        "expect: {at_most: 10%}",
        "expect: {at_least: 100%}",
        "expect: {increase_at_most: 40%}",
        "expect: {decrease_at_most: 100%}",
        "expect: {increase_at_most: 1pp, for: all_requests}",
        "expect: {increase_at_most: 40%, or_by: 1pp, for: all_requests}",
        "expect: {decrease_at_most: 40%, for: all_requests}",
    ];
    let claim = prop::sample::select(claims);
    let part = prop::sample::select(vec!["good", "bad"]);
    check((iterations(request_cells()), claim, part, 1_u32..8), |(seen, claim, part, sessions)| {
        let document = format!("ratio: {{{part}: b_total, total: t_total}}\n{claim}\n");
        let mut numbers = Numbers::of(Measured::new("r", &document, seen));
        numbers.sessions = (0..12).map(|at| 1 + at % sessions).collect();
        sound(&numbers)
    });
}

#[test]
fn degenerate_histograms_get_a_reasoned_answer() {
    let claims = vec![
        "expect: {at_most: 200ms}",
        "expect: {at_most: 200ms, strict: true}",
        "expect: {at_least: 200ms, for: all_requests}",
        "expect: {at_most: 200ms, for: all_requests}",
        "expect: {at_most: 200ms, for: typical_kill}",
        "expect: {increase_at_most: 40%}",
    ];
    check((iterations(share_cells()), prop::sample::select(claims)), |(seen, claim)| {
        let document = format!("histogram: d_seconds\nquantile: 0.95\n{claim}\n");
        sound(&Numbers::of(Measured::new("h", &document, seen)))
    });
}

#[test]
fn degenerate_recoveries_get_a_reasoned_answer() {
    let timing = prop_oneof![
        Just(Timing::Seen { after: 0.0, at: 0.0 }),
        Just(Timing::Seen { after: 118.0, at: 123.0 }),
        Just(Timing::Seen { after: 295.0, at: 300.0 }),
        Just(Timing::Censored { at: 300.0 }),
        Just(Timing::Censored { at: 0.0 }),
        Just(Timing::Lost { from: 0.0 }),
    ];
    let times = prop::collection::vec((timing, any::<bool>(), any::<bool>()), 1..20);
    check(times, |times| {
        let mut numbers = Numbers::of(Measured::new("g", "gauge: g\n", Vec::new()));
        let document = "signal: g\nhealthy: {at_most: 5}\nstable_for: 30s\nwithin: 2m\n";
        let times: Vec<Recovered> = times
            .into_iter()
            .map(|(timing, aborted, excluded)| Recovered {
                timing,
                never_departed: false,
                last_unhealthy: None,
                relapses: 0,
                excluded: excluded.then_some(PreKillLoss::BaselineMissing),
                aborted,
            })
            .collect();
        numbers.metrics[0].seen = vec![Seen::kill(Cell::Value(1.0), Cell::Value(1.0)); times.len()];
        numbers.recovery = Some((document.to_owned(), times));
        sound(&numbers)
    });
}
