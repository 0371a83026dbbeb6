//! Puts the units of a fetch together: one frame a metric, samples of all iterations in order, each once.
//!
//! Owns what is odd about samples and is seen only when they lie together. What comes out depends on the samples alone,
//! never on the pieces they came in.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::app::AppError;
use crate::app::pull::fetch::{Arrival, Arrivals};
use crate::app::pull::plan::{FetchPlan, Importance, Question, Unit};
use crate::app::pull::tail::TAIL_NOTE;
use crate::frame::{AnsweredHistogram, Frame, NativeFrame, NativeSeries, Rows, Series};
use crate::source::metrics::prometheus::ClockSkew;
use crate::store::{PartialFetch, StoreError, WrittenSamples, write_native_samples, write_samples};
use crate::unit::{Labels, Span, Timestamp};
use crate::verdict::result::Warning;

/// Labels by which replicas of one server tell themselves apart.
const REPLICA_LABELS: [&str; 4] =
    ["prometheus_replica", "replica", "__replica__", "receive_replica"];

/// What was put together.
pub(super) struct Assembled {
    pub(super) written: WrittenSamples,
    pub(super) warnings: Vec<Warning>,
}

/// A metric and the units that hold its samples.
struct Metric<'plan> {
    name: &'plan str,
    units: Vec<&'plan Unit>,
}

/// Writes the samples of all units into `directory`, each metric as soon as its units are there.
///
/// # Errors
/// [`AppError::Store`] if a unit cannot be read or the samples cannot be written.
pub(super) fn assemble(
    plan: &FetchPlan,
    partial: &PartialFetch,
    directory: &Path,
    arrivals: &Arrivals,
) -> Result<Assembled, AppError> {
    let mut metrics: BTreeMap<&str, Vec<&Unit>> = BTreeMap::new();
    for unit in &plan.units {
        metrics.entry(&unit.metric).or_default().push(unit);
    }
    let warnings = RefCell::new(Vec::new());
    // The writer takes frames and no failures: the first one ends the frames and is handed on afterwards.
    let failed: RefCell<Option<AppError>> = RefCell::new(None);
    let natives: RefCell<Vec<NativeFrame>> = RefCell::default();
    let frames = metrics.into_iter().map_while(|(name, units)| {
        // Without them the fetch has failed, and says so itself.
        if arrivals.wait_for(&units) == Arrival::Never {
            return None;
        }
        let metric = Metric { name, units };
        match metric.frame(partial) {
            Ok(Gathered { frame, native, tails }) => {
                if !native.series.is_empty() {
                    natives.borrow_mut().push(native);
                }
                // A histogram that was found as a native one is not missed as a classic one.
                if !is_part_of_any(name, &natives.borrow()) {
                    warnings.borrow_mut().extend(metric.oddities(&frame, plan.margin));
                }
                warnings.borrow_mut().extend((tails > 0).then(|| metric.tails(tails)));
                Some(frame)
            }
            Err(error) => {
                *failed.borrow_mut() = Some(error);
                None
            }
        }
    });
    let mut written = write_samples(directory, frames)?;
    if let Some(error) = failed.into_inner() {
        return Err(error);
    }
    let native = write_native_samples(directory, &natives.into_inner())?;
    written.metrics += native.metrics;
    written.series += native.series;
    written.samples += native.samples;
    Ok(Assembled { written, warnings: warnings.into_inner() })
}

/// Whether a metric is the classic form of a histogram that was found as a native one. Names come in their order, so
/// that a base name has come before the names made of it.
fn is_part_of_any(name: &str, natives: &[NativeFrame]) -> bool {
    ["_bucket", "_count"]
        .iter()
        .filter_map(|suffix| name.strip_suffix(suffix))
        .any(|base| natives.iter().any(|native| native.metric == base))
}

/// Samples of a metric, and windows in which a tail was cut off.
struct Gathered {
    frame: Frame,
    native: NativeFrame,
    tails: usize,
}

impl Metric<'_> {
    /// All samples of the metric.
    fn frame(&self, partial: &PartialFetch) -> Result<Gathered, AppError> {
        let mut tails = 0;
        let mut columns: BTreeMap<Labels, (Vec<i64>, Vec<f64>)> = BTreeMap::new();
        let mut shown: BTreeMap<Labels, Vec<(i64, AnsweredHistogram)>> = BTreeMap::new();
        for unit in &self.units {
            let mut reader = partial.read(unit.number)?;
            while let Some(block) = reader.next_block()? {
                let labels = Labels::parse(&block.labels).map_err(|error| {
                    let source = std::io::Error::other(error.to_string());
                    StoreError::new("read", partial.directory(), source)
                })?;
                if !block.histograms.is_empty() {
                    let histograms = block.histograms.into_iter().map(|one| (one.time, one.shown));
                    shown.entry(labels.clone()).or_default().extend(histograms);
                }
                if block.times.is_empty() {
                    continue;
                }
                let (times, values) = columns.entry(labels).or_default();
                times.extend(block.times);
                values.extend(block.values);
            }
            tails += usize::from(reader.notes().iter().any(|note| note == TAIL_NOTE));
        }
        let mut frame = Frame {
            metric: self.name.to_owned(),
            rows: Rows::Deduplicated,
            series: Vec::with_capacity(columns.len()),
            conflicting_duplicates: 0,
        };
        for (labels, (times, values)) in columns {
            let (series, conflicts) = Series::from_columns(labels, times, values);
            frame.conflicting_duplicates += conflicts;
            frame.series.push(series);
        }
        let mut native = NativeFrame { metric: self.name.to_owned(), ..NativeFrame::default() };
        for (labels, samples) in shown {
            let read = NativeSeries::from_answer(labels, &samples);
            let (series, conflicts) = read.map_err(|problem| AppError::Source {
                why: format!(
                    "the server showed a native histogram of {} with {problem}",
                    self.name
                ),
            })?;
            native.conflicting_duplicates += conflicts;
            native.series.push(series);
        }
        Ok(Gathered { frame, native, tails })
    }

    /// Tails that were cut off.
    fn tails(&self, windows: usize) -> Warning {
        let windows = match windows {
            1 => "1 window".to_owned(),
            more => format!("{more} windows"),
        };
        Warning {
            code: "lookback_tail".to_owned(),
            message: format!(
                "in {windows} the answer of {} ended on five minutes of one value: servers show the last sample of a series that long, so these minutes were taken for no data; measure with `gauge:` and a selector to see true samples",
                self.name
            ),
        }
    }

    fn importance(&self) -> Importance {
        let needed = |unit: &&Unit| match unit.question {
            Question::Raw { importance, .. } => importance == Importance::Needed,
            Question::Query { .. } => true,
        };
        if self.units.iter().any(needed) { Importance::Needed } else { Importance::Helpful }
    }

    /// What is odd about the samples.
    fn oddities(&self, frame: &Frame, margin: Span) -> Vec<Warning> {
        let name = self.name;
        let mut found = Vec::new();
        let mut add = |code: &str, message: String| {
            found.push(Warning { code: code.to_owned(), message });
        };
        let samples: usize = frame.series.iter().map(|series| series.times.len()).sum();
        if samples == 0 {
            if self.importance() == Importance::Needed {
                add(
                    "nothing_found",
                    format!(
                        "the server has no sample of {name} in any window; nothing is not zero: check the name, and that the server keeps data that old"
                    ),
                );
            }
            return found;
        }
        if frame.conflicting_duplicates > 0 {
            add(
                "conflicting_duplicates",
                format!(
                    "{} samples of {name} share series and time with another of a different value; the greatest was kept",
                    frame.conflicting_duplicates
                ),
            );
        }
        if let Some(label) = replica_label(frame) {
            add(
                "replicated_series",
                format!(
                    "series of {name} differ in the label '{label}' alone: replicas of one server count everything once each; choose one in the selector, {label}=\"…\""
                ),
            );
        }
        if let Some(step) = frame.step().filter(|step| step.times(2) > margin)
            && self.importance() == Importance::Needed
        {
            add(
                "margin_too_short",
                format!(
                    "samples of {name} are {step} apart and only {margin} was fetched around the windows; write step: {step} into the source and pull again"
                ),
            );
        }
        found
    }
}

/// A label of replicas without which two series would be the same.
fn replica_label(frame: &Frame) -> Option<&'static str> {
    REPLICA_LABELS.into_iter().find(|label| {
        let mut seen = BTreeSet::new();
        frame
            .series
            .iter()
            .filter(|series| !series.labels.get(label).is_empty())
            .any(|series| !seen.insert(series.labels.without(label)))
    })
}

/// What a server said, and what its clock says about the run.
pub(super) fn warnings_of_server(
    notes: &[String],
    skew: Option<ClockSkew>,
    last: Timestamp,
    now: Timestamp,
) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = notes
        .iter()
        .map(|note| Warning {
            code: "server_note".to_owned(),
            message: format!("the server says: {note}"),
        })
        .collect();
    if let Some(ahead) = skew.and_then(ClockSkew::worth_telling) {
        let side = if ahead > 0 { "ahead of" } else { "behind" };
        let least = Span::from_milliseconds(ahead.abs() / 1000 * 1000);
        warnings.push(Warning {
            code: "clock_skew".to_owned(),
            message: format!(
                "the clock of the server is at least {least} {side} the one here; if the kills were timed by a clock like the one here, windows and times to detect and recover are off by as much: synchronise the clocks and run again"
            ),
        });
    }
    // What the server's clock is ahead of ours, it may already have.
    let ahead = skew.map_or(0, |skew| skew.least.max(0));
    if now.milliseconds() + ahead < last.milliseconds() {
        warnings.push(Warning {
            code: "late_samples".to_owned(),
            message: format!(
                "the last window was fetched before {last}, two steps after its end: samples may still have been on their way; pull again"
            ),
        });
    }
    warnings
}
