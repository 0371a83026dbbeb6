//! `unfazed history`, and what `analyze --history` hands over to be remembered.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::app::AppError;
use crate::app::document::{Dossier, read};
use crate::history::{Circumstances, PostmortemState, Remembered, RunbookState, SessionKey};
use crate::report::postmortem_progress;
use crate::run::{Campaign, RunRecord};
use crate::store::history::{self, Verification};
use crate::store::{History, HistoryError, RunEntry};
use crate::verdict::result::AnalysisResult;

/// A runbook larger than this is not looked at: the longest that people write are some hundred kilobytes.
const RUNBOOK_BYTES: u64 = 16 * 1024 * 1024;

/// What a history keeps of analysed recordings: result, run records in time order, wave and runbook.
///
/// # Errors
/// [`AppError::Read`] if the runbook is there and cannot be read.
pub(crate) fn remembered(
    dossiers: &[Dossier],
    result: AnalysisResult,
    postmortem: Option<PostmortemState>,
) -> Result<Remembered, AppError> {
    let campaign = Campaign::join(dossiers.iter().map(|dossier| dossier.run.clone()).collect());
    // The document of the earliest session is the one that was judged.
    let judged = campaign.sessions.first().map(|session| &dossiers[session.given]);
    let runs: Vec<RunRecord> = campaign.sessions.into_iter().map(|session| session.run).collect();
    let circumstances = match judged {
        Some(dossier) => Circumstances {
            wave: dossier.checked.experiment.fault.as_ref().map(|fault| fault.wave),
            runbook: runbook(dossier)?,
            postmortem,
        },
        None => Circumstances { wave: None, runbook: None, postmortem },
    };
    Ok(Remembered { result, runs, circumstances })
}

/// How far a postmortem was filled in, beside one that nobody has touched.
pub(crate) fn postmortem_state(fresh: &str, found: &str) -> PostmortemState {
    let (sections, now) = (postmortem_progress(fresh).to_complete, postmortem_progress(found));
    PostmortemState {
        filled: sections.saturating_sub(now.to_complete),
        sections,
        open_actions: now.open_actions,
    }
}

/// The runbook that a document names, as it is now.
fn runbook(dossier: &Dossier) -> Result<Option<RunbookState>, AppError> {
    let Some(path) = dossier.checked.experiment.runbook.clone() else { return Ok(None) };
    let beside = if dossier.given.is_dir() {
        dossier.given.clone()
    } else {
        dossier.given.parent().map_or_else(PathBuf::new, Path::to_owned)
    };
    let file = beside.join(&path);
    let digest = if file.is_file() {
        let bytes = read(&file, "the runbook", RUNBOOK_BYTES, "check `runbook:` in the document")?;
        Some(history::digest(&bytes))
    } else {
        None
    };
    Ok(Some(RunbookState { path, digest }))
}

/// Which entries are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgements {
    /// Of each run the last.
    Last,
    /// Those that a later one of the same run replaced, too.
    Every,
}

/// The entries of a history, oldest first, of one experiment if it is named.
///
/// # Errors
/// [`AppError::History`] if there is no history or its index cannot be read.
pub fn list(
    directory: &Path,
    experiment: Option<&str>,
    judgements: Judgements,
) -> Result<Vec<RunEntry>, AppError> {
    let mut entries = History::existing(directory)?.runs()?;
    entries.retain(|entry| experiment.is_none_or(|name| entry.run.experiment == name));
    if judgements == Judgements::Last {
        let mut seen = BTreeSet::new();
        entries.reverse();
        entries.retain(|entry| {
            let run = &entry.run;
            // A run of a version that did not keep its sessions is itself its only one.
            let alone = SessionKey { run_id: run.run_id.clone(), started_at: run.started_at };
            let sessions = if run.sessions.is_empty() { vec![alone] } else { run.sessions.clone() };
            seen.insert((run.experiment.clone(), run.environment.clone(), sessions))
        });
        entries.reverse();
    }
    Ok(entries)
}

/// One run whole. `name` is a run id, the number of an entry, or the beginning of an object's digest; of several
/// judgements of one run the last.
///
/// # Errors
/// [`AppError::History`] if there is no such run or its object was damaged.
pub fn show(directory: &Path, name: &str) -> Result<Shown, AppError> {
    let history = History::existing(directory)?;
    let mut entries = history.runs()?;
    let digest = |entry: &RunEntry| {
        let digits = name.strip_prefix("sha256:").unwrap_or(name);
        digits.len() >= 8 && entry.object.trim_start_matches("sha256:").starts_with(digits)
    };
    let found = entries
        .iter()
        .rposition(|entry| entry.run.run_id == name)
        .or_else(|| entries.iter().position(|entry| entry.sequence.to_string() == name))
        .or_else(|| entries.iter().rposition(digest));
    let Some(at) = found else {
        return Err(HistoryError::NoSuchRun {
            directory: directory.to_owned(),
            name: name.to_owned(),
        }
        .into());
    };
    let entry = entries.swap_remove(at);
    let run = history.read(&entry)?;
    Ok(Shown { entry, run })
}

/// A run with its entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Its entry in the index.
    pub entry: RunEntry,
    /// Everything that is kept of it.
    pub run: Remembered,
}

/// Looks at everything that a history holds. `noted` is the hash of a head that was noted elsewhere.
///
/// # Errors
/// [`AppError::History`] if there is no history; damage is an answer.
pub fn verify(directory: &Path, noted: Option<&str>) -> Result<Verification, AppError> {
    Ok(History::existing(directory)?.verify(noted)?)
}
