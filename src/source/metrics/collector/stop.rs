//! A wish to stop, for which threads can wait.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A wish to stop, for which threads can wait.
#[derive(Debug, Default)]
pub struct StopSignal {
    wished: Mutex<bool>,
    changed: Condvar,
}

impl StopSignal {
    /// Wakes everybody who waits, for good.
    pub fn stop(&self) {
        *self.wished.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Waits for a while. Returns whether the wish is there.
    pub fn wait(&self, at_most: Duration) -> bool {
        let wished = self.wished.lock().unwrap_or_else(PoisonError::into_inner);
        let (wished, _) = self
            .changed
            .wait_timeout_while(wished, at_most, |wished| !*wished)
            .unwrap_or_else(PoisonError::into_inner);
        *wished
    }

    /// Whether the wish is there.
    pub fn is_stopped(&self) -> bool {
        *self.wished.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
