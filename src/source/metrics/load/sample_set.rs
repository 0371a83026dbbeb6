//! Samples as readers gather them, and their way into frames.
//!
//! Owns the rule that turns single events into a counter: for every second of the load the number of events before it, so
//! that the increase over a window [start, end) on whole seconds is exactly the number of events in it.

use std::collections::{BTreeMap, HashMap};

use crate::frame::{Frame, Rows, Series};
use crate::run::Event;
use crate::unit::{Labels, Timestamp};
use crate::verdict::result::Warning;

/// The metric of single requests.
pub const DURATION: &str = "http_req_duration";

/// The counter of requests.
pub const REQUESTS: &str = "http_reqs_total";

/// Most rows that counters may add: they are made of one row a second and series.
const COUNTER_ROWS: i64 = 20_000_000;

const SECOND: i64 = 1000;

/// How a series' values are to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Every value is a row.
    Every,
    /// One value a time.
    Scraped,
    /// Increments, to be counted up.
    Increments,
}

/// Samples of one or more files.
#[derive(Debug, Default)]
pub struct SampleSet {
    slots: HashMap<String, usize>,
    key: String,
    columns: Vec<Column>,
    /// What was noted on the way.
    pub events: Vec<Event>,
    /// What a reader must know.
    pub warnings: Vec<Warning>,
    /// First and last moment at which the tool was at work.
    worked: Option<(i64, i64)>,
    requests: u64,
}

#[derive(Debug)]
struct Column {
    kind: Kind,
    metric: String,
    labels: Labels,
    times: Vec<i64>,
    values: Vec<f64>,
}

/// One request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Request<'text> {
    /// When it ended.
    pub ended_at: Timestamp,
    /// How long it took; a request without an answer may have none.
    pub milliseconds: Option<f64>,
    /// Whether it failed.
    pub failed: bool,
    /// What was asked for, in the tool's words.
    pub name: &'text str,
    /// The method.
    pub method: &'text str,
    /// The status, as the tool writes it.
    pub status: &'text str,
}

impl SampleSet {
    /// Adds a row of a metric of which every row counts.
    pub fn row(&mut self, metric: &str, labels: &[(&str, &str)], at: Timestamp, value: f64) {
        self.add(Kind::Every, metric, labels, at.milliseconds(), value);
    }

    /// Adds a value of a series that has one value a time.
    pub fn value(&mut self, metric: &str, labels: &[(&str, &str)], at: Timestamp, value: f64) {
        self.add(Kind::Scraped, metric, labels, at.milliseconds(), value);
    }

    /// Adds values of one series at once.
    pub fn series(&mut self, metric: &str, labels: &Labels, times: Vec<i64>, values: Vec<f64>) {
        if times.is_empty() {
            return;
        }
        let pairs: Vec<(&str, &str)> = labels.iter().collect();
        let slot = self.slot(Kind::Scraped, metric, &pairs);
        let column = &mut self.columns[slot];
        column.times.extend(times);
        column.values.extend(values);
    }

    /// Adds to a counter.
    pub fn increment(&mut self, metric: &str, labels: &[(&str, &str)], at: Timestamp, by: f64) {
        self.worked_at(at);
        self.add(Kind::Increments, metric, labels, at.milliseconds(), by);
    }

    /// Adds a request: its row and its count.
    pub fn request(&mut self, request: &Request<'_>) {
        let outcome = if request.failed { "error" } else { "ok" };
        let labels = [
            ("name", request.name),
            ("method", request.method),
            ("status", request.status),
            ("outcome", outcome),
        ];
        self.requests += 1;
        self.increment(REQUESTS, &labels, request.ended_at, 1.0);
        if let Some(milliseconds) = request.milliseconds {
            self.row(DURATION, &labels, request.ended_at, milliseconds);
        }
    }

    /// Says that the tool was at work at a moment, with or without a request.
    pub fn worked_at(&mut self, at: Timestamp) {
        let at = at.milliseconds();
        let (first, last) = self.worked.unwrap_or((at, at));
        self.worked = Some((first.min(at), last.max(at)));
    }

    /// Adds a warning.
    pub fn warn(&mut self, code: &str, message: impl Into<String>) {
        self.warnings.push(Warning { code: code.to_owned(), message: message.into() });
    }

    /// Requests so far.
    pub const fn requests(&self) -> u64 {
        self.requests
    }

    /// Rows so far, increments counted one by one.
    pub fn rows(&self) -> usize {
        self.columns.iter().map(|column| column.times.len()).sum()
    }

    fn add(&mut self, kind: Kind, metric: &str, labels: &[(&str, &str)], at: i64, value: f64) {
        let slot = self.slot(kind, metric, labels);
        let column = &mut self.columns[slot];
        column.times.push(at);
        column.values.push(value);
    }

    /// The column of a series.
    fn slot(&mut self, kind: Kind, metric: &str, labels: &[(&str, &str)]) -> usize {
        let set = || labels.iter().filter(|(_, value)| !value.is_empty());
        // Bytes 0 and 1 part the words; a value that holds them costs a series of its own name, no sample.
        self.key.clear();
        self.key.push(match kind {
            Kind::Every => 'e',
            Kind::Scraped => 's',
            Kind::Increments => 'i',
        });
        self.key.push_str(metric);
        for (name, value) in set() {
            self.key.push('\0');
            self.key.push_str(name);
            self.key.push('\u{1}');
            self.key.push_str(value);
        }
        if let Some(slot) = self.slots.get(self.key.as_str()) {
            return *slot;
        }
        self.slots.insert(self.key.clone(), self.columns.len());
        self.columns.push(Column {
            kind,
            metric: metric.to_owned(),
            labels: Labels::from_pairs(set().map(|(name, value)| (*name, *value))),
            times: Vec::new(),
            values: Vec::new(),
        });
        self.columns.len() - 1
    }

    /// The frames, by metric and labels.
    ///
    /// # Errors
    /// A sentence, when counters would fill more rows than a recording should hold.
    pub fn into_frames(self) -> Result<Vec<Frame>, String> {
        let grid = self.worked.map(|(first, last)| {
            (first.div_euclid(SECOND) * SECOND, (last.div_euclid(SECOND) + 1) * SECOND)
        });
        let counters = self.columns.iter().filter(|column| column.kind == Kind::Increments).count();
        if let Some((first, last)) = grid {
            let seconds = (last - first) / SECOND + 1;
            let rows = i64::try_from(counters).unwrap_or(i64::MAX).saturating_mul(seconds);
            if rows > COUNTER_ROWS {
                return Err(format!(
                    "{counters} series over {seconds} s would fill {rows} rows; give the load tool fewer request names (group addresses that differ by an id), or import runs one by one"
                ));
            }
        }
        let mut frames: BTreeMap<(String, Rows), Frame> = BTreeMap::new();
        let mut columns = self.columns;
        columns.sort_by(|left, right| left.labels.cmp(&right.labels));
        for column in columns {
            let rows = match column.kind {
                Kind::Every => Rows::Every,
                Kind::Scraped | Kind::Increments => Rows::Deduplicated,
            };
            let frame = frames.entry((column.metric.clone(), rows)).or_insert_with(|| Frame {
                metric: column.metric.clone(),
                rows,
                ..Frame::default()
            });
            let (series, conflicts) = match (column.kind, grid) {
                (Kind::Every, _) => {
                    (Series::of_every_row(column.labels, column.times, column.values), 0)
                }
                (Kind::Increments, Some(grid)) => (counted(column, grid), 0),
                (Kind::Scraped | Kind::Increments, _) => {
                    Series::from_columns(column.labels, column.times, column.values)
                }
            };
            frame.series.push(series);
            frame.conflicting_duplicates += conflicts;
        }
        Ok(frames.into_values().collect())
    }
}

/// The counter of increments on a grid of seconds: at each the sum of what happened before it.
fn counted(column: Column, (first, last): (i64, i64)) -> Series {
    let events = Series::of_every_row(column.labels, column.times, column.values);
    let mut counter =
        Series { labels: events.labels.clone(), times: Vec::new(), values: Vec::new() };
    let (mut next, mut sum) = (0, 0.0);
    let mut at = first;
    while at <= last {
        while next < events.times.len() && events.times[next] < at {
            sum += events.values[next];
            next += 1;
        }
        counter.times.push(at);
        counter.values.push(sum);
        at += SECOND;
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_milliseconds(milliseconds)
    }

    #[test]
    fn a_counter_knows_every_second_of_the_load_and_counts_what_was_before_it() {
        let mut set = SampleSet::default();
        for time in [1_500, 2_000, 2_999, 3_000, 5_100] {
            set.increment("n_total", &[], at(time), 1.0);
        }
        set.increment("n_total", &[("x", "late")], at(5_000), 1.0);
        let frames = set.into_frames().unwrap();
        let [plain, late] = frames[0].series.as_slice() else { panic!("{frames:?}") };
        assert_eq!(plain.times, [1_000, 2_000, 3_000, 4_000, 5_000, 6_000]);
        assert_eq!(plain.values, [0.0, 1.0, 3.0, 4.0, 4.0, 5.0]);
        assert_eq!(late.values, [0.0, 0.0, 0.0, 0.0, 0.0, 1.0], "from zero, like its neighbour");
    }

    #[test]
    fn equal_rows_all_count_and_scraped_values_once() {
        let mut set = SampleSet::default();
        for _ in 0..3 {
            set.row("d", &[("a", "")], at(5), 1.0);
            set.value("g", &[], at(5), 1.0);
        }
        let frames = set.into_frames().unwrap();
        assert_eq!((frames[0].series[0].times.len(), frames[1].series[0].times.len()), (3, 1));
    }
}
