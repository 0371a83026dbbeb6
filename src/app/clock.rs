//! The clock: commands that depend on the time take it here and hand it on.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::unit::Timestamp;

/// What time it is. A clock before 1970 reads as 1970: nothing is open then, and nothing has been approved.
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the edge where time comes in")]
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_milliseconds(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
