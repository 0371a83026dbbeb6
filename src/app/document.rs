//! Opens what a command line names: documents, run records and the samples that belong to them.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::app::AppError;
use crate::app::pull::{Fetching, Origin, fetch_for_analysis};
use crate::run::RunRecord;
use crate::source::metrics::Recording;
use crate::spec::{Checked, CheckedPolicy, Experiment, Policy, Source};
use crate::store::PartialFetch;
use crate::verdict::result::Warning;

/// A run record larger than this is refused: a million iterations need less.
const RUN_RECORD_BYTES: u64 = 256 * 1024 * 1024;

/// A document larger than this is not even read to its end: the walker refuses anything over 1 MiB with advice.
const DOCUMENT_BYTES: u64 = 64 * 1024 * 1024;

/// One recording with its document and run record.
#[derive(Debug)]
pub(crate) struct Dossier {
    /// The path as it was given.
    pub(crate) given: PathBuf,
    pub(crate) checked: Checked,
    pub(crate) run: RunRecord,
    pub(crate) recording: Recording,
    /// Where the samples came from, if they were fetched.
    pub(crate) origin: Option<Origin>,
    /// What is to be said of the events that joined the run record.
    pub(crate) event_warnings: Vec<Warning>,
    /// Holds samples that were fetched for this analysis alone.
    _fetched: Option<PartialFetch>,
}

/// Where samples may be fetched to, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ground<'ground> {
    /// Directory in which scratch files may stand while the work lasts.
    pub(crate) place: &'ground Path,
    pub(crate) fetching: &'ground Fetching<'ground>,
}

impl Dossier {
    /// The directory to which paths inside the document are relative.
    pub(crate) fn directory(&self) -> PathBuf {
        if self.given.is_dir() {
            return self.given.clone();
        }
        self.given.parent().map_or_else(PathBuf::new, Path::to_owned)
    }

    /// Opens a recording directory, or an experiment document with the run record `run` (default: beside it).
    /// Samples that are on a server are fetched, if there is ground to fetch them to.
    pub(crate) fn open(
        given: &Path,
        run: Option<&Path>,
        ground: Option<Ground<'_>>,
    ) -> Result<Self, AppError> {
        let is_directory = given.is_dir();
        let document = if is_directory { given.join("experiment.yaml") } else { given.to_owned() };
        let beside = document.parent().map_or_else(PathBuf::new, Path::to_owned);
        let checked = read_experiment(&document)?;
        let record = run.map_or_else(|| beside.join("run.json"), Path::to_owned);
        let samples = match &checked.experiment.source {
            _ if is_directory => given.to_owned(),
            Source::Recording(None) => beside,
            Source::Recording(Some(path)) => beside.join(path),
            Source::Prometheus(server) => {
                let run = read_run(&record)?;
                let Some(ground) = ground else { return Err(pull_first(&document)) };
                let fetched =
                    fetch_for_analysis(&checked.experiment, server, &run, &document, ground)?;
                return Ok(Self {
                    given: given.to_owned(),
                    checked,
                    run,
                    recording: fetched.recording,
                    origin: Some(fetched.origin),
                    event_warnings: Vec::new(),
                    _fetched: Some(fetched.partial),
                });
            }
            Source::Scrape(_) => {
                return Err(AppError::Usage(
                    "the document's source is the embedded collector; record first and give the directory of the recording".to_owned(),
                ));
            }
        };
        let run = read_run(&record)?;
        let recording = Recording::open(&samples)?;
        let origin = Origin::of(&samples)?;
        Ok(Self {
            given: given.to_owned(),
            checked,
            run,
            recording,
            origin,
            event_warnings: Vec::new(),
            _fetched: None,
        })
    }
}

/// A document whose samples are on a server, where nothing is fetched.
fn pull_first(document: &Path) -> AppError {
    AppError::Usage(format!(
        "the source of {0} is a server; fetch its samples first: unfazed pull {0} --run run.json -o DIR, and give that directory",
        document.display()
    ))
}

/// Reads and checks an experiment document.
pub(crate) fn read_experiment(path: &Path) -> Result<Checked, AppError> {
    Ok(Experiment::check(&path.display().to_string(), &read_document(path)?)?)
}

/// Reads the bytes of an experiment document.
pub(crate) fn read_document(path: &Path) -> Result<Vec<u8>, AppError> {
    read(
        path,
        "the experiment document",
        DOCUMENT_BYTES,
        "give a recording directory with experiment.yaml, run.json and samples, or an experiment document",
    )
}

/// Reads and checks a policy document.
pub(crate) fn read_policy(path: &Path) -> Result<CheckedPolicy, AppError> {
    let bytes = read(
        path,
        "the policy document",
        DOCUMENT_BYTES,
        "give a policy document; `unfazed init` writes one to start from",
    )?;
    Ok(Policy::check(&path.display().to_string(), &bytes)?)
}

/// Reads and checks a run record.
pub(crate) fn read_run(path: &Path) -> Result<RunRecord, AppError> {
    let bytes = read(
        path,
        "the run record",
        RUN_RECORD_BYTES,
        "put run.json beside the document, or name it with --run",
    )?;
    RunRecord::read(&bytes).map_err(|problem| AppError::Run { path: path.to_owned(), problem })
}

/// Reads a file of at most `limit` bytes.
pub(crate) fn read(
    path: &Path,
    what: &'static str,
    limit: u64,
    hint: &'static str,
) -> Result<Vec<u8>, AppError> {
    let failed = |source| AppError::Read { what, path: path.to_owned(), source, hint };
    #[expect(
        clippy::disallowed_methods,
        reason = "commands read the files that their arguments name"
    )]
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    // One byte more than accepted shows that the file is too large, whatever its size is said to be.
    file.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        let large = format!("it is larger than {} MiB", limit / (1024 * 1024));
        return Err(failed(std::io::Error::other(large)));
    }
    Ok(bytes)
}
