//! Traces and logs that join the timeline of an analysis: those of a recording, and those that the command names.

use std::path::PathBuf;

use crate::app::AppError;
use crate::app::document::Dossier;
use crate::app::import_samples::{read_events, read_log};
use crate::source::events;

/// Joins the events of each recording with its run record, and those of the files named with the records in whose
/// windows they lie.
pub(crate) fn join_events(dossiers: &mut [Dossier], files: &[PathBuf]) -> Result<(), AppError> {
    for dossier in dossiers.iter_mut() {
        let own = read_events(dossier.recording.directory())?;
        dossier.event_warnings.extend(events::join(&mut dossier.run, own));
    }
    for path in files {
        let log = read_log(path)?;
        let all = log.events.len();
        let mut fitting = 0;
        for dossier in dossiers.iter_mut() {
            // A log of a week fits one session of many; only a log that fits none is worth a word.
            let warnings = events::join(&mut dossier.run, log.events.clone());
            fitting += usize::from(!warnings.iter().any(|it| it.code == "events_outside"));
            let other = warnings.into_iter().filter(|it| it.code != "events_outside");
            dossier.event_warnings.extend(other);
        }
        if let Some(first) = dossiers.first_mut() {
            first.event_warnings.extend(log.warnings);
            if fitting == 0 && all > 0 {
                first.event_warnings.push(events::outside(&path.display().to_string(), all));
            }
        }
    }
    Ok(())
}
