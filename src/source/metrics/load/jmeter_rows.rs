//! Which rows of a JTL file are requests.
//!
//! A file repeats itself: a transaction controller writes a row for everything that ran inside it, and a redirect or an
//! embedded resource is a row of its own, `label-0`, `label-1` and so on, inside the time of the row `label`. Counting
//! all of them counts a request up to three times. A request is a row that is no transaction and no part of another row
//! of its thread; where a transaction has no such row inside, its parts were not written and it is not taken for one.

use std::collections::HashMap;

use super::sample_set::{Request, SampleSet};
use crate::unit::Timestamp;

/// Milliseconds by which a part may stick out of its whole: both are rounded.
const SLACK: i64 = 1;

/// A row.
#[derive(Debug)]
pub(super) struct JmeterRow {
    /// Milliseconds since the epoch.
    pub(super) started: i64,
    /// Milliseconds.
    pub(super) elapsed: u32,
    pub(super) label: String,
    pub(super) code: String,
    pub(super) thread: String,
    pub(super) is_transaction: bool,
    pub(super) failed: bool,
}

/// The rows of one file.
#[derive(Debug, Default)]
pub(super) struct Requests {
    rows: Vec<JmeterRow>,
}

impl JmeterRow {
    fn ended(&self) -> i64 {
        self.started + i64::from(self.elapsed)
    }

    /// The label of the row that this one may be a part of.
    fn label_of_whole(&self) -> Option<&str> {
        let (whole, number) = self.label.rsplit_once('-')?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then_some(whole)
    }
}

impl Requests {
    pub(super) fn add(&mut self, row: JmeterRow) {
        self.rows.push(row);
    }

    /// Ends a file: its requests go into the set.
    pub(super) fn close(&mut self, file: &str, set: &mut SampleSet) {
        let rows = std::mem::take(&mut self.rows);
        let mut by_label: HashMap<(&str, &str), Vec<(i64, i64)>> = HashMap::new();
        for row in rows.iter().filter(|row| !row.is_transaction) {
            let key = (row.thread.as_str(), row.label.as_str());
            by_label.entry(key).or_default().push((row.started, row.ended()));
        }
        #[expect(clippy::iter_over_hash_type, reason = "each list is sorted by itself")]
        for spans in by_label.values_mut() {
            spans.sort_unstable();
        }
        let is_part = |row: &JmeterRow| {
            row.label_of_whole()
                .and_then(|whole| by_label.get(&(row.thread.as_str(), whole)))
                .is_some_and(|wholes| covers(wholes, row))
        };
        let (mut parts, mut transactions, mut requests) = (0_u64, 0_u64, 0_u64);
        for row in &rows {
            let ended_at = Timestamp::from_milliseconds(row.ended());
            if row.is_transaction {
                transactions += 1;
                let outcome = if row.failed { "error" } else { "ok" };
                let labels = [("name", row.label.as_str()), ("outcome", outcome)];
                set.row("transaction_duration", &labels, ended_at, f64::from(row.elapsed));
            } else if is_part(row) {
                parts += 1;
            } else {
                requests += 1;
                set.worked_at(Timestamp::from_milliseconds(row.started));
                set.request(&Request {
                    ended_at,
                    milliseconds: Some(f64::from(row.elapsed)),
                    failed: row.failed,
                    name: &row.label,
                    method: "",
                    status: &row.code,
                });
            }
        }
        if parts > 0 || transactions > 0 {
            set.warn(
                "rows_not_requests",
                format!(
                    "{file}: of {} rows {requests} are requests; {transactions} are transactions and {parts} are redirects or embedded resources inside another row, and count once",
                    rows.len()
                ),
            );
        }
        if requests == 0 && transactions > 0 {
            set.warn(
                "transactions_only",
                format!(
                    "{file} holds transactions without the samples inside them; switch off \"generate parent sample\" to count requests"
                ),
            );
        }
    }
}

/// Whether one of the spans, sorted by their start, holds the row.
fn covers(wholes: &[(i64, i64)], row: &JmeterRow) -> bool {
    let up_to = wholes.partition_point(|(start, _)| *start <= row.started + SLACK);
    // Rows of one thread and label do not overlap, so that the last one that began before is the only candidate; a few
    // more are looked at for files that several machines wrote with the same thread names.
    wholes[..up_to].iter().rev().take(8).any(|(_, end)| *end + SLACK >= row.ended())
}
