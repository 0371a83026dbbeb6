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
use crate::verdict::kill::{Kill, number, share_required, within};
use crate::verdict::policy;
use crate::verdict::result::{DecidedQuantity, Decision, ReasonCode};
use crate::verdict::ruling::{Cause, Ruling};
use crate::verdict::typical::iterations_to_clear;

/// Adverse and all requests of every kill, in campaign order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Requests {
    /// What a pass has to reckon with.
    cautious: Vec<Cluster>,
    /// What a fail may rely on.
    generous: Vec<Cluster>,
    lost: Vec<ReasonCode>,
    /// The share of adverse requests that is claimed at most.
    bound: f64,
    /// Whether the metric is the complement of the adverse share.
    complement: bool,
}

/// One cluster: the requests of one iteration or session.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cluster {
    index: u32,
    session: u32,
    adverse: f64,
    total: f64,
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
            bound: match required {
                Some(quantile) => 1.0 - quantile,
                None if at_most => claim.amount.value(),
                None => 1.0 - claim.amount.value(),
            },
            complement: required.is_none() && !at_most,
        };
        for kill in kills {
            let (index, session) = (kill.windows.index, kill.windows.session);
            if let Some(code) = kill.lost {
                requests.lost.push(code);
                if let Some(baseline) = kill.windows.baseline.counts {
                    let total = baseline.total;
                    requests.cautious.push(Cluster { index, session, adverse: total, total });
                    requests.generous.push(Cluster { index, session, adverse: 0.0, total });
                }
                continue;
            }
            let Some(counts) = kill.windows.experiment.counts else { continue };
            let total = counts.total;
            requests.cautious.push(Cluster {
                index,
                session,
                adverse: adverse(&counts, counts.bad),
                total,
            });
            requests.generous.push(Cluster {
                index,
                session,
                adverse: adverse(&counts, counts.bad_surely),
                total,
            });
        }
        requests
    }

    /// The same requests with sessions as clusters.
    pub(crate) fn by_session(mut self) -> Self {
        self.cautious = joined(&self.cautious);
        self.generous = joined(&self.generous);
        self
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

/// Smallest alpha at which `decides` holds, by bisection on its logarithm; 1 if it never does. `decides` must hold
/// from some alpha on.
pub(crate) fn smallest_level(decides: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (1e-15_f64.ln(), (1.0_f64 - 1e-9).ln());
    if !decides(high.exp()) {
        return 1.0;
    }
    if decides(low.exp()) {
        return 1e-15;
    }
    for _ in 0..100 {
        let middle = low / 2.0 + high / 2.0;
        if decides(middle.exp()) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high.exp()
}

/// Rules on all requests.
pub(crate) fn rule(
    requests: &Requests,
    strictness: Strictness,
    alpha: f64,
    gates: &mut GateLog,
) -> Ruling {
    let clusters = requests.cautious.len();
    let bound = requests.bound;
    let pass_alpha = alpha * policy::CLUSTERED_PASS_ALPHA_SHARE;
    let upper = upper_limit(&requests.cautious, pass_alpha);
    let lower = lower_limit(&requests.generous, alpha);
    let no_events = adverse(&requests.cautious) == 0.0;
    let enough = gates.enough("iterations with requests", clusters, policy::CLUSTERS_TO_PASS);
    let passes_limit = upper.is_some_and(|upper| within(upper, bound, strictness));
    let fails = lower.is_some_and(|lower| !within(lower, bound, strictness));
    let p_pass = smallest_level(|level| {
        upper_limit(&requests.cautious, level * policy::CLUSTERED_PASS_ALPHA_SHARE)
            .is_some_and(|upper| within(upper, bound, strictness))
    });
    let p_fail = smallest_level(|level| {
        lower_limit(&requests.generous, level)
            .is_some_and(|lower| !within(lower, bound, strictness))
    });
    match upper {
        Some(upper) => {
            gates.at_most("upper limit of the share of adverse requests", upper, bound);
        }
        None => gates.undefined("upper limit of the share of adverse requests", bound),
    }
    let (shown_lower, shown_upper) = if requests.complement {
        (upper.map(|value| 1.0 - value), lower.map(|value| 1.0 - value))
    } else {
        (lower, upper)
    };
    let decision = Decision {
        quantity: DecidedQuantity::Experiment,
        lower: shown_lower,
        upper: shown_upper,
        bound: requests.show(bound),
        method: if no_events { "zero_events" } else { "korn_graubard" }.to_owned(),
        p_pass: (clusters > 0).then_some(p_pass),
        p_fail: (clusters > 0).then_some(p_fail),
        p_fail_holm: None,
        attained_level: Some(1.0 - pass_alpha),
    };
    let mut ruling = Ruling::of(decision, false, fails);
    if fails {
        return ruling;
    }
    ruling.causes.extend(missing(requests));
    if !enough {
        ruling.causes.insert(0, too_few(clusters));
        return ruling;
    }
    if !passes_limit {
        ruling.causes.push(straddles(requests, upper, lower, pass_alpha));
        return ruling;
    }
    if let Some(cause) = dispersion(requests, upper, gates) {
        ruling.causes.push(cause);
        return ruling;
    }
    ruling.causes.clear();
    ruling.passes = true;
    ruling
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
    let needed = crate::verdict::kill::small(policy::CLUSTERS_TO_PASS);
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
fn straddles(
    requests: &Requests,
    upper: Option<f64>,
    lower: Option<f64>,
    pass_alpha: f64,
) -> Cause {
    let clusters = requests.cautious.len();
    let all = total(&requests.cautious);
    let seen = adverse(&requests.cautious);
    let needed = if seen == 0.0 {
        // Enough requests that none of them bad would be too lucky at the bound.
        let wanted = pass_alpha.ln() / (-requests.bound).ln_1p();
        let iterations = (wanted / (all / number(clusters))).ceil();
        (iterations.is_finite() && iterations <= f64::from(policy::ITERATIONS_WORTH_SUGGESTING))
            .then(|| {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "between 0 and 1000"
                )]
                let iterations = iterations as u32;
                iterations.max(crate::verdict::kill::small(clusters) + 1)
            })
    } else {
        iterations_to_clear(clusters, seen / all, requests.bound, lower, upper)
    };
    Cause::with_needed(
        ReasonCode::IntervalStraddlesBound,
        format!(
            "not shown either way: {} of {} requests were bad, and the limits lie on both sides of {}; {}",
            show::plain(seen),
            show::plain(all),
            show::percent(requests.show(requests.bound)),
            needed.map_or_else(
                || "more than 1000 iterations would be needed: change the bound or the metric"
                    .to_owned(),
                |needed| format!(
                    "about {needed} iterations in all would settle it if they look like these"
                ),
            )
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
