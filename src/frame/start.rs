//! When the process behind a series was started, as far as the recording says so.
//!
//! Two kinds of series tell: `<name>_created` (one per series, same labels) and `process_start_time_seconds` (one per
//! process). Their values are moments in seconds. Refuses to know counters: it says at which sample a new life began
//! and since when a series lives, and leaves the arithmetic to `counter`.

use std::sync::Arc;

use crate::frame::series::{Frame, Series};
use crate::unit::{Labels, Timestamp};

/// The name of the series that tells the start of a process.
pub const PROCESS_START: &str = "process_start_time_seconds";

/// Labels that say which process a series comes from. A start without one of them that the counter carries belongs
/// to some other process.
pub const IDENTITY: [&str; 3] = ["instance", "pod", "job"];

/// Names under which a counter's creation time may be recorded: `OpenMetrics` replaces the suffix, some clients append
/// to the whole name.
pub fn created_names(metric: &str) -> Vec<String> {
    let base = ["_total", "_bucket", "_count", "_sum"]
        .iter()
        .find_map(|suffix| metric.strip_suffix(suffix))
        .unwrap_or(metric);
    let mut names = vec![format!("{base}_created")];
    if base != metric {
        names.push(format!("{metric}_created"));
    }
    names
}

/// Start times that a recording holds for the series of one metric.
#[derive(Debug, Clone, Default)]
pub struct Starts {
    created: Vec<Arc<Frame>>,
    process: Option<Arc<Frame>>,
}

/// One start time and the scrape from which on it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told {
    /// Time of the first sample that told it.
    seen: i64,
    /// The moment told.
    started: i64,
}

/// The lives of one series, in the order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lives(Vec<Told>);

impl Starts {
    /// From the frames of [`created_names`] and of [`PROCESS_START`]; empty frames say nothing.
    pub fn new(created: Vec<Arc<Frame>>, process: Option<Arc<Frame>>) -> Self {
        Self { created, process }
    }

    /// What is known of the series with these labels; `<name>_created` speaks before the process.
    pub fn of(&self, labels: &Labels) -> Lives {
        let own = labels.without("le");
        let created = self
            .created
            .iter()
            .flat_map(|frame| frame.series.iter())
            .find(|series| series.labels == own);
        let told = created.or_else(|| {
            let process = self.process.as_ref()?;
            process.series.iter().find(|series| is_process_of(&series.labels, labels))
        });
        told.map_or_else(Lives::default, Lives::of)
    }
}

/// Whether a process with these labels is the one that a series comes from: all its labels agree, and none that
/// names a process is missing.
fn is_process_of(process: &Labels, series: &Labels) -> bool {
    process.iter().all(|(name, value)| series.get(name) == value)
        && IDENTITY.iter().all(|name| process.get(name) == series.get(name))
}

impl Lives {
    /// The start times that a series of moments tells. A later value opens a new life only if it lies after the
    /// life before it and was not yet past when that one was last seen: clocks that tremble do not restart anything.
    fn of(series: &Series) -> Self {
        let mut lives: Vec<Told> = Vec::new();
        let mut last_seen = i64::MIN;
        for (time, value) in series.times.iter().zip(&series.values) {
            let Some(started) = Timestamp::from_seconds(*value) else { continue };
            let started = started.milliseconds();
            let fresh = lives.last().is_none_or(|life| life.started < started)
                && started.saturating_add(CLOCK_SLACK) > last_seen;
            if fresh {
                lives.push(Told { seen: *time, started });
            }
            last_seen = *time;
        }
        Self(lives)
    }

    /// Whether a new life was first seen after `before` and not after `at`.
    pub fn restarted_between(&self, before: i64, at: i64) -> bool {
        // The first life is no restart: nothing is known of what was before it.
        let lives = self.0.get(1..).unwrap_or_default();
        let next = lives.partition_point(|life| life.seen <= before);
        lives.get(next).is_some_and(|life| life.seen <= at)
    }

    /// Since when the life lasts that was told at `at`, or that is told first after it.
    pub fn started(&self, at: i64) -> Option<i64> {
        let next = self.0.partition_point(|life| life.seen <= at);
        self.0.get(next.saturating_sub(1)).map(|life| life.started)
    }
}

/// Start times are told with whole seconds by some clients and from another clock by others.
const CLOCK_SLACK: i64 = 2000;

#[cfg(test)]
mod tests {
    use super::*;

    fn told(samples: &[(i64, f64)]) -> Lives {
        Lives::of(&Series {
            labels: Labels::default(),
            times: samples.iter().map(|sample| sample.0).collect(),
            values: samples.iter().map(|sample| sample.1).collect(),
        })
    }

    #[test]
    fn a_later_start_is_a_restart_at_the_scrape_that_told_it() {
        let lives = told(&[(100_000, 50.0), (105_000, 50.0), (110_000, 107.2), (115_000, 107.2)]);
        assert!(lives.restarted_between(105_000, 110_000));
        assert!(!lives.restarted_between(100_000, 105_000));
        assert!(!lives.restarted_between(110_000, 115_000));
        assert_eq!(lives.started(105_000), Some(50_000));
        assert_eq!(lives.started(112_000), Some(107_200));
        assert_eq!(lives.started(99_000), Some(50_000), "told first after it");
    }

    #[test]
    fn a_trembling_start_time_restarts_nothing() {
        let lives = told(&[(100_000, 50.0), (105_000, 50.01), (110_000, 49.99)]);
        assert!(!lives.restarted_between(0, 200_000));
    }

    #[test]
    fn a_process_speaks_for_series_that_carry_its_labels() {
        let labels = |text: &str| Labels::parse(text).unwrap();
        let process = labels(r#"{instance="a:1",job="w"}"#);
        assert!(is_process_of(&process, &labels(r#"{instance="a:1",job="w",outcome="ok"}"#)));
        assert!(!is_process_of(&process, &labels(r#"{instance="b:1",job="w",outcome="ok"}"#)));
        assert!(!is_process_of(&labels("{}"), &labels(r#"{instance="b:1"}"#)));
        assert!(is_process_of(&labels("{}"), &labels(r#"{outcome="ok"}"#)));
    }

    #[test]
    fn creation_times_are_looked_for_under_both_spellings() {
        assert_eq!(created_names("x_total"), ["x_created", "x_total_created"]);
        assert_eq!(
            created_names("x_seconds_bucket"),
            ["x_seconds_created", "x_seconds_bucket_created"]
        );
        assert_eq!(created_names("x"), ["x_created"]);
    }
}
