//! `events.jsonl` of a recording: one event a line, appended.
//!
//! A line is complete with its line feed; what a crash cut off is no line, and readers leave it out.

use std::io::Write;
use std::path::Path;

use crate::run::Event;
use crate::source::events::EVENTS_FILE;
use crate::store::StoreError;

/// Appends events to the recording in `directory`, which must exist, and syncs them.
///
/// # Errors
/// [`StoreError`] if the file cannot be written.
pub fn append_events(directory: &Path, events: &[Event]) -> Result<(), StoreError> {
    let path = directory.join(EVENTS_FILE);
    let failed = |source| StoreError::new("append to", &path, source);
    // In case the last line was cut off: a blank line is no event.
    let mut text = String::from("\n");
    for event in events {
        let line = serde_json::to_string(event).map_err(|error| failed(error.into()))?;
        text.push_str(&line);
        text.push('\n');
    }
    #[expect(clippy::disallowed_methods, reason = "the store is where files are written")]
    let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
    let mut file = file.map_err(failed)?;
    let begins = file.metadata().map_err(failed)?.len() == 0;
    let text = if begins { &text[1..] } else { &text };
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}
