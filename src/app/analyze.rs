//! `unfazed analyze`: the main job, from recordings to a result.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::app::AppError;
use crate::app::document::{Dossier, Ground};
use crate::app::events::join_events;
use crate::app::frames::{Digests, Needed, Shelf, needed_of_metric, needed_of_recovery};
use crate::app::history::{postmortem_state, remembered};
use crate::app::overwrite::keep_inputs;
use crate::app::postmortem;
use crate::app::pull::Fetching;
use crate::app::runbook;
use crate::frame::Wanted;
use crate::report::{self, EventLink, Style, Templates};
use crate::run::Campaign;
use crate::source::metrics::Recording;
use crate::spec::Experiment;
use crate::store::{self, Appended, History, TextFile};
use crate::summary::{self, MetricSummary, RecoverySummary, SummaryError};
use crate::verdict::result::{AnalysisResult, Warning};
use crate::verdict::{Evidence, judge};

/// What a recording directory holds.
const RECORDING_FILES: [&str; 6] = [
    "experiment.yaml",
    "run.json",
    "samples.parquet",
    "samples.csv",
    "samples-native.parquet",
    "events.jsonl",
];

/// Where results go if nobody says otherwise, one directory an experiment.
const DEFAULT_DIRECTORY: &str = "unfazed-out";

/// What to analyse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    /// Recording directories, or one experiment document.
    pub paths: Vec<PathBuf>,
    /// The run record of a document; default: `run.json` beside it.
    pub run: Option<PathBuf>,
    /// Structured logs whose lines join the timeline.
    pub events: Vec<PathBuf>,
    /// Seed of every random draw.
    pub seed: u64,
}

/// Where to write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outputs {
    /// Directory of `result.json` and `report.html`; default `unfazed-out/<name>`.
    pub directory: Option<PathBuf>,
    /// JUnit XML.
    pub junit: Option<PathBuf>,
    /// Markdown summary.
    pub markdown: Option<PathBuf>,
    /// Badge as SVG.
    pub badge: Option<PathBuf>,
    /// Directory of templates that replace the embedded ones.
    pub templates: Option<PathBuf>,
    /// Directory of the history that remembers the run.
    pub history: Option<PathBuf>,
    /// The runbook that `runbook.patch` changes; default: the one that the document names.
    pub runbook: Option<PathBuf>,
    /// Where traces and logs of an event are.
    pub link: EventLink,
}

/// What was concluded and written.
#[derive(Debug, Clone, PartialEq)]
pub struct Analyzed {
    /// The result.
    pub result: AnalysisResult,
    /// The terminal summary.
    pub summary: String,
    /// Files written, in order.
    pub written: Vec<PathBuf>,
    /// What became of the run in the history, if one was named.
    pub remembered: Option<Appended>,
    /// What to tell about the suggestions.
    pub notes: Vec<String>,
}

/// Analyses recordings and writes result, report and what else was asked for.
///
/// # Errors
/// [`AppError`] says what could not be read, understood or written. Nothing is written then.
pub fn run(inputs: &Inputs, outputs: &Outputs, style: Style) -> Result<Analyzed, AppError> {
    run_fetching(inputs, outputs, style, &Fetching::default())
}

/// As [`run`]; samples that are on a server are fetched as `fetching` says.
///
/// # Errors
/// As [`run`].
pub fn run_fetching(
    inputs: &Inputs,
    outputs: &Outputs,
    style: Style,
    fetching: &Fetching<'_>,
) -> Result<Analyzed, AppError> {
    let templates = match &outputs.templates {
        Some(folder) => Templates::with_overrides(folder)?,
        None => Templates::embedded()?,
    };
    // A folder that is no history is refused before the work.
    let history = outputs.history.as_deref().map(History::open).transpose()?;
    // Fetched samples stand where the results will, until these are written.
    let place = outputs.directory.as_deref().unwrap_or(Path::new(DEFAULT_DIRECTORY));
    let dossiers = open(inputs, Some(Ground { place, fetching }))?;
    let result = analyze_dossiers(&dossiers, inputs.seed)?;
    let directory = outputs
        .directory
        .clone()
        .unwrap_or_else(|| Path::new(DEFAULT_DIRECTORY).join(&result.experiment.name));
    // Everything is rendered before anything is written. The two large ones are rendered side by side.
    let file = |path: PathBuf, text: String| TextFile { path, text };
    let (json, html) = rayon::join(
        || report::to_json(&result),
        || report::render_html_linked(&result, &templates, &outputs.link),
    );
    let change = runbook::change(&result, dossiers.first(), outputs.runbook.as_deref())?;
    let postmortem = directory.join("postmortem.md");
    let merged = postmortem::beside(&result, &templates, &outputs.link, &postmortem)?;
    let mut notes = change.notes;
    let mut filled = None;
    let mut files = vec![
        file(directory.join("result.json"), json),
        file(directory.join("report.html"), html?),
        file(directory.join("runbook.patch"), change.diff),
    ];
    match merged {
        Some(merged) => {
            if history.is_some() {
                let fresh = report::postmortem(&result, &templates, &outputs.link)?;
                filled = Some(postmortem_state(&fresh, &merged.text));
            }
            notes.extend(merged.notes);
            files.push(file(postmortem, merged.text));
        }
        None => notes.push(format!(
            "{} is no text in UTF-8 and stays as it is; move it away to have one written",
            postmortem.display()
        )),
    }
    if let Some(path) = &outputs.junit {
        files.push(file(path.clone(), report::junit(&result)?));
    }
    if let Some(path) = &outputs.markdown {
        files.push(file(path.clone(), report::markdown(&result)?));
    }
    if let Some(path) = &outputs.badge {
        files.push(file(path.clone(), report::badge(&result)));
    }
    let summary = report::text(&result, style)?;
    let mut read = files_read(inputs);
    read.extend(change.read);
    keep_inputs(&read, &files.iter().map(|file| &file.path).collect::<Vec<_>>())?;
    store::write_texts(&files)?;
    let remembered = match &history {
        Some(history) => Some(history.append(&remembered(&dossiers, result.clone(), filled)?)?),
        None => None,
    };
    let written = files.into_iter().map(|file| file.path).collect();
    Ok(Analyzed { result, summary, written, remembered, notes })
}

/// The files that inputs consist of, as far as their names are known beforehand.
fn files_read(inputs: &Inputs) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = inputs.run.iter().chain(&inputs.events).cloned().collect();
    for path in &inputs.paths {
        let directory = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
        files.push(path.clone());
        files.extend(RECORDING_FILES.iter().map(|name| directory.join(name)));
    }
    files
}

/// Analyses recordings.
///
/// # Errors
/// [`AppError`] says what could not be read or understood.
pub fn analyze(inputs: &Inputs) -> Result<AnalysisResult, AppError> {
    analyze_dossiers(&open(inputs, None)?, inputs.seed)
}

/// Opens the recordings.
fn open(inputs: &Inputs, ground: Option<Ground<'_>>) -> Result<Vec<Dossier>, AppError> {
    if inputs.run.is_some() && inputs.paths.len() > 1 {
        return Err(AppError::Usage(
            "--run goes with one document; recordings bring their own run.json".to_owned(),
        ));
    }
    let opened = inputs.paths.iter().map(|path| Dossier::open(path, inputs.run.as_deref(), ground));
    let mut dossiers = opened.collect::<Result<Vec<Dossier>, AppError>>()?;
    join_events(&mut dossiers, &inputs.events)?;
    Ok(dossiers)
}

/// Analyses opened recordings as one campaign.
fn analyze_dossiers(dossiers: &[Dossier], seed: u64) -> Result<AnalysisResult, AppError> {
    let campaign = Campaign::join(dossiers.iter().map(|dossier| dossier.run.clone()).collect());
    let in_order: Vec<&Dossier> =
        campaign.sessions.iter().map(|session| &dossiers[session.given]).collect();
    let Some(first) = in_order.first() else {
        return Err(AppError::Usage(
            "no recording was given: name one or more directories".to_owned(),
        ));
    };
    // The document of the earliest session speaks: claims come before data.
    let experiment = &first.checked.experiment;
    for other in &in_order {
        let name = &other.checked.experiment.name;
        if *name != experiment.name {
            return Err(AppError::Usage(format!(
                "recordings of different experiments cannot be one campaign: {} is of '{}', {} of '{name}'; analyse them one at a time or with --batch",
                first.given.display(),
                experiment.name,
                other.given.display(),
            )));
        }
    }
    refuse_repeated(&in_order)?;
    let recordings: Vec<&Recording> = in_order.iter().map(|dossier| &dossier.recording).collect();
    let digests = Digests::default();
    let measured = measure(experiment, &campaign, &recordings, &digests)?;
    Ok(judge(&Evidence {
        experiment,
        campaign: &campaign,
        metrics: &measured.metrics,
        recovery: measured.recovery.as_ref(),
        seed,
        samples_digest: digests.finish(),
        warnings: warnings(&in_order),
        source: source(&in_order),
    }))
}

/// Refuses a run that was given twice: its kills would count twice.
fn refuse_repeated(dossiers: &[&Dossier]) -> Result<(), AppError> {
    for (at, later) in dossiers.iter().enumerate() {
        let repeats = |earlier: &&&Dossier| {
            earlier.run.run_id == later.run.run_id
                && earlier.run.iterations.iter().any(|iteration| {
                    later.run.iterations.iter().any(|other| other.baseline == iteration.baseline)
                })
        };
        if let Some(earlier) = dossiers[..at].iter().find(repeats) {
            return Err(AppError::Usage(format!(
                "{} and {} are recordings of the same run '{}', whose kills would count twice; give each run once",
                earlier.given.display(),
                later.given.display(),
                later.run.run_id,
            )));
        }
    }
    Ok(())
}

/// Warnings of documents and recordings.
fn warnings(dossiers: &[&Dossier]) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = Vec::new();
    let mut add = |code: &str, message: String| {
        let warning = Warning { code: code.to_owned(), message };
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    };
    if let Some(first) = dossiers.first() {
        for problem in &first.checked.warnings {
            add("document", format!("{}: {}", problem.path, problem.message));
        }
    }
    if let Some((first, later)) = dossiers.split_first() {
        for other in later {
            if other.checked.experiment.digest != first.checked.experiment.digest {
                add(
                    "experiment_changed",
                    format!(
                        "the document of run {} differs from the one of run {}, the earliest, whose claims are judged",
                        other.run.run_id, first.run.run_id
                    ),
                );
            }
        }
    }
    for dossier in dossiers {
        for warning in &dossier.event_warnings {
            add(&warning.code, warning.message.clone());
        }
        for odd in dossier.recording.warnings() {
            add(odd.code(), odd.to_string());
        }
        for odd in dossier.origin.iter().flat_map(|origin| &origin.warnings) {
            add(&odd.code, odd.message.clone());
        }
    }
    warnings
}

/// How samples were fetched, each way once.
fn source(dossiers: &[&Dossier]) -> Option<String> {
    let mut ways: Vec<&str> = Vec::new();
    for origin in dossiers.iter().filter_map(|dossier| dossier.origin.as_ref()) {
        if !ways.contains(&origin.way.as_str()) {
            ways.push(&origin.way);
        }
    }
    (!ways.is_empty()).then(|| ways.join("; "))
}

/// What was measured.
pub(crate) struct Measured {
    pub(crate) metrics: Vec<MetricSummary>,
    pub(crate) recovery: Option<RecoverySummary>,
}

/// Measures all metrics, a few in memory at a time, then the recovery, which stands on their baselines.
pub(crate) fn measure(
    experiment: &Experiment,
    campaign: &Campaign,
    recordings: &[&Recording],
    digests: &Digests,
) -> Result<Measured, AppError> {
    let needed: Vec<Vec<Needed>> = experiment.metrics.iter().map(needed_of_metric).collect();
    let metrics = over_groups(recordings, digests, &needed, |at, shelf| {
        summary::summarise(&experiment.metrics[at], campaign, experiment, shelf)
    })?;
    let needed = [needed_of_recovery(experiment)];
    let recovery = over_groups(recordings, digests, &needed, |_, shelf| {
        summary::recovery(experiment, campaign, &metrics, shelf)
    })?;
    Ok(Measured { metrics, recovery: recovery.into_iter().next().flatten() })
}

/// Works on groups of metrics, each with its frames of all sessions on a shelf; results in the order of the groups.
fn over_groups<T: Send>(
    recordings: &[&Recording],
    digests: &Digests,
    groups: &[Vec<Needed>],
    work: impl Fn(usize, &Shelf<'_>) -> Result<T, SummaryError> + Sync,
) -> Result<Vec<T>, AppError> {
    let groups: Vec<Vec<Wanted<'_>>> =
        groups.iter().map(|group| group.iter().map(Needed::wanted).collect()).collect();
    let made: Vec<Result<T, AppError>> = if let [only] = recordings {
        only.map(&groups, |at, frames| {
            let mut shelf = Shelf::new(recordings, digests);
            for frame in frames {
                shelf.put(1, Arc::clone(frame));
            }
            work(at, &shelf).map_err(AppError::from)
        })?
    } else {
        groups
            .par_iter()
            .enumerate()
            .map(|(at, group)| {
                let mut shelf = Shelf::new(recordings, digests);
                for (session, recording) in (1_u32..).zip(recordings) {
                    for frame in recording.frames(group)? {
                        shelf.put(session, Arc::new(frame));
                    }
                }
                Ok(work(at, &shelf)?)
            })
            .collect()
    };
    made.into_iter().collect()
}
