//! Counts verdicts over many campaigns of one world.

use rayon::prelude::*;
use unfazed::stats::count_to_f64;
use unfazed::stats::random::Stream;
use unfazed::unit::Seed;
use unfazed::verdict::result::Verdict;

use super::world::{Bench, Judged, Place, World};

/// How often each verdict came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Verdicts {
    /// Passes.
    pub(crate) pass: usize,
    /// Fails.
    pub(crate) fail: usize,
    /// Campaigns.
    pub(crate) campaigns: usize,
}

impl Verdicts {
    fn of(verdict: Verdict) -> Self {
        Self {
            pass: usize::from(verdict == Verdict::Pass),
            fail: usize::from(verdict == Verdict::Fail),
            campaigns: 1,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            pass: self.pass + other.pass,
            fail: self.fail + other.fail,
            campaigns: self.campaigns + other.campaigns,
        }
    }

    /// How often they pass.
    pub(crate) fn passes(self) -> Rate {
        Rate { count: self.pass, of: self.campaigns }
    }

    /// How often they fail.
    pub(crate) fn fails(self) -> Rate {
        Rate { count: self.fail, of: self.campaigns }
    }
}

/// A share of campaigns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    /// Campaigns in which it happened.
    pub(crate) count: usize,
    /// All campaigns.
    pub(crate) of: usize,
}

impl Rate {
    /// The share.
    pub(crate) fn share(self) -> f64 {
        count_to_f64(self.count) / count_to_f64(self.of)
    }

    /// Standard error of a share that is truly `share`.
    pub(crate) fn standard_error(self, share: f64) -> f64 {
        (share * (1.0 - share) / count_to_f64(self.of)).sqrt()
    }

    /// Whether the share is compatible with at most `most`: within three standard errors.
    pub(crate) fn is_at_most(self, most: f64) -> bool {
        self.share() <= most + 3.0 * self.standard_error(most)
    }
}

/// Everything measured of one world at one size and place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Measured {
    /// Kills per campaign.
    pub(crate) kills: usize,
    /// Where the truth lies.
    pub(crate) place: Place,
    /// What the product says.
    pub(crate) product: Verdicts,
    /// What the usual way says, where there is one.
    pub(crate) usual: Option<Verdicts>,
    /// How often the truth lies at or above the lower limit, where there is a truth on that scale.
    pub(crate) above_lower: Option<Rate>,
    /// How often it lies at or below the upper limit.
    pub(crate) below_upper: Option<Rate>,
}

/// One campaign counted.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    product: Verdicts,
    usual: Verdicts,
    above_lower: usize,
    below_upper: usize,
}

impl Count {
    fn of(judged: &Judged, usual: Option<Verdict>, truth: Option<f64>) -> Self {
        let near = |limit: f64, truth: f64| (limit - truth).abs() <= 1e-9 * truth.abs();
        let above = |truth: f64| {
            judged.decision.lower.is_none_or(|limit| limit <= truth || near(limit, truth))
        };
        let below = |truth: f64| {
            judged.decision.upper.is_none_or(|limit| limit >= truth || near(limit, truth))
        };
        Self {
            product: Verdicts::of(judged.verdict),
            usual: usual.map_or_else(Verdicts::default, Verdicts::of),
            above_lower: usize::from(truth.is_some_and(above)),
            below_upper: usize::from(truth.is_some_and(below)),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            product: self.product.plus(other.product),
            usual: self.usual.plus(other.usual),
            above_lower: self.above_lower + other.above_lower,
            below_upper: self.below_upper + other.below_upper,
        }
    }
}

/// Draws and judges `campaigns` campaigns. Each has a stream of its own, so that neither the number of threads nor
/// the number of campaigns changes what any of them is.
pub(crate) fn measure(
    name: &str,
    world: &dyn World,
    place: Place,
    kills: usize,
    campaigns: usize,
) -> Measured {
    let bench = Bench::new(world, kills);
    let truth = world.truth(place);
    let count = (0..campaigns)
        .into_par_iter()
        .map(|index| {
            let purpose = format!("{}, {kills} kills, campaign {index}", place.word());
            let drawn = bench.draw(place, &mut Stream::new(SEED, name, &purpose));
            Count::of(&bench.judge(&drawn), drawn.usual, truth)
        })
        .reduce(Count::default, Count::plus);
    let rate = |count| truth.map(|_| Rate { count, of: campaigns });
    Measured {
        kills,
        place,
        product: count.product,
        usual: Some(count.usual).filter(|usual| usual.campaigns > 0),
        above_lower: rate(count.above_lower),
        below_upper: rate(count.below_upper),
    }
}

/// Seed of every simulated campaign.
pub(crate) const SEED: Seed = Seed(2026);
