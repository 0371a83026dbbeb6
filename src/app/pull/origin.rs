//! `source.json`: where the samples of a recording came from, and what was odd about the way.
//!
//! It stands beside the samples, so that an analysis of the recording tells what an analysis straight from the server
//! tells.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::app::AppError;
use crate::app::document::read;
use crate::verdict::result::Warning;

/// The file inside a recording.
pub(crate) const FILE: &str = "source.json";

/// Most bytes of it.
const BYTES: u64 = 16 << 20;

/// Its schema.
const SCHEMA: &str = "unfazed.source/v1";

/// Where samples came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    schema: String,
    /// How the numbers were fetched, in one sentence.
    pub(crate) way: String,
    /// What was odd.
    pub(crate) warnings: Vec<Warning>,
}

impl Origin {
    /// Of samples that were fetched in a way.
    pub(super) fn new(way: String, warnings: Vec<Warning>) -> Self {
        Self { schema: SCHEMA.to_owned(), way, warnings }
    }

    /// As the text of the file.
    pub(super) fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("texts are JSON");
        text.push('\n');
        text
    }

    /// Of a recording; `None` if it does not say, or says it in a form of another version.
    pub(crate) fn of(recording: &Path) -> Result<Option<Self>, AppError> {
        let path = recording.join(FILE);
        if !path.is_file() {
            return Ok(None);
        }
        let bytes = read(&path, "where the samples came from", BYTES, "fetch the recording again")?;
        let read: Option<Self> = serde_json::from_slice(&bytes).ok();
        Ok(read.filter(|origin| origin.schema == SCHEMA))
    }
}
