//! What an answer holds: series as the server sent them, one at a time.
//!
//! Refuses to know how they were asked for. A receiver takes one series after the other, so that an answer of any length
//! needs the memory of its longest series.

use std::io;

use crate::unit::Labels;

/// One series of an answer, or a piece of it: samples in the order in which the server sent them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DecodedSeries {
    /// The metric's name; absent from the answers of functions and operators.
    pub name: Option<String>,
    /// Its labels, without the metric's name.
    pub labels: Labels,
    /// Milliseconds since the epoch.
    pub times: Vec<i64>,
    /// Values at these times; NaN and infinities as they were sent.
    pub values: Vec<f64>,
    /// Native histograms.
    pub histograms: Vec<DecodedHistogram>,
}

/// A native histogram at a moment, as the query API writes it.
#[derive(Debug, Clone, PartialEq)]
pub struct DecodedHistogram {
    /// Milliseconds since the epoch.
    pub time: i64,
    /// Observations.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// Buckets that are not empty, by increasing bounds.
    pub buckets: Vec<DecodedBucket>,
}

/// A bucket of a native histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecodedBucket {
    /// Which bounds belong to the bucket.
    pub edges: BucketEdges,
    /// Lower bound.
    pub lower: f64,
    /// Upper bound.
    pub upper: f64,
    /// Observations in it.
    pub count: f64,
}

/// Which bounds belong to a bucket; the number is that of the query API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketEdges {
    /// 0: the upper one, as buckets of positive observations.
    Upper,
    /// 1: the lower one, as buckets of negative observations.
    Lower,
    /// 2: neither.
    Neither,
    /// 3: both, as the zero bucket.
    Both,
}

impl BucketEdges {
    /// All of them, each at the position that is its number.
    pub const ALL: [Self; 4] = [Self::Upper, Self::Lower, Self::Neither, Self::Both];
}

/// Takes the series of an answer.
///
/// An answer that breaks off is asked for again: [`SeriesSink::begin`] is called before every attempt, and what came
/// since the one before it is to be forgotten. [`SeriesSink::accept`] says that the answer was complete.
pub trait SeriesSink {
    /// A new attempt: forgets what came since the last [`SeriesSink::accept`].
    ///
    /// # Errors
    /// An error of the place where series are kept.
    fn begin(&mut self) -> io::Result<()>;
    /// One series, or a piece of one.
    ///
    /// # Errors
    /// An error of the place where series are kept.
    fn series(&mut self, series: DecodedSeries) -> io::Result<()>;
    /// The answer was complete: what came stays.
    fn accept(&mut self);
}

/// Keeps series in memory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Collected {
    /// What came so far.
    pub series: Vec<DecodedSeries>,
    accepted: usize,
}

impl SeriesSink for Collected {
    fn begin(&mut self) -> io::Result<()> {
        self.series.truncate(self.accepted);
        Ok(())
    }

    fn series(&mut self, series: DecodedSeries) -> io::Result<()> {
        self.series.push(series);
        Ok(())
    }

    fn accept(&mut self) {
        self.accepted = self.series.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_that_broke_off_leaves_nothing_behind() {
        let mut kept = Collected::default();
        kept.begin().unwrap();
        kept.series(DecodedSeries::default()).unwrap();
        kept.accept();
        kept.begin().unwrap();
        kept.series(DecodedSeries::default()).unwrap();
        kept.begin().unwrap();
        assert_eq!(kept.series.len(), 1);
    }
}
