//! The Kaplan–Meier curve.
//!
//! Owns the survival curve of right-censored times, its Greenwood variance, its pointwise band and the
//! quantiles with their limits. The mean up to a horizon is in `rmst`, interval-censored times in
//! `turnbull`, the comparison of groups in `log_rank`.
//!
//! Conventions are those of R `survival::survfit`: at equal times the events come before the censorings,
//! times that differ by rounding only are equal, and a curve that rests exactly at the wanted level gives
//! the middle of the rest.

use crate::stats::descriptive::two_pass_mean;
use crate::stats::distribution::normal_quantile;
use crate::stats::position::{larger, same, smaller};
use crate::stats::{Interval, Undefined, count_to_f64, require_level};

/// How the observation of a time ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// The event happened at the time.
    Event,
    /// The event had not happened by the time.
    Censored,
}

/// One right-censored time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// The time, at least 0.
    pub time: f64,
    /// Whether the event happened then.
    pub ending: Ending,
}

/// The curve at one event time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The event time.
    pub time: f64,
    /// How many were still under observation just before it.
    pub at_risk: usize,
    /// How many events happened at it.
    pub events: usize,
    /// S just after it.
    pub survival: f64,
    /// The standard error of ln S, root of Σ d/(n(n − d)); `None` once S is 0.
    pub log_standard_error: Option<f64>,
}

impl Step {
    /// Greenwood's standard error of S; `None` once S is 0.
    pub fn standard_error(&self) -> Option<f64> {
        self.log_standard_error.map(|error| error * self.survival)
    }
}

/// The scale on which the pointwise limits are symmetric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BandType {
    /// ln S; the default of R.
    Log,
    /// ln(−ln S); recommended for few events.
    LogLog,
    /// S itself, cut at 0 and 1.
    Plain,
    /// ln(S/(1 − S)).
    Logit,
    /// arcsin √S.
    ArcSine,
}

/// The limits of S at one event time; both absent where S is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BandPoint {
    /// The lower limit.
    pub lower: Option<f64>,
    /// The upper limit.
    pub upper: Option<f64>,
}

/// A fitted curve.
#[derive(Debug, Clone, PartialEq)]
pub struct KaplanMeier {
    steps: Vec<Step>,
    last_time: f64,
    n: usize,
}

/// Checks the times and sorts them, events before censorings, with times that differ by rounding made equal.
///
/// Two neighbours are equal when they differ by at most 1.5e-8, absolute or relative to the mean of the
/// distinct times (the rule of R `timefix`); without it 0.1 + 0.2 and 0.3 would be two event times.
pub(in crate::stats) fn ordered(
    observations: &[Observation],
) -> Result<Vec<Observation>, Undefined> {
    if observations.is_empty() {
        return Err(Undefined::Empty);
    }
    for (index, observation) in observations.iter().enumerate() {
        if !observation.time.is_finite() {
            return Err(Undefined::NonFinite { index });
        }
        if observation.time < 0.0 {
            return Err(Undefined::OutOfRange {
                what: "a time",
                found: observation.time,
                accepted: "at least 0",
            });
        }
    }
    let mut sorted = observations.to_vec();
    sorted.sort_unstable_by(events_first);
    let mut distinct: Vec<f64> = sorted.iter().map(|observation| observation.time).collect();
    distinct.dedup_by(|right, left| same(*left, *right));
    let slack = f64::EPSILON.sqrt() * larger(1.0, two_pass_mean(&distinct));
    if distinct.windows(2).all(|pair| pair[1] - pair[0] > slack) {
        return Ok(sorted);
    }
    let mut previous = sorted[0].time;
    let mut kept = previous;
    for observation in &mut sorted {
        let time = observation.time;
        if time - previous > slack {
            kept = time;
        }
        previous = time;
        observation.time = kept;
    }
    sorted.sort_unstable_by(events_first);
    Ok(sorted)
}

/// The order of time, events before censorings.
fn events_first(left: &Observation, right: &Observation) -> std::cmp::Ordering {
    let censored = |observation: &Observation| observation.ending == Ending::Censored;
    left.time.total_cmp(&right.time).then(censored(left).cmp(&censored(right)))
}

impl KaplanMeier {
    /// The product-limit estimate S(t) = Π over event times ≤ t of (1 − d/n).
    ///
    /// Reference: Kaplan and Meier (1958); variance of ln S by Greenwood (1926), Σ d/(n(n − d)).
    /// Cost: O(n log n), 100,000 times in some 10 ms. Edge cases: without events there is no step and S is 1;
    /// once S is 0 the standard error and the limits do not exist; times must be finite and not negative.
    ///
    /// ```
    /// use unfazed::stats::kaplan_meier::{Ending, KaplanMeier, Observation};
    /// let times = [(5.0, Ending::Event), (7.0, Ending::Event), (9.0, Ending::Censored), (9.0, Ending::Censored)];
    /// let curve = KaplanMeier::fit(&times.map(|(time, ending)| Observation { time, ending })).unwrap();
    /// assert_eq!(curve.steps()[1].survival, 0.5);
    /// assert_eq!(curve.quantile(0.5), Some(8.0));
    /// ```
    pub fn fit(observations: &[Observation]) -> Result<Self, Undefined> {
        let sorted = ordered(observations)?;
        let n = sorted.len();
        let mut steps = Vec::new();
        let (mut survival, mut greenwood) = (1.0, 0.0);
        let mut start = 0;
        while start < n {
            let time = sorted[start].time;
            let end =
                start + sorted[start..].partition_point(|observation| observation.time <= time);
            let events = sorted[start..end]
                .partition_point(|observation| observation.ending == Ending::Event);
            if events > 0 {
                let at_risk = n - start;
                let (risk, dying) = (count_to_f64(at_risk), count_to_f64(events));
                survival *= (risk - dying) / risk;
                let left = at_risk - events;
                greenwood += if left == 0 { 0.0 } else { dying / (risk * count_to_f64(left)) };
                let log_standard_error = (left > 0).then(|| greenwood.sqrt());
                steps.push(Step { time, at_risk, events, survival, log_standard_error });
            }
            start = end;
        }
        Ok(Self { steps, last_time: sorted[n - 1].time, n })
    }

    /// The curve at its event times, in the order of time.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The last time of all, event or not.
    pub fn last_time(&self) -> f64 {
        self.last_time
    }

    /// How many were observed.
    pub fn n(&self) -> usize {
        self.n
    }

    /// S(t), right-continuous: an event at t has already happened. Cost: O(log n).
    pub fn survival_at(&self, time: f64) -> f64 {
        let passed = self.steps.partition_point(|step| step.time <= time);
        passed.checked_sub(1).map_or(1.0, |last| self.steps[last].survival)
    }

    /// The pointwise limits of S at every event time, two-sided.
    pub fn band(&self, kind: BandType, level: f64) -> Result<Vec<BandPoint>, Undefined> {
        require_level("the confidence level", level)?;
        let z = normal_quantile(0.5 + 0.5 * level);
        Ok(self.steps.iter().map(|step| point(step, kind, z)).collect())
    }

    /// The time by which the share p has had the event, p in (0, 1]; `None` when the curve does not get there.
    ///
    /// The first event time with 1 − S ≥ p. Where the curve rests at exactly 1 − S = p (within 1.5e-8) the
    /// answer is the middle of the rest, which for the last rest ends at the last time observed
    /// (R `quantile.survfit`).
    pub fn quantile(&self, p: f64) -> Option<f64> {
        crossing(&self.curve(|_, step| Some(1.0 - step.survival)), p, self.last_time)
    }

    /// Limits of [`Self::quantile`]: where the limits of the band cross the same level.
    ///
    /// Reference: Brookmeyer and Crowley (1982). A limit is `None` where the band does not get there.
    ///
    /// ```
    /// use unfazed::stats::kaplan_meier::{BandType, Ending, KaplanMeier, Observation};
    /// let times: Vec<_> = (1..=20).map(|t| Observation { time: f64::from(t), ending: Ending::Event }).collect();
    /// let curve = KaplanMeier::fit(&times).unwrap();
    /// let limits = curve.quantile_interval(0.5, BandType::LogLog, 0.95).unwrap();
    /// assert_eq!((limits.lower, curve.quantile(0.5), limits.upper), (Some(5.0), Some(10.5), Some(15.0)));
    /// ```
    pub fn quantile_interval(
        &self,
        p: f64,
        kind: BandType,
        level: f64,
    ) -> Result<Interval, Undefined> {
        require_level("the probability of the quantile", p)?;
        let band = self.band(kind, level)?;
        let lower =
            crossing(&self.curve(|i, _| band[i].lower.map(|limit| 1.0 - limit)), p, self.last_time);
        let upper =
            crossing(&self.curve(|i, _| band[i].upper.map(|limit| 1.0 - limit)), p, self.last_time);
        Ok(Interval::new(lower, upper, level))
    }

    /// The points (time, height) of a rising curve over the steps, from (0, 0), equal heights dropped.
    fn curve(&self, height: impl Fn(usize, &Step) -> Option<f64>) -> Vec<CurvePoint> {
        let mut points = vec![CurvePoint { time: 0.0, height: Some(0.0) }];
        for (position, step) in self.steps.iter().enumerate() {
            let height = height(position, step);
            let repeated = match (height, points[points.len() - 1].height) {
                (Some(new), Some(old)) => same(new, old),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
            if !repeated {
                points.push(CurvePoint { time: step.time, height });
            }
        }
        points
    }
}

#[derive(Debug, Clone, Copy)]
struct CurvePoint {
    time: f64,
    height: Option<f64>,
}

/// The time at which a step curve crosses a level, with the midpoint rule for a rest at the level.
fn crossing(points: &[CurvePoint], level: f64, last_time: f64) -> Option<f64> {
    let tolerance = f64::EPSILON.sqrt();
    // The lowest height that reaches the bound. A band may fall again, so the lowest, not the first.
    let reaching = |bound: f64| {
        let mut best: Option<CurvePoint> = None;
        for point in points {
            let Some(height) = point.height else { continue };
            let better = best.and_then(|found| found.height).is_none_or(|lowest| height < lowest);
            if height >= bound && better {
                best = Some(*point);
            }
        }
        best
    };
    let first = reaching(level - tolerance)?;
    let end = points.last().and_then(|point| point.height);
    if end.is_some_and(|height| (height - level).abs() < tolerance) {
        return Some(f64::midpoint(first.time, last_time));
    }
    reaching(level + tolerance).map(|next| f64::midpoint(first.time, next.time))
}

/// The limits at one step; the formulae are those of R `survfit_confint`.
fn point(step: &Step, kind: BandType, z: f64) -> BandPoint {
    let Some(error) = step.log_standard_error else {
        return BandPoint { lower: None, upper: None };
    };
    let s = step.survival;
    let reach = z * error;
    let (lower, upper) = match kind {
        BandType::Log => ((s.ln() - reach).exp(), smaller(1.0, (s.ln() + reach).exp())),
        BandType::Plain => (larger(0.0, s - reach * s), smaller(1.0, s + reach * s)),
        BandType::LogLog => {
            let center = (-s.ln()).ln();
            let reach = reach / s.ln();
            ((-(center - reach).exp()).exp(), (-(center + reach).exp()).exp())
        }
        BandType::Logit => {
            let center = (s / (1.0 - s)).ln();
            let reach = reach * (1.0 + s / (1.0 - s));
            (1.0 - 1.0 / (1.0 + (center - reach).exp()), 1.0 - 1.0 / (1.0 + (center + reach).exp()))
        }
        BandType::ArcSine => {
            let center = s.sqrt().asin();
            let reach = 0.5 * reach * (s / (1.0 - s)).sqrt();
            let lower = larger(0.0, center - reach).sin();
            let upper = smaller(std::f64::consts::FRAC_PI_2, center + reach).sin();
            (lower * lower, upper * upper)
        }
    };
    BandPoint { lower: Some(lower), upper: Some(upper) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(super) fn observations(times: &[f64], events: &[u8]) -> Vec<Observation> {
        let ending = |event: u8| if event == 1 { Ending::Event } else { Ending::Censored };
        times
            .iter()
            .zip(events)
            .map(|(&time, &event)| Observation { time, ending: ending(event) })
            .collect()
    }

    #[test]
    fn five_times_by_hand() {
        let curve =
            KaplanMeier::fit(&observations(&[1.0, 2.0, 2.0, 3.0, 4.0], &[1, 1, 0, 0, 1])).unwrap();
        let survival: Vec<f64> = curve.steps().iter().map(|step| step.survival).collect();
        // 4/5, then 3/4 of it with the censored one still at risk, then 0.
        assert!((survival[0] - 0.8).abs() < 1e-15 && (survival[1] - 0.6).abs() < 1e-15);
        assert_eq!(survival[2], 0.0);
        let greenwood = 0.6 * (1.0 / 20.0 + 1.0 / 12.0_f64).sqrt();
        assert!((curve.steps()[1].standard_error().unwrap() - greenwood).abs() < 1e-15);
        assert_eq!(curve.steps()[2].standard_error(), None);
    }

    #[test]
    fn without_events_nothing_is_reached() {
        let curve = KaplanMeier::fit(&observations(&[3.0, 5.0], &[0, 0])).unwrap();
        assert!(curve.steps().is_empty());
        assert_eq!(curve.quantile(0.5), None);
        assert_eq!(curve.quantile_interval(0.5, BandType::Log, 0.95).unwrap().lower, None);
        assert_eq!(curve.survival_at(100.0), 1.0);
    }

    #[test]
    fn times_that_differ_by_rounding_are_one_time() {
        let curve = KaplanMeier::fit(&observations(&[0.1 + 0.2, 0.3, 1.0], &[1, 1, 1])).unwrap();
        assert_eq!(curve.steps().len(), 2);
        assert_eq!(curve.steps()[0].events, 2);
    }

    #[test]
    fn a_negative_time_is_refused() {
        assert_eq!(
            KaplanMeier::fit(&observations(&[-1.0], &[1])).unwrap_err().code(),
            "out_of_range"
        );
        assert_eq!(KaplanMeier::fit(&[]), Err(Undefined::Empty));
    }

    proptest! {
        #[test]
        fn without_censoring_the_curve_is_the_empirical_one(times in prop::collection::vec(1_u8..30, 1..40)) {
            let times: Vec<f64> = times.into_iter().map(f64::from).collect();
            let curve = KaplanMeier::fit(&observations(&times, &vec![1; times.len()])).unwrap();
            for t in 0..31 {
                let t = f64::from(t);
                let share = count_to_f64(times.iter().filter(|&&time| time > t).count()) / count_to_f64(times.len());
                prop_assert!((curve.survival_at(t) - share).abs() < 1e-12);
            }
        }

        #[test]
        fn limits_surround_the_curve_and_units_do_not_matter(
            pairs in prop::collection::vec((1_u8..30, 0_u8..2), 2..40), scale in 0.5_f64..100.0,
        ) {
            let times: Vec<f64> = pairs.iter().map(|pair| f64::from(pair.0)).collect();
            let events: Vec<u8> = pairs.iter().map(|pair| pair.1).collect();
            let curve = KaplanMeier::fit(&observations(&times, &events)).unwrap();
            for kind in [BandType::Log, BandType::LogLog, BandType::Plain, BandType::Logit, BandType::ArcSine] {
                for (limits, step) in curve.band(kind, 0.9).unwrap().iter().zip(curve.steps()) {
                    if let (Some(lower), Some(upper)) = (limits.lower, limits.upper) {
                        prop_assert!(lower <= step.survival + 1e-12 && step.survival <= upper + 1e-12);
                        prop_assert!((0.0..=1.0).contains(&lower) && (0.0..=1.0).contains(&upper));
                    }
                }
            }
            let scaled: Vec<f64> = times.iter().map(|time| time * scale).collect();
            let other = KaplanMeier::fit(&observations(&scaled, &events)).unwrap();
            match (curve.quantile(0.5), other.quantile(0.5)) {
                (Some(plain), Some(scaled)) => prop_assert!((plain * scale - scaled).abs() < 1e-9 * scaled),
                (plain, scaled) => prop_assert_eq!(plain, scaled),
            }
        }
    }
}
