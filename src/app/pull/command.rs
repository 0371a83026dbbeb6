//! The command, and the same fetch for `analyze`.

use std::path::{Path, PathBuf};

use crate::app::AppError;
use crate::app::document::{Ground, read, read_experiment, read_run};
use crate::app::pull::assembly::{assemble, warnings_of_server};
use crate::app::pull::fetch::{Fetching, fetch};
use crate::app::pull::origin::{self, Origin};
use crate::app::pull::plan::{FetchPlan, Question};
use crate::run::RunRecord;
use crate::source::metrics::Recording;
use crate::source::metrics::prometheus::Client;
use crate::spec::experiment::PrometheusServer;
use crate::spec::{Experiment, Source};
use crate::store::partial::STAGED;
use crate::store::{PartialFetch, Resumed, StoreError, WrittenSamples, write_whole};
use crate::unit::{Seed, Timestamp};
use crate::verdict::result::Warning;

/// Files of a recording that would be a second answer beside the one that is written.
const OTHER_SAMPLES: [&str; 2] = ["samples.csv", "samples"];

/// A document or a run record larger than this is not copied: it is not read either.
const COPIED_BYTES: u64 = 256 << 20;

/// What to pull, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullArguments {
    /// The experiment document.
    pub experiment: PathBuf,
    /// The run record.
    pub run: PathBuf,
    /// Directory of the recording.
    pub output: PathBuf,
}

/// What was pulled.
#[derive(Debug, Clone, PartialEq)]
pub struct Pulled {
    /// The recording.
    pub directory: PathBuf,
    /// What it holds.
    pub samples: WrittenSamples,
    /// What was odd.
    pub warnings: Vec<Warning>,
    /// Whether an earlier attempt was continued.
    pub resumed: Resumed,
}

/// Samples that were fetched for an analysis; they go when this is dropped.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) recording: Recording,
    pub(crate) origin: Origin,
    /// Holds the files of the recording.
    pub(crate) partial: PartialFetch,
}

/// Pulls the windows of a run into a recording.
///
/// # Errors
/// [`AppError`] says what could not be read, asked or written. The recording is then as it was before; what was fetched is
/// kept beside it, and the next attempt goes on from there.
pub fn run(arguments: &PullArguments, fetching: &Fetching<'_>) -> Result<Pulled, AppError> {
    let experiment = read_experiment(&arguments.experiment)?.experiment;
    let record = read_run(&arguments.run)?;
    let Source::Prometheus(server) = &experiment.source else {
        return Err(AppError::Usage(format!(
            "{} names no server to pull from; write spec.source.prometheus.url",
            arguments.experiment.display()
        )));
    };
    for other in OTHER_SAMPLES {
        let path = arguments.output.join(other);
        if path.exists() {
            return Err(AppError::Usage(format!(
                "{} is there already, and samples.parquet beside it would be a second answer to what was measured; give another directory",
                path.display()
            )));
        }
    }
    if let Some(above) = arguments.output.parent().filter(|above| !above.as_os_str().is_empty()) {
        make_directory(above)?;
    }
    let client = open(server, &arguments.experiment, fetching)?;
    let plan = FetchPlan::new(&experiment, server, &record, client.address());
    let (partial, resumed) = PartialFetch::open(&arguments.output, &plan.text)?;
    let (origin, samples) = stage(&client, &plan, &partial, fetching)?;
    let staged = partial.directory().join(STAGED);
    for (path, name) in [(&arguments.experiment, "experiment.yaml"), (&arguments.run, "run.json")] {
        let bytes =
            read(path, "the file to copy", COPIED_BYTES, "leave it in place while pulling")?;
        write_whole(&staged.join(name), &bytes)?;
    }
    write_whole(&staged.join(origin::FILE), origin.to_json().as_bytes())?;
    partial.publish(&arguments.output)?;
    Ok(Pulled { directory: arguments.output.clone(), samples, warnings: origin.warnings, resumed })
}

/// Fetches what an analysis needs into a scratch directory.
///
/// # Errors
/// As [`run`].
pub(crate) fn fetch_for_analysis(
    experiment: &Experiment,
    server: &PrometheusServer,
    record: &RunRecord,
    document: &Path,
    ground: Ground<'_>,
) -> Result<Fetched, AppError> {
    let client = open(server, document, ground.fetching)?;
    let plan = FetchPlan::new(experiment, server, record, client.address());
    let partial = PartialFetch::scratch(ground.place)?;
    let (origin, _) = stage(&client, &plan, &partial, ground.fetching)?;
    let recording = Recording::open(&partial.directory().join(STAGED))?;
    Ok(Fetched { recording, origin, partial })
}

fn open(
    server: &PrometheusServer,
    document: &Path,
    fetching: &Fetching<'_>,
) -> Result<Client, AppError> {
    let beside = document.parent().unwrap_or(Path::new("."));
    Ok(Client::open(server, beside, fetching.limits.clone(), Seed(0))?)
}

/// Fetches everything and writes the samples into the staging directory.
fn stage(
    client: &Client,
    plan: &FetchPlan,
    partial: &PartialFetch,
    fetching: &Fetching<'_>,
) -> Result<(Origin, WrittenSamples), AppError> {
    let begun = now();
    let staged = partial.staged()?;
    let assembled = fetch(client, plan, partial, fetching, begun, |arrivals| {
        assemble(plan, partial, &staged, arrivals)
    })?;
    let last = plan.units.iter().map(|unit| unit.stretch.last).max();
    let mut warnings = match last {
        Some(last) => warnings_of_server(&client.notes(), client.clock_skew(), last, begun),
        None => Vec::new(),
    };
    warnings.extend(assembled.warnings);
    Ok((Origin::new(way(client, plan), warnings), assembled.written))
}

/// How the numbers were fetched, in one sentence.
fn way(client: &Client, plan: &FetchPlan) -> String {
    let queries = plan.units.iter().any(|unit| matches!(unit.question, Question::Query { .. }));
    let also = if queries { ", and answers of range queries" } else { "" };
    format!("{}: {}{also}", client.address(), client.way(client.deadline()))
}

/// Our clock: whether a window was over when it was fetched.
fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the command takes the time")]
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_milliseconds(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn make_directory(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    #[expect(clippy::disallowed_methods, reason = "the command makes the place of its output")]
    std::fs::create_dir_all(path)
        .map_err(|error| StoreError::new("create the directory", path, error))
}
