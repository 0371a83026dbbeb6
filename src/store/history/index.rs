//! The index: one line a run, each naming the hash of the line before.
//!
//! A line is a JSON object whose last field is its own hash, taken over the bytes before that field. Whoever changes a
//! line, takes one out or swaps two, breaks the chain at that place. The end of the chain is known from `head.json`.

use serde::{Deserialize, Serialize};

use crate::history::RunSummary;

use super::digest::{LENGTH, digest, is_digest};

/// The schema name of lines.
pub(super) const SCHEMA: &str = "unfazed.history/v1";

/// What stands between a line's body and its hash.
const HASH_FIELD: &str = ",\"hash\":\"";
/// What ends a line.
const END: &str = "\"}";

/// One run of a history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunEntry {
    /// `SCHEMA`.
    pub schema: String,
    /// Number within the history, from 1.
    pub sequence: u64,
    /// Hash of the line before; none of the first.
    pub previous: Option<String>,
    /// Digest of the object that holds the run whole.
    pub object: String,
    /// What is said of it without opening the object.
    pub run: RunSummary,
    /// Hash of this line.
    #[serde(default, skip_serializing)]
    pub hash: String,
}

impl RunEntry {
    /// A new line after `previous`.
    pub(super) fn new(after: &Head, object: String, run: RunSummary) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            sequence: after.count + 1,
            previous: after.hash.clone(),
            object,
            run,
            hash: String::new(),
        }
    }

    /// The line with its hash and its line end, and the hash.
    pub(super) fn into_line(self) -> Line {
        let mut text = serde_json::to_string(&self)
            .expect("a summary has string keys only and its types never refuse to serialise");
        // The hash becomes the last field: the closing brace moves behind it.
        text.pop();
        let hash = digest(text.as_bytes());
        text.extend([HASH_FIELD, &hash, END, "\n"]);
        Line { text, hash }
    }
}

/// A line as it is written.
pub(super) struct Line {
    pub(super) text: String,
    pub(super) hash: String,
}

/// How far the index goes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Head {
    /// Lines.
    pub(super) count: u64,
    /// Hash of the last one.
    pub(super) hash: Option<String>,
    /// Bytes of the index.
    pub(super) bytes: u64,
}

/// What is wrong with a line by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LineFlaw {
    /// It does not end in a hash.
    NoHash,
    /// Its hash is of other bytes.
    Edited,
    /// It is no entry.
    Unreadable(String),
    /// It is of another schema.
    Schema(String),
}

impl LineFlaw {
    pub(super) fn words(&self) -> String {
        match self {
            Self::NoHash => "the line does not end in its hash".to_owned(),
            Self::Edited => "the line was changed after it was written".to_owned(),
            Self::Unreadable(what) => format!("the line is no entry: {what}"),
            Self::Schema(found) => {
                format!("the line is of schema '{found}', this version reads '{SCHEMA}'")
            }
        }
    }
}

/// The hash that a line claims to have, and the bytes it should be of.
fn split(line: &str) -> Option<(&str, &str)> {
    let body_and_hash = line.strip_suffix(END)?;
    let at = body_and_hash.len().checked_sub(LENGTH)?;
    let hash = body_and_hash.get(at..)?;
    let body = body_and_hash.get(..at)?.strip_suffix(HASH_FIELD)?;
    is_digest(hash).then_some((body, hash))
}

/// Reads a line without its line end; its hash is compared.
pub(super) fn read_checked(line: &str) -> Result<RunEntry, LineFlaw> {
    let (body, hash) = split(line).ok_or(LineFlaw::NoHash)?;
    if digest(body.as_bytes()) != hash {
        return Err(LineFlaw::Edited);
    }
    read(line)
}

/// Reads a line without its line end; whether it was changed is for [`read_checked`].
pub(super) fn read(line: &str) -> Result<RunEntry, LineFlaw> {
    #[derive(Deserialize)]
    struct SchemaOnly {
        schema: String,
    }
    let entry: Result<RunEntry, serde_json::Error> = serde_json::from_str(line);
    match entry {
        Ok(entry) if entry.schema == SCHEMA => Ok(entry),
        Ok(other) => Err(LineFlaw::Schema(other.schema)),
        Err(error) => match serde_json::from_str::<SchemaOnly>(line) {
            Ok(only) if only.schema != SCHEMA => Err(LineFlaw::Schema(only.schema)),
            Ok(_) | Err(_) => Err(LineFlaw::Unreadable(error.to_string())),
        },
    }
}

/// The whole lines of an index, and what is left of a line whose writer was stopped.
pub(super) struct Lines<'text> {
    pub(super) whole: Vec<&'text str>,
    pub(super) torn: &'text str,
}

/// Splits an index into its lines.
pub(super) fn lines(text: &str) -> Lines<'_> {
    let end = text.rfind('\n').map_or(0, |at| at + 1);
    let (whole, torn) = text.split_at(end);
    Lines { whole: whole.lines().collect(), torn }
}
