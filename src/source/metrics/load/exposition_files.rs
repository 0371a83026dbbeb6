//! Dumps of `/metrics` pages: one file per scrape, or one file with times in it.
//!
//! A sample's own time counts. Samples without one were taken when the dump was: the time in the file's name
//! (`1764000000.prom`, `2026-11-23T10:00:00Z.txt`), else `--start`, else the file's modification time, with a warning.

use serde_json::Value;

use super::input::{LoadInput, LoadOptions};
use super::load_error::LoadError;
use super::registry::LoadFormat;
use super::sample_set::SampleSet;
use crate::source::chaos::naive_time::TimeReader;
use crate::source::events;
use crate::source::metrics::exposition::{Dialect, Rules, lenient, read_dump};
use crate::unit::{Labels, Timestamp};

/// Largest dump that is read.
const DUMP_BYTES: u64 = 1 << 30;

/// Reads either format; OpenMetrics ends with `# EOF`.
pub const ANY: LoadFormat = LoadFormat {
    name: "exposition",
    accepts: "what a /metrics endpoint answers: the Prometheus text format or OpenMetrics",
    read: |files, options| read(files, options, Reading::Official(None)),
};

/// Reads the text format.
pub const TEXT: LoadFormat = LoadFormat {
    name: "prometheus-text",
    accepts: "the Prometheus text format 0.0.4",
    read: |files, options| read(files, options, Reading::Official(Some(Dialect::Text))),
};

/// Reads OpenMetrics.
pub const OPEN_METRICS: LoadFormat = LoadFormat {
    name: "openmetrics",
    accepts: "OpenMetrics 1.0, which ends with # EOF",
    read: |files, options| read(files, options, Reading::Official(Some(Dialect::OpenMetrics))),
};

/// Reads what can be read of a damaged dump.
pub const LENIENT: LoadFormat = LoadFormat {
    name: "exposition-lenient",
    accepts: "a damaged dump of a /metrics endpoint; lines that cannot be read are left out",
    read: |files, options| read(files, options, Reading::Lenient),
};

/// How a dump is read.
#[derive(Debug, Clone, Copy)]
enum Reading {
    /// By the rules of the formats; without a format the text decides.
    Official(Option<Dialect>),
    /// As far as possible.
    Lenient,
}

fn read(
    files: &[LoadInput],
    options: &LoadOptions,
    reading: Reading,
) -> Result<SampleSet, LoadError> {
    let mut set = SampleSet::default();
    for input in files {
        let text = input.text(DUMP_BYTES)?;
        let taken = taken_at(input, options);
        let mut needed = 0;
        match reading {
            Reading::Official(dialect) => {
                let dialect = dialect.unwrap_or_else(|| Dialect::of_text(&text));
                let dump = read_dump(&text, dialect, Rules::Official, taken.at).map_err(|error| {
                    let problem = error.to_string();
                    let (_, problem) = problem.split_once(": found ").unwrap_or(("", &problem));
                    let (found, accepted) = problem.split_once("; accepted is ").unwrap_or((problem, ""));
                    LoadError::Line {
                        file: input.name(),
                        line: error.line() as u64,
                        found: found.to_owned(),
                        accepted: format!("{accepted} ({}); `import exposition-lenient` leaves out what it cannot read", dialect.name()),
                    }
                })?;
                for ((metric, labels), series) in &dump.series {
                    for (time, value) in series.times.iter().zip(&series.values) {
                        add(&mut set, metric, labels, Timestamp::from_milliseconds(*time), *value);
                        needed += 1;
                    }
                }
                needed -= dump.own_times;
                set.events.extend(dump.exemplars.iter().map(|it| {
                    events::of_exemplar(&it.metric, &it.series, &it.labels, it.value, it.at)
                }));
                if dump.beyond_the_calendar > 0 {
                    set.warn("beyond_the_calendar", format!(
                        "{}: {} samples have a time that no calendar can write and were left out",
                        input.name(), dump.beyond_the_calendar
                    ));
                }
            }
            Reading::Lenient => {
                let dump = lenient::read(&text, taken.at);
                for sample in &dump.samples {
                    add(&mut set, &sample.metric, &sample.labels, sample.at, sample.value);
                    needed += usize::from(sample.at == taken.at);
                }
                if dump.skipped > 0 {
                    set.warn(
                        "lines_skipped",
                        format!(
                            "{}: {} lines could not be read and were left out",
                            input.name(),
                            dump.skipped
                        ),
                    );
                }
            }
        }
        if needed > 0 && taken.is_guess {
            set.warn(
                "time_of_file",
                format!(
                    "{}: {needed} samples carry no time; they are taken to be of {}, when the file was written; name the file by its time (1764000000.prom) or give --start",
                    input.name(), taken.at
                ),
            );
        }
    }
    Ok(set)
}

fn add(set: &mut SampleSet, metric: &str, labels: &Labels, at: Timestamp, value: f64) {
    let pairs: Vec<(&str, &str)> = labels.iter().collect();
    set.value(metric, &pairs, at, value);
}

/// When a dump was taken.
struct Taken {
    at: Timestamp,
    is_guess: bool,
}

fn taken_at(input: &LoadInput, options: &LoadOptions) -> Taken {
    let name = input.file_name();
    let stem = name.split_once('.').map_or(name.as_str(), |(stem, _)| stem);
    // A file name often cannot hold colons: 2026-11-23T10-00-00Z.
    let spelled = |text: &str| match text.split_once('T') {
        Some((date, time)) => format!("{date}T{}", time.replacen('-', ":", 2).replace('_', ":")),
        None => text.to_owned(),
    };
    let mut times = TimeReader::new(options.zone);
    let mut read = |text: &str| times.lenient(&name, &Value::String(text.to_owned()));
    let named = read(stem).or_else(|| read(&spelled(stem))).or_else(|| {
        // `metrics-1764000000`: the number at the end.
        let digits = stem.trim_end_matches(|it: char| it.is_ascii_digit()).len();
        read(&stem[digits..]).filter(|_| stem.len() - digits >= 10)
    });
    match named.or(options.start) {
        Some(at) => Taken { at, is_guess: false },
        None => Taken {
            at: input.modified().unwrap_or(Timestamp::from_milliseconds(0)),
            is_guess: true,
        },
    }
}
