//! `unfazed import` of chaos tools, and `unfazed init --from`: files in, a run record or a draft out.
//!
//! Owns the files: which a directory holds, how many bytes are read, and that the output appears whole or not at
//! all. Refuses to know formats; `source/chaos` does. A file that was named must fit; a file that merely lies in a
//! directory that was named is left out with a warning if it does not.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::run::{Outcome, RunRecord};
use crate::source::chaos::document::GREATEST_BYTES;
use crate::source::chaos::{
    ImportError, ImportOptions, Imported, Importer, InputFile, WindowPlan, Zone, draft, import,
    recognise, takes,
};
use crate::source::events::EventLogError;
use crate::source::metrics::load::{FORMATS, LoadError};
use crate::store::{StoreError, write_text};
use crate::verdict::result::Warning;

/// Deepest directory below one that was named.
const DEEPEST: usize = 8;

/// Most files that a directory may hold; beyond this somebody named the wrong one.
const MOST_FILES: usize = 10_000;

/// Most files of a directory whose refusal is told one by one.
const MOST_REFUSALS: usize = 5;

/// What `unfazed import FORMAT FILE… -o run.json` was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportArguments {
    /// The format's word.
    pub format: String,
    /// Files and directories.
    pub inputs: Vec<PathBuf>,
    /// `--windows`, as given.
    pub windows: Option<String>,
    /// `--zone`, as given.
    pub zone: Option<String>,
    /// Where the record goes; without it, it is only returned.
    pub output: Option<PathBuf>,
}

/// What `unfazed init --from FILE…` was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftArguments {
    /// Files of a chaos tool, directories, or one imported `run.json`.
    pub inputs: Vec<PathBuf>,
    /// The format's word; without it the first file decides.
    pub format: Option<String>,
    /// Where the document goes; an existing file is never replaced, since a person has edited it.
    pub output: PathBuf,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// The record, or the document.
    pub text: String,
    /// The file that it was written to, if one was asked for.
    pub written: Option<PathBuf>,
    /// Name of the experiment.
    pub experiment: String,
    /// Iterations in the record.
    pub iterations: usize,
    /// How many of them carried their fault out.
    pub killed: usize,
    /// What a reader must know.
    pub warnings: Vec<Warning>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ImportFailure {
    /// The arguments or the documents are at fault (exit code 2).
    #[error(transparent)]
    Invalid(#[from] ImportError),
    /// A file could not be read (exit code 4).
    #[error("failed to read {}: {source}; give files that another chaos tool wrote, or a directory of them", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The draft would replace a document (exit code 2).
    #[error("{} is there already and a draft never replaces it; give another directory, or another file with -o", .path.display())]
    Exists {
        /// The document.
        path: PathBuf,
    },
    /// The record would replace one of the files that it is made from (exit code 2).
    #[error("writing {} would replace an input; give another path", .path.display())]
    Replaces {
        /// The file.
        path: PathBuf,
    },
    /// Samples did not come out of a file (exit code 2, or 4 if it could not be read).
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A log holds no event (exit code 2).
    #[error(transparent)]
    Events(Box<EventLogError>),
    /// The output could not be written (exit code 4).
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ImportFailure {
    /// A stable word for the kind of failure, used where errors are written as data.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Load(error) if !error.is_invalid_input() => "unreadable_file",
            Self::Invalid(_) | Self::Load(_) | Self::Events(_) => "invalid_import",
            Self::Read { .. } => "unreadable_file",
            Self::Exists { .. } | Self::Replaces { .. } => "usage",
            Self::Store(_) => "unwritable_file",
        }
    }

    /// Whether the input was at fault (exit code 2) rather than a file (exit code 4).
    pub const fn is_invalid_input(&self) -> bool {
        match self {
            Self::Load(error) => error.is_invalid_input(),
            Self::Invalid(_) | Self::Events(_) | Self::Exists { .. } | Self::Replaces { .. } => {
                true
            }
            Self::Read { .. } | Self::Store(_) => false,
        }
    }
}

/// Imports files as one run record.
///
/// # Errors
/// [`ImportFailure`]; nothing is written then.
pub fn run(arguments: &ImportArguments) -> Result<ImportReport, ImportFailure> {
    let importer = Importer::named(&arguments.format).map_err(also_samples)?;
    let options = ImportOptions {
        windows: arguments
            .windows
            .as_deref()
            .map_or_else(|| Ok(WindowPlan::default()), WindowPlan::parse)?,
        zone: arguments.zone.as_deref().map(Zone::parse).transpose()?,
    };
    let mut warnings = Vec::new();
    if let Some(output) = &arguments.output {
        keep_inputs(&arguments.inputs, output)?;
    }
    let files = files_of(&arguments.inputs, importer, &mut warnings)?;
    let Imported { record, warnings: found, .. } = import(importer, &files, &options)?;
    warnings.extend(found);
    let text = record.to_json();
    if let Some(output) = &arguments.output {
        write_text(output, &text)?;
    }
    Ok(report(text, arguments.output.clone(), &record, warnings))
}

/// Writes an experiment document that fits a run of another tool.
///
/// # Errors
/// [`ImportFailure`]; nothing is written then.
pub fn run_draft(arguments: &DraftArguments) -> Result<ImportReport, ImportFailure> {
    if arguments.output.symlink_metadata().is_ok() {
        return Err(ImportFailure::Exists { path: arguments.output.clone() });
    }
    let mut warnings = Vec::new();
    let record = if let Some(record) = imported_before(&arguments.inputs)? {
        record
    } else {
        let importer = match &arguments.format {
            Some(name) => Importer::named(name)?,
            None => recognise_any(&arguments.inputs)?,
        };
        let files = files_of(&arguments.inputs, importer, &mut warnings)?;
        let imported = import(importer, &files, &ImportOptions::default())?;
        warnings.extend(imported.warnings);
        imported.record
    };
    let text = draft::of_record(&record);
    write_text(&arguments.output, &text)?;
    Ok(report(text, Some(arguments.output.clone()), &record, warnings))
}

/// Names the formats of samples too where a format is unknown.
fn also_samples(error: ImportError) -> ImportError {
    match error {
        ImportError::UnknownFormat { given, known, hint } => {
            let samples: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
            let known = format!("{known} for run records, and {} for samples", samples.join(", "));
            ImportError::UnknownFormat { given, known, hint }
        }
        other => other,
    }
}

/// Refuses an output that is one of the files named: a slip of the hand must not cost a result.
fn keep_inputs(inputs: &[PathBuf], output: &Path) -> Result<(), ImportFailure> {
    let Ok(place) = output.canonicalize() else { return Ok(()) };
    let is_input =
        |input: &PathBuf| input.canonicalize().is_ok_and(|input| input == place && input.is_file());
    if inputs.iter().any(is_input) {
        return Err(ImportFailure::Replaces { path: output.to_owned() });
    }
    Ok(())
}

fn report(
    text: String,
    written: Option<PathBuf>,
    record: &RunRecord,
    warnings: Vec<Warning>,
) -> ImportReport {
    let killed = record.iterations.iter().filter(|iteration| {
        iteration.fault.as_ref().is_some_and(|fault| fault.outcome == Outcome::Killed)
    });
    ImportReport {
        text,
        written,
        experiment: record.experiment.clone(),
        iterations: record.iterations.len(),
        killed: killed.count(),
        warnings,
    }
}

/// The record, if the one input is a `run.json` of ours.
fn imported_before(inputs: &[PathBuf]) -> Result<Option<RunRecord>, ImportFailure> {
    let [path] = inputs else { return Ok(None) };
    if path.is_dir() {
        return Ok(None);
    }
    let file = read(path)?;
    let text = String::from_utf8_lossy(&file.bytes);
    if !text.contains("unfazed.run/") {
        return Ok(None);
    }
    Ok(Some(RunRecord::parse(&text).map_err(ImportError::from)?))
}

/// The importer of the first file that any importer knows.
fn recognise_any(inputs: &[PathBuf]) -> Result<&'static Importer, ImportFailure> {
    let mut first_error = ImportError::NoFile;
    for path in listed(inputs)?.into_iter().map(|listed| listed.path) {
        match recognise(&read(&path)?) {
            Ok(importer) => return Ok(importer),
            Err(error) if first_error == ImportError::NoFile => first_error = error,
            Err(_) => {}
        }
    }
    Err(first_error.into())
}

/// A path, and whether somebody named it.
pub(crate) struct Listed {
    /// The file.
    pub(crate) path: PathBuf,
    naming: Naming,
}

/// How a file came to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    /// It was given.
    Named,
    /// It lies in a directory that was given.
    Found,
}

/// The files to import. Those that merely lie in a directory and do not fit are left out.
fn files_of(
    inputs: &[PathBuf],
    importer: &Importer,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<InputFile>, ImportFailure> {
    let mut files = Vec::new();
    let mut refusals: Vec<String> = Vec::new();
    for listed in listed(inputs)? {
        let file = read(&listed.path)?;
        match (listed.naming, takes(importer, &file)) {
            (Naming::Named, _) | (Naming::Found, Ok(())) => files.push(file),
            (Naming::Found, Err(error)) => refusals.push(error.to_string()),
        }
    }
    if files.is_empty() && !refusals.is_empty() {
        let more = refusals.len().saturating_sub(MOST_REFUSALS);
        refusals.truncate(MOST_REFUSALS);
        if more > 0 {
            refusals.push(format!("… and {more} more files"));
        }
        return Err(ImportError::NothingStarted { reasons: refusals }.into());
    }
    let more = refusals.len().saturating_sub(MOST_REFUSALS);
    let mut skipped = |message: String| {
        warnings.push(Warning { code: "file_skipped".to_owned(), message });
    };
    for refusal in refusals.into_iter().take(MOST_REFUSALS) {
        skipped(format!("{refusal}; left out"));
    }
    if more > 0 {
        skipped(format!("… and {more} more files; left out"));
    }
    Ok(files)
}

/// The files named and those below the directories named, each directory in the order of names.
pub(crate) fn listed(inputs: &[PathBuf]) -> Result<Vec<Listed>, ImportFailure> {
    let mut all = Vec::new();
    for input in inputs {
        if input.is_dir() {
            walk(input, 0, &mut all)?;
        } else {
            all.push(Listed { path: input.clone(), naming: Naming::Named });
        }
    }
    Ok(all)
}

fn walk(directory: &Path, depth: usize, all: &mut Vec<Listed>) -> Result<(), ImportFailure> {
    let failed = |source| ImportFailure::Read { path: directory.to_owned(), source };
    #[expect(clippy::disallowed_methods, reason = "commands read what their arguments name")]
    let entries = std::fs::read_dir(directory).map_err(failed)?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    paths.sort();
    for path in paths {
        let is_hidden =
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if is_hidden || path.is_symlink() {
            continue;
        }
        if path.is_dir() && depth < DEEPEST {
            walk(&path, depth + 1, all)?;
        } else if path.is_file() {
            all.push(Listed { path, naming: Naming::Found });
        }
        if all.len() > MOST_FILES {
            let problem =
                format!("it holds more than {MOST_FILES} files; give a directory of results only");
            return Err(
                ImportError::Unreadable { file: directory.display().to_string(), problem }.into()
            );
        }
    }
    Ok(())
}

/// Reads a file; of one that is too large only as much as shows that it is.
fn read(path: &Path) -> Result<InputFile, ImportFailure> {
    let failed = |source| ImportFailure::Read { path: path.to_owned(), source };
    #[expect(clippy::disallowed_methods, reason = "commands read what their arguments name")]
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(GREATEST_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(InputFile { name: path.display().to_string(), bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases(path: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/import").join(path)
    }

    fn arguments(format: &str, inputs: Vec<PathBuf>, output: PathBuf) -> ImportArguments {
        ImportArguments {
            format: format.to_owned(),
            inputs,
            windows: None,
            zone: None,
            output: Some(output),
        }
    }

    #[test]
    fn a_directory_becomes_one_record_and_strangers_in_it_are_left_out() {
        let directory = tempfile::tempdir().unwrap();
        let output = directory.path().join("new/run.json");
        let report = run(&arguments("krkn", vec![cases("krkn")], output.clone())).unwrap();
        assert!(report.iterations >= 2, "{report:?}");
        assert!(report.warnings.iter().any(|warning| warning.code == "file_skipped"));
        let record = RunRecord::parse(&std::fs::read_to_string(&output).unwrap()).unwrap();
        assert_eq!(record.iterations.len(), report.iterations);
        assert_eq!(std::fs::read_dir(output.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_without_a_fitting_file_says_so_for_its_files() {
        let directory = tempfile::tempdir().unwrap();
        for number in 0..8 {
            std::fs::write(directory.path().join(format!("{number}.txt")), "a remark").unwrap();
        }
        let inputs = vec![directory.path().to_owned()];
        let output = directory.path().join("run.json");
        let refused = run(&arguments("litmus", inputs, output)).unwrap_err().to_string();
        assert!(refused.starts_with("nothing to import:"), "{refused}");
        assert!(refused.contains("4.txt") && !refused.contains("5.txt"), "{refused}");
        assert!(refused.contains("and 3 more files"), "{refused}");
    }

    #[test]
    fn a_named_file_must_fit_and_a_missing_one_is_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let output = directory.path().join("run.json");
        let stranger = vec![cases("events/kills.csv")];
        let refused = run(&arguments("krkn", stranger, output.clone())).unwrap_err();
        assert!(refused.is_invalid_input(), "{refused}");
        let missing = vec![directory.path().join("nowhere.json")];
        let unread = run(&arguments("krkn", missing, output.clone())).unwrap_err();
        assert!(!unread.is_invalid_input(), "{unread}");
        assert!(!output.exists());
    }

    #[test]
    fn a_draft_comes_from_a_journal_or_from_its_record_alike() {
        let directory = tempfile::tempdir().unwrap();
        let record = directory.path().join("run.json");
        let journal = cases("chaostoolkit/deviated.json");
        run(&arguments("chaostoolkit", vec![journal.clone()], record.clone())).unwrap();
        let mut drafts = Vec::new();
        for input in [journal, record.clone()] {
            let output = directory.path().join(format!("{}/experiment.yaml", drafts.len()));
            run_draft(&DraftArguments {
                inputs: vec![input],
                format: None,
                output: output.clone(),
            })
            .unwrap();
            drafts.push(std::fs::read_to_string(output).unwrap());
        }
        assert_eq!(drafts[0], drafts[1]);
        let refused = run_draft(&DraftArguments {
            inputs: vec![record],
            format: None,
            output: directory.path().join("0/experiment.yaml"),
        })
        .unwrap_err();
        assert!(refused.to_string().contains("never replaces it"), "{refused}");
        assert!(drafts[0].contains("Checkout answers"), "{}", drafts[0]);
    }
}
