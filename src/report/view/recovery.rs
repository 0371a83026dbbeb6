//! Times to detect, to remediate and to recover, and the deadline.

use serde::Serialize;

use crate::report::number::{self, DASH, Figure};
use crate::report::view::claim::{DecisionView, GateRow, GoodSide, Scale, gate};
use crate::report::view::words::{self, Mark, Note};
use crate::unit::Unit;
use crate::verdict::result::{RecoveryResult, TimeEntry, TimeResult};

/// The section on recovery.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecoveryView {
    /// The metric watched.
    pub signal: String,
    /// The healthy band in words.
    pub healthy: String,
    /// Verdict on the deadline.
    pub mark: Mark,
    /// The claim in words; empty without a deadline.
    pub claim: String,
    /// The k-of-N line; empty without a deadline.
    pub line: String,
    /// The verdict as one sentence; empty without a deadline.
    pub sentence: String,
    /// `21 of 22`.
    pub inside: String,
    /// The deadline.
    pub deadline: Option<Figure>,
    /// What decided.
    pub decision: Option<DecisionView>,
    /// One row per kind of time.
    pub kinds: Vec<TimeRow>,
    /// One row per kill.
    pub rows: Vec<RecoveryRow>,
    /// The share of kills still waiting, over time.
    #[serde(skip)]
    pub curves: Vec<CurveView>,
    /// Why the verdict is not a pass.
    pub reasons: Vec<Note>,
    /// What a reader should know besides.
    pub warnings: Vec<Note>,
    /// What was compared with what.
    pub gates: Vec<GateRow>,
    /// Sentences on never departed, relapses and excursions.
    pub remarks: Vec<String>,
}

/// The share of kills still waiting for one kind of event.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveView {
    /// `detected`, `remediated` or `recovered`.
    pub label: &'static str,
    /// Where it drops.
    pub steps: Vec<CurveStep>,
    /// Where observation of a kill ended before the event.
    pub censored: Vec<f64>,
    /// The last moment of all.
    pub until_s: f64,
}

/// A drop of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurveStep {
    /// Seconds from the kill.
    pub seconds: f64,
    /// Share of kills still waiting from here on.
    pub waiting: f64,
    /// One-sided lower limit.
    pub lower: Option<f64>,
    /// One-sided upper limit.
    pub upper: Option<f64>,
}

/// One kind of time over all kills.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TimeRow {
    /// `Detect`, `Remediate` or `Recover`.
    pub label: &'static str,
    /// `21 of 22`.
    pub seen: String,
    /// Median.
    pub median: Figure,
    /// Its one-sided lower limit.
    pub lower: Figure,
    /// Its one-sided upper limit.
    pub upper: Figure,
    /// Restricted mean.
    pub restricted_mean: Figure,
    /// Up to here.
    pub restricted_to: Figure,
    /// Step of the signal.
    pub resolution: Figure,
    /// Why a number is missing.
    pub note: Option<String>,
}

/// One kill's times.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecoveryRow {
    /// Number within the campaign.
    pub index: u32,
    /// Time to detect.
    pub detect: Reading,
    /// Time to remediate.
    pub remediate: Reading,
    /// Time to recover.
    pub recover: Reading,
}

/// One time of one kill.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reading {
    /// Seconds and their text: `4.0 s`, `not within 5 min`, or why there is none.
    pub figure: Figure,
    /// Observation ended before the event.
    pub censored: bool,
    /// No impact was seen.
    pub never_departed: bool,
    /// The deadline lies between two samples, so that it cannot be said whether it was kept.
    pub undecided: bool,
}

impl RecoveryView {
    /// The section for `recovery`.
    pub(crate) fn new(recovery: &RecoveryResult) -> Self {
        let within = recovery.recover.within.as_ref();
        let kinds = [
            ("Detect", recovery.detect.as_ref()),
            ("Remediate", recovery.remediate.as_ref()),
            ("Recover", Some(&recovery.recover)),
        ];
        Self {
            signal: recovery.signal.clone(),
            healthy: recovery.healthy.clone(),
            mark: Mark::of(recovery.verdict),
            claim: within.map_or_else(String::new, |within| {
                format!(
                    "within {} after at least {} of kills",
                    Figure::seconds(Some(within.deadline_s), DASH).text,
                    number::share(within.required_share)
                )
            }),
            line: within.map(|within| within.line.clone()).unwrap_or_default(),
            sentence: recovery.sentence.clone().unwrap_or_default(),
            inside: within.map_or_else(
                || DASH.to_owned(),
                |within| {
                    let unknown = if within.unknown > 0 {
                        format!(" ({} unknown)", number::count(within.unknown))
                    } else {
                        String::new()
                    };
                    format!(
                        "{} of {}{unknown}",
                        number::count(within.recovered),
                        number::count(within.n)
                    )
                },
            ),
            deadline: within.map(|within| Figure::seconds(Some(within.deadline_s), DASH)),
            decision: recovery.decision.as_ref().map(|decision| {
                DecisionView::new(
                    decision,
                    "share of kills recovered in time",
                    Scale::Quantity(Unit::Ratio),
                    GoodSide::Above,
                    within.and_then(|within| within.share),
                    recovery.verdict,
                )
            }),
            kinds: kinds
                .iter()
                .filter_map(|(label, time)| time.map(|time| kind(label, time)))
                .collect(),
            rows: rows(recovery),
            curves: [
                ("detected", recovery.detect.as_ref()),
                ("remediated", recovery.remediate.as_ref()),
                ("recovered", Some(&recovery.recover)),
            ]
            .into_iter()
            .filter_map(|(label, time)| time.and_then(|time| curve(label, time)))
            .collect(),
            reasons: recovery.reasons.iter().map(Note::own_reason).collect(),
            warnings: recovery.warnings.iter().map(Note::warning).collect(),
            gates: recovery.gates.iter().map(gate).collect(),
            remarks: remarks(&recovery.recover),
        }
    }
}

/// The curve of one kind of time; none where the result has none.
fn curve(label: &'static str, time: &TimeResult) -> Option<CurveView> {
    let until_s = time.times.iter().filter_map(|entry| entry.seconds).max_by(f64::total_cmp)?;
    if time.curve.is_empty() {
        return None;
    }
    Some(CurveView {
        label,
        steps: time
            .curve
            .iter()
            .map(|point| CurveStep {
                seconds: point.seconds,
                waiting: point.waiting,
                lower: point.lower,
                upper: point.upper,
            })
            .collect(),
        censored: time
            .times
            .iter()
            .filter(|entry| entry.censored)
            .filter_map(|entry| entry.seconds)
            .collect(),
        until_s,
    })
}

/// One kind of time over all kills.
fn kind(label: &'static str, time: &TimeResult) -> TimeRow {
    TimeRow {
        label,
        seen: format!("{} of {}", number::count(time.events), number::count(time.n)),
        median: Figure::seconds(time.median_s, "not reached"),
        lower: Figure::seconds(time.median_lower_s, DASH),
        upper: Figure::seconds(time.median_upper_s, "not reached"),
        restricted_mean: Figure::seconds(time.rmst_s, DASH),
        restricted_to: Figure::seconds(time.rmst_tau_s, DASH),
        resolution: Figure::seconds(time.resolution_s, DASH),
        note: time.note.clone(),
    }
}

/// Every kill that any kind of time speaks of, in order.
fn rows(recovery: &RecoveryResult) -> Vec<RecoveryRow> {
    let deadline = recovery.recover.within.as_ref().map(|within| within.deadline_s);
    let all = [recovery.detect.as_ref(), recovery.remediate.as_ref(), Some(&recovery.recover)];
    let mut indices: Vec<u32> =
        all.iter().flatten().flat_map(|time| time.times.iter().map(|entry| entry.index)).collect();
    indices.sort_unstable();
    indices.dedup();
    indices
        .into_iter()
        .map(|index| RecoveryRow {
            index,
            detect: reading(recovery.detect.as_ref(), index, None),
            remediate: reading(recovery.remediate.as_ref(), index, None),
            recover: reading(Some(&recovery.recover), index, deadline),
        })
        .collect()
}

/// One time of one kill.
fn reading(time: Option<&TimeResult>, index: u32, deadline: Option<f64>) -> Reading {
    let entry = time.and_then(|time| time.times.iter().find(|entry| entry.index == index));
    match entry {
        Some(entry) => Reading {
            figure: reading_figure(entry),
            censored: entry.censored,
            never_departed: entry.never_departed,
            undecided: !entry.censored
                && deadline.is_some_and(|deadline| {
                    entry.after_s.is_some_and(|after| after < deadline)
                        && entry.seconds.is_some_and(|seconds| deadline < seconds)
                }),
        },
        None => Reading {
            figure: Figure { value: None, text: DASH.to_owned() },
            censored: false,
            never_departed: false,
            undecided: false,
        },
    }
}

/// Seconds with what they mean.
fn reading_figure(entry: &TimeEntry) -> Figure {
    let reason = entry.reason.as_deref().map(words::loss);
    let mut figure = Figure::seconds(entry.seconds, reason.unwrap_or("not seen"));
    if figure.value.is_none() {
        return figure;
    }
    if entry.never_departed {
        "no impact seen".clone_into(&mut figure.text);
    } else if entry.censored {
        figure.text = format!("not within {}", figure.text);
        if let Some(reason) = reason {
            figure.text = format!("{} ({reason})", figure.text);
        }
    }
    figure
}

/// What the times alone do not say.
fn remarks(recover: &TimeResult) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(never) = recover.never_departed.filter(|never| *never > 0) {
        remarks.push(format!(
            "After {} the signal never left its healthy band; such a kill counts as recovered at once.",
            number::counted(never, "kill")
        ));
    }
    if let Some(relapses) = recover.relapses.filter(|relapses| *relapses > 0) {
        remarks.push(format!(
            "After {} the signal left the band again; the last return counts.",
            number::counted(relapses, "kill")
        ));
    }
    if let Some(excursions) = recover.excursions.filter(|excursions| *excursions > 0) {
        remarks.push(format!(
            "{} outside the band {} too short to count.",
            number::counted(excursions, "stretch").replace("stretchs", "stretches"),
            if excursions == 1 { "was" } else { "were" }
        ));
    }
    remarks
}
