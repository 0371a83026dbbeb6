//! Runs the measuring cases of `tests/cases/measure/*.case`.
//!
//! A case is a recording, a metric, iterations and what is expected of them, in lines:
//!
//! ```text
//! case a name, as a fact                starts a case; `#` starts a comment
//! session 2                             further lines are of another recording (the first one is 1)
//! load 5s from 100s                     further indented lines are series with samples every 5 s from 100 s on
//!   x_total{pod="a"} 0+5*4 _*2 NaN 7    0 5 10 15, two missing, NaN, 7
//! native 5s from 100s                   likewise, of native histograms (written as `native_cases` says)
//!   h{pod="a"} 0:1+0:2,1:3*13
//! measure counter x_total               ratio bad|good PART total TOTAL [min N] | histogram BASE quantile Q |
//!                                       gauge SELECTOR REDUCE [ACROSS] | samples SELECTOR quantile Q |
//!                                       balance IN OUT | query NAME REDUCE
//! claim at_most 0.2                     or at_least
//! worst 20s
//! recovery at_most 5 stable 30s [within 60s]       or at_least 5, increase 20% or_by 3, decrease 20% or_by 3
//! detected alert NAME | above 5 | below 5
//! remediated counter SELECTOR | gauge SELECTOR
//! iteration 100s 160s 220s              baseline, fault and experiment start, end; then any of: control,
//!                                       failed, aborted 200s, detected 170s, recovered 180s, target NAME
//! expect 1 experiment value 3           or missing_data, no_traffic; also coverage, counts, share
//! expect 1 excluded no_traffic          or none; census likewise, for every metric alike
//! expect 1 recover seen 5 10            or never, censored 30, lost 0; also onset, relapses, excursions, unhealthy,
//!                                       excluded; detect and remediate likewise
//! expect matched_nothing SELECTOR       also measured_on_target, missing_edge, duplicates, forms, refused
//! ```

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::frame::{
    Frame, FrameSource, NativeFrame, NativeSample, NativeSeries, Rows, Series, SourceFailure,
    Wanted,
};
use crate::run::{
    Abort, Arm, Campaign, FaultRecord, Iteration, Outcome, RunRecord, Session, SessionIteration,
    TargetRecord,
};
use crate::spec::{
    Across, Amount, Band, Claim, Counted, Detection, Estimand, Experiment, Form, Iterations,
    Measure, Metric, Recovery, Reduce, Remediation, Safety, Selector, Source, Strictness, Windows,
};
use crate::summary::native_cases::native_samples;
use crate::summary::value::{
    Loss, MetricSummary, PreKillLoss, ReadingSummary, RecoverySummary, RecoveryTime, Timing,
    WindowValue,
};
use crate::summary::{SummaryError, census, recovery, summarise};
use crate::unit::{Labels, Span, Timestamp, Unit, Window};

/// Frames held in memory.
#[derive(Default)]
pub(crate) struct Held {
    plain: BTreeMap<(u32, String, Rows), Arc<Frame>>,
    native: BTreeMap<(u32, String), Arc<NativeFrame>>,
}

impl FrameSource for Held {
    fn frame(&self, session: u32, wanted: Wanted<'_>) -> Result<Arc<Frame>, SourceFailure> {
        let Wanted { metric, rows } = wanted;
        let empty = || Arc::new(Frame { metric: metric.to_owned(), rows, ..Frame::default() });
        Ok(self.plain.get(&(session, metric.to_owned(), rows)).cloned().unwrap_or_else(empty))
    }

    fn native(&self, session: u32, metric: &str) -> Result<Arc<NativeFrame>, SourceFailure> {
        Ok(self.native.get(&(session, metric.to_owned())).cloned().unwrap_or_default())
    }
}

/// What the lines of a case have said so far.
struct Case {
    name: String,
    session: u32,
    every: i64,
    from: i64,
    #[expect(
        clippy::type_complexity,
        reason = "samples by session and name, as the lines gave them"
    )]
    series: BTreeMap<(u32, String), Vec<(Labels, Vec<(i64, f64)>)>>,
    #[expect(
        clippy::type_complexity,
        reason = "samples by session and name, as the lines gave them"
    )]
    native: BTreeMap<(u32, String), Vec<(Labels, Vec<(i64, NativeSample)>)>>,
    is_native: bool,
    metric: Option<Metric>,
    recovery: Option<Recovery>,
    iterations: Vec<SessionIteration>,
    expectations: Vec<String>,
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("'{text}' is not a number"))
}

fn span(text: &str) -> Span {
    Span::parse(text).unwrap()
}

fn moment(text: &str) -> Timestamp {
    Timestamp::from_milliseconds(span(text).milliseconds())
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).unwrap()
}

fn reduce(text: &str) -> Reduce {
    match text {
        "mean" => Reduce::Mean,
        "median" => Reduce::Median,
        "max" => Reduce::Max,
        "min" => Reduce::Min,
        "last" => Reduce::Last,
        quantile => Reduce::Quantile(number(quantile)),
    }
}

fn across(text: Option<&&str>) -> Across {
    match text {
        Some(&"max") => Across::Max,
        Some(&"min") => Across::Min,
        Some(&"mean") => Across::Mean,
        _ => Across::Sum,
    }
}

fn measure(words: &[&str]) -> Measure {
    match words {
        ["ratio", counted, part, "total", total, rest @ ..] => Measure::Ratio {
            part: selector(part),
            counted: if *counted == "good" { Counted::Good } else { Counted::Bad },
            total: selector(total),
            min_requests: rest.get(1).map_or(1, |text| text.parse().unwrap()),
        },
        ["histogram", base, "quantile", q] => {
            Measure::Histogram { base: selector(base), quantile: number(q) }
        }
        ["gauge", text, how, rest @ ..] => Measure::Gauge {
            selector: selector(text),
            reduce: reduce(how),
            across: across(rest.first()),
        },
        ["counter", text] => Measure::Counter { selector: selector(text) },
        ["samples", text, "quantile", q] => {
            Measure::Samples { selector: selector(text), quantile: number(q) }
        }
        ["balance", incoming, outgoing] => {
            Measure::Balance { incoming: selector(incoming), outgoing: selector(outgoing) }
        }
        ["query", expression, how] => {
            Measure::Query { expression: (*expression).to_owned(), reduce: reduce(how) }
        }
        other => panic!("no measure: {other:?}"),
    }
}

fn claim(words: &[&str]) -> Claim {
    let form = match words[0] {
        "at_most" => Form::AtMost,
        "at_least" => Form::AtLeast,
        other => panic!("no claim: {other}"),
    };
    Claim {
        form,
        amount: Amount::Absolute(number(words[1])),
        or_by: None,
        strictness: Strictness::EqualityInside,
        estimand: Estimand::MostKills,
        share: 0.8,
        text: words.join(" "),
    }
}

fn recovery_of(words: &[&str]) -> Recovery {
    let after = |name: &str| words.iter().position(|word| *word == name).map(|at| words[at + 1]);
    let amount = |text: &str| match text.strip_suffix('%') {
        Some(share) => Amount::Relative(number(share) / 100.0),
        None => Amount::Absolute(number(text)),
    };
    let or_by = after("or_by").map(number);
    let healthy = match words[0] {
        "at_most" => Band::AtMost(number(words[1])),
        "at_least" => Band::AtLeast(number(words[1])),
        "increase" => Band::IncreaseAtMost { amount: amount(words[1]), or_by },
        "decrease" => Band::DecreaseAtMost { amount: amount(words[1]), or_by },
        other => panic!("no band: {other}"),
    };
    Recovery {
        signal: "m".to_owned(),
        healthy,
        stable_for: span(after("stable").unwrap()),
        within: after("within").map(span),
        share: 0.8,
        detected_by: None,
        remediated_by: None,
    }
}

/// Samples written as `0+5*4 _*2 NaN 7`.
fn samples(words: &[&str], from: i64, every: i64) -> Vec<(i64, f64)> {
    let mut samples = Vec::new();
    let mut at = from;
    for word in words {
        let (shape, times) = word.split_once('*').unwrap_or((word, "1"));
        let (start, by) = shape
            .split_once('+')
            .filter(|(start, _)| !start.is_empty())
            .map_or((shape, 0.0), |(start, by)| (start, number(by)));
        let mut value = if start == "_" { f64::NAN } else { number(start) };
        for _ in 0..times.parse::<u32>().unwrap() {
            if start != "_" {
                samples.push((at, value));
            }
            value += by;
            at += every;
        }
    }
    samples
}

fn iteration(words: &[&str]) -> Iteration {
    let [start, fault, end] = [0, 1, 2].map(|at| moment(words[at]));
    let after = |name: &str| words.iter().position(|word| *word == name).map(|at| words[at + 1]);
    let has = |name: &str| words.contains(&name);
    let targets = after("target").map(|name| TargetRecord {
        kind: "process".to_owned(),
        name: name.to_owned(),
        id: None,
    });
    let record = FaultRecord {
        at: fault,
        until: None,
        outcome: if has("failed") { Outcome::Failed } else { Outcome::Killed },
        targets: targets.into_iter().collect(),
    };
    Iteration {
        index: 1,
        arm: if has("control") { Arm::Control } else { Arm::Fault },
        baseline: Window { start, end: fault },
        fault: (!has("control")).then_some(record),
        experiment: Window { start: fault, end },
        detected_at: after("detected").map(moment),
        remediated_at: after("remediated").map(moment),
        recovered_at: after("recovered").map(moment),
        aborted: after("aborted").map(|at| Abort { at: moment(at), rule: "rule".to_owned() }),
    }
}

impl Case {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            session: 1,
            every: 5000,
            from: 0,
            series: BTreeMap::new(),
            native: BTreeMap::new(),
            is_native: false,
            metric: None,
            recovery: None,
            iterations: Vec::new(),
            expectations: Vec::new(),
        }
    }

    fn line(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if line.starts_with(' ') {
            let of = selector(words[0]);
            let labels = words[0].find('{').map_or("", |at| &words[0][at..]);
            let labels = Labels::parse(labels).unwrap();
            let key = (self.session, of.metric_name().to_owned());
            if self.is_native {
                let samples = native_samples(&words[1..], self.from, self.every);
                let all = self.native.entry(key).or_default();
                match all.iter_mut().find(|(known, _)| *known == labels) {
                    Some((_, known)) => known.extend(samples),
                    None => all.push((labels, samples)),
                }
                return;
            }
            let samples = samples(&words[1..], self.from, self.every);
            let all = self.series.entry(key).or_default();
            match all.iter_mut().find(|(known, _)| *known == labels) {
                Some((_, known)) => known.extend(samples),
                None => all.push((labels, samples)),
            }
            return;
        }
        let metric = self.metric.as_mut();
        let recovery = self.recovery.as_mut();
        match (words[0], &words[1..]) {
            ("session", rest) => self.session = rest[0].parse().unwrap(),
            (kind @ ("load" | "native"), rest) => {
                self.is_native = kind == "native";
                self.every = span(rest[0]).milliseconds();
                self.from = rest.get(2).map_or(0, |text| span(text).milliseconds());
            }
            ("measure", rest) => {
                self.metric = Some(Metric {
                    name: "m".to_owned(),
                    measure: measure(rest),
                    unit: Unit::None,
                    worst: None,
                    claim: None,
                });
            }
            ("claim", rest) => metric.unwrap().claim = Some(claim(rest)),
            ("worst", rest) => metric.unwrap().worst = Some(span(rest[0])),
            ("recovery", rest) => self.recovery = Some(recovery_of(rest)),
            ("detected", rest) => {
                let signal = "m".to_owned();
                recovery.unwrap().detected_by = Some(match rest[0] {
                    "alert" => Detection::Alert(rest[1].to_owned()),
                    "above" => Detection::Above { signal, above: number(rest[1]) },
                    _ => Detection::Below { signal, below: number(rest[1]) },
                });
            }
            ("remediated", rest) => {
                recovery.unwrap().remediated_by = Some(match rest[0] {
                    "counter" => Remediation::CounterIncrease(selector(rest[1])),
                    _ => Remediation::GaugeBack(selector(rest[1])),
                });
            }
            ("iteration", rest) => {
                let index = u32::try_from(self.iterations.len()).unwrap() + 1;
                self.iterations.push(SessionIteration {
                    index,
                    session: self.session,
                    iteration: iteration(rest),
                });
            }
            ("expect", rest) => self.expectations.push(rest.join(" ")),
            (other, _) => panic!("no such line: {other}"),
        }
    }

    fn frames(&self) -> Held {
        let mut held = Held::default();
        for ((session, name), all) in &self.series {
            let mut frame = Frame { metric: name.clone(), ..Frame::default() };
            let mut every = Frame { rows: Rows::Every, ..frame.clone() };
            for (labels, samples) in all {
                let (series, conflicts) = Series::from_unordered(labels.clone(), samples.clone());
                frame.series.push(series);
                frame.conflicting_duplicates += conflicts;
                let (times, values) = samples.iter().copied().unzip();
                every.series.push(Series::of_every_row(labels.clone(), times, values));
            }
            for frame in [frame, every] {
                held.plain.insert((*session, name.clone(), frame.rows), Arc::new(frame));
            }
        }
        for ((session, name), all) in &self.native {
            let mut frame = NativeFrame { metric: name.clone(), ..NativeFrame::default() };
            for (labels, samples) in all {
                let (series, conflicts) =
                    NativeSeries::from_unordered(labels.clone(), samples.clone());
                frame.series.push(series);
                frame.conflicting_duplicates += conflicts;
            }
            frame.series.sort_by(|left, right| left.labels.cmp(&right.labels));
            held.native.insert((*session, name.clone()), Arc::new(frame));
        }
        held
    }

    fn campaign(&self) -> Campaign {
        let last = self.iterations.iter().map(|iteration| iteration.session).max().unwrap_or(1);
        let sessions = (1..=last).map(|session| Session {
            number: session,
            given: 0,
            run: RunRecord {
                schema: "unfazed.run/v1".to_owned(),
                run_id: format!("run-{session}"),
                experiment: "e".to_owned(),
                experiment_digest: None,
                started_at: Timestamp::from_milliseconds(0),
                ended_at: None,
                origin: None,
                iterations: Vec::new(),
                events: Vec::new(),
                audit: None,
            },
        });
        Campaign { sessions: sessions.collect(), iterations: self.iterations.clone() }
    }

    fn run(&self) -> Vec<String> {
        let metric = self.metric.clone().expect("a case measures something");
        let experiment = experiment(metric, self.recovery.clone());
        let (frames, campaign) = (self.frames(), self.campaign());
        let summary = summarise(&experiment.metrics[0], &campaign, &experiment, &frames);
        let times = match &summary {
            Ok(summary) => {
                let metrics = std::slice::from_ref(summary);
                recovery(&experiment, &campaign, metrics, &frames).unwrap()
            }
            Err(_) => None,
        };
        let excluded = match &summary {
            Ok(summary) => census(&campaign, std::slice::from_ref(summary)).excluded,
            Err(_) => Vec::new(),
        };
        let seen = Outcomes { summary, times, excluded };
        self.expectations
            .iter()
            .filter_map(|expected| {
                let words: Vec<&str> = expected.split(' ').collect();
                let found = seen.found(&words);
                (!same(&words, &found)).then(|| {
                    format!("{}: expected '{expected}', found '{}'", self.name, found.join(" "))
                })
            })
            .collect()
    }
}

/// An experiment of one metric.
pub(crate) fn experiment(metric: Metric, recovery: Option<Recovery>) -> Experiment {
    Experiment {
        name: "e".to_owned(),
        owner: "o".to_owned(),
        ticket: None,
        labels: BTreeMap::new(),
        hypothesis: "h".to_owned(),
        environment: "test".to_owned(),
        confidence: 0.95,
        iterations: Iterations::default(),
        windows: Windows {
            baseline: Span::ZERO,
            experiment: Span::ZERO,
            cooldown: Span::ZERO,
            jitter: Span::ZERO,
        },
        source: Source::Recording(None),
        metrics: vec![metric],
        recovery,
        safety: Safety::default(),
        fault: None,
        runbook: None,
        digest: String::new(),
    }
}

/// Whether the last words agree, numbers up to 1e-9 relative.
fn same(expected: &[&str], found: &[String]) -> bool {
    let expected = &expected[expected.len().saturating_sub(found.len())..];
    expected.iter().zip(found).all(|(expected, found)| {
        match (expected.parse::<f64>(), found.parse::<f64>()) {
            (Ok(left), Ok(right)) => {
                left.to_bits() == right.to_bits()
                    || (left - right).abs() <= 1e-9 * (left.abs() + right.abs())
            }
            _ => expected == found,
        }
    })
}

/// What came out of a case.
struct Outcomes {
    summary: Result<MetricSummary, SummaryError>,
    times: Option<RecoverySummary>,
    excluded: Vec<(u32, PreKillLoss)>,
}

fn words<T: ToString>(all: &[T]) -> Vec<String> {
    all.iter().map(T::to_string).collect()
}

fn option<T: ToString>(value: Option<T>) -> Vec<String> {
    vec![value.map_or("none".to_owned(), |value| value.to_string())]
}

impl Outcomes {
    /// What was found for an expectation, in its own last words.
    fn found(&self, expected: &[&str]) -> Vec<String> {
        let summary = match (&self.summary, expected) {
            (Err(SummaryError::PartExceedsTotal { part, total, .. }), ["refused", ..]) => {
                return words(&[*part, *total]);
            }
            (Err(error), _) => return vec![error.to_string()],
            (Ok(_), ["refused", ..]) => return words(&["not", "refused"]),
            (Ok(summary), _) => summary,
        };
        match expected {
            ["matched_nothing", _] => option(summary.matched_nothing.as_ref()),
            ["measured_on_target", _] => words(&[summary.measured_on_target]),
            ["forms", _] => option(summary.histogram_forms.map(|forms| format!("{forms:?}"))),
            ["duplicates", _] => words(&[summary.conflicting_duplicates]),
            ["missing_edge", ..] => summary.missing_edge.map_or(words(&["none"]), |edge| {
                let below = edge.below.map_or("none".to_owned(), |below| below.to_string());
                vec![edge.bound.to_string(), below, edge.above.to_string()]
            }),
            [index, place, rest @ ..] => self.of_iteration(number(index), place, rest, summary),
            other => panic!("no such expectation: {other:?}"),
        }
    }

    fn of_iteration(
        &self,
        index: f64,
        place: &str,
        rest: &[&str],
        summary: &MetricSummary,
    ) -> Vec<String> {
        let times = |which: fn(&RecoverySummary) -> Option<&ReadingSummary>| {
            let reading = self.times.as_ref().and_then(which).expect("a reading");
            of_time(reading.times.iter().find(|time| f64::from(time.index) == index).unwrap(), rest)
        };
        let iteration =
            summary.iterations.iter().find(|one| f64::from(one.index) == index).unwrap();
        match place {
            "baseline" => of_window(&iteration.baseline, rest),
            "experiment" => of_window(&iteration.experiment, rest),
            "excluded" => option(iteration.excluded.map(PreKillLoss::code)),
            "census" => {
                let entry =
                    self.excluded.iter().find(|(excluded, _)| f64::from(*excluded) == index);
                option(entry.map(|(_, reason)| reason.code()))
            }
            "aborted" => option(iteration.aborted.map(Timestamp::seconds)),
            "recover" => times(|summary| Some(&summary.recover)),
            "detect" => times(|summary| summary.detect.as_ref()),
            "remediate" => times(|summary| summary.remediate.as_ref()),
            other => panic!("no such place: {other}"),
        }
    }
}

fn of_window(window: &WindowValue, rest: &[&str]) -> Vec<String> {
    match rest[0] {
        "value" => vec![match window.value {
            Ok(value) => value.to_string(),
            Err(loss @ (Loss::MissingData | Loss::NoTraffic)) => loss.code().to_owned(),
        }],
        "coverage" => option(window.coverage),
        "counts" => window.counts.map_or(words(&["none"]), |counts| {
            words(&[counts.bad, counts.bad_surely, counts.total])
        }),
        "share" => {
            window.share_under.map_or(words(&["none"]), |share| words(&[share.lower, share.upper]))
        }
        other => panic!("no such part of a window: {other}"),
    }
}

fn of_time(time: &RecoveryTime, rest: &[&str]) -> Vec<String> {
    let number = |name: &str, at: f64| vec![name.to_owned(), at.to_string()];
    match rest[0] {
        "onset" => option(time.onset_seconds),
        "relapses" => words(&[time.relapses]),
        "excursions" => words(&[time.excursions]),
        "unhealthy" => option(time.last_unhealthy_seconds),
        "excluded" => option(time.excluded.map(PreKillLoss::code)),
        "upper" => option(time.band.and_then(|band| band.upper)),
        "lower" => option(time.band.and_then(|band| band.lower)),
        _ => match time.timing {
            Timing::Seen { .. } if time.never_departed => words(&["never"]),
            Timing::Seen { after, at } => {
                vec!["seen".to_owned(), after.to_string(), at.to_string()]
            }
            Timing::Censored { at } => number("censored", at),
            Timing::Lost { from } => number("lost", from),
        },
    }
}

fn run_file(path: &Path) -> (usize, Vec<String>) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim_end();
        if let Some(name) = line.strip_prefix("case ") {
            cases.push(Case::new(name));
        } else if !line.is_empty() {
            cases.last_mut().expect("a case comes first").line(line);
        }
    }
    let failures = cases.iter().flat_map(Case::run);
    (cases.iter().map(|case| case.expectations.len()).sum(), failures.collect())
}

#[test]
fn every_measuring_case_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/measure");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut checked = 0;
    let mut failures = Vec::new();
    for path in paths {
        let (count, failed) = run_file(&path);
        checked += count;
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        failures.extend(failed.into_iter().map(|failure| format!("{file}: {failure}")));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(checked > 0, "no expectation was checked");
}
