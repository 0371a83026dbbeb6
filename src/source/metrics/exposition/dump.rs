//! A whole text as a recording needs it: series with their samples, and the exemplars beside them.

use std::collections::{BTreeMap, HashMap};

use super::conformance::Conformance;
use super::dialect::{Dialect, Rules};
use super::error::ExpositionError;
use super::reader::{Entry, Reader, SampleTime};
use crate::unit::{Labels, Timestamp};

/// What a text held.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dump {
    /// Samples by metric and labels, in the order of the text.
    pub series: BTreeMap<(String, Labels), DumpSeries>,
    /// Exemplars, in the order of the text.
    pub exemplars: Vec<ExemplarSample>,
    /// Samples that carried a time of their own.
    pub own_times: usize,
    /// Samples whose time no calendar can write; they are left out.
    pub beyond_the_calendar: usize,
}

/// The samples of one series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DumpSeries {
    /// Milliseconds since the epoch.
    pub times: Vec<i64>,
    /// The values at these times.
    pub values: Vec<f64>,
}

/// An example of what was counted.
#[derive(Debug, Clone, PartialEq)]
pub struct ExemplarSample {
    /// The metric that it stands beside.
    pub metric: String,
    /// The labels of that series.
    pub series: Labels,
    /// The exemplar's own labels, such as `trace_id`.
    pub labels: Labels,
    /// The value that was observed.
    pub value: f64,
    /// When; an exemplar without a time was seen when its sample was taken.
    pub at: Timestamp,
}

/// Reads a text whose samples were taken at `at` unless they say otherwise.
///
/// # Errors
/// [`ExpositionError`] at the first line that breaks the grammar or, by the official rules, a rule of the format.
pub fn read_dump(
    text: &str,
    dialect: Dialect,
    rules: Rules,
    at: Timestamp,
) -> Result<Dump, ExpositionError> {
    let mut reader = Reader::new(text, dialect, rules);
    let mut conformance = Conformance::new(dialect);
    let mut dump = Dump::default();
    let mut known: HashMap<&str, (String, Labels)> = HashMap::new();
    let mut last_line = 0;
    while let Some(entry) = reader.next_entry()? {
        let Entry::Sample(sample) = &entry else {
            if rules == Rules::Official {
                conformance.see(&entry, None)?;
            }
            continue;
        };
        last_line = sample.series.line;
        if rules == Rules::Official {
            conformance.see(&entry, Some(&sample.series.read()?))?;
        }
        let key = if let Some(key) = known.get(sample.series.text) {
            key
        } else {
            let series = sample.series.read()?;
            let labels = series.labels();
            known.entry(sample.series.text).or_insert((series.name, labels))
        };
        let time = match sample.time() {
            SampleTime::Own(own) => {
                dump.own_times += 1;
                own
            }
            SampleTime::OfTheText => at,
            SampleTime::BeyondTheCalendar => {
                dump.beyond_the_calendar += 1;
                continue;
            }
        };
        if let Some(exemplar) = &sample.exemplar {
            let labels = exemplar.labels.read_labels()?;
            dump.exemplars.push(ExemplarSample {
                metric: key.0.clone(),
                series: key.1.clone(),
                labels: Labels::from_pairs(labels),
                value: exemplar.value,
                at: exemplar.time().unwrap_or(time),
            });
        }
        let series = dump.series.entry(key.clone()).or_default();
        series.times.push(time.milliseconds());
        series.values.push(sample.value);
    }
    if rules == Rules::Official {
        conformance.finish(last_line)?;
    }
    Ok(dump)
}
