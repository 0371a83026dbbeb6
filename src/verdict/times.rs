//! Times to detect, remediate and recover over all kills: median and restricted mean, with censoring.
//!
//! Kaplan & Meier (1958) with log-log limits for the median (Brookmeyer & Crowley 1982). The mean of recovered
//! kills alone is never given: it forgets the kills that did not recover. A reading is known only to lie between
//! two samples; the right end is used, which adds half a step on average (said in the report as the resolution).

use crate::run::Arm;
use crate::stats::kaplan_meier::{BandType, Ending, KaplanMeier, Observation};
use crate::stats::rmst::restricted_mean;
use crate::summary::{ReadingSummary, RecoveryTime, Timing};
use crate::verdict::kill::small;
use crate::verdict::result::{CurvePoint, TimeEntry, TimeResult};

/// The times of all usable kills.
pub(crate) fn usable(reading: &ReadingSummary) -> Vec<&RecoveryTime> {
    reading.times.iter().filter(|time| time.arm == Arm::Fault && time.excluded.is_none()).collect()
}

/// Median, restricted mean and single times.
pub(crate) fn describe(reading: &ReadingSummary, confidence: f64) -> TimeResult {
    let times = usable(reading);
    let observations: Vec<Observation> = times.iter().map(|time| observation(time)).collect();
    let events = observations.iter().filter(|seen| seen.ending == Ending::Event).count();
    let mut result = TimeResult {
        n: small(times.len()),
        events: small(events),
        censored: small(times.len() - events),
        median_s: None,
        median_lower_s: None,
        median_upper_s: None,
        rmst_s: None,
        rmst_tau_s: None,
        resolution_s: reading.resolution.map(crate::unit::Span::seconds),
        times: times.iter().map(|time| entry(time)).collect(),
        curve: Vec::new(),
        never_departed: None,
        relapses: None,
        excursions: None,
        within: None,
        note: None,
    };
    if times.is_empty() {
        result.note = Some("no usable kill".to_owned());
        return result;
    }
    if events == 0 {
        result.note = Some("not reached in any kill".to_owned());
    }
    let Ok(curve) = KaplanMeier::fit(&observations) else {
        return result;
    };
    result.curve = points(&curve, confidence);
    result.median_s = curve.quantile(0.5);
    if result.median_s.is_none() && events > 0 {
        result.note = Some(
            "the median is not reached: fewer than half of the kills were seen to the event"
                .to_owned(),
        );
    }
    // One-sided limits at the confidence are the ends of a two-sided interval at 2·confidence − 1.
    if times.len() > 1
        && let Ok(interval) = curve.quantile_interval(0.5, BandType::LogLog, 2.0 * confidence - 1.0)
    {
        result.median_lower_s = interval.lower;
        result.median_upper_s = interval.upper;
    }
    // The restricted mean runs to the last moment that every kill could have reached.
    let horizon = observations
        .iter()
        .map(|seen| seen.time)
        .fold(0.0, |most: f64, time| if time > most { time } else { most });
    if events > 0
        && horizon > 0.0
        && let Ok(mean) = restricted_mean(&curve, horizon)
    {
        result.rmst_s = Some(mean.value).filter(|value| value.is_finite());
        result.rmst_tau_s = Some(horizon);
    }
    result
}

/// The curve's steps with limits; one kill alone has none.
fn points(curve: &KaplanMeier, confidence: f64) -> Vec<CurvePoint> {
    let band = match curve.n() {
        0 | 1 => Vec::new(),
        _ => curve.band(BandType::LogLog, 2.0 * confidence - 1.0).unwrap_or_default(),
    };
    curve
        .steps()
        .iter()
        .enumerate()
        .filter(|(_, step)| step.events > 0)
        .map(|(at, step)| CurvePoint {
            seconds: step.time,
            waiting: step.survival,
            lower: band.get(at).and_then(|point| point.lower),
            upper: band.get(at).and_then(|point| point.upper),
        })
        .collect()
}

/// One kill for the survival curve. A lost or aborted kill is censored where observation ended.
fn observation(time: &RecoveryTime) -> Observation {
    match time.timing {
        Timing::Seen { at, .. } => Observation { time: at, ending: Ending::Event },
        Timing::Censored { at } => Observation { time: at, ending: Ending::Censored },
        Timing::Lost { from } => Observation { time: from, ending: Ending::Censored },
    }
}

/// One kill as the result lists it.
fn entry(time: &RecoveryTime) -> TimeEntry {
    let (seconds, censored, after, reason) = match time.timing {
        Timing::Seen { after, at } => (at, false, Some(after), None),
        Timing::Censored { at } => (at, true, None, None),
        Timing::Lost { from } => (from, true, None, Some("missing_data".to_owned())),
    };
    TimeEntry {
        index: time.index,
        seconds: Some(seconds),
        censored,
        after_s: after,
        never_departed: time.never_departed,
        onset_s: time.onset_seconds,
        relapses: time.relapses,
        reason: reason.or_else(|| time.aborted.map(|_| "aborted".to_owned())),
    }
}
