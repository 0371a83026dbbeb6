//! The chance that a claim passes, as a function of the number of kills.
//!
//! One curve per method of the verdict. Shares: exact binomial. Typical kill: noncentral t with the number of kills
//! divided by 1.16, because the signed-rank test needs at most so many more than t whatever the distribution
//! (asymptotic relative efficiency at least 108/125; Hodges & Lehmann 1956). All requests: the limit that decides,
//! for a rate that is known and counts that are overdispersed as assumed.

use crate::stats::count_to_f64;
use crate::stats::distribution::{beta_survival, binomial_at_least, student_t_quantile};
use crate::stats::power::{Design, Plan, Tail, detectable_effect, power};
use crate::stats::proportion::clopper_pearson_upper;
use crate::verdict::policy;
use crate::verdict::share;

/// Kills that the signed-rank test may need for each one of the t test: the reciprocal of 108/125, rounded up.
pub(crate) const SIGNED_RANK_COST: f64 = 1.16;

/// The most kills that are looked at.
pub(crate) const MOST_KILLS: u32 = policy::ITERATIONS_WORTH_SUGGESTING;

/// The chance that a claim passes by the number of kills.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Curve {
    /// A share of kills.
    Share {
        /// The share that is claimed.
        required: f64,
        /// The true share of good kills.
        truth: f64,
    },
    /// A pseudo-median.
    Typical {
        /// Distance of the truth from the bound in standard deviations between kills; below zero outside.
        distance: f64,
    },
    /// All requests.
    Requests(Traffic),
}

/// What is assumed of the requests of a campaign.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Traffic {
    /// The claimed share of adverse requests.
    pub(crate) bound: f64,
    /// The true share.
    pub(crate) rate: f64,
    /// Requests per kill.
    pub(crate) per_kill: f64,
    /// Variance of the adverse requests of a kill over the binomial one, at least 1.
    pub(crate) dispersion: f64,
}

impl Curve {
    /// The chance to pass with so many kills at one-sided error rate `alpha`.
    pub(crate) fn passes(self, kills: u32, alpha: f64) -> f64 {
        match self {
            Self::Share { required, truth } => share_passes(kills, required, truth, alpha),
            Self::Typical { distance } => typical_passes(kills, distance, alpha),
            Self::Requests(traffic) => traffic.passes(kills, alpha),
        }
    }

    /// The fewest kills with at least this chance to pass; `None` beyond [`MOST_KILLS`].
    pub(crate) fn needed(self, wanted: f64, alpha: f64) -> Option<u32> {
        // A share's chance goes up in saw teeth, so that every number is looked at; the others rise.
        match self {
            Self::Share { required, truth } if truth <= required => None,
            Self::Share { .. } => {
                (1..=MOST_KILLS).find(|kills| self.passes(*kills, alpha) >= wanted)
            }
            Self::Typical { .. } | Self::Requests(_) => {
                let (mut low, mut high) = (0, MOST_KILLS);
                if self.passes(high, alpha) < wanted {
                    return None;
                }
                while high - low > 1 {
                    let middle = low + (high - low) / 2;
                    if self.passes(middle, alpha) >= wanted { high = middle } else { low = middle }
                }
                Some(high)
            }
        }
    }
}

/// The fewest kills with which a pseudo-median can pass at all: 2^−n ≤ alpha.
pub(crate) fn least_typical(alpha: f64) -> Option<u32> {
    (1..=MOST_KILLS).find(|kills| smallest_level(*kills) <= alpha)
}

/// The smallest attainable level of a signed-rank test.
fn smallest_level(kills: u32) -> f64 {
    0.5_f64.powi(i32::try_from(kills).unwrap_or(i32::MAX))
}

/// The chance that few enough kills miss.
fn share_passes(kills: u32, required: f64, truth: f64, alpha: f64) -> f64 {
    let total = u64::from(kills);
    let proves = |misses: u64| binomial_at_least(total - misses, total, required) <= alpha;
    let Some(misses) = (0..total).take_while(|misses| proves(*misses)).last() else {
        return 0.0;
    };
    if truth >= 1.0 { 1.0 } else { binomial_at_least(total - misses, total, truth) }
}

/// The true share at which so many kills pass with a chance; `None` if they cannot prove the claim at all.
pub(crate) fn detectable_share(kills: u32, required: f64, wanted: f64, alpha: f64) -> Option<f64> {
    if share_passes(kills, required, 1.0, alpha) < wanted {
        return None;
    }
    Some(crossing(required, 1.0, |truth| share_passes(kills, required, truth, alpha) >= wanted))
}

fn typical_passes(kills: u32, distance: f64, alpha: f64) -> f64 {
    if smallest_level(kills) > alpha {
        return 0.0;
    }
    if distance.is_infinite() {
        return if distance > 0.0 { 1.0 } else { 0.0 };
    }
    power(t_plan(kills, distance, alpha)).unwrap_or(0.0)
}

/// The distance from the bound, in standard deviations, at which so many kills pass with a chance.
pub(crate) fn detectable_distance(kills: u32, wanted: f64, alpha: f64) -> Option<f64> {
    if smallest_level(kills) > alpha {
        return None;
    }
    detectable_effect(t_plan(kills, 0.0, alpha), wanted).ok()
}

/// The chance of the paired t test itself, the table of plans; zero where the signed-rank test that decides could
/// not pass at all.
pub(crate) fn t_passes(kills: u32, distance: f64, alpha: f64) -> f64 {
    if smallest_level(kills) > alpha {
        return 0.0;
    }
    power(Plan { n: f64::from(kills), ..t_plan(kills, distance, alpha) }).unwrap_or(0.0)
}

fn t_plan(kills: u32, effect: f64, alpha: f64) -> Plan {
    Plan {
        n: f64::from(kills) / SIGNED_RANK_COST,
        effect,
        level: alpha,
        design: Design::OneSample,
        tail: Tail::Greater,
    }
}

impl Traffic {
    /// The same traffic with another true share.
    pub(crate) const fn with_rate(self, rate: f64) -> Self {
        Self { rate, ..self }
    }

    /// The chance to pass. The requests of K kills count as K·N/φ independent ones; of them the limit sees the part
    /// that the t quantile leaves (Korn & Graubard 1998). It passes up to some share of adverse requests, and the
    /// chance to stay at or under it is binomial, interpolated between whole counts.
    fn passes(self, kills: u32, alpha: f64) -> f64 {
        if count_to_f64(policy::CLUSTERS_TO_PASS) > f64::from(kills) {
            return 0.0;
        }
        let level = alpha * policy::CLUSTERED_PASS_ALPHA_SHARE;
        let requests = f64::from(kills) * self.per_kill;
        // Without a single adverse request the limit is the exact one over all requests.
        if self.rate <= 0.0 {
            return if zero_event_requests(self.bound, level) <= requests { 1.0 } else { 0.0 };
        }
        let independent = requests / self.dispersion;
        let shrink = student_t_quantile(level, requests - 1.0)
            / student_t_quantile(level, f64::from(kills) - 1.0);
        let seen = independent * shrink * shrink;
        let proves = |share: f64| clopper_pearson_upper(share * seen, seen, level) <= self.bound;
        if !proves(0.0) {
            return 0.0;
        }
        let most = crossing(0.0, self.bound, |share| !proves(share)) * independent;
        // P(X ≤ x) of a binomial count, x taken as real.
        if most >= independent {
            1.0
        } else {
            beta_survival(self.rate, most + 1.0, independent - most)
        }
    }

    /// The greatest true share that so many kills pass with a chance; `None` if there is none.
    pub(crate) fn detectable_rate(self, kills: u32, wanted: f64, alpha: f64) -> Option<f64> {
        let tiny = self.bound * 1e-6;
        if self.with_rate(tiny).passes(kills, alpha) < wanted {
            return None;
        }
        Some(crossing(tiny, self.bound, |rate| self.with_rate(rate).passes(kills, alpha) < wanted))
    }
}

/// Requests that, without a single adverse one, prove a share at one-sided error rate `alpha`.
pub(crate) fn zero_event_requests(bound: f64, alpha: f64) -> f64 {
    (alpha.ln() / (-bound).ln_1p()).ceil()
}

/// Where `holds` begins to be true between `low` and `high`, to 1e-9 of their distance.
fn crossing(low: f64, high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (low, high);
    for _ in 0..30 {
        let middle = low / 2.0 + high / 2.0;
        if holds(middle) { high = middle } else { low = middle }
    }
    high
}

/// The number of kills that prove a share with so many misses.
pub(crate) fn kills_to_prove(required: f64, misses: usize, alpha: f64) -> Option<u32> {
    share::kills_to_prove(required, misses, alpha)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_passes_by_its_success_run() {
        let curve = Curve::Share { required: 0.8, truth: 0.98 };
        assert_eq!(curve.passes(13, 0.05), 0.0);
        assert!((curve.passes(14, 0.05) - 0.98_f64.powi(14)).abs() < 1e-12);
        // 21 kills allow no miss, 22 allow one.
        assert!((curve.passes(21, 0.05) - 0.98_f64.powi(21)).abs() < 1e-12);
        let one = 0.98_f64.powi(22) + 22.0 * 0.02 * 0.98_f64.powi(21);
        assert!((curve.passes(22, 0.05) - one).abs() < 1e-12);
        assert_eq!(Curve::Share { required: 0.8, truth: 1.0 }.needed(0.9, 0.05), Some(14));
    }

    #[test]
    fn a_share_at_its_bound_never_has_power() {
        assert_eq!(Curve::Share { required: 0.8, truth: 0.8 }.needed(0.8, 0.05), None);
    }

    #[test]
    fn a_typical_kill_needs_sixteen_percent_more_than_t() {
        // One-sided 5 %, one standard deviation, 80 %: t needs 7.7 (R power.t.test), so 9.
        assert_eq!(Curve::Typical { distance: 1.0 }.needed(0.8, 0.05), Some(9));
        assert_eq!(Curve::Typical { distance: -0.1 }.needed(0.8, 0.05), None);
        assert_eq!(Curve::Typical { distance: 9.0 }.needed(0.8, 0.05), Some(5));
        assert_eq!(least_typical(0.05), Some(5));
    }

    #[test]
    fn requests_without_errors_need_the_zero_event_count_and_five_kills() {
        assert_eq!(zero_event_requests(0.001, 0.05), 2995.0);
        assert_eq!(zero_event_requests(0.001, 0.025), 3688.0);
        let clean = |per_kill| {
            Curve::Requests(Traffic { bound: 0.001, rate: 0.0, per_kill, dispersion: 1.0 })
        };
        assert_eq!(clean(10_000.0).needed(0.8, 0.05), Some(5));
        assert_eq!(clean(100.0).needed(0.8, 0.05), Some(37));
    }

    #[test]
    fn more_variation_between_kills_needs_more_kills() {
        let traffic = Traffic { bound: 0.001, rate: 0.0005, per_kill: 20_000.0, dispersion: 1.0 };
        let needed = |dispersion| {
            Curve::Requests(Traffic { dispersion, ..traffic }).needed(0.8, 0.05).unwrap()
        };
        assert!(needed(1.0) <= needed(5.0) && needed(5.0) < needed(20.0));
        let detectable = traffic.detectable_rate(20, 0.8, 0.05).unwrap();
        assert!((traffic.with_rate(detectable).passes(20, 0.05) - 0.8).abs() < 1e-3);
    }

    #[test]
    fn what_is_detectable_has_the_power_that_was_asked_for() {
        let share = detectable_share(22, 0.8, 0.8, 0.05).unwrap();
        let power = Curve::Share { required: 0.8, truth: share }.passes(22, 0.05);
        assert!((power - 0.8).abs() < 1e-6, "{power}");
        assert_eq!(detectable_share(13, 0.8, 0.8, 0.05), None);
        let distance = detectable_distance(22, 0.8, 0.05).unwrap();
        let power = Curve::Typical { distance }.passes(22, 0.05);
        assert!((power - 0.8).abs() < 1e-6, "{power}");
    }
}
