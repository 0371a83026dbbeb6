//! `unfazed record`: the embedded collector alone, from an experiment document into a recording.
//!
//! Decides what is worth recording: what the summaries need, and what the preconditions ask for. Refuses to wait by
//! itself: whoever calls looks at the progress and says when it is enough.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::app::AppError;
use crate::app::document::read_experiment;
use crate::source::metrics::Recording;
use crate::source::metrics::collector::{
    Collected, Collector, CollectorSettings, Keep, Progress, Target,
};
use crate::spec::{Experiment, Selector, Source};
use crate::store::{self, CollectedSamples};
use crate::summary::{Need, needs};
use crate::unit::Span;
use crate::verdict::result::Warning;

/// How often the caller is asked whether to go on.
const LOOK: Span = Span::from_milliseconds(200);

/// A document larger than this is no experiment.
const DOCUMENT_BYTES: u64 = 64 << 20;

/// What `unfazed record EXPERIMENT --for DURATION -o DIR` was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordArguments {
    /// The experiment document, or a directory that holds an `experiment.yaml`.
    pub experiment: PathBuf,
    /// How long; without it until the caller says so.
    pub length: Option<Span>,
    /// The recording.
    pub output: PathBuf,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// Go on.
    GoOn,
    /// It is enough.
    Stop,
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The recording.
    pub directory: PathBuf,
    /// What the collector did.
    pub collected: Collected,
    /// What a reader must know.
    pub warnings: Vec<Warning>,
}

/// Records what an experiment needs, until its time is over or `watch` says so.
///
/// # Errors
/// [`AppError`] if the document or the directory does not fit, if samples cannot be kept, or if no scrape succeeded.
pub fn run(
    arguments: &RecordArguments,
    mut watch: impl FnMut(&Progress, Span) -> Watch,
) -> Result<Recorded, AppError> {
    let document = if arguments.experiment.is_dir() {
        arguments.experiment.join("experiment.yaml")
    } else {
        arguments.experiment.clone()
    };
    let experiment = read_experiment(&document)?.experiment;
    let settings = collector_settings(&experiment)?;
    prepare(&arguments.output, &document)?;
    let sink = CollectedSamples::open(&arguments.output)?;
    let every = settings.every;
    let collector = Collector::start(settings, Box::new(sink))?;
    let mut elapsed = Span::ZERO;
    while collector.wait(arguments.length.map_or(LOOK, |length| LOOK.min(left(length, elapsed)))) {
        elapsed = collector.elapsed();
        let is_over = arguments.length.is_some_and(|length| elapsed >= length);
        if is_over || watch(&collector.progress(), elapsed) == Watch::Stop {
            break;
        }
    }
    let collected = collector.stop()?;
    if collected.progress.scrapes() == collected.progress.failures() {
        let reason = collected.progress.targets.iter().find_map(|target| target.failing.clone());
        return Err(AppError::NothingRecorded {
            directory: arguments.output.clone(),
            reason: reason.map_or_else(
                || format!("no target was asked within {every}"),
                |failure| failure.to_string(),
            ),
        });
    }
    let mut warnings = failures(&collected.progress);
    warnings.extend(missing(&experiment, &arguments.output)?);
    Ok(Recorded { directory: arguments.output.clone(), collected, warnings })
}

/// What the collector has to know to record an experiment.
///
/// The label `job` is the one that the document's selectors ask for, so that a document written for a Prometheus server
/// means the same here; if they ask for none, or for different ones, it is the name of the experiment.
///
/// # Errors
/// [`AppError::Usage`] if the document has another source, or asks for what only a server can answer.
pub fn collector_settings(experiment: &Experiment) -> Result<CollectorSettings, AppError> {
    let Source::Scrape(scrape) = &experiment.source else {
        return Err(AppError::Usage(
            "the document's source is not the embedded collector; add `source: {scrape: {targets: [\"http://127.0.0.1:9101/metrics\"], every: 1s}}` to its spec".to_owned(),
        ));
    };
    let needed = needs(experiment);
    let job = job_of(&needed).unwrap_or_else(|| experiment.name.clone());
    let targets = scrape
        .targets
        .iter()
        .map(|url| Target::new(url, &job).map_err(|error| AppError::Usage(error.to_string())))
        .collect::<Result<Vec<Target>, AppError>>()?;
    let mut settings = CollectorSettings::new(targets, scrape.every);
    settings.keep = kept(experiment, &needed);
    Ok(settings)
}

/// What is recorded. The check of documents has refused queries that are more than a selector.
fn kept(experiment: &Experiment, needed: &BTreeSet<Need>) -> Keep {
    let (mut metrics, mut answers) = (BTreeSet::new(), Vec::new());
    for need in needed {
        match need {
            Need::Series { name, .. } | Need::Helpful { name, .. } => {
                metrics.insert(name.clone());
            }
            Need::Answer { expression } => answers.extend(Selector::parse(expression)),
        }
    }
    let asked = experiment.safety.preconditions.iter();
    metrics.extend(
        asked
            .filter_map(|condition| Selector::parse(&condition.query).ok())
            .map(|selector| selector.metric_name().to_owned()),
    );
    Keep::Needed { metrics, answers }
}

/// The one job that selectors ask for.
fn job_of(needed: &BTreeSet<Need>) -> Option<String> {
    let jobs: BTreeSet<String> = needed
        .iter()
        .filter_map(|need| match need {
            Need::Series { selector, .. } => Selector::parse(selector).ok(),
            Need::Answer { .. } | Need::Helpful { .. } => None,
        })
        .filter_map(|selector| selector.exact("job").map(str::to_owned))
        .collect();
    let mut jobs = jobs.into_iter();
    jobs.next().filter(|_| jobs.next().is_none())
}

/// Makes the recording's directory, which must hold no samples yet, and copies the document into it.
fn prepare(directory: &Path, document: &Path) -> Result<(), AppError> {
    for name in ["samples.parquet", "samples.csv", "samples"] {
        if directory.join(name).exists() {
            return Err(AppError::Usage(format!(
                "{} holds {name} already, and a recording is never replaced; give another directory with -o",
                directory.display()
            )));
        }
    }
    let copy = directory.join("experiment.yaml");
    let bytes = crate::app::document::read(
        document,
        "the experiment document",
        DOCUMENT_BYTES,
        "give an experiment document",
    )?;
    let text = String::from_utf8_lossy(&bytes);
    if copy.exists() {
        let there = crate::app::document::read(
            &copy,
            "the document of the recording",
            DOCUMENT_BYTES,
            "give another directory with -o",
        )?;
        if there == bytes {
            return Ok(());
        }
        return Err(AppError::Usage(format!(
            "{} holds another experiment.yaml; give another directory with -o",
            directory.display()
        )));
    }
    // A document that was read is text.
    Ok(store::write_text(&copy, &text)?)
}

fn left(length: Span, elapsed: Span) -> Span {
    Span::from_milliseconds((length.milliseconds() - elapsed.milliseconds()).max(1))
}

/// Scrapes that brought nothing, by target.
fn failures(progress: &Progress) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for target in &progress.targets {
        let failed: u64 = target.failures.values().sum();
        if failed > 0 {
            let kinds: Vec<String> =
                target.failures.iter().map(|(code, count)| format!("{count} × {code}")).collect();
            warnings.push(Warning {
                code: "failed_scrapes".to_owned(),
                message: format!(
                    "{}: {failed} of {} scrapes brought nothing ({}); they are gaps, and `up` is 0 there",
                    target.url,
                    target.scrapes,
                    kinds.join(", ")
                ),
            });
        }
        if target.missed > 0 {
            warnings.push(Warning {
                code: "missed_scrapes".to_owned(),
                message: format!(
                    "{}: {} scrapes were left out because the one before took too long; raise `every`",
                    target.url, target.missed
                ),
            });
        }
    }
    warnings
}

/// Metrics that the experiment needs and no target exposed: mostly a slip in a name.
fn missing(experiment: &Experiment, directory: &Path) -> Result<Vec<Warning>, AppError> {
    let recording = Recording::open(directory)?;
    let names: BTreeSet<String> = needs(experiment)
        .into_iter()
        .filter_map(|need| match need {
            Need::Series { name, .. } | Need::Answer { expression: name } => Some(name),
            Need::Helpful { .. } => None,
        })
        .filter(|name| recording.rows_of(name) == 0)
        .collect();
    Ok(names
        .into_iter()
        .map(|name| Warning {
            code: "not_exposed".to_owned(),
            message: format!(
                "no target exposed {name}, which the experiment needs; look at the /metrics page for its name"
            ),
        })
        .collect())
}
