//! What the points of one histogram must be to each other (OpenMetrics).
//!
//! Buckets come in the order of their bounds, count up, and end with `+Inf`, which equals the count; count and sum stand
//! together; what can be negative has no sum.

use super::conformance::Place;
use super::error::ExpositionError;
use super::number;
use super::series_text::NamedSeries;

/// What identifies one histogram of a family: its labels and its time.
type Identity = (Vec<(String, String)>, Option<f64>);

/// Watches the samples of a family of histograms.
#[derive(Debug, Default)]
pub(super) struct BucketRules {
    current: Option<Points>,
}

/// The points of one histogram so far.
#[derive(Debug)]
struct Points {
    identity: Identity,
    name: String,
    /// The last bucket.
    bound: Option<f64>,
    counted: f64,
    count: Option<f64>,
    sum: Sum,
    /// Whether something negative is counted.
    has_negative_bounds: bool,
}

/// Which kind of sum was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Sum {
    None,
    /// `_sum`.
    OfCounter,
    /// `_gsum`.
    OfGauge(f64),
}

impl BucketRules {
    /// Looks at the next sample of the family.
    pub(super) fn see(
        &mut self,
        place: &Place<'_>,
        suffix: &str,
        identity: Identity,
        value: f64,
        series: &NamedSeries,
    ) -> Result<(), ExpositionError> {
        if suffix == "_created" {
            return Ok(());
        }
        if self.current.as_ref().is_none_or(|points| points.identity != identity) {
            self.finish(place.line)?;
            self.current = Some(Points {
                identity,
                name: place.name.to_owned(),
                bound: None,
                counted: 0.0,
                count: None,
                sum: Sum::None,
                has_negative_bounds: false,
            });
        }
        let Some(points) = &mut self.current else { return Ok(()) };
        match suffix {
            "_bucket" => {
                let bound = series.label("le").and_then(number::value);
                points.bucket(place, bound.unwrap_or(f64::NAN), value)?;
            }
            "_sum" => points.sum = Sum::OfCounter,
            "_gsum" => points.sum = Sum::OfGauge(value),
            _ => points.count = Some(value),
        }
        Ok(())
    }

    /// Closes the histogram that is being read.
    pub(super) fn finish(&mut self, line: usize) -> Result<(), ExpositionError> {
        self.current.take().map_or(Ok(()), |points| points.finish(line))
    }
}

impl Points {
    fn bucket(&mut self, place: &Place<'_>, bound: f64, value: f64) -> Result<(), ExpositionError> {
        if self.bound.is_some_and(|last| bound.total_cmp(&last).is_le()) {
            return Err(
                place.refuse(format!("the bound {bound} behind a greater one"), "bounds in order")
            );
        }
        if value < self.counted {
            return Err(place.refuse(
                format!("{value} below the bucket before"),
                "buckets that count everything up to their bound",
            ));
        }
        self.has_negative_bounds |= bound < 0.0;
        self.bound = Some(bound);
        self.counted = value;
        Ok(())
    }

    fn finish(self, line: usize) -> Result<(), ExpositionError> {
        let place = Place { line, name: &self.name };
        let problem = match (self.bound, self.count, self.sum) {
            (bound, _, _) if bound != Some(f64::INFINITY) => "no bucket le=\"+Inf\"",
            (_, Some(count), _) if count.to_bits() != self.counted.to_bits() => {
                "a count that differs from the bucket le=\"+Inf\""
            }
            (_, None, Sum::OfCounter | Sum::OfGauge(_)) => "a sum without a count",
            (_, Some(_), Sum::None) => "a count without a sum",
            (_, _, Sum::OfCounter) if self.has_negative_bounds => {
                "a sum beside buckets of negative values, which may fall"
            }
            (_, _, Sum::OfGauge(sum)) if sum < 0.0 && !self.has_negative_bounds => {
                "a negative sum without buckets of negative values"
            }
            _ => return Ok(()),
        };
        Err(place.refuse(problem, "a whole histogram"))
    }
}
