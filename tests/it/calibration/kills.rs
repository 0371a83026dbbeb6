//! Shares of kills: histograms on and off an edge, gauges under an absolute bound, recovery with lost scrapes.

use unfazed::run::Arm;
use unfazed::stats::count_to_f64;
use unfazed::stats::proportion::{clopper_pearson_lower, clopper_pearson_upper};
use unfazed::stats::random::Stream;
use unfazed::summary::{
    MetricSummary, ReadingSummary, RecoverySummary, RecoveryTime, ShareBracket, Timing, WindowValue,
};
use unfazed::unit::Span;
use unfazed::verdict::result::Verdict;

use super::world::{ArmWindows, Drawn, Place, World, document, summary, window};

/// The share of kills that is claimed.
const CLAIMED: f64 = 0.8;

/// The share of good kills when the truth lies inside.
const INSIDE: f64 = 0.97;

/// The true share of good kills.
fn share(place: Place) -> f64 {
    match place {
        Place::AtTheBound => CLAIMED,
        Place::Inside => INSIDE,
    }
}

/// What is claimed of most kills.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum MostKills {
    /// A gauge under an absolute bound.
    Gauge,
    /// A quantile of a histogram under a bound that is an edge.
    HistogramOnEdge,
    /// The same under a bound inside a bucket that holds up to `blur` of the requests.
    HistogramOffEdge {
        /// Share of requests in the bucket, at most.
        blur: f64,
    },
    /// Recovery within two minutes.
    Recovery {
        /// Share of kills that recovered in time and lost their scrapes.
        lost_when_good: f64,
        /// Share of kills that did not and lost their scrapes.
        lost_when_bad: f64,
    },
}

impl World for MostKills {
    fn document(&self) -> String {
        match self {
            Self::Gauge => document("{name: metric, gauge: metric, expect: {at_most: 10}}", ""),
            Self::HistogramOnEdge | Self::HistogramOffEdge { .. } => document(
                "{name: metric, histogram: metric_seconds, quantile: 0.95, expect: {at_most: 200ms}}",
                "",
            ),
            Self::Recovery { .. } => document(
                "{name: metric, gauge: metric}",
                "  recovery: {signal: metric, healthy: {at_most: 10}, stable_for: 30s, within: 2m}\n",
            ),
        }
    }

    fn truth(&self, place: Place) -> Option<f64> {
        Some(share(place))
    }

    fn draw(&self, place: Place, kills: usize, stream: &mut Stream) -> Drawn {
        let good: Vec<bool> = (0..kills).map(|_| stream.uniform() < share(place)).collect();
        match *self {
            Self::Gauge => plain(good.iter().map(|good| {
                let value = if *good { 10.0 * stream.uniform() } else { 11.0 + stream.uniform() };
                window(value)
            })),
            Self::HistogramOnEdge => plain(good.iter().map(|good| latency(*good, 0.0, stream))),
            Self::HistogramOffEdge { blur } => {
                plain(good.iter().map(|good| latency(*good, blur, stream)))
            }
            Self::Recovery { lost_when_good, lost_when_bad } => {
                let times: Vec<RecoveryTime> = (1_u32..)
                    .zip(&good)
                    .map(|(index, good)| {
                        let lost = if *good { lost_when_good } else { lost_when_bad };
                        recovery_time(index, *good, stream.uniform() < lost, stream)
                    })
                    .collect();
                let usual = Some(without_the_lost(&times));
                Drawn {
                    recovery: Some(recovery(times)),
                    usual,
                    ..plain(good.iter().map(|_| window(1.0)))
                }
            }
        }
    }
}

/// A campaign of experiment windows; the baselines are all alike.
fn plain(windows: impl Iterator<Item = WindowValue>) -> Drawn {
    let summary: MetricSummary = summary(windows.map(|experiment| ArmWindows {
        arm: Arm::Fault,
        baseline: window(1.0),
        experiment,
    }));
    Drawn { summary, recovery: None, usual: None }
}

/// A histogram window: 95 % or more of the requests under the bound if good, and a bucket around the bound that
/// holds up to `blur` of them.
fn latency(good: bool, blur: f64, stream: &mut Stream) -> WindowValue {
    let share = if good { 0.95 + 0.05 * stream.uniform() } else { 0.949 - 0.1 * stream.uniform() };
    let (below, above) = (blur * stream.uniform(), blur * stream.uniform());
    let bracket = ShareBracket {
        lower: share - below,
        upper: if share + above > 1.0 { 1.0 } else { share + above },
    };
    WindowValue { share_under: Some(bracket), ..window(0.2) }
}

/// The deadline in seconds, and the step of the signal.
const DEADLINE: f64 = 120.0;
const STEP: f64 = 5.0;

/// One recovery. Lost scrapes end a recording somewhere before the deadline.
fn recovery_time(index: u32, good: bool, lost: bool, stream: &mut Stream) -> RecoveryTime {
    let at = if good { STEP + 115.0 * stream.uniform() } else { 126.0 + 100.0 * stream.uniform() };
    let cut = DEADLINE * stream.uniform();
    let timing =
        if lost { Timing::Lost { from: cut } } else { Timing::Seen { after: at - STEP, at } };
    let seen_unhealthy = if lost && cut < at { cut } else { at - STEP };
    RecoveryTime {
        index,
        session: 1,
        arm: Arm::Fault,
        excluded: None,
        aborted: None,
        timing,
        never_departed: false,
        onset_seconds: Some(0.0),
        relapses: 0,
        excursions: 0,
        last_unhealthy_seconds: Some(seen_unhealthy),
        band: None,
    }
}

fn recovery(times: Vec<RecoveryTime>) -> RecoverySummary {
    RecoverySummary {
        signal: "metric".to_owned(),
        detect: None,
        remediate: None,
        recover: ReadingSummary { resolution: Some(Span::from_seconds(5)), times },
    }
}

/// The usual way: kills whose scrapes were lost are left out, as are kills that nobody saw recover.
fn without_the_lost(times: &[RecoveryTime]) -> Verdict {
    let (mut inside, mut total) = (0_usize, 0_usize);
    for time in times {
        if let Timing::Seen { at, .. } = time.timing {
            total += 1;
            inside += usize::from(at <= DEADLINE);
        }
    }
    let (k, n) = (count_to_f64(inside), count_to_f64(total));
    if total == 0 {
        Verdict::Inconclusive
    } else if clopper_pearson_lower(k, n, 0.05) >= CLAIMED {
        Verdict::Pass
    } else if clopper_pearson_upper(k, n, 0.05) < CLAIMED {
        Verdict::Fail
    } else {
        Verdict::Inconclusive
    }
}
