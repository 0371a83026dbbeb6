//! One quantity of two campaigns, with limits of how much worse the one after is.
//!
//! Everything here is turned so that greater is worse: a [`Contest`] knows no metric and no direction. Lost data are
//! handed in as unknown and enter as the worst case of each question.

use crate::stats::clustered_ratio::{ClusteredRatio, Truncation};
use crate::stats::distribution::normal_survival;
use crate::stats::hodges_lehmann::{LimitSide, shift};
use crate::stats::kaplan_meier::{Ending, KaplanMeier, Observation};
use crate::stats::mann_whitney::mann_whitney;
use crate::stats::newcombe::newcombe;
use crate::stats::rmst::{RestrictedMean, restricted_mean};
use crate::stats::signed_rank::NullDistribution;
use crate::stats::{Alternative, count_to_f64};
use crate::verdict::policy;

/// Stands for "as bad as can be": far beyond any measurement, and half of it can be subtracted from the other half.
const EXTREME: f64 = 1e300;

/// What one question needs: better and not worse assume the worst of what is unknown, worse the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Assume {
    /// After as bad as can be, before as good as can be.
    Worst,
    /// After as good as can be, before as bad as can be.
    Best,
}

/// Values of one campaign; greater is worse. `None` is lost.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Values(pub(super) Vec<Option<f64>>);

/// A comparison of one quantity, greater is worse.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Contest {
    pub(super) before: Option<f64>,
    pub(super) after: Option<f64>,
    pub(super) estimate: Option<f64>,
    pub(super) lower: Option<f64>,
    pub(super) upper: Option<f64>,
    pub(super) margin: f64,
    pub(super) n_before: usize,
    pub(super) n_after: usize,
    pub(super) method: &'static str,
    pub(super) p_not_worse: Option<f64>,
    pub(super) p_better: Option<f64>,
    pub(super) p_worse: Option<f64>,
}

impl Contest {
    /// A comparison about which nothing can be said.
    fn silent(method: &'static str, margin: f64, n_before: usize, n_after: usize) -> Self {
        Self {
            before: None,
            after: None,
            estimate: None,
            lower: None,
            upper: None,
            margin,
            n_before,
            n_after,
            method,
            p_not_worse: None,
            p_better: None,
            p_worse: None,
        }
    }

    /// Whether it is not worse at the level of the limits.
    pub(super) fn is_not_worse(&self) -> bool {
        self.upper.is_some_and(|upper| upper <= self.margin + tolerance(self.margin))
    }
}

/// Sums of doubles differ by less.
fn tolerance(value: f64) -> f64 {
    policy::EQUALITY * value.abs()
}

// ── values: Hodges–Lehmann shift ────────────────────────────────────────────────────────────────────────────────────

/// The shift of values from before to after (Hodges and Lehmann 1963), with the exact limits of the rank-sum test.
pub(super) fn values(before: &Values, after: &Values, margin: f64, alpha: f64) -> Contest {
    let (n_before, n_after) = (before.0.len(), after.0.len());
    let mut contest = Contest::silent("hodges_lehmann", margin, n_before, n_after);
    contest.before = median(&before.known());
    contest.after = median(&after.known());
    if n_before == 0 || n_after == 0 {
        return contest;
    }
    contest.estimate = shift(&after.known(), &before.known(), 0.9, Alternative::TwoSided)
        .ok()
        .map(|found| found.estimate);
    let worst = Samples::of(before, after, Assume::Worst);
    let best = Samples::of(before, after, Assume::Best);
    contest.upper = worst.limit(alpha, LimitSide::Upper);
    contest.lower = best.limit(alpha, LimitSide::Lower);
    contest.p_not_worse = worst.p_below(margin, Equality::Counts);
    contest.p_better = worst.p_below(0.0, Equality::CountsNot);
    contest.p_worse = best.p_above(margin);
    contest
}

impl Values {
    fn known(&self) -> Vec<f64> {
        self.0.iter().flatten().copied().collect()
    }
}

/// The median; none of nothing.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    let middle = sorted.get(n / 2)?;
    if n % 2 == 1 { Some(*middle) } else { Some(f64::midpoint(sorted[n / 2 - 1], *middle)) }
}

/// Whether a difference of exactly the threshold is on its good side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Equality {
    Counts,
    CountsNot,
}

/// Two samples without unknowns.
struct Samples {
    before: Vec<f64>,
    after: Vec<f64>,
}

impl Samples {
    fn of(before: &Values, after: &Values, assume: Assume) -> Self {
        let (lost_before, lost_after) = match assume {
            Assume::Worst => (-EXTREME, EXTREME),
            Assume::Best => (EXTREME, -EXTREME),
        };
        let filled = |values: &Values, lost: f64| {
            values.0.iter().map(|value| value.unwrap_or(lost)).collect::<Vec<f64>>()
        };
        Self { before: filled(before, lost_before), after: filled(after, lost_after) }
    }

    /// The one-sided limit at error `alpha`; none if no data of this size could give one.
    fn limit(&self, alpha: f64, side: LimitSide) -> Option<f64> {
        let alternative = match side {
            LimitSide::Upper => Alternative::Less,
            LimitSide::Lower => Alternative::Greater,
        };
        let found = shift(&self.after, &self.before, 1.0 - alpha, alternative).ok()?;
        // Too few values: the extremes are shown, and are worth less than the level.
        if found.true_coverage < 1.0 - alpha - 1e-9 {
            return None;
        }
        let limit = match side {
            LimitSide::Upper => found.interval.upper,
            LimitSide::Lower => found.interval.lower,
        };
        limit.filter(|limit| limit.abs() < EXTREME / 4.0)
    }

    /// The smallest level at which the shift lies below the threshold.
    fn p_below(&self, threshold: f64, equality: Equality) -> Option<f64> {
        let moved: Vec<f64> = self.before.iter().map(|value| value + threshold).collect();
        let (after, moved) = (&self.after, &moved);
        let equal = |(after, before): (&f64, &f64)| (after - before).abs() <= tolerance(*before);
        // All values equal, at the threshold: a difference of exactly the margin is inside it.
        if equality == Equality::Counts
            && after.iter().all(|after| moved.iter().all(|before| equal((after, before))))
        {
            return Some(0.0);
        }
        rank_p(after, moved, Alternative::Less)
    }

    /// The smallest level at which the shift lies above the threshold.
    fn p_above(&self, threshold: f64) -> Option<f64> {
        let moved: Vec<f64> = self.before.iter().map(|value| value + threshold).collect();
        rank_p(&self.after, &moved, Alternative::Greater)
    }
}

/// The rank-sum p-value: exact within the kernel's limits, else normal.
fn rank_p(x: &[f64], y: &[f64], alternative: Alternative) -> Option<f64> {
    mann_whitney(x, y, alternative, NullDistribution::Exact)
        .or_else(|_| mann_whitney(x, y, alternative, NullDistribution::Normal))
        .ok()
        .map(|test| test.p.get())
}

// ── shares: Newcombe ────────────────────────────────────────────────────────────────────────────────────────────────

/// How many kills were outside a bound.
#[expect(clippy::struct_field_names, reason = "`outside` of `n` is how the field is read aloud")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outside {
    pub(super) outside: u32,
    pub(super) unknown: u32,
    pub(super) n: u32,
}

/// The difference of the shares of kills outside, with hybrid score limits (Newcombe 1998, method 10).
pub(super) fn shares(before: Outside, after: Outside, margin: f64, alpha: f64) -> Contest {
    let mut contest = Contest::silent("newcombe", margin, before.n as usize, after.n as usize);
    if before.n == 0 || after.n == 0 {
        return contest;
    }
    let share = |kills: Outside| f64::from(kills.outside) / f64::from(kills.n);
    contest.before = Some(share(before));
    contest.after = Some(share(after));
    contest.estimate = Some(share(after) - share(before));
    let limit = |assume: Assume, alpha: f64, side: LimitSide| {
        let (bad_before, bad_after) = match assume {
            Assume::Worst => (before.outside, after.outside + after.unknown),
            Assume::Best => (before.outside + before.unknown, after.outside),
        };
        let alternative = match side {
            LimitSide::Upper => Alternative::Less,
            LimitSide::Lower => Alternative::Greater,
        };
        let found = newcombe(
            bad_after.into(),
            after.n.into(),
            bad_before.into(),
            before.n.into(),
            1.0 - alpha,
            alternative,
        )
        .ok()?;
        match side {
            LimitSide::Upper => found.interval.upper,
            LimitSide::Lower => found.interval.lower,
        }
    };
    by_limits(&mut contest, alpha, limit);
    contest
}

// ── all requests: two clustered ratios ──────────────────────────────────────────────────────────────────────────────

/// Bad requests and requests of a campaign's kills; `None` is a kill whose requests are lost.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Requests(pub(super) Vec<Option<BadOfAll>>);

/// Requests of one kill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct BadOfAll {
    pub(super) bad: f64,
    pub(super) all: f64,
}

/// The difference of two ratios over all requests, clustered by kill: the limits of each are Korn and Graubard's
/// (1998), put together as Zou and Donner (2008) do, so that a rare event keeps its skewed limits.
pub(super) fn requests(before: &Requests, after: &Requests, margin: f64, alpha: f64) -> Contest {
    let (n_before, n_after) = (before.0.len(), after.0.len());
    let mut contest = Contest::silent("korn_graubard_mover", margin, n_before, n_after);
    let known = |requests: &Requests| Ratio::of(requests, None);
    contest.before = known(before).map(|ratio| ratio.found.ratio);
    contest.after = known(after).map(|ratio| ratio.found.ratio);
    contest.estimate = contest.after.zip(contest.before).map(|(after, before)| after - before);
    if n_before.min(n_after) < policy::CLUSTERS_TO_FAIL {
        return contest;
    }
    let limit = |assume: Assume, alpha: f64, side: LimitSide| {
        if assume == Assume::Worst && n_before.min(n_after) < policy::CLUSTERS_TO_PASS {
            return None;
        }
        let (lost_before, lost_after) = match assume {
            Assume::Worst => (0.0, 1.0),
            Assume::Best => (1.0, 0.0),
        };
        let before = Ratio::of(before, Some(lost_before))?;
        let after = Ratio::of(after, Some(lost_after))?;
        let estimate = after.found.ratio - before.found.ratio;
        match side {
            LimitSide::Upper => {
                let up = after.limit(alpha, LimitSide::Upper)? - after.found.ratio;
                let down = before.found.ratio - before.limit(alpha, LimitSide::Lower)?;
                Some(estimate + up.hypot(down))
            }
            LimitSide::Lower => {
                let down = after.found.ratio - after.limit(alpha, LimitSide::Lower)?;
                let up = before.limit(alpha, LimitSide::Upper)? - before.found.ratio;
                Some(estimate - up.hypot(down))
            }
        }
    };
    by_limits(&mut contest, alpha, limit);
    contest
}

/// A clustered ratio with limits that also exist without any bad request.
struct Ratio {
    found: ClusteredRatio,
}

impl Ratio {
    /// The ratio; lost kills count with the mean traffic of the others at the ratio `lost`, or not at all.
    fn of(requests: &Requests, lost: Option<f64>) -> Option<Self> {
        let known: Vec<BadOfAll> = requests.0.iter().flatten().copied().collect();
        let mut bad: Vec<f64> = known.iter().map(|kill| kill.bad).collect();
        let mut all: Vec<f64> = known.iter().map(|kill| kill.all).collect();
        if let Some(lost) = lost {
            let missing = requests.0.len() - known.len();
            if missing > 0 {
                let mean = (all.iter().sum::<f64>() / count_to_f64(known.len())).round();
                if !mean.is_finite() {
                    return None;
                }
                bad.extend(std::iter::repeat_n(lost * mean, missing));
                all.extend(std::iter::repeat_n(mean, missing));
            }
        }
        ClusteredRatio::of(&bad, &all).ok().map(|found| Self { found })
    }

    fn limit(&self, alpha: f64, side: LimitSide) -> Option<f64> {
        let none_bad = self.found.events <= 0.0;
        let all_bad = self.found.events >= self.found.requests;
        match side {
            LimitSide::Lower if none_bad => Some(0.0),
            LimitSide::Upper if all_bad => Some(1.0),
            // Without a bad request no spread between kills can be seen: the exact zero-event bound over all requests.
            LimitSide::Upper if none_bad => Some(1.0 - alpha.powf(1.0 / self.found.requests)),
            LimitSide::Lower if all_bad => Some(alpha.powf(1.0 / self.found.requests)),
            LimitSide::Lower | LimitSide::Upper => {
                self.found.korn_graubard(alpha, side, Truncation::AtRequests).ok()
            }
        }
    }
}

// ── times with censoring ────────────────────────────────────────────────────────────────────────────────────────────

/// A time from the kill and how its observation ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Time {
    pub(super) seconds: f64,
    pub(super) ending: Ending,
}

/// The difference of times to recover. While few times are cut off, the shift of the times with every cut-off one at its
/// worst; else the difference of restricted means (Irwin 1949) up to the shorter of the two observations.
pub(super) fn times(before: &[Time], after: &[Time], margin: f64, alpha: f64) -> Contest {
    let cut_off =
        |times: &[Time]| times.iter().filter(|time| time.ending == Ending::Censored).count();
    let many = |times: &[Time]| {
        count_to_f64(cut_off(times)) > policy::CUT_OFF_SHARE * count_to_f64(times.len())
    };
    let enough =
        |times: &[Time]| times.len() - cut_off(times) >= policy::EVENTS_FOR_RESTRICTED_MEAN;
    if (many(before) || many(after)) && enough(before) && enough(after) {
        return restricted(before, after, margin, alpha);
    }
    let mut contest = Contest::silent("hodges_lehmann", margin, before.len(), after.len());
    if before.is_empty() || after.is_empty() {
        return contest;
    }
    contest.before = kaplan_meier_median(before);
    contest.after = kaplan_meier_median(after);
    contest.estimate = contest.after.zip(contest.before).map(|(after, before)| after - before);
    // A time that was cut off is at least as long as it was seen.
    let at_least = |times: &[Time]| times.iter().map(|time| time.seconds).collect::<Vec<f64>>();
    let at_most = |times: &[Time]| {
        times
            .iter()
            .map(|time| match time.ending {
                Ending::Event => time.seconds,
                Ending::Censored => EXTREME,
            })
            .collect::<Vec<f64>>()
    };
    let worst = Samples { before: at_least(before), after: at_most(after) };
    let best = Samples { before: at_most(before), after: at_least(after) };
    contest.upper = worst.limit(alpha, LimitSide::Upper);
    contest.lower = best.limit(alpha, LimitSide::Lower);
    contest.p_not_worse = worst.p_below(margin, Equality::Counts);
    contest.p_better = worst.p_below(0.0, Equality::CountsNot);
    contest.p_worse = best.p_above(margin);
    contest
}

/// The curve of times.
pub(super) fn curve(times: &[Time]) -> Option<KaplanMeier> {
    let observations: Vec<Observation> =
        times.iter().map(|time| Observation { time: time.seconds, ending: time.ending }).collect();
    KaplanMeier::fit(&observations).ok()
}

fn kaplan_meier_median(times: &[Time]) -> Option<f64> {
    curve(times)?.quantile(0.5)
}

/// Two restricted means up to one horizon, the smaller of the last times.
pub(super) struct RestrictedMeans {
    pub(super) before: RestrictedMean,
    pub(super) after: RestrictedMean,
}

impl RestrictedMeans {
    /// None where a curve or its standard error does not exist.
    pub(super) fn of(before: &[Time], after: &[Time]) -> Option<Self> {
        let (before, after) = (curve(before)?, curve(after)?);
        let (one, other) = (before.last_time(), after.last_time());
        let horizon = if one < other { one } else { other };
        let (before, after) =
            (restricted_mean(&before, horizon).ok()?, restricted_mean(&after, horizon).ok()?);
        let exists =
            |mean: &RestrictedMean| mean.value.is_finite() && mean.standard_error.is_finite();
        (exists(&before) && exists(&after)).then_some(Self { before, after })
    }

    pub(super) fn difference(&self) -> f64 {
        self.after.value - self.before.value
    }

    /// The standard error of the difference; none if one of the curves shows no spread.
    pub(super) fn standard_error(&self) -> Option<f64> {
        let error = self.before.standard_error.hypot(self.after.standard_error);
        (self.before.events > 0 && self.after.events > 0 && error > 0.0).then_some(error)
    }
}

fn restricted(before: &[Time], after: &[Time], margin: f64, alpha: f64) -> Contest {
    let mut contest = Contest::silent("restricted_mean", margin, before.len(), after.len());
    let Some(means) = RestrictedMeans::of(before, after) else { return contest };
    contest.before = Some(means.before.value);
    contest.after = Some(means.after.value);
    let difference = means.difference();
    contest.estimate = Some(difference);
    let Some(error) = means.standard_error() else { return contest };
    let reach = crate::stats::distribution::normal_quantile(1.0 - alpha) * error;
    contest.upper = Some(difference + reach);
    contest.lower = Some(difference - reach);
    contest.p_not_worse = Some(normal_survival((margin - difference) / error));
    contest.p_better = Some(normal_survival(-difference / error));
    contest.p_worse = Some(normal_survival((difference - margin) / error));
    contest
}

// ── limits that are only known by their level ───────────────────────────────────────────────────────────────────────

/// Fills in limits and p-values from limits at any level: p is the smallest level at which the limit decides.
fn by_limits(
    contest: &mut Contest,
    alpha: f64,
    limit: impl Fn(Assume, f64, LimitSide) -> Option<f64>,
) {
    let margin = contest.margin;
    let allowed = margin + tolerance(margin);
    contest.upper = limit(Assume::Worst, alpha, LimitSide::Upper);
    contest.lower = limit(Assume::Best, alpha, LimitSide::Lower);
    let upper = |alpha: f64| limit(Assume::Worst, alpha, LimitSide::Upper);
    let lower = |alpha: f64| limit(Assume::Best, alpha, LimitSide::Lower);
    contest.p_not_worse = smallest_level(|alpha| Some(upper(alpha)? <= allowed));
    contest.p_better = smallest_level(|alpha| Some(upper(alpha)? < 0.0));
    contest.p_worse = smallest_level(|alpha| Some(lower(alpha)? > allowed));
}

/// The largest error rate at which limits are looked at. At one half a two-sided interval has no width left.
const LARGEST_LEVEL: f64 = 0.499;

/// The smallest level, to a part in a million, at which a limit decides; 1 if it does not even at one half.
fn smallest_level(decides: impl Fn(f64) -> Option<bool>) -> Option<f64> {
    if !decides(LARGEST_LEVEL)? {
        return Some(1.0);
    }
    let (mut low, mut high) = ((1e-12_f64).ln(), LARGEST_LEVEL.ln());
    if decides(low.exp())? {
        return Some(low.exp());
    }
    while high - low > 1e-6 {
        let middle = f64::midpoint(low, high);
        if decides(middle.exp())? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high.exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;
    use crate::unit::Seed;

    fn known(values: &[f64]) -> Values {
        Values(values.iter().copied().map(Some).collect())
    }

    #[test]
    fn a_clear_shift_is_better_one_way_and_worse_the_other() {
        let slow: Vec<f64> = (0..12).map(|at| 2.0 + 0.01 * f64::from(at)).collect();
        let fast: Vec<f64> = (0..12).map(|at| 0.1 + 0.01 * f64::from(at)).collect();
        let better = values(&known(&slow), &known(&fast), 0.02, 0.05);
        assert!(better.upper.unwrap() < 0.0 && better.p_better.unwrap() < 0.001, "{better:?}");
        let worse = values(&known(&fast), &known(&slow), 0.02, 0.05);
        assert!(worse.lower.unwrap() > 0.02 && worse.p_worse.unwrap() < 0.001, "{worse:?}");
        assert_eq!(better.estimate.map(|shift| -shift), worse.estimate);
    }

    #[test]
    fn lost_data_are_the_worst_case_of_either_question() {
        let before = known(&[1.0, 1.1, 1.2, 1.3, 1.4, 1.5]);
        let mut after = known(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
        assert!(values(&before, &after, 0.0, 0.05).p_better.unwrap() < 0.01);
        for lost in after.0.iter_mut().take(4) {
            *lost = None;
        }
        let found = values(&before, &after, 0.0, 0.05);
        assert!(found.p_better.unwrap() > 0.05 && found.p_worse.unwrap() > 0.05, "{found:?}");
        assert_eq!(found.upper, None);
    }

    #[test]
    fn too_few_kills_have_no_limit() {
        let found = values(&known(&[1.0, 2.0]), &known(&[1.0, 2.0]), 10.0, 0.05);
        assert_eq!((found.upper, found.is_not_worse()), (None, false));
    }

    #[test]
    fn values_that_never_move_are_not_worse_even_without_a_margin() {
        let zeros = known(&[0.0; 8]);
        assert!(values(&zeros, &zeros, 0.0, 0.05).is_not_worse());
    }

    #[test]
    fn shares_agree_with_the_limit_of_newcombe() {
        let all_broke = Outside { outside: 10, unknown: 0, n: 10 };
        let none_broke = Outside { outside: 0, unknown: 0, n: 22 };
        let found = shares(all_broke, none_broke, 0.2, 0.05);
        assert!(found.upper.unwrap() < 0.0 && found.p_better.unwrap() < 0.05, "{found:?}");
        let unknown = Outside { outside: 0, unknown: 22, n: 22 };
        assert!(!shares(all_broke, unknown, 0.2, 0.05).is_not_worse());
    }

    #[test]
    fn times_that_were_cut_off_never_prove_a_recovery() {
        let seen = |seconds: f64| Time { seconds, ending: Ending::Event };
        let cut = |seconds: f64| Time { seconds, ending: Ending::Censored };
        let before: Vec<Time> = (0..8).map(|at| seen(20.0 + f64::from(at))).collect();
        let after = vec![cut(5.0); 8];
        let found = times(&before, &after, 1.0, 0.05);
        assert!(!found.is_not_worse() && found.p_better.unwrap() > 0.5, "{found:?}");
    }

    /// Half of 400 simulated pairs of campaigns with nothing changed, each question at its own border.
    #[test]
    fn answers_are_wrong_no_more_often_than_their_level() {
        let mut stream = Stream::new(Seed(7), "compare", "calibration");
        let (mut better, mut worse, mut not_worse) = (0, 0, 0);
        let rounds = 400;
        for _ in 0..rounds {
            let mut campaign =
                |shift: f64| Values((0..10).map(|_| Some(shift + stream.normal().exp())).collect());
            let (before, after, shifted) = (campaign(0.0), campaign(0.0), campaign(0.5));
            better += u32::from(values(&before, &after, 0.5, 0.05).p_better.unwrap() <= 0.05);
            let moved = values(&before, &shifted, 0.5, 0.05);
            worse += u32::from(moved.p_worse.unwrap() <= 0.05);
            not_worse += u32::from(moved.is_not_worse());
        }
        // 5 % of 400 are 20, with a standard deviation of 4.4: three of them above.
        for (name, count) in [("better", better), ("worse", worse), ("not worse", not_worse)] {
            assert!(count <= 33, "{name}: {count} of {rounds} wrong");
        }
    }

    #[test]
    fn two_equal_ratios_are_rarely_called_different() {
        let mut stream = Stream::new(Seed(8), "compare", "ratios");
        let (mut better, mut worse) = (0, 0);
        for _ in 0..300 {
            let mut campaign = || {
                Requests(
                    (0..10)
                        .map(|_| {
                            // Rates that differ between kills (lognormal), 20 bad requests on average.
                            let rate = 0.002 * (0.5 * stream.normal() - 0.125).exp();
                            let wanted = (10_000.0 * rate).round();
                            Some(BadOfAll { bad: wanted, all: 10_000.0 })
                        })
                        .collect(),
                )
            };
            let (before, after) = (campaign(), campaign());
            let found = requests(&before, &after, 0.0, 0.05);
            better += u32::from(found.p_better.unwrap() <= 0.05);
            worse += u32::from(found.p_worse.unwrap() <= 0.05);
        }
        // 5 % of 300 are 15, with a standard deviation of 3.8.
        assert!(better <= 27 && worse <= 27, "better {better}, worse {worse}");
    }
}
