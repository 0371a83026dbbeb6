//! `unfazed import FORMAT FILE… -o DIR` of load tools, dumps, tables and logs: files in, samples or events of a recording out.
//!
//! Owns the place: a new recording gets `samples.parquet`; beside samples that are there already nothing is written unless it
//! was asked for. Refuses to know formats; `source/metrics/load` does.

use std::path::{Path, PathBuf};

use crate::app::import::{ImportFailure, listed};
use crate::source::chaos::Zone;
use crate::source::events;
use crate::source::metrics::load::{LoadError, LoadFormat, LoadInput, LoadOptions, TableColumns};
use crate::store::{self, WrittenSamples};
use crate::unit::Timestamp;
use crate::verdict::result::Warning;

/// What `unfazed import` of samples was given.
#[derive(Debug, Clone)]
pub struct SamplesArguments {
    /// The format.
    pub format: &'static LoadFormat,
    /// Files and directories.
    pub inputs: Vec<PathBuf>,
    /// The recording.
    pub output: Option<PathBuf>,
    /// `--zone`, as given.
    pub zone: Option<String>,
    /// `--start`, as given.
    pub start: Option<String>,
    /// `--columns`, as given.
    pub columns: Option<String>,
    /// `--metric`, as given.
    pub metric: Option<String>,
    /// What to do beside samples that are there already.
    pub placement: Placement,
}

/// What to do beside samples that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// Refuse.
    Alone,
    /// Add to them.
    Beside,
}

/// What was done.
#[derive(Debug, Clone, PartialEq)]
pub struct SamplesReport {
    /// The recording.
    pub directory: PathBuf,
    /// What was written.
    pub written: WrittenSamples,
    /// Single requests among the samples.
    pub requests: u64,
    /// Events that were not there before.
    pub events: usize,
    /// What a reader must know.
    pub warnings: Vec<Warning>,
}

/// Imports files into a recording.
///
/// # Errors
/// [`ImportFailure`]; nothing is written then.
pub fn run(arguments: &SamplesArguments) -> Result<SamplesReport, ImportFailure> {
    let format = arguments.format;
    let Some(directory) = &arguments.output else {
        return Err(LoadError::Options(format!(
            "`import {}` writes samples into a recording; name its directory with -o DIR",
            format.name
        ))
        .into());
    };
    let options = options(arguments)?;
    let files: Vec<LoadInput> = listed(&arguments.inputs)?
        .into_iter()
        .map(|listed| LoadInput { path: listed.path })
        .collect();
    let set = format.load(&files, &options)?;
    let (requests, mut warnings) = (set.requests(), set.warnings.clone());
    let found_events = set.events.clone();
    let frames = set.into_frames().map_err(LoadError::Options)?;
    let mut written = WrittenSamples::default();
    let conflicts: u64 = frames.iter().map(|frame| frame.conflicting_duplicates).sum();
    if conflicts > 0 {
        warnings.push(Warning {
            code: "conflicting_duplicates".to_owned(),
            message: format!("{conflicts} samples share series and time with another of a different value; the greatest was kept"),
        });
    }
    if !frames.is_empty() {
        let place = place(directory, format.name, arguments.placement)?;
        written = store::write_imported_samples(directory, &place, frames)?;
    }
    let events = new_events(directory, found_events)?;
    if !events.is_empty() {
        store::append_events(directory, &events)?;
    }
    Ok(SamplesReport {
        directory: directory.clone(),
        written,
        requests,
        events: events.len(),
        warnings,
    })
}

fn options(arguments: &SamplesArguments) -> Result<LoadOptions, ImportFailure> {
    let start = arguments.start.as_deref().map(Timestamp::parse).transpose();
    Ok(LoadOptions {
        zone: arguments.zone.as_deref().map(Zone::parse).transpose()?,
        start: start
            .map_err(|error| LoadError::Options(format!("failed to read --start: {error}")))?,
        columns: arguments.columns.as_deref().map(TableColumns::parse).transpose()?,
        metric: arguments.metric.clone(),
    })
}

/// The file that the samples go into.
fn place(directory: &Path, format: &str, placement: Placement) -> Result<PathBuf, ImportFailure> {
    let refused = |problem: String| ImportFailure::from(LoadError::Options(problem));
    let single = directory.join("samples.parquet");
    let folder = directory.join("samples");
    if directory.join("samples.csv").exists() {
        return Err(refused(format!(
            "{} holds samples.csv, beside which nothing can be added; give another directory with -o",
            directory.display()
        )));
    }
    let has_samples = single.exists() || folder.exists();
    match placement {
        Placement::Alone if has_samples => Err(refused(format!(
            "{} holds samples already; give another directory with -o, or --add to put these beside them",
            directory.display()
        ))),
        Placement::Alone => Ok(single),
        Placement::Beside => {
            let own = folder.join(format!("import-{format}.parquet"));
            if own.exists() {
                return Err(refused(format!(
                    "{} is there already, and requests that are imported twice would count twice; take it away first",
                    own.display()
                )));
            }
            Ok(if has_samples { own } else { single })
        }
    }
}

/// Events that the recording does not hold yet.
fn new_events(
    directory: &Path,
    found: Vec<crate::run::Event>,
) -> Result<Vec<crate::run::Event>, ImportFailure> {
    if found.is_empty() {
        return Ok(found);
    }
    let there = read_events(directory)?;
    let mut new: Vec<crate::run::Event> = Vec::new();
    for event in found {
        if !there.contains(&event) && !new.contains(&event) {
            new.push(event);
        }
    }
    Ok(new)
}

/// The events beside the samples of a recording; none if there is no such file.
pub(crate) fn read_events(directory: &Path) -> Result<Vec<crate::run::Event>, ImportFailure> {
    let path = directory.join(events::EVENTS_FILE);
    if !path.is_file() {
        return Ok(Vec::new());
    }
    Ok(read_log(&path)?.events)
}

/// Reads a structured log, ours or any other.
pub(crate) fn read_log(path: &Path) -> Result<events::EventLog, ImportFailure> {
    #[expect(clippy::disallowed_methods, reason = "commands read what their arguments name")]
    let bytes = std::fs::read(path)
        .map_err(|source| ImportFailure::Read { path: path.to_owned(), source })?;
    let text = String::from_utf8_lossy(&bytes);
    events::read_log(&path.display().to_string(), &text, None)
        .map_err(|error| ImportFailure::Events(Box::new(error)))
}
