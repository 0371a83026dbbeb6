//! Evidence that may be looked at any time.
//!
//! Owns e-processes for the chance of an event: the likelihood ratio of two chances, the beta mixture against
//! a point, and a betting martingale against "at most p₀". Each is an e-value at every stopping time: by
//! Ville's inequality it reaches 1/α with probability at most α when the null hypothesis is true.

use crate::stats::distribution::ln_gamma;
use crate::stats::stirling::stirling_rest;
use crate::stats::{Undefined, require_level, wide_count_to_f64};

/// Evidence against a null hypothesis, kept as its logarithm so that it neither overflows nor underflows.
///
/// ```
/// use unfazed::stats::e_process::Evidence;
/// let evidence = Evidence::from_ln(3.0);
/// assert!(evidence.rejects_at(0.05));
/// assert!(!evidence.rejects_at(0.01));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Evidence {
    ln: f64,
}

impl Evidence {
    /// Evidence with this logarithm; −∞ is impossible under the alternative.
    pub fn from_ln(ln: f64) -> Self {
        Self { ln }
    }

    /// ln E.
    pub fn ln(self) -> f64 {
        self.ln
    }

    /// E itself; overflows to +∞ beyond e^709.
    pub fn value(self) -> f64 {
        self.ln.exp()
    }

    /// Ville: reject when E ≥ 1/α. A relative 1e-12 forgives rounding at equality.
    pub fn rejects_at(self, alpha: f64) -> bool {
        self.ln >= -alpha.ln() - 1e-12
    }
}

/// Events among trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trials {
    /// How many events.
    pub events: u64,
    /// How many trials.
    pub trials: u64,
}

impl Trials {
    fn hits(self) -> f64 {
        wide_count_to_f64(self.events.into())
    }

    fn misses(self) -> f64 {
        wide_count_to_f64((self.trials - self.events).into())
    }

    fn check(self) -> Result<(), Undefined> {
        if self.events > self.trials {
            return Err(Undefined::OutOfRange {
                what: "the number of events",
                found: self.hits(),
                accepted: "0 to the number of trials",
            });
        }
        Ok(())
    }
}

/// k·ln(p), 0 when k is 0 whatever p.
fn times_ln(count: f64, ln: f64) -> f64 {
    if count > 0.0 { count * ln } else { 0.0 }
}

/// The likelihood ratio of chance p₁ against chance p₀: E = (p₁/p₀)^k·((1 − p₁)/(1 − p₀))^(n − k).
///
/// Reference: Wald (1945); as an e-process, Grünwald, de Heide and Koolen (2024). For p₁ > p₀ it is also an
/// e-process against every chance below p₀. Cost O(1). Edge cases: p₀ strictly between 0 and 1; p₁ may be 0
/// or 1, then one contrary trial makes E zero.
///
/// ```
/// use unfazed::stats::e_process::{Trials, likelihood_ratio};
/// let evidence = likelihood_ratio(Trials { events: 3, trials: 3 }, 0.001, 0.01).unwrap();
/// assert!((evidence.value() - 1000.0).abs() < 1e-9);
/// ```
pub fn likelihood_ratio(seen: Trials, p0: f64, p1: f64) -> Result<Evidence, Undefined> {
    seen.check()?;
    require_level("p0", p0)?;
    if !(0.0..=1.0).contains(&p1) {
        return Err(Undefined::OutOfRange { what: "p1", found: p1, accepted: "0 to 1" });
    }
    let hit = p1.ln() - p0.ln();
    let miss = (-p1).ln_1p() - (-p0).ln_1p();
    Ok(Evidence::from_ln(times_ln(seen.hits(), hit) + times_ln(seen.misses(), miss)))
}

/// The beta(a, b) mixture against the point p₀: ln E = ln B(a + k, b + n − k) − ln B(a, b) − k·ln p₀ − (n − k)·ln(1 − p₀).
///
/// Reference: Robbins (1970). Two-sided: it grows when the chance is above p₀ and when it is below, so it is
/// no evidence against "at most p₀"; use [`Betting`] for that. Cost O(1).
/// Edge cases: p₀ strictly between 0 and 1, a and b positive.
///
/// ```
/// use unfazed::stats::e_process::{Trials, beta_mixture};
/// let evidence = beta_mixture(Trials { events: 5, trials: 1000 }, 0.001, 0.5, 0.5).unwrap();
/// assert!((evidence.ln() - 0.36709995039240084).abs() < 1e-9);
/// ```
pub fn beta_mixture(seen: Trials, p0: f64, a: f64, b: f64) -> Result<Evidence, Undefined> {
    seen.check()?;
    require_level("p0", p0)?;
    for (what, found) in [("a", a), ("b", b)] {
        if !(found > 0.0 && found.is_finite()) {
            return Err(Undefined::OutOfRange { what, found, accepted: "a positive number" });
        }
    }
    let (hits, misses) = (seen.hits(), seen.misses());
    let mixed = ln_beta(a + hits, b + misses) - ln_beta(a, b);
    Ok(Evidence::from_ln(mixed - times_ln(hits, p0.ln()) - times_ln(misses, (-p0).ln_1p())))
}

/// ln B(a, b) without the cancellation of large log-gammas.
///
/// Above 10 Stirling's formula with its correction Δ is used for the large arguments (Didonato and Morris
/// 1992, algorithm 708).
fn ln_beta(a: f64, b: f64) -> f64 {
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    if large < 10.0 {
        return ln_gamma(small) + ln_gamma(large) - ln_gamma(small + large);
    }
    let sum = small + large;
    let ratio = small / large;
    if small < 10.0 {
        // ln Γ(large) − ln Γ(sum) from Stirling.
        let stirling = stirling_rest(large) - stirling_rest(sum);
        let main = small - small * sum.ln() - (large - 0.5) * ratio.ln_1p();
        return ln_gamma(small) + stirling + main;
    }
    let half_ln_two_pi = 0.5 * (2.0 * std::f64::consts::PI).ln();
    let stirling = stirling_rest(small) + stirling_rest(large) - stirling_rest(sum);
    half_ln_two_pi - 0.5 * large.ln() + (small - 0.5) * (small / sum).ln() - large * ratio.ln_1p()
        + stirling
}

/// A betting martingale against "the chance of an event is at most p₀".
///
/// The capital starts at 1 and is multiplied after each trial by 1 + λ·(x − p₀) with a bet λ ≥ 0 chosen
/// before the trial, so that it cannot grow on average while the chance is at most p₀, whatever the past and
/// even if the chance changes (Waudby-Smith and Ramdas 2024). The bet is the growth-optimal one for the
/// smoothed share seen so far, λ = (p̂ − p₀)/(p₀·(1 − p₀)) with p̂ = (k + p₀)/(n + 1), 0 while p̂ ≤ p₀ and at
/// most half of the bet that could lose everything. Cost O(1) a trial.
///
/// ```
/// use unfazed::stats::e_process::Betting;
/// let mut capital = Betting::against_at_most(0.01).unwrap();
/// for trial in 0..200 {
///     capital.observe(trial % 10 == 0);
/// }
/// assert!(capital.evidence().rejects_at(0.05));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Betting {
    p0: f64,
    hits: f64,
    trials: f64,
    ln_capital: f64,
}

impl Betting {
    /// Starts with a capital of 1; p₀ strictly between 0 and 1.
    pub fn against_at_most(p0: f64) -> Result<Self, Undefined> {
        require_level("p0", p0)?;
        Ok(Self { p0, hits: 0.0, trials: 0.0, ln_capital: 0.0 })
    }

    /// The bet on the next trial.
    fn bet(&self) -> f64 {
        let share = (self.hits + self.p0) / (self.trials + 1.0);
        let optimal = (share - self.p0) / (self.p0 * (1.0 - self.p0));
        optimal.clamp(0.0, 0.5 / self.p0)
    }

    /// Takes in the next trial. The two outcomes are the two things a trial can be.
    pub fn observe(&mut self, event: bool) {
        let bet = self.bet();
        let outcome = if event { 1.0 } else { 0.0 };
        self.ln_capital += (bet * (outcome - self.p0)).ln_1p();
        self.hits += outcome;
        self.trials += 1.0;
    }

    /// The evidence against the null hypothesis so far.
    pub fn evidence(&self) -> Evidence {
        Evidence::from_ln(self.ln_capital)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::random::Stream;
    use crate::unit::Seed;
    use proptest::prelude::*;

    #[test]
    fn more_events_than_trials_are_refused() {
        let seen = Trials { events: 3, trials: 2 };
        assert_eq!(likelihood_ratio(seen, 0.1, 0.2).unwrap_err().code(), "out_of_range");
        assert_eq!(beta_mixture(seen, 0.1, 0.5, 0.5).unwrap_err().code(), "out_of_range");
    }

    #[test]
    fn a_contrary_trial_against_certainty_is_no_evidence() {
        let evidence = likelihood_ratio(Trials { events: 0, trials: 1 }, 0.5, 1.0).unwrap();
        assert_eq!(evidence.value(), 0.0);
        assert!(!evidence.rejects_at(0.05));
    }

    #[test]
    fn at_the_boundary_the_bettor_rarely_wins() {
        let mut won = 0_u32;
        for run in 0..400 {
            let mut stream = Stream::new(Seed(run), "betting", "test");
            let mut capital = Betting::against_at_most(0.1).unwrap();
            let ever = (0..500).any(|_| {
                capital.observe(stream.uniform() < 0.1);
                capital.evidence().rejects_at(0.05)
            });
            won += u32::from(ever);
        }
        // At most 5 % by Ville; 20 of 400 plus three standard deviations.
        assert!(won <= 33, "{won}");
    }

    #[test]
    fn below_the_boundary_nothing_is_lost_by_not_betting() {
        let mut capital = Betting::against_at_most(0.2).unwrap();
        for _ in 0..100 {
            capital.observe(false);
        }
        assert_eq!(capital.evidence().ln(), 0.0);
    }

    proptest! {
        #[test]
        fn ln_beta_agrees_with_the_product_formula(a in 1_u32..40, b in 1_u32..2000) {
            // B(a, b) = Π_{i<a} i/(b + i − 1)… as a sum of logarithms: (a−1)! / (b·(b+1)…(b+a−1)).
            let mut slow = -f64::from(b).ln();
            for i in 1..a {
                slow += f64::from(i).ln() - f64::from(b + i).ln();
            }
            prop_assert!((ln_beta(f64::from(a), f64::from(b)) - slow).abs() < 1e-12 * (1.0 + slow.abs()));
        }

        #[test]
        fn the_mean_evidence_under_the_null_is_one(n in 1_u64..60, p0 in 0.05_f64..0.95, p1 in 0.05_f64..0.95) {
            let mut ratio = 0.0;
            let mut mixture = 0.0;
            for events in 0..=n {
                let chance = crate::stats::distribution::binomial_pmf(events, n, p0);
                let seen = Trials { events, trials: n };
                ratio += chance * likelihood_ratio(seen, p0, p1).unwrap().value();
                mixture += chance * beta_mixture(seen, p0, 0.5, 0.5).unwrap().value();
            }
            prop_assert!((ratio - 1.0).abs() < 1e-9 && (mixture - 1.0).abs() < 1e-9);
        }
    }
}
