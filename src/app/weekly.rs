//! `unfazed weekly`: the report of a period from a history.

use std::path::{Path, PathBuf};

use crate::app::AppError;
use crate::app::document::read_experiment;
use crate::app::overwrite::keep_inputs;
use crate::history::{Period, Planned, RunSummary, Weekly, WeeklyRequest, weekly};
use crate::report::{self, Templates};
use crate::store::{self, History, TextFile};
use crate::unit::{IsoWeek, Timestamp};

/// What to report on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeeklyInputs {
    /// Directory of the history.
    pub history: PathBuf,
    /// Which stretch of time.
    pub stretch: Stretch,
    /// Directory of experiment documents that are planned.
    pub experiments: Option<PathBuf>,
    /// The label that experiments are grouped by.
    pub group_by: String,
}

/// Which stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stretch {
    /// The week of the latest run. No clock is asked, so that the same history gives the same report.
    LatestWeek,
    /// An ISO week.
    Week(IsoWeek),
    /// From a moment up to another.
    Between {
        /// First moment inside.
        start: Timestamp,
        /// First moment outside.
        end: Timestamp,
    },
}

/// Where to write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WeeklyOutputs {
    /// The page.
    pub page: Option<PathBuf>,
    /// Directory of templates that replace the embedded ones.
    pub templates: Option<PathBuf>,
}

/// Reports on a period and writes the page if one is asked for.
///
/// # Errors
/// [`AppError`] says what could not be read or written. Nothing is written then.
pub fn run(inputs: &WeeklyInputs, outputs: &WeeklyOutputs) -> Result<Weekly, AppError> {
    let templates = match &outputs.templates {
        Some(folder) => Templates::with_overrides(folder)?,
        None => Templates::embedded()?,
    };
    let entries = History::existing(&inputs.history)?.runs()?;
    let runs: Vec<&RunSummary> = entries.iter().map(|entry| &entry.run).collect();
    let period = period(inputs.stretch, &runs)?;
    let planned = match &inputs.experiments {
        Some(folder) => planned(folder)?,
        None => Vec::new(),
    };
    let weekly =
        weekly(&WeeklyRequest { runs, planned, period, group_by: inputs.group_by.clone() });
    if let Some(path) = &outputs.page {
        let text = report::weekly_html(&weekly, &templates)?;
        keep_inputs(&[inputs.history.join("index.jsonl")], &[path])?;
        store::write_texts(&[TextFile { path: path.clone(), text }])?;
    }
    Ok(weekly)
}

fn period(stretch: Stretch, runs: &[&RunSummary]) -> Result<Period, AppError> {
    match stretch {
        Stretch::Week(week) => Ok(Period::week(week)),
        Stretch::Between { start, end } if start < end => Ok(Period::between(start, end)),
        Stretch::Between { start, end } => Err(AppError::Usage(format!(
            "--from {start} does not lie before --to {end}: a period ends after its start"
        ))),
        Stretch::LatestWeek => match runs.iter().map(|run| run.started_at).max() {
            Some(latest) => Ok(Period::week(IsoWeek::of(latest))),
            None => Err(AppError::Usage(
                "the history holds no run, so there is no latest week; give --week or --from and --to".to_owned(),
            )),
        },
    }
}

/// The experiments of all documents in a folder and the folders in it; other files are left alone.
fn planned(folder: &Path) -> Result<Vec<Planned>, AppError> {
    let failed = |source| AppError::Read {
        what: "the folder of experiments",
        path: folder.to_owned(),
        source,
        hint: "give a folder of experiment documents, or of folders that each hold an experiment.yaml",
    };
    #[expect(
        clippy::disallowed_methods,
        reason = "commands read the folders that their arguments name"
    )]
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let inside = path.join("experiment.yaml");
        let is_yaml =
            path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if inside.is_file() {
            paths.push(inside);
        } else if is_yaml && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    let mut planned = Vec::new();
    for path in paths {
        if !is_experiment(&path)? {
            continue;
        }
        let experiment = read_experiment(&path)?.experiment;
        planned.push(Planned {
            experiment: experiment.name,
            environment: experiment.environment,
            labels: experiment.labels,
            digest: experiment.digest,
            wave: experiment.fault.as_ref().map(|fault| fault.wave),
        });
    }
    planned.sort_by(|left, right| {
        (&left.experiment, &left.environment).cmp(&(&right.experiment, &right.environment))
    });
    planned.dedup_by(|later, earlier| {
        later.experiment == earlier.experiment && later.environment == earlier.environment
    });
    Ok(planned)
}

/// Whether a document says that it is an experiment: policies and other YAML may stand beside it.
fn is_experiment(path: &Path) -> Result<bool, AppError> {
    let bytes = crate::app::document::read(
        path,
        "the experiment document",
        64 * 1024 * 1024,
        "give a folder of experiment documents",
    )?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().any(|line| line.trim_end().trim_end_matches(',') == "kind: Experiment")
        || text.contains("\"kind\""))
}
