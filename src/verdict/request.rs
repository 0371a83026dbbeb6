//! `all_requests`: all requests of the experiment windows, clustered by iteration.
//!
//! The limit of Korn & Graubard (1998) with t quantiles at the limit's own one-sided level. The passing side is
//! taken at half of alpha, because at alpha it passes skewed iteration rates too often; the failing side at alpha.
//! Without a single bad request the exact zero-event bound stands in its place. A dispersion rule keeps a pass
//! from resting on one quiet campaign of a bursty service. Lost kills enter the passing side with the requests of
//! their baseline all bad, and the failing side with none of them bad.

use crate::spec::{Claim, Form, Measure, Metric, Strictness};
use crate::stats::clustered_ratio::{ClusteredRatio, Truncation};
use crate::stats::hodges_lehmann::LimitSide;
use crate::summary::Counts;
use crate::unit::show;
use crate::verdict::gate::GateLog;
use crate::verdict::kill::{Kill, number, share_required, small, within};
use crate::verdict::policy;
use crate::verdict::result::{DecidedQuantity, Decision, ReasonCode};
use crate::verdict::ruling::{Cause, Ruling};
use crate::verdict::share;
use crate::verdict::typical::{iterations_to_clear, needed_words, whole_iterations};

/// Adverse and all requests of every kill, in campaign order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Requests {
    /// What a pass has to reckon with.
    cautious: Vec<Cluster>,
    /// What a fail may rely on.
    generous: Vec<Cluster>,
    lost: Vec<ReasonCode>,
    /// Kills in all.
    kills: usize,
    /// The share of adverse requests that is claimed at most.
    bound: f64,
    /// Whether the metric is the complement of the adverse share.
    complement: bool,
}

/// What the clusters could be with a bucket edge at the bound.
struct Settled {
    /// For the passing side.
    best: Vec<Cluster>,
    /// For the failing side.
    worst: Vec<Cluster>,
}

/// One cluster: the requests of one iteration or session.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cluster {
    index: u32,
    session: u32,
    adverse: f64,
    total: f64,
    /// Whether any of its kills is lost.
    lost: bool,
}

impl Requests {
    /// The requests that a claim on a ratio or histogram is about.
    pub(crate) fn of(metric: &Metric, claim: &Claim, kills: &[Kill<'_>]) -> Self {
        let required = share_required(metric, claim);
        // A claim "at most" on the counted part makes that part adverse; "at least" makes the rest adverse. A
        // histogram's slow requests are adverse.
        let bad_is_part = match &metric.measure {
            Measure::Ratio { counted, .. } => *counted == crate::spec::Counted::Bad,
            _ => true,
        };
        let at_most = matches!(claim.form, Form::AtMost | Form::IncreaseAtMost);
        let bad_is_adverse = required.is_some() || bad_is_part == at_most;
        let adverse =
            |counts: &Counts, bad: f64| if bad_is_adverse { bad } else { counts.total - bad };
        let mut requests = Self {
            cautious: Vec::new(),
            generous: Vec::new(),
            lost: Vec::new(),
            kills: kills.len(),
            bound: match required {
                // Slow requests for "at most", those at or under the bound for "at least".
                Some(quantile) if at_most => 1.0 - quantile,
                Some(quantile) => quantile,
                None if at_most => claim.amount.value(),
                None => 1.0 - claim.amount.value(),
            },
            complement: required.is_none() && !at_most,
        };
        for kill in kills {
            let (index, session) = (kill.windows.index, kill.windows.session);
            let counts = kill.windows.experiment.counts.filter(|_| kill.lost.is_none());
            let (cautious, generous, total) = match (counts, kill.windows.baseline.counts) {
                (Some(counts), _) => {
                    let of = |bad: f64| adverse(&counts, bad);
                    (of(counts.bad), of(counts.bad_surely), counts.total)
                }
                (None, Some(baseline)) => (baseline.total, 0.0, baseline.total),
                // Without requests before the kill the iteration would have been excluded.
                (None, None) => (0.0, 0.0, 0.0),
            };
            if counts.is_none() {
                requests.lost.push(kill.lost.unwrap_or(ReasonCode::MissingData));
            }
            let lost = counts.is_none();
            requests.cautious.push(Cluster { index, session, adverse: cautious, total, lost });
            requests.generous.push(Cluster { index, session, adverse: generous, total, lost });
        }
        requests
    }

    /// The same requests with sessions as clusters.
    pub(crate) fn by_session(mut self) -> Self {
        self.cautious = joined(&self.cautious);
        self.generous = joined(&self.generous);
        self
    }

    /// The clusters if every bracket were settled, lost kills as they are.
    fn settled(&self) -> Settled {
        let settle = |kept: &[Cluster], other: &[Cluster]| {
            let pairs = kept.iter().zip(other);
            pairs.map(|(kept, other)| if kept.lost { *kept } else { *other }).collect()
        };
        Settled {
            best: settle(&self.cautious, &self.generous),
            worst: settle(&self.generous, &self.cautious),
        }
    }

    /// A share of adverse requests on the metric's own scale.
    fn show(&self, share: f64) -> f64 {
        if self.complement { 1.0 - share } else { share }
    }
}

/// Clusters of one session added up, in session order.
fn joined(clusters: &[Cluster]) -> Vec<Cluster> {
    let mut sessions: Vec<Cluster> = Vec::new();
    for cluster in clusters {
        match sessions.iter_mut().find(|held| held.session == cluster.session) {
            Some(held) => {
                held.adverse += cluster.adverse;
                held.total += cluster.total;
                held.lost |= cluster.lost;
            }
            None => sessions.push(*cluster),
        }
    }
    sessions
}

/// Sum of adverse requests.
fn adverse(clusters: &[Cluster]) -> f64 {
    clusters.iter().map(|cluster| cluster.adverse).sum()
}

/// Sum of requests.
fn total(clusters: &[Cluster]) -> f64 {
    clusters.iter().map(|cluster| cluster.total).sum()
}

/// The clustered ratio; `None` where it does not exist (no requests, or one cluster).
fn ratio_of(clusters: &[Cluster]) -> Option<ClusteredRatio> {
    let errors: Vec<f64> = clusters.iter().map(|cluster| cluster.adverse).collect();
    let requests: Vec<f64> = clusters.iter().map(|cluster| cluster.total).collect();
    ClusteredRatio::of(&errors, &requests).ok()
}

/// Upper limit of the adverse share at one-sided level `1 − alpha`, with its method.
fn upper_limit(clusters: &[Cluster], alpha: f64) -> Option<f64> {
    let all = total(clusters);
    if all <= 0.0 {
        return None;
    }
    if adverse(clusters) == 0.0 {
        return Some(-((alpha.ln() / all).exp_m1()));
    }
    if clusters.len() < policy::CLUSTERS_TO_FAIL {
        return None;
    }
    ratio_of(clusters)?.korn_graubard(alpha, LimitSide::Upper, Truncation::AtRequests).ok()
}

/// Lower limit of the adverse share at one-sided level `1 − alpha`.
fn lower_limit(clusters: &[Cluster], alpha: f64) -> Option<f64> {
    if adverse(clusters) == 0.0 {
        return Some(0.0);
    }
    if clusters.len() < policy::CLUSTERS_TO_FAIL {
        return None;
    }
    ratio_of(clusters)?.korn_graubard(alpha, LimitSide::Lower, Truncation::AtRequests).ok()
}

/// Smallest alpha up to `widest` at which `decides` holds, by bisection on its logarithm; 1 if it never does. `decides`
/// must hold from some alpha on.
fn smallest_level(widest: f64, decides: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (SMALLEST_LEVEL.ln(), widest.ln());
    if !decides(high.exp()) {
        return 1.0;
    }
    if decides(low.exp()) {
        return SMALLEST_LEVEL;
    }
    while high - low > 1e-12 {
        let middle = low / 2.0 + high / 2.0;
        if decides(middle.exp()) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high.exp()
}

/// A level that is not told from zero, and the one beyond which a limit lies on the other side of its estimate.
const SMALLEST_LEVEL: f64 = 1e-15;
const WIDEST_LEVEL: f64 = 0.5;

/// Rules on all requests.
pub(crate) fn rule(
    requests: &Requests,
    strictness: Strictness,
    alpha: f64,
    gates: &mut GateLog,
) -> Ruling {
    let clusters = requests.cautious.len();
    let inside = |upper: f64| within(upper, requests.bound, strictness);
    let beyond = |lower: f64| !within(lower, requests.bound, strictness);
    let pass_alpha = alpha * policy::CLUSTERED_PASS_ALPHA_SHARE;
    let upper = upper_limit(&requests.cautious, pass_alpha);
    let lower = lower_limit(&requests.generous, alpha);
    let fails = lower.is_some_and(beyond);
    let p_pass = smallest_level(WIDEST_LEVEL, |level| {
        upper_limit(&requests.cautious, level).is_some_and(inside)
    }) / policy::CLUSTERED_PASS_ALPHA_SHARE;
    let p_fail = smallest_level(WIDEST_LEVEL, |level| {
        lower_limit(&requests.generous, level).is_some_and(beyond)
    });
    let (shown_lower, shown_upper) = if requests.complement {
        (upper.map(|value| 1.0 - value), lower.map(|value| 1.0 - value))
    } else {
        (lower, upper)
    };
    let no_events = adverse(&requests.cautious) == 0.0;
    let decision = Decision {
        quantity: DecidedQuantity::Experiment,
        lower: shown_lower,
        upper: shown_upper,
        bound: requests.show(requests.bound),
        method: if no_events { "zero_events" } else { "korn_graubard" }.to_owned(),
        p_pass: (clusters > 0).then_some(if p_pass > 1.0 { 1.0 } else { p_pass }),
        p_fail: (clusters > 0).then_some(p_fail),
        p_fail_holm: None,
        attained_level: Some(1.0 - if fails { alpha } else { pass_alpha }),
    };
    let mut ruling = Ruling::of(decision, false, fails);
    if gates.says_at_most("share of adverse requests, lower limit", lower, requests.bound, !fails) {
        ruling.causes =
            why_not(requests, inside, Limits { lower, upper, alpha, pass_alpha }, gates);
        ruling.passes = ruling.causes.is_empty();
        if ruling.passes && no_events {
            ruling.remark = Some(no_errors_words(requests.kills, alpha));
        }
    }
    ruling
}

/// Both limits with their levels.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Limits {
    lower: Option<f64>,
    upper: Option<f64>,
    alpha: f64,
    pass_alpha: f64,
}

/// What stands in the way of a pass; nothing if it is one.
fn why_not(
    requests: &Requests,
    inside: impl Fn(f64) -> bool,
    limits: Limits,
    gates: &mut GateLog,
) -> Vec<Cause> {
    let clusters = requests.cautious.len();
    if !gates.enough("iterations with requests", clusters, policy::CLUSTERS_TO_PASS) {
        let mut causes = missing(requests);
        causes.insert(0, too_few(clusters));
        return causes;
    }
    let passes = limits.upper.is_some_and(&inside);
    let name = "share of adverse requests, upper limit";
    if gates.says_at_most(name, limits.upper, requests.bound, passes) {
        return dispersion(requests, limits.upper, gates).into_iter().collect();
    }
    let mut causes = missing(requests);
    let settled = requests.settled();
    let decided = upper_limit(&settled.best, limits.pass_alpha).is_some_and(&inside)
        || lower_limit(&settled.worst, limits.alpha).is_some_and(|lower| !inside(lower));
    if decided {
        causes.insert(0, Cause::plain(ReasonCode::HistogramResolution));
    }
    causes.push(straddles(requests, limits));
    causes
}

/// "no errors in 5 kills; up to 45.1 % of kills could still be of a kind that has them (95 %)".
fn no_errors_words(kills: usize, alpha: f64) -> String {
    let possible = 1.0 - share::proven(kills, kills, alpha).unwrap_or(0.0);
    format!(
        "no errors in {kills} kills; up to {} of kills could still be of a kind that has them ({})",
        show::percent((possible * 1000.0).ceil() / 1000.0),
        show::level(1.0 - alpha)
    )
}

/// The causes of lost kills.
fn missing(requests: &Requests) -> Vec<Cause> {
    let mut codes = requests.lost.clone();
    codes.sort_unstable();
    codes.dedup();
    codes.into_iter().map(Cause::plain).collect()
}

/// Fewer clusters than a pass needs.
fn too_few(clusters: usize) -> Cause {
    let needed = small(policy::CLUSTERS_TO_PASS);
    Cause::with_needed(
        ReasonCode::TooFewIterations,
        format!(
            "requests clustered in {clusters} {} cannot pass, whatever they show; at least {needed} are needed",
            if clusters == 1 { "iteration" } else { "iterations" }
        ),
        Some(needed),
    )
}

/// The limits lie on both sides of the bound.
fn straddles(requests: &Requests, limits: Limits) -> Cause {
    let clusters = requests.cautious.len();
    let all = total(&requests.cautious);
    let seen = adverse(&requests.cautious);
    let replicates = if seen == 0.0 {
        // Enough requests that none of them bad would be too lucky at the bound.
        let wanted = limits.pass_alpha.ln() / (-requests.bound).ln_1p();
        whole_iterations(wanted / (all / number(clusters)), clusters)
    } else {
        iterations_to_clear(clusters, seen / all, requests.bound, limits.lower, limits.upper)
    };
    let per_cluster = small(requests.kills.div_ceil(clusters.max(1)));
    let needed = replicates.map(|replicates| replicates.saturating_mul(per_cluster));
    Cause::with_needed(
        ReasonCode::IntervalStraddlesBound,
        format!(
            "not shown either way: {} of {} requests were bad, and the limits lie on both sides of {}; {}",
            show::plain(seen),
            show::plain(all),
            show::percent(requests.show(requests.bound)),
            needed_words(needed)
        ),
        needed,
    )
}

/// Whether errors come in bursts that the limit cannot carry. Blocks a pass only, and only near the bound.
fn dispersion(requests: &Requests, upper: Option<f64>, gates: &mut GateLog) -> Option<Cause> {
    let errors = adverse(&requests.cautious);
    let upper = upper?;
    if errors == 0.0 {
        return None;
    }
    let cv = ratio_of(&requests.cautious)?.rate_variation()?;
    let far = gates.at_most(
        "upper limit against half of the bound",
        upper,
        requests.bound * policy::DISPERSION_BOUND_SHARE,
    );
    let steady =
        gates.at_most("variation of the error rate between iterations", cv, policy::DISPERSION_CV);
    let largest =
        requests.cautious.iter().max_by(|left, right| left.adverse.total_cmp(&right.adverse))?;
    let burst = errors >= policy::BURST_ERRORS
        && !gates.at_most(
            "share of all errors in one iteration",
            largest.adverse / errors,
            policy::BURST_SHARE,
        );
    if far || (steady && !burst) {
        return None;
    }
    let message = if burst {
        format!(
            "iteration {} holds {} of all errors and the limit is near the bound: one more burst would change the verdict",
            largest.index,
            show::percent(largest.adverse / errors)
        )
    } else {
        format!(
            "error rates vary between iterations by a factor that the limit cannot carry (coefficient of variation {}) and the limit is near the bound",
            show::significant(cv, 2)
        )
    };
    Some(Cause::new(ReasonCode::Overdispersed, message))
}
