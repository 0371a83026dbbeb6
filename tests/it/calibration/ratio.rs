//! Error ratios whose rate differs from kill to kill: `all_requests` under an absolute bound.
//!
//! The usual way takes all requests of all kills as independent and uses the exact binomial limits of Clopper &
//! Pearson (1934).

use unfazed::run::Arm;
use unfazed::stats::proportion::{clopper_pearson_lower, clopper_pearson_upper};
use unfazed::stats::random::Stream;
use unfazed::summary::{Counts, ShareBracket, WindowValue};
use unfazed::verdict::result::Verdict;

use super::draw::{gamma, poisson};
use super::world::{ArmWindows, Drawn, Place, World, document, summary, window};

/// How the rate differs between kills.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Variation {
    /// Not at all.
    None,
    /// Gamma with this coefficient of variation.
    Gamma(f64),
    /// Lognormal with this coefficient of variation.
    Lognormal(f64),
    /// A few kills fail a fifth of their requests, the others none.
    AllOrNothing,
}

impl Variation {
    /// A factor of mean 1.
    fn draw(self, stream: &mut Stream) -> f64 {
        match self {
            Self::None | Self::AllOrNothing => 1.0,
            Self::Gamma(cv) => {
                let shape = 1.0 / (cv * cv);
                gamma(shape, stream) / shape
            }
            Self::Lognormal(cv) => {
                let square = (cv * cv).ln_1p();
                (square.sqrt() * stream.normal() - square / 2.0).exp()
            }
        }
    }

    /// In words.
    pub(crate) fn words(self) -> String {
        match self {
            Self::None => "no variation between kills".to_owned(),
            Self::Gamma(cv) => format!("gamma variation {cv:.1}"),
            Self::Lognormal(cv) => format!("lognormal variation {cv:.1}"),
            Self::AllOrNothing => "all-or-nothing kills (1 in 20 fails 20 %)".to_owned(),
        }
    }
}

/// What kind of metric counts the bad requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Errors of a ratio, bound 0.1 %.
    Errors,
    /// Requests of a histogram over the bound of its 95 % quantile.
    Slow,
}

/// One such world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ratio {
    /// How kills differ.
    pub(crate) variation: Variation,
    /// What is counted.
    pub(crate) counted: Counted,
    /// Bad requests per kill at the bound.
    pub(crate) events: f64,
}

/// Bad and all requests of one kill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cluster {
    /// Bad.
    pub(crate) bad: f64,
    /// All.
    pub(crate) total: f64,
}

impl Ratio {
    /// The claimed bound on the share of bad requests.
    pub(crate) fn bound(&self) -> f64 {
        match (self.counted, self.variation) {
            (_, Variation::AllOrNothing) => 0.01,
            (Counted::Errors, _) => 0.001,
            (Counted::Slow, _) => 0.05,
        }
    }

    /// The true share.
    pub(crate) fn rate(&self, place: Place) -> f64 {
        match place {
            Place::AtTheBound => self.bound(),
            Place::Inside => self.bound() / 2.0,
        }
    }

    /// Draws the requests of one campaign; traffic differs by a quarter either way.
    pub(crate) fn clusters(&self, place: Place, kills: usize, stream: &mut Stream) -> Vec<Cluster> {
        let requests = self.events / self.bound();
        (0..kills)
            .map(|_| {
                let total = (requests * (0.75 + 0.5 * stream.uniform())).round();
                let rate = match self.variation {
                    Variation::AllOrNothing => {
                        if stream.uniform() < self.rate(place) / 0.2 {
                            0.2
                        } else {
                            0.0
                        }
                    }
                    Variation::None | Variation::Gamma(_) | Variation::Lognormal(_) => {
                        self.rate(place) * self.variation.draw(stream)
                    }
                };
                let bad = poisson(rate * total, stream);
                Cluster { bad: if bad > total { total } else { bad }, total }
            })
            .collect()
    }
}

impl World for Ratio {
    fn document(&self) -> String {
        let bound = self.bound();
        match self.counted {
            Counted::Errors => document(
                &format!(
                    "{{name: metric, ratio: {{bad: bad_total, total: all_total}}, expect: {{at_most: {bound}}}}}"
                ),
                "",
            ),
            Counted::Slow => document(
                "{name: metric, histogram: metric_seconds, quantile: 0.95, expect: {at_most: 200ms, for: all_requests}}",
                "",
            ),
        }
    }

    fn truth(&self, place: Place) -> Option<f64> {
        Some(self.rate(place))
    }

    fn draw(&self, place: Place, kills: usize, stream: &mut Stream) -> Drawn {
        let clusters = self.clusters(place, kills, stream);
        let usual = Some(as_if_independent(&clusters, self.bound()));
        let windows = clusters.iter().map(|cluster| ArmWindows {
            arm: Arm::Fault,
            baseline: counted(Cluster { bad: 0.0, total: cluster.total }),
            experiment: counted(*cluster),
        });
        Drawn { summary: summary(windows), recovery: None, usual }
    }
}

/// A window with counts.
fn counted(cluster: Cluster) -> WindowValue {
    let Cluster { bad, total } = cluster;
    let under = 1.0 - bad / total;
    WindowValue {
        counts: Some(Counts { bad, bad_surely: bad, total }),
        share_under: Some(ShareBracket { lower: under, upper: under }),
        ..window(bad / total)
    }
}

/// The usual way: every request for itself.
pub(crate) fn as_if_independent(clusters: &[Cluster], bound: f64) -> Verdict {
    let bad = clusters.iter().map(|cluster| cluster.bad).sum();
    let total = clusters.iter().map(|cluster| cluster.total).sum();
    if clopper_pearson_upper(bad, total, 0.05) <= bound {
        Verdict::Pass
    } else if clopper_pearson_lower(bad, total, 0.05) > bound {
        Verdict::Fail
    } else {
        Verdict::Inconclusive
    }
}
