//! When a fault was repaired: a counter that goes up after it, or a gauge that left its value and is back at it.

use crate::frame::gauge::last_before;
use crate::frame::{Counters, Series};
use crate::summary::detection::FirstSeen;
use crate::unit::{Timestamp, Window};

/// Two values of a gauge up to this relative distance are the same value.
const SAME_VALUE: f64 = 1e-12;

/// The first gain of a counter in a range that starts with the fault.
pub(crate) fn first_gain(counters: &Counters, range: Window) -> Option<FirstSeen> {
    let gain = counters.first_gain(range.start, range.end)?;
    Some(FirstSeen { after: gain.before, at: gain.at })
}

/// The first sample in a range that starts with the fault at which a gauge is back at its last value before it, having
/// left that value. A gauge that never left it was never away.
pub(crate) fn first_back(series: &Series, range: Window) -> Option<FirstSeen> {
    let usual = last_before(series, range.start)?;
    let mut away: Option<i64> = None;
    for at in series.first_at_or_after(range.start)..series.first_at_or_after(range.end) {
        let (time, value) = (series.times[at], series.values[at]);
        if !value.is_finite() {
            continue;
        }
        let is_usual = (value - usual).abs() <= SAME_VALUE * usual.abs();
        match away {
            Some(after) if is_usual => {
                return Some(FirstSeen {
                    after: Timestamp::from_milliseconds(after),
                    at: Timestamp::from_milliseconds(time),
                });
            }
            Some(_) | None if !is_usual => away = Some(time),
            Some(_) | None => {}
        }
    }
    None
}
