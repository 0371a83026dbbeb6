//! `unfazed runbook`: what to change, from a result: as text, as a patch to a runbook, as automation.

use std::path::{Component, Path, PathBuf};

use crate::app::AppError;
use crate::app::document::{Dossier, read};
use crate::app::overwrite::keep_inputs;
use crate::app::render::read_result;
use crate::report;
use crate::runbook::export::Book;
use crate::runbook::{
    Case, Export, Kept, Patched, RunbookFile, RunbookText, Suggestion, patch, suggest, text,
};
use crate::store::{self, TextFile};
use crate::verdict::result::AnalysisResult;

/// A runbook larger than this is refused: a thousand pages of text need less.
const RUNBOOK_BYTES: u64 = 16 * 1024 * 1024;

/// In which form suggestions are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Text for people; with a runbook a patch to it.
    Text,
    /// The suggestions as JSON.
    Json,
    /// Automation.
    Automation(Export),
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// A result that `analyze` wrote.
    pub result: PathBuf,
    /// The runbook to patch.
    pub runbook: Option<PathBuf>,
    /// In which form.
    pub form: Form,
    /// File, or for several files directory, to write to; none is standard output.
    pub output: Option<PathBuf>,
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggested {
    /// For standard output; empty if files were written.
    pub text: String,
    /// What to tell the person.
    pub notes: Vec<String>,
    /// Files written.
    pub written: Vec<PathBuf>,
}

/// Makes suggestions from a result.
///
/// # Errors
/// [`AppError`] says what could not be read, understood or written.
pub fn run(request: &Request) -> Result<Suggested, AppError> {
    let result = read_result(&request.result)?;
    let shown = report::shown(&result)?;
    let book = request.runbook.as_deref().map(read_runbook).transpose()?;
    let runbook = match &book {
        None => RunbookText::NotRead,
        Some(None) => RunbookText::Missing,
        Some(Some(text)) => RunbookText::Text(text),
    };
    let suggestions = suggest(&Case { result: &shown, runbook });
    let mut notes = Vec::new();
    let files = match (request.form, &request.runbook) {
        (Form::Automation(export), _) => {
            let book = Book { experiment: &shown.experiment.name, suggestions: &suggestions };
            let files = export.files(&book);
            if files.is_empty() {
                notes.push("no suggestions: there is nothing to export".to_owned());
            }
            return write_export(request, files, notes);
        }
        (Form::Json, _) => json(&suggestions),
        (Form::Text, None) => text::listed(&suggestions),
        (Form::Text, Some(path)) => {
            let patched = patched(&shown, &suggestions, &named(path), book.flatten().as_deref());
            notes.extend(told(&patched));
            patched.diff
        }
    };
    write(request, files, notes)
}

/// Reads a runbook; none if it is not there.
///
/// # Errors
/// [`AppError`] if it is there and cannot be read as text.
pub(crate) fn read_runbook(path: &Path) -> Result<Option<String>, AppError> {
    if !path.exists() {
        return Ok(None);
    }
    let bytes = read(
        path,
        "the runbook",
        RUNBOOK_BYTES,
        "give a runbook in Markdown, or a path at which the patch shall make one",
    )?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(error) => Err(AppError::Usage(format!(
            "the runbook {} is no text: byte {} is no UTF-8; accepted is Markdown in UTF-8",
            path.display(),
            error.utf8_error().valid_up_to()
        ))),
    }
}

/// A runbook with the suggestions of a result in it.
pub(crate) fn patched(
    shown: &AnalysisResult,
    suggestions: &[Suggestion],
    path: &str,
    text: Option<&str>,
) -> Patched {
    let file = RunbookFile {
        path,
        text,
        experiment: &shown.experiment.name,
        owner: &shown.experiment.owner,
    };
    patch(&file, suggestions)
}

/// What to tell about a patch.
pub(crate) fn told(patched: &Patched) -> Vec<String> {
    let mut notes: Vec<String> = patched.kept.iter().map(Kept::told).collect();
    if patched.diff.is_empty() {
        notes.push("the runbook needs no change".to_owned());
    }
    notes
}

/// The path of a runbook as a patch names it: as given if it leads downwards from here; else from the root of the
/// repository that holds it; else its name alone.
pub(crate) fn named(path: &Path) -> String {
    let slashes = |path: &Path| {
        let parts: Vec<String> = path
            .components()
            .filter_map(|part| match part {
                Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
                Component::CurDir
                | Component::ParentDir
                | Component::RootDir
                | Component::Prefix(_) => None,
            })
            .collect();
        parts.join("/")
    };
    let downwards =
        path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if downwards {
        return slashes(path);
    }
    let absolute = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let root = absolute.ancestors().skip(1).find(|above| above.join(".git").exists());
    match root.and_then(|root| absolute.strip_prefix(root).ok()) {
        Some(below) => slashes(below),
        None => absolute.file_name().map_or_else(String::new, |name| name.to_string_lossy().into()),
    }
}

/// The change that an analysis suggests to a runbook.
pub(crate) struct Change {
    /// `runbook.patch`; empty without a change.
    pub(crate) diff: String,
    /// What to tell the person.
    pub(crate) notes: Vec<String>,
    /// The runbook that was read.
    pub(crate) read: Option<PathBuf>,
}

/// The change to the runbook that was given, or that the document names.
///
/// # Errors
/// [`AppError`] if a runbook that was given cannot be read; one that only the document names is noted instead.
pub(crate) fn change(
    result: &AnalysisResult,
    dossier: Option<&Dossier>,
    given: Option<&Path>,
) -> Result<Change, AppError> {
    let shown = report::shown(result)?;
    let quiet = |notes: Vec<String>| Change { diff: String::new(), notes, read: None };
    // The result itself is asked: what is shown may be clipped.
    let stated = result.experiment.runbook.as_deref().map(Path::new);
    let beside = dossier.map(Dossier::directory).unwrap_or_default();
    let (path, name) = match (given, stated) {
        (Some(given), _) => (given.to_owned(), named(given)),
        (None, Some(stated)) => {
            let path = beside.join(stated);
            let downwards = stated.components().all(|part| matches!(part, Component::Normal(_)));
            let name = named(if downwards { stated } else { &path });
            (path, name)
        }
        (None, None) => {
            let count = suggest(&Case { result: &shown, runbook: RunbookText::NotRead }).len();
            let note = format!(
                "{count} suggested; the document names no runbook: see report.html, or give --runbook FILE"
            );
            return Ok(quiet(if count == 0 { Vec::new() } else { vec![note] }));
        }
    };
    let text = match (read_runbook(&path), given) {
        (Ok(text), _) => text,
        (Err(error), Some(_)) => return Err(error),
        (Err(error), None) => return Ok(quiet(vec![format!("no runbook.patch: {error}")])),
    };
    let runbook = text.as_deref().map_or(RunbookText::Missing, RunbookText::Text);
    let suggestions = suggest(&Case { result: &shown, runbook });
    let patched = patched(&shown, &suggestions, &name, text.as_deref());
    let mut notes: Vec<String> = patched.kept.iter().map(Kept::told).collect();
    if !patched.diff.is_empty() {
        notes.push(format!(
            "suggested: {} to {name} in runbook.patch",
            match patched.added.len() + patched.updated.len() {
                1 => "1 change".to_owned(),
                count => format!("{count} changes"),
            }
        ));
    }
    Ok(Change { diff: patched.diff, notes, read: Some(path) })
}

/// Suggestions as indented JSON.
fn json(suggestions: &[Suggestion]) -> String {
    let mut text = serde_json::to_string_pretty(suggestions)
        .expect("suggestions have string keys only and their types never refuse to serialise");
    text.push('\n');
    text
}

/// Writes one text to the file asked for, or hands it on for standard output.
fn write(request: &Request, text: String, notes: Vec<String>) -> Result<Suggested, AppError> {
    let Some(output) = &request.output else {
        return Ok(Suggested { text, notes, written: Vec::new() });
    };
    write_files(request, vec![TextFile { path: output.clone(), text }], notes)
}

/// Writes an export: a single file as asked for, several below the directory asked for.
fn write_export(
    request: &Request,
    files: Vec<crate::runbook::export::ExportFile>,
    mut notes: Vec<String>,
) -> Result<Suggested, AppError> {
    let Some(output) = &request.output else {
        let others: Vec<&str> = files.iter().skip(1).map(|file| file.path.as_str()).collect();
        if !others.is_empty() {
            notes.push(format!("left out here: {}; -o DIR writes all files", others.join(", ")));
        }
        let text = files.into_iter().next().map_or_else(String::new, |file| file.text);
        return Ok(Suggested { text, notes, written: Vec::new() });
    };
    let single = files.len() == 1;
    let files = files
        .into_iter()
        .map(|file| TextFile {
            path: if single { output.clone() } else { output.join(&file.path) },
            text: file.text,
        })
        .collect();
    write_files(request, files, notes)
}

fn write_files(
    request: &Request,
    files: Vec<TextFile>,
    notes: Vec<String>,
) -> Result<Suggested, AppError> {
    let inputs: Vec<PathBuf> =
        std::iter::once(request.result.clone()).chain(request.runbook.clone()).collect();
    keep_inputs(&inputs, &files.iter().map(|file| &file.path).collect::<Vec<_>>())?;
    store::write_texts(&files)?;
    Ok(Suggested {
        text: String::new(),
        notes,
        written: files.into_iter().map(|file| file.path).collect(),
    })
}
