//! The flat tail behind the last sample of a series, which a query shows and nobody measured.
//!
//! Prometheus shows a value for five minutes after its sample unless the series was marked as ended. An answer is therefore
//! asked for five minutes beyond its window: where it ends before that, on one value for five minutes, these minutes are cut
//! off. A series that really stood still for so long and was then marked as ended loses them too: too little data makes a
//! verdict undecided, false data make it wrong.

use std::collections::BTreeMap;

use crate::source::metrics::prometheus::{DecodedSeries, Stretch};
use crate::unit::{Labels, Span, Timestamp};

/// How long servers show the last sample of a series.
const LOOKBACK: Span = Span::from_seconds(300);

/// The note on a unit in which tails were cut off.
pub(super) const TAIL_NOTE: &str = "lookback_tail";

/// Series without what was shown and not measured.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CutSeries {
    pub(super) series: Vec<DecodedSeries>,
    /// Series that lost a tail.
    pub(super) tails: usize,
}

/// The stretch to ask for, to see in `stretch` whether series end on a tail. `now` is not passed: what servers show of the
/// future is nothing but tails.
pub(super) fn asked(stretch: Stretch, step: Span, now: Timestamp) -> Stretch {
    let beyond = stretch.last.plus(LOOKBACK).plus(step);
    let seen = beyond.min(now.minus(step.times(2)));
    Stretch { first: stretch.first, last: stretch.last.max(seen) }
}

/// Joins the pieces of each series, cuts tails off and leaves out what lies beyond `stretch`.
pub(super) fn cut(
    pieces: Vec<DecodedSeries>,
    stretch: Stretch,
    asked: Stretch,
    step: Span,
) -> CutSeries {
    let mut joined: BTreeMap<Labels, DecodedSeries> = BTreeMap::new();
    for mut piece in pieces {
        match joined.get_mut(&piece.labels) {
            Some(series) => {
                series.times.append(&mut piece.times);
                series.values.append(&mut piece.values);
            }
            None => {
                joined.insert(piece.labels.clone(), piece);
            }
        }
    }
    let mut tails = 0;
    let mut series: Vec<DecodedSeries> = joined.into_values().collect();
    for one in &mut series {
        let tail = tail(one, asked, step);
        tails += usize::from(tail > 0);
        let end = one.times.partition_point(|time| *time <= stretch.last.milliseconds());
        let kept = end.min(one.times.len() - tail);
        one.times.truncate(kept);
        one.values.truncate(kept);
    }
    CutSeries { series, tails }
}

/// How many points at the end were shown and not measured.
fn tail(series: &DecodedSeries, asked: Stretch, step: Span) -> usize {
    let Some((last, value)) = series.times.last().zip(series.values.last()) else { return 0 };
    let goes_on = last + 2 * step.milliseconds() > asked.last.milliseconds();
    if goes_on {
        return 0;
    }
    let same =
        series.values.iter().rev().take_while(|one| one.to_bits() == value.to_bits()).count();
    let begin = series.times[series.times.len() - same];
    // The last sample lies less than a step before the first point that shows it.
    let is_long = last - begin > LOOKBACK.milliseconds() - 2 * step.milliseconds();
    if !is_long {
        return 0;
    }
    // The point that shows the last sample first is kept.
    let shown = last - LOOKBACK.milliseconds();
    series.times.len() - series.times.partition_point(|time| *time <= shown.max(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Span = Span::from_seconds(5);

    fn stretch(first: i64, last: i64) -> Stretch {
        Stretch {
            first: Timestamp::from_milliseconds(first * 1000),
            last: Timestamp::from_milliseconds(last * 1000),
        }
    }

    /// A value that moves until `end`, and the same value until `shown`, both in seconds.
    fn series(end: i64, shown: i64) -> DecodedSeries {
        let times: Vec<i64> = (0..=shown / 5).map(|tick| tick * 5000).collect();
        let values = times
            .iter()
            .map(|time| f64::from(u32::try_from((*time).min(end * 1000)).unwrap()))
            .collect();
        DecodedSeries { times, values, ..DecodedSeries::default() }
    }

    fn cut_one(series: DecodedSeries) -> (Vec<i64>, usize) {
        let window = stretch(0, 600);
        let asked = asked(window, STEP, Timestamp::from_milliseconds(10_000_000));
        let mut cut = cut(vec![series], window, asked, STEP);
        (cut.series.remove(0).times, cut.tails)
    }

    #[test]
    fn five_minutes_of_one_value_at_the_end_are_no_data() {
        let (times, tails) = cut_one(series(400, 700));
        assert_eq!((times.last(), tails), (Some(&400_000), 1));
    }

    #[test]
    fn a_tail_that_reaches_beyond_the_window_is_seen_there() {
        let (times, tails) = cut_one(series(580, 880));
        assert_eq!((times.last(), tails), (Some(&580_000), 1));
    }

    #[test]
    fn a_series_that_goes_on_or_was_marked_as_ended_keeps_all() {
        let (times, tails) = cut_one(series(100, 905));
        assert_eq!((times.last(), tails), (Some(&600_000), 0), "it goes on");
        let (times, tails) = cut_one(series(450, 500));
        assert_eq!((times.last(), tails), (Some(&500_000), 0), "it was marked as ended");
    }

    #[test]
    fn the_future_is_not_asked_for() {
        let window = stretch(0, 600);
        let at = |seconds: i64| Timestamp::from_milliseconds(seconds * 1000);
        assert_eq!(asked(window, STEP, at(10_000)), stretch(0, 905));
        assert_eq!(asked(window, STEP, at(700)), stretch(0, 690));
        assert_eq!(asked(window, STEP, at(500)), window);
    }
}
