//! Label sets by number: each text is read once, however many rows repeat it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::unit::Labels;
use crate::unit::labels::LabelsError;

/// Number of a label set within one recording.
pub(super) type LabelsId = u32;

/// All label sets of a recording. Texts that mean the same labels share a number.
#[derive(Debug, Default)]
pub(super) struct LabelTable {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    by_text: HashMap<String, LabelsId>,
    by_labels: HashMap<Labels, LabelsId>,
    labels: Vec<Labels>,
}

impl LabelTable {
    /// The number of the labels that `text` writes.
    pub(super) fn number(&self, text: &str) -> Result<LabelsId, LabelsError> {
        let mut known = self.lock();
        if let Some(id) = known.by_text.get(text) {
            return Ok(*id);
        }
        let labels = Labels::parse(text)?;
        let next = LabelsId::try_from(known.labels.len())
            .expect("a recording of 2^32 label sets does not fit into memory");
        let id = *known.by_labels.entry(labels.clone()).or_insert(next);
        if id == next {
            known.labels.push(labels);
        }
        known.by_text.insert(text.to_owned(), id);
        Ok(id)
    }

    /// The labels of a number that this table gave out.
    pub(super) fn labels(&self, id: LabelsId) -> Labels {
        self.lock().labels[id as usize].clone()
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // The table is only ever appended to, so that a panic elsewhere leaves it whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
