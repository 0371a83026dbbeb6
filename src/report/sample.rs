//! Results to render in tests: a passing, a failing and an inconclusive campaign of the payments example, and a
//! hostile one. Numbers are drawn by a seeded generator; verdicts are written by hand, since reports never decide.

use crate::run::Arm;
use crate::spec::{Estimand, Form};
use crate::unit::{Span, Timestamp, Window};
use crate::verdict::result::*;

/// The campaigns that tests render.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Story {
    Pass,
    Fail,
    Inconclusive,
    Hostile,
}

impl Story {
    pub(crate) const ALL: [Self; 4] = [Self::Pass, Self::Fail, Self::Inconclusive, Self::Hostile];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::Hostile => "hostile",
        }
    }

    const fn kills(self) -> u32 {
        match self {
            Self::Pass => 22,
            Self::Fail | Self::Hostile => 10,
            Self::Inconclusive => 3,
        }
    }

    const fn controls(self) -> u32 {
        match self {
            Self::Pass => 5,
            Self::Fail => 2,
            Self::Inconclusive | Self::Hostile => 0,
        }
    }
}

/// Texts that try to be more than text.
pub(crate) const HOSTILE: [&str; 8] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(2)>",
    "'; --\u{202e}gnp.exe",
    "</svg></title></style><b>",
    "| cell | `code` @everyone #1 https://evil.example/ www.evil.example",
    "]]> &amp; \u{1b}[31mred\u{7}\u{0}",
    "{{ 7 * 7 }}{% include \"x\" %}",
    "👩\u{200d}🚒 “quotes” ‘q’ \u{2028}line",
];

/// Numbers between 0 and 1 by a 64-bit linear congruential generator (Knuth, MMIX), upper bits only.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.0 >> 40).unwrap()) / f64::from(1_u32 << 24)
    }

    fn around(&mut self, middle: f64, spread: f64) -> f64 {
        middle + spread * (self.next() + self.next() + self.next() - 1.5)
    }
}

/// What a metric of the example looks like.
struct Shape {
    name: &'static str,
    kind: &'static str,
    unit: Option<&'static str>,
    description: &'static str,
    form: Option<Form>,
    estimand: Option<Estimand>,
    bound: f64,
    relative: bool,
    or_by: Option<f64>,
    text: &'static str,
    level: f64,
    noise: f64,
    /// Height of the hump after a kill.
    hump: f64,
    /// The same for every third kill of a failing campaign.
    bad_hump: f64,
}

#[expect(clippy::too_many_lines, reason = "one table of invented numbers")]
fn shapes() -> Vec<Shape> {
    let shape = |name, kind, unit, description| Shape {
        name,
        kind,
        unit,
        description,
        form: None,
        estimand: None,
        bound: 0.0,
        relative: false,
        or_by: None,
        text: "",
        level: 1.0,
        noise: 0.1,
        hump: 0.0,
        bad_hump: 0.0,
    };
    vec![
        Shape {
            form: Some(Form::AtMost),
            estimand: Some(Estimand::AllRequests),
            bound: 0.001,
            text: "at most 0.1 %",
            level: 0.000_2,
            noise: 0.000_05,
            hump: 0.000_4,
            bad_hump: 0.004,
            ..shape(
                "payment-errors",
                "ratio",
                Some("ratio"),
                "payments_total{outcome=\"error\"} over payments_total",
            )
        },
        Shape {
            form: Some(Form::AtMost),
            estimand: Some(Estimand::MostKills),
            bound: 0.2,
            text: "at most 200 ms",
            level: 0.12,
            noise: 0.012,
            hump: 0.035,
            bad_hump: 0.9,
            ..shape(
                "payment-p95",
                "histogram",
                Some("seconds"),
                "0.95 quantile of payment_duration_seconds{job=\"payment\"}",
            )
        },
        Shape {
            form: Some(Form::IncreaseAtMost),
            estimand: Some(Estimand::TypicalKill),
            bound: 0.4,
            relative: true,
            or_by: Some(20.0),
            text: "increases by at most 40 % or by 20",
            level: 55.0,
            noise: 5.0,
            hump: 12.0,
            bad_hump: 60.0,
            ..shape("queue-depth", "gauge", None, "greatest value of payment_queue_depth")
        },
        Shape {
            form: Some(Form::DecreaseAtMost),
            estimand: Some(Estimand::TypicalKill),
            bound: 0.02,
            text: "decreases by at most 2 pp",
            level: 0.74,
            noise: 0.008,
            hump: -0.006,
            bad_hump: -0.012,
            ..shape(
                "checkout-conversion",
                "ratio",
                Some("ratio"),
                "checkouts_total{outcome=\"paid\"} over checkouts_total",
            )
        },
        Shape {
            level: 1.6,
            noise: 0.15,
            hump: -0.4,
            bad_hump: -0.4,
            ..shape("worker-cpu", "counter", None, "process_cpu_seconds_total, per second")
        },
    ]
}

const START: i64 = 1_795_507_200_000;
const STEP_S: i64 = 5;

fn windows(story: Story) -> Vec<TimelineWindow> {
    let all = story.kills() + story.controls();
    (1..=all)
        .map(|index| {
            let start = Timestamp::from_milliseconds(START)
                .plus(Span::from_seconds(900 * i64::from(index - 1)));
            let kill = start.plus(Span::from_seconds(300));
            let control = story.controls() > 0 && index % 5 == 3 && (index / 5) < story.controls();
            let aborted =
                (story == Story::Fail && index == 7).then(|| kill.plus(Span::from_seconds(185)));
            TimelineWindow {
                index,
                session: 1,
                arm: if control { Arm::Control } else { Arm::Fault },
                baseline: Window { start, end: kill },
                fault_at: (!control).then_some(kill),
                outcome: (!control).then(|| "killed".to_owned()),
                experiment: Window { start: kill, end: kill.plus(Span::from_seconds(300)) },
                aborted,
            }
        })
        .collect()
}

fn is_bad(story: Story, index: u32) -> bool {
    matches!(story, Story::Fail | Story::Hostile) && index % 3 == 1
}

fn points(
    shape: &Shape,
    story: Story,
    windows: &[TimelineWindow],
    draws: &mut Draws,
) -> Vec<(Timestamp, f64, f64, f64)> {
    let mut points = Vec::new();
    for window in windows {
        let level = draws.around(shape.level, shape.noise);
        let hump = if is_bad(story, window.index) { shape.bad_hump } else { shape.hump };
        let hump =
            if window.arm == Arm::Control { 0.0 } else { draws.around(hump, hump.abs() * 0.3) };
        let last = if window.aborted.is_some() { 97 } else { 120 };
        for step in 0..last {
            let seconds = STEP_S * step;
            let after = f64::from(i32::try_from(seconds).unwrap() - 300);
            let rise = if after < 0.0 {
                0.0
            } else {
                hump * (after / 25.0) * (1.0 - after / 25.0).exp().min(1.0)
            };
            let mean = (level + rise + draws.around(0.0, shape.noise * 0.4)).max(0.0);
            let half = shape.noise * (0.2 + draws.next() * 0.4);
            points.push((
                window.baseline.start.plus(Span::from_seconds(seconds)),
                (mean - half).max(0.0),
                mean,
                mean + half,
            ));
        }
    }
    points
}

fn iterations(
    shape: &Shape,
    story: Story,
    windows: &[TimelineWindow],
    draws: &mut Draws,
) -> Vec<IterationResult> {
    windows
        .iter()
        .map(|window| {
            let baseline = draws.around(shape.level, shape.noise);
            let hump = if is_bad(story, window.index) { shape.bad_hump } else { shape.hump };
            let hump = if window.arm == Arm::Control { 0.0 } else { hump };
            let experiment = draws.around(baseline + hump, shape.noise).max(0.0);
            let lost =
                story == Story::Inconclusive && window.index == 2 && shape.name == "payment-p95";
            let inside = shape.form.map(|form| match form {
                Form::AtMost => experiment <= shape.bound,
                Form::AtLeast => experiment >= shape.bound,
                Form::IncreaseAtMost => {
                    experiment - baseline
                        <= (shape.bound * baseline).max(shape.or_by.unwrap_or(0.0))
                }
                Form::DecreaseAtMost => baseline - experiment <= shape.bound,
            });
            IterationResult {
                index: window.index,
                session: 1,
                arm: window.arm,
                baseline: Some(baseline.max(0.0)),
                experiment: (!lost).then_some(experiment),
                coverage: Some(if lost { 0.61 } else { 1.0 }),
                inside: inside.filter(|_| !lost && window.arm == Arm::Fault),
                reason: lost.then(|| "missing_data".to_owned()),
                requests: (shape.kind != "gauge" && shape.kind != "counter")
                    .then(|| draws.around(61_000.0, 900.0).round()),
            }
        })
        .collect()
}

fn estimate(value: f64, spread: f64) -> Estimate {
    Estimate {
        estimate: Some(value),
        lower: Some((value - spread).max(0.0)),
        upper: Some(value + spread),
    }
}

fn mean(values: impl Iterator<Item = Option<f64>>) -> f64 {
    let values: Vec<f64> = values.flatten().collect();
    values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap())
}

#[expect(clippy::too_many_lines, reason = "one table of invented numbers")]
fn metric(
    shape: &Shape,
    story: Story,
    windows: &[TimelineWindow],
    draws: &mut Draws,
) -> MetricResult {
    let iterations = iterations(shape, story, windows, draws);
    let kills: Vec<&IterationResult> =
        iterations.iter().filter(|one| one.arm == Arm::Fault).collect();
    let n = u32::try_from(kills.len()).unwrap();
    let of = |inside: Option<bool>| {
        u32::try_from(kills.iter().filter(|one| one.inside == inside).count()).unwrap()
    };
    let (inside, outside, unknown) = (of(Some(true)), of(Some(false)), of(None));
    let lower_is_better = shape.form.is_none_or(Form::lower_is_better);
    let change = |one: &&IterationResult| one.experiment.zip(one.baseline).map(|(e, b)| e - b);
    let against = shape.form.is_some_and(Form::is_against_baseline);
    let key = |one: &&IterationResult| if against { change(one) } else { one.experiment };
    let worst = kills
        .iter()
        .filter_map(|one| key(one).map(|value| WorstKill { index: one.index, value }))
        .max_by(|a, b| {
            if lower_is_better { a.value.total_cmp(&b.value) } else { b.value.total_cmp(&a.value) }
        });
    let baseline = mean(kills.iter().map(|one| one.baseline));
    let experiment = mean(kills.iter().map(|one| one.experiment));
    let verdict = shape.form.map(|_| match story {
        Story::Pass => Verdict::Pass,
        Story::Inconclusive => Verdict::Inconclusive,
        Story::Fail | Story::Hostile
            if shape.bad_hump.abs() > 5.0 * shape.bound || shape.or_by.is_some() =>
        {
            Verdict::Fail
        }
        Story::Fail | Story::Hostile if outside > 0 => Verdict::Fail,
        Story::Fail | Story::Hostile => Verdict::Inconclusive,
    });
    let wide = if story == Story::Inconclusive { 6.0 } else { 1.0 };
    let (quantity, lower, upper, bound, method) = match shape.estimand {
        Some(Estimand::AllRequests) => (
            DecidedQuantity::Experiment,
            (experiment - 0.000_1 * wide).max(0.0),
            Some(experiment + 0.000_12 * wide).filter(|_| story != Story::Inconclusive),
            shape.bound,
            "korn_graubard",
        ),
        Some(Estimand::MostKills) => (
            DecidedQuantity::Share,
            f64::from(inside) / f64::from(n) * 0.87,
            Some(1.0_f64.min(f64::from(inside) / f64::from(n) + 0.18)),
            0.8,
            "clopper_pearson",
        ),
        _ if shape.or_by.is_some() => {
            let ratio = experiment / baseline;
            (
                DecidedQuantity::Effect,
                ratio - 0.05 * wide,
                Some(ratio + 0.06 * wide),
                1.4,
                "signed_rank",
            )
        }
        _ => (
            DecidedQuantity::Effect,
            experiment - baseline - 0.003 * wide,
            Some(experiment - baseline + 0.003 * wide),
            -0.02,
            "signed_rank",
        ),
    };
    let line = format!(
        "{inside} of {n} kills stayed inside{}; worst {} at kill {}; this proves at least {} % of kills (95 %).",
        if unknown > 0 { format!(", {unknown} cannot be said") } else { String::new() },
        worst.as_ref().map_or_else(String::new, |w| crate::report::number::plain_spaces(
            &crate::report::number::quantity(
                w.value,
                &crate::unit::Unit::named(shape.unit.unwrap_or_default())
            )
        )),
        worst.as_ref().map_or(0, |w| w.index),
        if story == Story::Pass { "87.3" } else { "34.9" },
    );
    let reason = verdict.and_then(|verdict| match verdict {
        Verdict::Pass | Verdict::Fail => None,
        Verdict::Inconclusive => Some(Reason {
            code: if story == Story::Inconclusive { ReasonCode::TooFewIterations } else { ReasonCode::IntervalStraddlesBound },
            metric: Some(shape.name.to_owned()),
            message: format!("not shown either way; seen: {inside} of {n} kills inside; no data of {n} kills could have passed"),
            iterations_needed: Some(14),
        }),
    });
    MetricResult {
        sentence: None,
        name: shape.name.to_owned(),
        kind: shape.kind.to_owned(),
        description: shape.description.to_owned(),
        unit: shape.unit.map(str::to_owned),
        role: if shape.form.is_some() { Role::Primary } else { Role::Exploratory },
        estimand: shape.estimand,
        claim: shape.form.map(|form| ClaimInfo {
            form,
            bound: shape.bound,
            relative: shape.relative,
            or_by: shape.or_by,
            strict: false,
            share: (shape.estimand == Some(Estimand::MostKills)).then_some(0.8),
            text: shape.text.to_owned(),
        }),
        kills: shape.form.map(|_| Kills {
            inside,
            outside,
            unknown,
            worst,
            proven_share: Some(if story == Story::Pass { 0.873 } else { 0.349 }),
            line,
        }),
        baseline: estimate(baseline, shape.noise * 0.5),
        experiment: estimate(experiment, shape.noise * 0.6),
        effect: Some(if shape.or_by.is_some() {
            Effect {
                form: EffectForm::Ratio,
                estimate: Some(experiment / baseline),
                lower: Some(experiment / baseline - 0.05),
                upper: Some(experiment / baseline + 0.06),
                level: 0.95,
            }
        } else {
            Effect {
                form: EffectForm::Difference,
                estimate: Some(experiment - baseline),
                lower: Some(experiment - baseline - shape.noise * 0.4),
                upper: Some(experiment - baseline + shape.noise * 0.4),
                level: 0.95,
            }
        }),
        decision: shape.form.map(|_| Decision {
            quantity,
            lower: Some(lower),
            upper,
            bound,
            method: method.to_owned(),
            p_pass: Some(if story == Story::Pass { 0.000_2 } else { 0.71 }),
            p_fail: Some(if story == Story::Pass { 1.0 } else { 0.012_4 }),
            p_fail_holm: Some(if story == Story::Pass { 1.0 } else { 0.049_6 }),
            attained_level: Some(if shape.estimand == Some(Estimand::AllRequests) {
                0.975
            } else {
                0.95
            }),
        }),
        n,
        verdict,
        reasons: reason.into_iter().collect(),
        warnings: if story == Story::Fail && shape.name == "payment-p95" {
            vec![Warning {
                code: "outlier_iteration".to_owned(),
                message: "kill 7 lies far from the others".to_owned(),
            }]
        } else {
            Vec::new()
        },
        gates: vec![
            Gate {
                name: "iterations".to_owned(),
                value: Some(f64::from(n)),
                threshold: Some(5.0),
                outcome: if n >= 5 { GateOutcome::Passed } else { GateOutcome::Failed },
            },
            Gate {
                name: "coverage".to_owned(),
                value: Some(1.0),
                threshold: Some(0.9),
                outcome: GateOutcome::Passed,
            },
        ],
        excluded: Vec::new(),
        within_window: None,
        sensitivity: if shape.estimand == Some(Estimand::TypicalKill) {
            vec![Sensitivity {
                method: "sign_flip".to_owned(),
                p_pass: Some(0.000_5),
                p_fail: Some(0.999_6),
                verdict,
            }]
        } else {
            Vec::new()
        },
        exploratory: shape
            .form
            .is_none()
            .then_some(Exploratory { p_value: Some(0.21), p_adjusted: Some(0.21) }),
        iterations,
    }
}

fn times(
    story: Story,
    windows: &[TimelineWindow],
    middle: f64,
    spread: f64,
    draws: &mut Draws,
) -> TimeResult {
    let times: Vec<TimeEntry> = windows
        .iter()
        .filter(|window| window.arm == Arm::Fault)
        .map(|window| {
            let slow = is_bad(story, window.index) && middle > 30.0;
            let censored = window.aborted.is_some() && middle > 30.0;
            let never = story == Story::Pass && window.index == 4 && middle > 30.0;
            let seconds = draws.around(if slow { middle * 3.2 } else { middle }, spread).max(1.0);
            let seconds = (seconds / 5.0).ceil() * 5.0;
            TimeEntry {
                index: window.index,
                seconds: Some(if censored {
                    185.0
                } else if never {
                    0.0
                } else {
                    seconds
                }),
                censored,
                after_s: (!censored && !never).then_some(seconds - 5.0),
                never_departed: never,
                onset_s: (!never && middle > 30.0).then_some(5.0),
                relapses: 0,
                reason: censored.then(|| "aborted".to_owned()),
            }
        })
        .collect();
    let n = u32::try_from(times.len()).unwrap();
    let censored = u32::try_from(times.iter().filter(|time| time.censored).count()).unwrap();
    TimeResult {
        n,
        events: n - censored,
        censored,
        median_s: Some(middle),
        median_lower_s: Some(middle * 0.8),
        median_upper_s: (n > 5).then_some(middle * 1.3),
        rmst_s: Some(middle * 1.05),
        rmst_tau_s: Some(185.0),
        resolution_s: Some(5.0),
        times,
        curve: Vec::new(),
        never_departed: None,
        relapses: None,
        excursions: None,
        within: None,
        note: (n <= 5).then(|| "too few kills for an upper limit of the median".to_owned()),
    }
}

fn recovery(story: Story, windows: &[TimelineWindow], draws: &mut Draws) -> RecoveryResult {
    let mut recover = times(story, windows, 52.0, 18.0, draws);
    let in_time = |time: &&TimeEntry| !time.censored && time.seconds.is_some_and(|s| s <= 120.0);
    let recovered = u32::try_from(recover.times.iter().filter(in_time).count()).unwrap();
    let missed = recover.n - recovered;
    recover.never_departed = Some(u32::from(story == Story::Pass));
    recover.relapses = Some(u32::from(story == Story::Fail));
    recover.excursions = Some(2);
    let verdict = match story {
        Story::Pass => Verdict::Pass,
        Story::Fail | Story::Hostile => Verdict::Fail,
        Story::Inconclusive => Verdict::Inconclusive,
    };
    let share = f64::from(recovered) / f64::from(recover.n);
    recover.within = Some(Within {
        deadline_s: 120.0,
        recovered,
        missed,
        unknown: 0,
        n: recover.n,
        share: Some(share),
        lower: Some(share * 0.87),
        upper: Some(1.0_f64.min(share + 0.17)),
        required_share: 0.8,
        method: "clopper_pearson".to_owned(),
        line: format!(
            "{recovered} of {} kills recovered within 2 min; slowest 3 min 5 s at kill 7; this proves at least 34.9 % of kills (95 %).",
            recover.n
        ),
    });
    RecoveryResult {
        sentence: None,
        signal: "queue-depth".to_owned(),
        healthy: "at most 20 % or 20 above the baseline's own maximum, for 30 s".to_owned(),
        stable_for_s: Some(30.0),
        detected_by: Some("the alert PaymentWorkerDown fires".to_owned()),
        alert: Some("PaymentWorkerDown".to_owned()),
        remediated_by: Some("process_restarts_total increases".to_owned()),
        verdict: Some(verdict),
        reasons: match story {
            Story::Pass | Story::Fail | Story::Hostile => Vec::new(),
            Story::Inconclusive => vec![Reason {
                code: ReasonCode::TooFewIterations,
                metric: Some("recovery".to_owned()),
                message: "not shown either way; seen: 3 of 3 kills recovered in time".to_owned(),
                iterations_needed: Some(14),
            }],
        },
        gates: vec![Gate {
            name: "iterations".to_owned(),
            value: Some(f64::from(recover.n)),
            threshold: Some(14.0),
            outcome: if recover.n >= 14 { GateOutcome::Passed } else { GateOutcome::Failed },
        }],
        detect: Some(times(story, windows, 11.0, 6.0, draws)),
        remediate: Some(times(story, windows, 24.0, 9.0, draws)),
        decision: Some(Decision {
            quantity: DecidedQuantity::Share,
            lower: Some(share * 0.87),
            upper: Some(1.0_f64.min(share + 0.17)),
            bound: 0.8,
            method: "clopper_pearson".to_owned(),
            p_pass: Some(0.03),
            p_fail: Some(0.98),
            p_fail_holm: Some(1.0),
            attained_level: Some(0.95),
        }),
        warnings: Vec::new(),
        recover,
    }
}

fn headline(story: Story) -> &'static str {
    match story {
        Story::Pass => {
            "If the next kill is like these, the data rule out (95 %) that killing one payment worker breaks any of 5 claims, under the conditions of 1 session in staging."
        }
        Story::Fail | Story::Hostile => {
            "payment-p95 exceeds the bound (95 %, Holm over 5 claims): 6 of 10 kills stayed inside 200 ms, worst 1.1 s at kill 7; recovery within 2 min fails as well."
        }
        Story::Inconclusive => {
            "Not shown either way: 3 of 3 kills stayed inside every bound, but 3 kills cannot prove it; 14 clean kills would."
        }
    }
}

/// The result of a story.
#[expect(clippy::too_many_lines, reason = "one table of invented numbers")]
pub(crate) fn sample(story: Story) -> AnalysisResult {
    let mut draws = Draws(20_261_123 + u64::from(story.kills()));
    let windows = windows(story);
    let shapes = shapes();
    let metrics: Vec<MetricResult> =
        shapes.iter().map(|shape| metric(shape, story, &windows, &mut draws)).collect();
    let recovery = recovery(story, &windows, &mut draws);
    let timeline_metrics = shapes
        .iter()
        .map(|shape| TimelineMetric {
            name: shape.name.to_owned(),
            points: points(shape, story, &windows, &mut draws),
        })
        .collect();
    let events = windows
        .iter()
        .filter_map(|window| window.fault_at.map(|at| (window.index, at)))
        .map(|(index, at)| TimelineEvent {
            at,
            kind: "killed".to_owned(),
            message: "SIGKILL to payment-worker".to_owned(),
            correlation_id: Some(format!("c-{index}")),
            iteration: Some(index),
        })
        .collect();
    let fault =
        u32::try_from(windows.iter().filter(|window| window.arm == Arm::Fault).count()).unwrap();
    let control = u32::try_from(windows.len()).unwrap() - fault;
    let reasons: Vec<Reason> = metrics
        .iter()
        .flat_map(|metric| metric.reasons.clone())
        .chain(recovery.reasons.clone())
        .collect();
    let result = AnalysisResult {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "unfazed".to_owned(), version: "0.1.0".to_owned() },
        experiment: ExperimentInfo {
            name: "payment-worker-kill".to_owned(),
            owner: "payments-sre".to_owned(),
            ticket: Some("CHG-4211".to_owned()),
            labels: [("service".to_owned(), "payments".to_owned()), ("tier".to_owned(), "worker".to_owned())].into(),
            hypothesis: "Killing one payment worker keeps payment errors under 0.1 % and heals within two minutes.".to_owned(),
            environment: "staging".to_owned(),
            digest: format!("sha256:{}", "4f".repeat(32)),
            runbook: Some("runbooks/payment-worker.md".to_owned()),
            fault: Some(FaultInfo {
                target: "process payment-worker".to_owned(),
                action: "kill".to_owned(),
                count: 1,
                wave: 1,
            }),
        },
        run_id: "run-2026-11-24-a".to_owned(),
        started_at: windows.first().map(|window| window.baseline.start),
        ended_at: windows.last().map(|window| window.experiment.end),
        session_list: vec![SessionInfo {
            number: 1,
            run_id: "run-2026-11-24-a".to_owned(),
            started_at: Timestamp::from_milliseconds(START),
            ended_at: windows.last().map(|window| window.experiment.end),
            tool: Some("unfazed".to_owned()),
            tool_verdict: None,
            tool_reason: None,
        }],
        sessions: 1,
        seed: 0,
        confidence: 0.95,
        verdict: match story {
            Story::Pass => Verdict::Pass,
            Story::Fail | Story::Hostile => Verdict::Fail,
            Story::Inconclusive => Verdict::Inconclusive,
        },
        headline: headline(story).to_owned(),
        reasons,
        iterations: IterationCounts {
            planned: Some(22),
            fault,
            control,
            usable: fault - u32::from(story == Story::Pass),
            excluded: if story == Story::Pass { vec![Exclusion { index: 6, reason: "not_injected".to_owned() }] } else { Vec::new() },
        },
        metrics,
        recovery: Some(recovery),
        timeline: Timeline { metrics: timeline_metrics, windows, events, onsets: Vec::new() },
        warnings: vec![Warning {
            code: "single_session".to_owned(),
            message: "all kills belong to one session: the verdict is about its conditions".to_owned(),
        }],
        samples_digest: Some(format!("sha256:{}", "a7".repeat(32))),
        source: None,
    };
    if story == Story::Hostile { hostile(result) } else { result }
}

/// Every free text of the result replaced by a hostile one.
fn hostile(mut result: AnalysisResult) -> AnalysisResult {
    let all = HOSTILE.join(" ");
    result.experiment.name = format!("{}{}", HOSTILE[0], "x".repeat(10_000));
    result.experiment.owner = HOSTILE[1].to_owned();
    result.experiment.ticket = Some(HOSTILE[2].to_owned());
    result.experiment.hypothesis.clone_from(&all);
    result.experiment.environment = HOSTILE[3].to_owned();
    result.experiment.labels =
        HOSTILE.iter().map(|text| ((*text).to_owned(), (*text).to_owned())).collect();
    result.headline.clone_from(&all);
    result.run_id = HOSTILE[5].to_owned();
    for (metric, text) in result.metrics.iter_mut().zip(HOSTILE) {
        metric.description.clone_from(&all);
        text.clone_into(&mut metric.name);
        metric.unit = metric.unit.as_ref().map(|_| text.to_owned());
        if let Some(claim) = &mut metric.claim {
            text.clone_into(&mut claim.text);
        }
        if let Some(kills) = &mut metric.kills {
            kills.line.clone_from(&all);
        }
        for gate in &mut metric.gates {
            text.clone_into(&mut gate.name);
        }
        for iteration in &mut metric.iterations {
            iteration.reason = Some(text.to_owned());
        }
        metric.warnings.push(Warning { code: text.to_owned(), message: all.clone() });
    }
    for (series, text) in result.timeline.metrics.iter_mut().zip(HOSTILE) {
        text.clone_into(&mut series.name);
    }
    for event in &mut result.timeline.events {
        event.message.clone_from(&all);
        HOSTILE[4].clone_into(&mut event.kind);
    }
    for reason in &mut result.reasons {
        reason.message.clone_from(&all);
        reason.metric = Some(HOSTILE[4].to_owned());
    }
    if let Some(recovery) = &mut result.recovery {
        recovery.signal = HOSTILE[0].to_owned();
        recovery.healthy = HOSTILE[1].to_owned();
    }
    result.warnings.push(Warning { code: HOSTILE[0].to_owned(), message: all });
    result
}
