//! Divides decoded rows into series.
//!
//! Rows come in runs of one metric, and within them in runs of one label key; a run is copied as a whole. Rows are
//! counted before they are copied, so that each piece is allocated once at its final size.

use std::collections::HashMap;

use super::columns::{NULL_KEY, Values};
use super::parquet::MetricRun;
use super::part::{MetricPart, SeriesPart, Times};

/// Slots that are addressed directly (16 MiB of numbers); beyond it a hash map is used.
const MAX_DIRECT_SLOTS: usize = 1 << 22;

/// Decoded rows.
pub(super) struct Rows<'rows> {
    /// Label keys.
    pub labels: &'rows [u32],
    /// Times.
    pub times: &'rows [i64],
    /// Values.
    pub values: &'rows Values,
}

/// The pieces gathered so far, one slot per metric and label set.
pub(super) struct Gathered<'names> {
    positions: HashMap<&'names str, u32>,
    /// In the order of the request.
    pub parts: Vec<MetricPart>,
}

/// Neighbouring rows of one series.
struct SeriesRun {
    slot: u32,
    start: u32,
    length: u32,
}

/// Where a series gathers its samples.
struct Slot {
    metric: u32,
    labels: u32,
    count: usize,
}

impl<'names> Gathered<'names> {
    /// Nothing yet, of the metrics asked for.
    pub(super) fn new(metrics: &[&'names str]) -> Self {
        let positions = (0_u32..).zip(metrics).map(|(at, name)| (*name, at)).collect();
        Self { positions, parts: metrics.iter().map(|_| MetricPart::default()).collect() }
    }

    /// Position of a metric in the request.
    pub(super) fn position(&self, metric: &str) -> Option<u32> {
        self.positions.get(metric).copied()
    }

    /// Divides rows into series. `numbers` holds the label number of each key, the one of null last.
    pub(super) fn add(&mut self, runs: &[MetricRun], rows: &Rows<'_>, numbers: &[u32]) {
        let mut slots = Slots::new(self.parts.len(), numbers.len());
        let null = u32::try_from(numbers.len() - 1).expect("keys are 32 bits wide");
        let mut pieces: Vec<SeriesRun> = Vec::new();
        for run in runs {
            let mut at = run.rows.start;
            for same in rows.labels[run.rows.clone()].chunk_by(|left, right| left == right) {
                let key = if same[0] == NULL_KEY { null } else { same[0] };
                let slot = slots.at(run.metric, key, same.len());
                let narrow = |number: usize| {
                    u32::try_from(number).expect("at most 2^20 rows are decoded at once")
                };
                pieces.push(SeriesRun { slot, start: narrow(at), length: narrow(same.len()) });
                at += same.len();
            }
        }
        let mut columns: Vec<(Vec<i64>, Vec<f64>)> = slots
            .found
            .iter()
            .map(|slot| (Vec::with_capacity(slot.count), Vec::with_capacity(slot.count)))
            .collect();
        for piece in pieces {
            let (times, values) = &mut columns[piece.slot as usize];
            let range = piece.start as usize..(piece.start + piece.length) as usize;
            match &rows.values.present {
                None if piece.length == 1 => {
                    times.push(rows.times[range.start]);
                    values.push(rows.values.values[range.start]);
                }
                None => {
                    times.extend_from_slice(&rows.times[range.clone()]);
                    values.extend_from_slice(&rows.values.values[range]);
                }
                Some(present) => {
                    let metric = slots.found[piece.slot as usize].metric;
                    for row in range {
                        if present.get_bit(row) {
                            times.push(rows.times[row]);
                            values.push(rows.values.values[row]);
                        } else {
                            self.parts[metric as usize].null_values += 1;
                        }
                    }
                }
            }
        }
        for (slot, (times, values)) in slots.found.iter().zip(columns) {
            if values.is_empty() {
                continue;
            }
            self.parts[slot.metric as usize].series.push(SeriesPart {
                labels: numbers[slot.labels as usize],
                times: Times::compact(times),
                values,
            });
        }
    }
}

/// Slots by metric and label key.
struct Slots {
    keys: usize,
    direct: Vec<u32>,
    hashed: HashMap<u64, u32>,
    found: Vec<Slot>,
}

impl Slots {
    fn new(metrics: usize, keys: usize) -> Self {
        let direct = match metrics.checked_mul(keys) {
            Some(count) if count <= MAX_DIRECT_SLOTS => vec![u32::MAX; count],
            _ => Vec::new(),
        };
        Self { keys, direct, hashed: HashMap::new(), found: Vec::new() }
    }

    /// The slot of a metric and a label key, to which `count` rows are added.
    fn at(&mut self, metric: u32, key: u32, count: usize) -> u32 {
        let next = u32::try_from(self.found.len()).expect("at most 2^20 rows are decoded at once");
        let slot = if self.direct.is_empty() {
            self.hashed.entry(u64::from(metric) << 32 | u64::from(key)).or_insert(next)
        } else {
            let slot = &mut self.direct[metric as usize * self.keys + key as usize];
            if *slot == u32::MAX {
                *slot = next;
            }
            slot
        };
        if *slot == next {
            self.found.push(Slot { metric, labels: key, count });
        } else {
            self.found[*slot as usize].count += count;
        }
        *slot
    }
}
