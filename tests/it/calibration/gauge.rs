//! Gauges whose scrapes follow each other, and kills whose effect differs: `typical_kill` against the baseline.
//!
//! Sixty scrapes before and sixty after the kill are one stretch of an autoregressive series; the kill adds its own
//! effect to the second half. The product sees two means per kill. The usual way pools all scrapes of all kills and
//! compares them by the test of Mann & Whitney (1947).

use unfazed::run::Arm;
use unfazed::stats::Alternative;
use unfazed::stats::count_to_f64;
use unfazed::stats::distribution::{normal_cdf, normal_quantile};
use unfazed::stats::mann_whitney::mann_whitney;
use unfazed::stats::random::Stream;
use unfazed::stats::signed_rank::NullDistribution;
use unfazed::verdict::result::Verdict;

use super::draw::{autoregressive, exponential, mean};
use super::world::{ArmWindows, Drawn, Place, World, document, summary, window};

/// Scrapes in each window: five minutes at five seconds.
pub(crate) const SCRAPES: usize = 60;

/// Level of the gauge before the kill; standard deviation of a scrape is 1.
const LEVEL: f64 = 100.0;

/// The allowed increase.
pub(crate) const ALLOWED: f64 = 3.0;

/// How the effect of a kill is spread around its centre, standard deviation 1 unless said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Every kill does the same.
    Same,
    /// Normal.
    Symmetric,
    /// Exponential: a few kills do much more than the others.
    Exponential,
    /// Lognormal with σ = 0.8, standard deviation as it comes (1.3).
    Lognormal,
}

impl Effect {
    /// The effect at a uniform number.
    fn quantile(self, u: f64) -> f64 {
        match self {
            Self::Same => 0.0,
            Self::Symmetric => normal_quantile(u),
            Self::Exponential => -(1.0 - u).ln(),
            Self::Lognormal => (0.8 * normal_quantile(u)).exp(),
        }
    }

    /// Its variance.
    fn variance(self) -> f64 {
        match self {
            Self::Same => 0.0,
            Self::Symmetric | Self::Exponential => 1.0,
            Self::Lognormal => {
                let square = 0.64_f64;
                square.exp_m1() * square.exp()
            }
        }
    }

    /// Draws one.
    pub(crate) fn draw(self, stream: &mut Stream) -> f64 {
        match self {
            Self::Same => 0.0,
            Self::Symmetric => stream.normal(),
            Self::Exponential => exponential(stream),
            Self::Lognormal => (0.8 * stream.normal()).exp(),
        }
    }
}

/// One such world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Gauge {
    /// Correlation of neighbouring scrapes.
    pub(crate) phi: f64,
    /// How kills differ.
    pub(crate) effect: Effect,
    centre: f64,
    spread: f64,
}

impl Gauge {
    /// Works out where the pseudo-median of this world lies.
    pub(crate) fn new(phi: f64, effect: Effect) -> Self {
        let noise = difference_variance(phi);
        Self {
            phi,
            effect,
            centre: pseudo_median(effect, noise),
            spread: (noise + effect.variance()).sqrt(),
        }
    }

    /// The true pseudo-median of the changes: at the bound, or one standard deviation of a change inside.
    pub(crate) fn change(&self, place: Place) -> f64 {
        match place {
            Place::AtTheBound => ALLOWED,
            Place::Inside => ALLOWED - self.spread,
        }
    }
}

/// Variance of the difference of the two window means, from the autocovariances φ^k.
fn difference_variance(phi: f64) -> f64 {
    let weight = |at: usize| if at < SCRAPES { -1.0 } else { 1.0 };
    let mut sum = 0.0;
    for i in 0..2 * SCRAPES {
        let mut covariance = 1.0;
        sum += 1.0;
        for j in i + 1..2 * SCRAPES {
            covariance *= phi;
            sum += 2.0 * weight(i) * weight(j) * covariance;
        }
    }
    sum / count_to_f64(SCRAPES * SCRAPES)
}

/// The median of the mean of two independent effects with normal noise of variance `noise` each: the normal part is
/// integrated exactly, the two effects over a lattice of golden ratio (2584 points; error below 0.001).
fn pseudo_median(effect: Effect, noise: f64) -> f64 {
    const POINTS: usize = 2584;
    const STRIDE: usize = 1597;
    let scale = (noise / 2.0).sqrt();
    let at = |k: usize| (count_to_f64(k % POINTS) + 0.5) / count_to_f64(POINTS);
    let averages: Vec<f64> = (0..POINTS)
        .map(|k| effect.quantile(at(k)).midpoint(effect.quantile(at(k * STRIDE))))
        .collect();
    let below =
        |m: f64| mean(&averages.iter().map(|a| normal_cdf((m - a) / scale)).collect::<Vec<_>>());
    let (mut low, mut high) = (-20.0, 20.0);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if below(middle) < 0.5 { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

impl World for Gauge {
    fn document(&self) -> String {
        document(
            &format!("{{name: metric, gauge: metric, expect: {{increase_at_most: {ALLOWED}}}}}"),
            "",
        )
    }

    fn truth(&self, place: Place) -> Option<f64> {
        Some(self.change(place))
    }

    fn draw(&self, place: Place, kills: usize, stream: &mut Stream) -> Drawn {
        let shift = self.change(place) - self.centre;
        let mut before: Vec<f64> = Vec::with_capacity(kills * SCRAPES);
        let mut after: Vec<f64> = Vec::with_capacity(kills * SCRAPES);
        let mut windows = Vec::with_capacity(kills);
        for _ in 0..kills {
            let scrapes = Stretch::draw(self.phi, shift + self.effect.draw(stream), stream);
            windows.push(scrapes.windows(Arm::Fault));
            before.extend(&scrapes.before);
            after.extend(scrapes.after.iter().map(|value| value - ALLOWED));
        }
        let usual = Some(pooled_mann_whitney(&before, &after));
        Drawn { summary: summary(windows.into_iter()), recovery: None, usual }
    }
}

/// The scrapes of one iteration.
pub(crate) struct Stretch {
    /// Before the kill.
    pub(crate) before: Vec<f64>,
    /// After it.
    pub(crate) after: Vec<f64>,
}

impl Stretch {
    /// Draws one with an effect on the second half.
    pub(crate) fn draw(phi: f64, effect: f64, stream: &mut Stream) -> Self {
        let series = autoregressive(2 * SCRAPES, phi, stream);
        let (before, after) = series.split_at(SCRAPES);
        Self {
            before: before.iter().map(|value| LEVEL + value).collect(),
            after: after.iter().map(|value| LEVEL + value + effect).collect(),
        }
    }

    /// What the product sees of it.
    pub(crate) fn windows(&self, arm: Arm) -> ArmWindows {
        ArmWindows {
            arm,
            baseline: window(mean(&self.before)),
            experiment: window(mean(&self.after)),
        }
    }
}

/// The usual way: all scrapes as if independent, at 5 % one-sided either way. The scrapes after the kill come less
/// the allowed increase.
pub(crate) fn pooled_mann_whitney(before: &[f64], after: &[f64]) -> Verdict {
    let z = mann_whitney(after, before, Alternative::TwoSided, NullDistribution::Normal)
        .ok()
        .and_then(|test| test.z)
        .unwrap_or(0.0);
    verdict_of_z(z)
}

/// One-sided at 5 % either way: far below zero passes, far above fails.
pub(crate) fn verdict_of_z(z: f64) -> Verdict {
    let critical = normal_quantile(0.95);
    if z <= -critical {
        Verdict::Pass
    } else if z >= critical {
        Verdict::Fail
    } else {
        Verdict::Inconclusive
    }
}
