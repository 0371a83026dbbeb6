//! Looks at everything that a history holds, and names what is not as it was written.
//!
//! The chain shows every change of a line, every line taken out of the middle and every swap; the head shows lines cut
//! off at the end; digests show changed and missing objects. Whoever rewrites a line, all lines after it and the head
//! is found only by comparing the hash of the head with one that was noted elsewhere.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use crate::history::RunSummary;

use super::error::HistoryError;
use super::folder::{History, read_text};
use super::index::{self, Head, LineFlaw, RunEntry};
use super::object::{self, Flaw};

/// What was looked at, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// Whether everything is as it was written.
    pub intact: bool,
    /// Entries of the index.
    pub runs: u64,
    /// Hash of the last entry: noted elsewhere, it shows later that nothing before it was changed.
    pub head: Option<String>,
    /// What is not as it was written.
    pub problems: Vec<HistoryProblem>,
    /// What is worth knowing and no damage.
    pub notes: Vec<HistoryNote>,
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryProblem {
    /// What kind of damage.
    pub code: ProblemCode,
    /// Position in the index, from 1.
    pub sequence: Option<u64>,
    /// The run, as far as its entry can be read.
    pub run_id: Option<String>,
    /// In words.
    pub message: String,
}

/// Something worth knowing that is no damage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryNote {
    /// `unfinished_line`, `unlisted_object`, `head_behind`.
    pub code: &'static str,
    /// In words.
    pub message: String,
}

/// Kinds of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// A line was changed.
    EditedEntry,
    /// A line was taken out, put in or moved.
    BrokenChain,
    /// Lines were cut off at the end.
    Cut,
    /// The head is not of this index.
    EditedHead,
    /// The hash that was noted elsewhere does not occur.
    UnknownHead,
    /// An object is not there.
    MissingObject,
    /// An object was changed.
    EditedObject,
    /// An object cannot be read.
    UnreadableObject,
    /// The entry tells another story than its object.
    ContradictedEntry,
}

impl ProblemCode {
    /// The word of outputs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::EditedEntry => "edited_entry",
            Self::BrokenChain => "broken_chain",
            Self::Cut => "cut",
            Self::EditedHead => "edited_head",
            Self::UnknownHead => "unknown_head",
            Self::MissingObject => "missing_object",
            Self::EditedObject => "edited_object",
            Self::UnreadableObject => "unreadable_object",
            Self::ContradictedEntry => "contradicted_entry",
        }
    }
}

/// What has been found so far.
#[derive(Default)]
struct Findings {
    problems: Vec<HistoryProblem>,
    notes: Vec<HistoryNote>,
}

impl Findings {
    fn add(&mut self, code: ProblemCode, place: Place<'_>, message: String) {
        self.problems.push(HistoryProblem {
            code,
            sequence: place.sequence,
            run_id: place.run_id.map(str::to_owned),
            message,
        });
    }
}

/// Where something was found.
#[derive(Clone, Copy)]
struct Place<'entry> {
    sequence: Option<u64>,
    run_id: Option<&'entry str>,
}

impl<'entry> Place<'entry> {
    const NOWHERE: Self = Self { sequence: None, run_id: None };

    fn of(sequence: u64, entry: Option<&'entry RunEntry>) -> Self {
        Self { sequence: Some(sequence), run_id: entry.map(|entry| entry.run.run_id.as_str()) }
    }
}

impl History {
    /// Looks at everything. `noted` is the hash of a head that was noted elsewhere.
    ///
    /// # Errors
    /// [`HistoryError`] if the folder itself cannot be read; damage is an answer, not an error.
    pub fn verify(&self, noted: Option<&str>) -> Result<Verification, HistoryError> {
        let text = read_text(&self.index_path())?.unwrap_or_default();
        let lines = index::lines(&text);
        let mut found = Findings::default();
        let chain = chain(&lines.whole, &mut found);
        if !lines.torn.is_empty() {
            found.notes.push(HistoryNote {
                code: "unfinished_line",
                message: format!(
                    "the last line breaks off after {} bytes: its writer was stopped; the next run that is added takes it away",
                    lines.torn.len()
                ),
            });
        }
        self.end(&chain, text.len() - lines.torn.len(), &mut found);
        if let Some(noted) = noted
            && !chain.hashes.iter().any(|hash| hash.as_deref() == Some(noted))
        {
            let message = format!(
                "no entry has the hash {noted}: what came before it was changed, cut off, or belongs to another history"
            );
            found.add(ProblemCode::UnknownHead, Place::NOWHERE, message);
        }
        let listed = self.contents(&chain, &mut found);
        self.unlisted(&listed, &mut found)?;
        Ok(Verification {
            intact: found.problems.is_empty(),
            runs: lines.whole.len() as u64,
            head: chain.hashes.last().cloned().flatten(),
            problems: found.problems,
            notes: found.notes,
        })
    }

    /// Compares the end of the chain with the head.
    fn end(&self, chain: &Chain, bytes: usize, found: &mut Findings) {
        let head = match self.read_head() {
            Ok(head) => head,
            Err(error) => {
                return found.add(ProblemCode::EditedHead, Place::NOWHERE, error.to_string());
            }
        };
        let count = chain.hashes.len() as u64;
        if head.count > count {
            let message = format!(
                "the index has {count} runs and head.json counts {}: {} cut off at the end",
                head.count,
                lost(head.count - count)
            );
            return found.add(ProblemCode::Cut, Place::of(count + 1, None), message);
        }
        let at_head = usize::try_from(head.count).ok().and_then(|count| count.checked_sub(1));
        let hash = at_head.and_then(|at| chain.hashes.get(at).cloned().flatten());
        // A line that was changed has been named already; the head cannot agree with it.
        let readable = at_head.is_none_or(|at| chain.hashes.get(at).is_some_and(Option::is_some));
        if readable && hash != head.hash {
            let message = format!(
                "head.json names another hash than entry {} has: one of the two was changed",
                head.count
            );
            found.add(ProblemCode::EditedHead, Place::of(head.count, None), message);
        } else if head.count < count {
            found.notes.push(HistoryNote {
                code: "head_behind",
                message: format!(
                    "head.json counts {} of {count} runs ({} of {bytes} bytes): a writer was stopped after its line; the next run that is added mends it",
                    head.count, head.bytes
                ),
            });
        }
    }

    /// Checks the object of every entry; returns the files that belong to the history.
    fn contents(&self, chain: &Chain, found: &mut Findings) -> BTreeSet<String> {
        let objects = self.objects();
        let mut listed = BTreeSet::new();
        for (at, entry) in chain.entries.iter().enumerate() {
            let Some(entry) = entry else { continue };
            let place = Place::of(at as u64 + 1, Some(entry));
            listed.insert(entry.object.clone());
            let decoded = match object::check(&objects, &entry.object) {
                Ok(decoded) => decoded,
                Err(flaw) => {
                    tell_flaw(flaw, place, found);
                    continue;
                }
            };
            listed.extend(decoded.points_name().map(str::to_owned));
            if let Err(flaw) = decoded.check_points(&objects) {
                tell_flaw(flaw, place, found);
            }
            if let Some(what) =
                contradiction(&entry.run, RunSummary::of(&decoded.run).ok().as_ref())
            {
                found.add(ProblemCode::ContradictedEntry, place, what);
            }
        }
        listed
    }

    /// Names objects that no entry lists.
    fn unlisted(
        &self,
        listed: &BTreeSet<String>,
        found: &mut Findings,
    ) -> Result<(), HistoryError> {
        for (name, folder) in object_names(&self.objects())? {
            if !listed.contains(&format!("sha256:{}", name.split('.').next().unwrap_or_default())) {
                found.notes.push(HistoryNote {
                    code: "unlisted_object",
                    message: format!(
                        "objects/{folder}/{name} belongs to no entry: its writer was stopped before the index, or the index was cut"
                    ),
                });
            }
        }
        Ok(())
    }
}

/// The lines of an index as far as they can be read.
struct Chain {
    entries: Vec<Option<RunEntry>>,
    /// The hash of each line; none of a line that was changed.
    hashes: Vec<Option<String>>,
}

/// Reads all lines and checks that each follows the one before.
fn chain(lines: &[&str], found: &mut Findings) -> Chain {
    let mut chain = Chain { entries: Vec::new(), hashes: Vec::new() };
    let mut before = Head::default();
    let mut known = true;
    for (line, number) in lines.iter().zip(1_u64..) {
        match index::read_checked(line) {
            Ok(entry) => {
                let place = Place::of(number, Some(&entry));
                if known && entry.previous != before.hash {
                    found.add(
                        ProblemCode::BrokenChain,
                        place,
                        break_words(&entry, &before, number),
                    );
                }
                before = Head { count: entry.sequence, hash: Some(entry.hash.clone()), bytes: 0 };
                known = true;
                chain.hashes.push(Some(entry.hash.clone()));
                chain.entries.push(Some(entry));
            }
            Err(flaw) => {
                let readable = match flaw {
                    LineFlaw::Edited | LineFlaw::NoHash => index::read(line).ok(),
                    LineFlaw::Unreadable(_) | LineFlaw::Schema(_) => None,
                };
                let place = Place::of(number, readable.as_ref());
                let message = format!("entry {number}: {}", flaw.words());
                found.add(ProblemCode::EditedEntry, place, message);
                // What follows cannot be compared with a line that is no longer the one it followed.
                known = false;
                chain.hashes.push(None);
                chain.entries.push(readable);
            }
        }
    }
    chain
}

/// Why an entry does not follow the one before it.
fn break_words(entry: &RunEntry, before: &Head, number: u64) -> String {
    let run = &entry.run.run_id;
    let expected = before.count + 1;
    match entry.sequence.checked_sub(expected) {
        Some(0) => format!(
            "entry {number} (run {run}) does not name the hash of the entry before it: the entry before was replaced"
        ),
        Some(missing) => format!(
            "entry {number} (run {run}) was written as number {}: {} taken out before it, or the order was changed",
            entry.sequence,
            lost(missing)
        ),
        None => format!(
            "entry {number} (run {run}) was written as number {}: the order was changed, or it was put in",
            entry.sequence
        ),
    }
}

fn lost(count: u64) -> String {
    if count == 1 { "1 entry was".to_owned() } else { format!("{count} entries were") }
}

fn tell_flaw(flaw: Flaw, place: Place<'_>, found: &mut Findings) {
    let run = place.run_id.unwrap_or("?").to_owned();
    let shown = |path: &Path| path.display().to_string();
    match flaw {
        Flaw::Missing(path) => found.add(
            ProblemCode::MissingObject,
            place,
            format!("{} is not there: run {run} can no longer be read", shown(&path)),
        ),
        Flaw::Edited(path) => found.add(
            ProblemCode::EditedObject,
            place,
            format!("{} was changed after it was written: it belongs to run {run}", shown(&path)),
        ),
        Flaw::Unreadable(path, what) => found.add(
            ProblemCode::UnreadableObject,
            place,
            format!("{} of run {run}: {what}", shown(&path)),
        ),
    }
}

/// What an entry says that its object does not.
fn contradiction(entry: &RunSummary, object: Option<&RunSummary>) -> Option<String> {
    let Some(object) = object else {
        return Some(format!("the object of run {} does not say when it began", entry.run_id));
    };
    let fields = [
        ("run_id", entry.run_id == object.run_id),
        ("experiment", entry.experiment == object.experiment),
        ("digest", entry.digest == object.digest),
        ("started_at", entry.started_at == object.started_at),
        ("verdict", entry.verdict == object.verdict),
    ];
    let differing: Vec<&str> =
        fields.iter().filter(|(_, same)| !same).map(|(name, _)| *name).collect();
    (!differing.is_empty()).then(|| {
        format!(
            "the entry of run {} and its object differ in {}",
            entry.run_id,
            differing.join(", ")
        )
    })
}

/// Names of all objects with the folder each lies in, in order; temporary files are none.
fn object_names(objects: &Path) -> Result<BTreeSet<(String, String)>, HistoryError> {
    let mut names = BTreeSet::new();
    for folder in names_in(objects)? {
        for name in names_in(&objects.join(&folder))? {
            if !name.starts_with('.') {
                names.insert((name, folder.clone()));
            }
        }
    }
    Ok(names)
}

fn names_in(folder: &Path) -> Result<Vec<String>, HistoryError> {
    let failed = |source| HistoryError::read(folder, source);
    #[expect(clippy::disallowed_methods, reason = "the store looks at its own folder")]
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
