//! Upper limits of a clustered ratio that could stand in the place of the product's, measured on the same data.
//!
//! None of them decides anything in the product; the table says why.

use unfazed::stats::clustered_ratio::{ClusteredRatio, Truncation};
use unfazed::stats::count_to_f64;
use unfazed::stats::distribution::{ln_gamma, normal_quantile};
use unfazed::stats::hodges_lehmann::LimitSide;
use unfazed::stats::random::Stream;
use unfazed::verdict::result::Verdict;

use super::ratio::{Cluster, as_if_independent};

/// One way to bound a clustered ratio from above at one-sided 5 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// Every request for itself (Clopper & Pearson 1934).
    Independent,
    /// Linearised standard error and Student's t (Cochran 1977).
    Linearised,
    /// Korn & Graubard (1998) at the nominal level.
    KornGraubard,
    /// The same at half of the error rate, as the product takes it, without its rule about dispersion.
    KornGraubardHalf,
    /// Bootstrap-t over kills, 499 resamples (Davison & Hinkley 1997, section 5.2).
    BootstrapT,
    /// Signed root of the profile likelihood of the negative binomial, the rare-event form of the beta-binomial
    /// (Griffiths 1973), against the normal quantile.
    Profile,
}

impl Method {
    /// All of them, in the order of the table.
    pub(crate) const ALL: [Self; 6] = [
        Self::Independent,
        Self::Linearised,
        Self::BootstrapT,
        Self::Profile,
        Self::KornGraubard,
        Self::KornGraubardHalf,
    ];

    /// The head of its column.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Independent => "independent requests",
            Self::Linearised => "linearised t",
            Self::KornGraubard => "Korn–Graubard",
            Self::KornGraubardHalf => "Korn–Graubard at α/2",
            Self::BootstrapT => "bootstrap-t over kills",
            Self::Profile => "profile likelihood",
        }
    }

    /// Whether the limit lies at or under the bound.
    pub(crate) fn passes(self, clusters: &[Cluster], bound: f64, stream: &mut Stream) -> bool {
        let bad: Vec<f64> = clusters.iter().map(|cluster| cluster.bad).collect();
        let total: Vec<f64> = clusters.iter().map(|cluster| cluster.total).collect();
        let korn_graubard = |alpha| {
            ClusteredRatio::of(&bad, &total)
                .and_then(|ratio| {
                    ratio.korn_graubard(alpha, LimitSide::Upper, Truncation::AtRequests)
                })
                .is_ok_and(|limit| limit <= bound)
        };
        match self {
            Self::Independent => as_if_independent(clusters, bound) == Verdict::Pass,
            Self::Linearised => ClusteredRatio::of(&bad, &total)
                .and_then(|ratio| ratio.linear_limit(0.05, LimitSide::Upper, None))
                .is_ok_and(|limit| limit <= bound),
            Self::KornGraubard => korn_graubard(0.05),
            Self::KornGraubardHalf => korn_graubard(0.025),
            Self::BootstrapT => bootstrap_t(clusters, stream).is_some_and(|limit| limit <= bound),
            Self::Profile => {
                profile_root(clusters, bound).is_some_and(|z| z >= normal_quantile(0.95))
            }
        }
    }
}

/// Ratio and linearised standard error.
fn ratio(clusters: &[Cluster]) -> Option<(f64, f64)> {
    let bad: f64 = clusters.iter().map(|cluster| cluster.bad).sum();
    let total: f64 = clusters.iter().map(|cluster| cluster.total).sum();
    let ratio = bad / total;
    let squares: f64 =
        clusters.iter().map(|cluster| (cluster.bad - ratio * cluster.total).powi(2)).sum();
    let k = count_to_f64(clusters.len());
    let error = (k / (k - 1.0) * squares).sqrt() / total;
    (error > 0.0).then_some((ratio, error))
}

/// Resamples whose spread vanishes count as the worst.
fn bootstrap_t(clusters: &[Cluster], stream: &mut Stream) -> Option<f64> {
    const RESAMPLES: usize = 499;
    let (estimate, error) = ratio(clusters)?;
    let mut roots: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let drawn: Vec<Cluster> =
                clusters.iter().map(|_| clusters[stream.index(clusters.len())]).collect();
            ratio(&drawn).map_or(f64::NEG_INFINITY, |(again, se)| (again - estimate) / se)
        })
        .collect();
    roots.sort_unstable_by(f64::total_cmp);
    // The 25th of 499 is the 5 % quantile.
    Some(estimate - roots[24] * error)
}

/// Log likelihood of negative binomial counts with mean rate `rate` and shape `shape`, up to a constant.
fn log_likelihood(clusters: &[Cluster], rate: f64, shape: f64) -> f64 {
    clusters
        .iter()
        .map(|cluster| {
            let mean = rate * cluster.total;
            ln_gamma(cluster.bad + shape) - ln_gamma(shape)
                + cluster.bad * (mean / (mean + shape)).ln()
                - shape * (mean / shape).ln_1p()
        })
        .sum()
}

/// The greatest log likelihood over shapes, by golden section on the logarithm.
fn profile(clusters: &[Cluster], rate: f64) -> f64 {
    let at = |log_shape: f64| log_likelihood(clusters, rate, log_shape.exp());
    let golden = 0.618_033_988_749_894_9;
    let (mut low, mut high) = (-4.0, 9.0);
    let mut left = high - golden * (high - low);
    let mut right = low + golden * (high - low);
    let (mut at_left, mut at_right) = (at(left), at(right));
    for _ in 0..25 {
        if at_left < at_right {
            low = left;
            (left, at_left) = (right, at_right);
            right = low + golden * (high - low);
            at_right = at(right);
        } else {
            high = right;
            (right, at_right) = (left, at_left);
            left = high - golden * (high - low);
            at_left = at(left);
        }
    }
    if at_left > at_right { at_left } else { at_right }
}

/// Signed root of twice the fall of the profile from its top to the bound; above zero when the ratio lies under it.
fn profile_root(clusters: &[Cluster], bound: f64) -> Option<f64> {
    let bad: f64 = clusters.iter().map(|cluster| cluster.bad).sum();
    let total: f64 = clusters.iter().map(|cluster| cluster.total).sum();
    let estimate = bad / total;
    if bad <= 0.0 {
        return None;
    }
    let fall = profile(clusters, estimate) - profile(clusters, bound);
    let root = if fall > 0.0 { (2.0 * fall).sqrt() } else { 0.0 };
    Some(if estimate < bound { root } else { -root })
}
