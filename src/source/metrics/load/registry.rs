//! The formats of load tools, and the one way through any of them.
//!
//! A new format is one file here, one line in [`FORMATS`] and one row in the README.

use super::input::{LoadInput, LoadOptions};
use super::load_error::LoadError;
use super::sample_set::SampleSet;
use super::{
    event_files, exposition_files, jmeter, k6, locust, offset_csv, query_range, table, vegeta,
};

/// One format.
#[derive(Debug, Clone, Copy)]
pub struct LoadFormat {
    /// Its word on the command line.
    pub name: &'static str,
    /// What it reads and where that comes from, for help and errors.
    pub accepts: &'static str,
    /// Reads files of one load together.
    pub read: fn(&[LoadInput], &LoadOptions) -> Result<SampleSet, LoadError>,
}

/// All formats, in the order of the help text.
pub static FORMATS: [LoadFormat; 15] = [
    k6::FORMAT,
    jmeter::FORMAT,
    locust::FORMAT,
    offset_csv::HEY,
    offset_csv::OHA,
    vegeta::FORMAT,
    WRK,
    exposition_files::ANY,
    exposition_files::TEXT,
    exposition_files::OPEN_METRICS,
    exposition_files::LENIENT,
    query_range::FORMAT,
    table::FORMAT,
    event_files::LOG,
    event_files::EXEMPLARS,
];

/// wrk prints a summary and nothing else.
const WRK: LoadFormat = LoadFormat {
    name: "wrk",
    accepts: "nothing: wrk writes no samples",
    read: |files, _| {
        Err(LoadError::NoSamples {
            file: files.first().map_or_else(String::new, LoadInput::name),
            found: "what wrk prints: totals over the whole run".to_owned(),
            instead: "load with a tool that writes one row per request (k6, oha, vegeta, hey, JMeter), or scrape the service itself with `unfazed record`".to_owned(),
        })
    },
};

impl LoadFormat {
    /// The format of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        let wanted = name.trim().to_ascii_lowercase();
        FORMATS.iter().find(|format| format.name == wanted)
    }

    /// Reads files of one load together.
    ///
    /// # Errors
    /// [`LoadError`] when a file cannot be read, is of another tool, or holds no samples.
    pub fn load(&self, files: &[LoadInput], options: &LoadOptions) -> Result<SampleSet, LoadError> {
        let Some(first) = files.first() else {
            return Err(LoadError::Options("no file to import; give at least one".to_owned()));
        };
        let set = (self.read)(files, options)?;
        if set.rows() == 0 && set.events.is_empty() {
            return Err(LoadError::WrongKind {
                file: first.name(),
                format: self.name,
                found: "it holds not one sample".to_owned(),
                accepts: self.accepts,
            });
        }
        Ok(set)
    }
}
