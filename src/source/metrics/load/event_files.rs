//! Events instead of samples: structured logs, and the traces of `/api/v1/query_exemplars`.

use super::input::{LoadInput, LoadOptions};
use super::load_error::LoadError;
use super::registry::LoadFormat;
use super::sample_set::SampleSet;
use crate::source::events;

/// Largest file of events that is read.
const EVENT_BYTES: u64 = 512 << 20;

/// Structured logs.
pub const LOG: LoadFormat = LoadFormat {
    name: "events-log",
    accepts: "JSON lines with a time, a message and optionally a correlation id",
    read: read_logs,
};

/// Traces.
pub const EXEMPLARS: LoadFormat = LoadFormat {
    name: "exemplars",
    accepts: "the saved answer of /api/v1/query_exemplars",
    read: read_exemplars,
};

fn read_logs(files: &[LoadInput], options: &LoadOptions) -> Result<SampleSet, LoadError> {
    let mut set = SampleSet::default();
    for input in files {
        let text = input.text(EVENT_BYTES)?;
        let log = events::read_log(&input.name(), &text, options.zone).map_err(|error| {
            LoadError::NoSamples {
                file: input.name(),
                found: error.found(),
                instead: error.instead(),
            }
        })?;
        if log.skipped > 0 {
            set.warn(
                "lines_skipped",
                format!("{}: {} lines are no events and were left out", input.name(), log.skipped),
            );
        }
        set.warnings.extend(log.warnings);
        set.events.extend(log.events);
    }
    Ok(set)
}

fn read_exemplars(files: &[LoadInput], _: &LoadOptions) -> Result<SampleSet, LoadError> {
    let mut set = SampleSet::default();
    for input in files {
        let text = input.text(EVENT_BYTES)?;
        let found =
            events::read_exemplars(text.as_bytes()).map_err(|error| LoadError::WrongKind {
                file: input.name(),
                format: EXEMPLARS.name,
                found: error.to_string(),
                accepts: EXEMPLARS.accepts,
            })?;
        set.events.extend(found);
    }
    Ok(set)
}
