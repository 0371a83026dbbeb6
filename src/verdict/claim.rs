//! One claim about one metric: which method rules, and which validity reasons stand in its way.

use std::collections::BTreeMap;

use crate::run::Arm;
use crate::spec::{Claim, Estimand, Measure, Metric};
use crate::summary::{EdgeRemedy, MetricSummary, MissingEdge, PreKillLoss};
use crate::unit::Seed;
use crate::verdict::baseline;
use crate::verdict::control::{self, Arms, Control};
use crate::verdict::gate::GateLog;
use crate::verdict::kill::{self, Basis, Kill, Sight};
use crate::verdict::policy;
use crate::verdict::ratio_change;
use crate::verdict::request::{self, Requests};
use crate::verdict::result::{DecidedQuantity, Decision, ReasonCode};
use crate::verdict::ruling::{Cause, Ruling};
use crate::verdict::sample::{Replicate, Sample, shown_bound};
use crate::verdict::share::{self, SessionSight};
use crate::verdict::threshold;
use crate::verdict::typical;

/// A claim with everything that its ruling stands on.
#[derive(Debug, Clone)]
pub(crate) struct ClaimCase<'data> {
    pub(crate) metric: &'data Metric,
    pub(crate) claim: &'data Claim,
    pub(crate) summary: &'data MetricSummary,
    pub(crate) kills: Vec<Kill<'data>>,
    pub(crate) controls: Vec<Kill<'data>>,
    pub(crate) basis: Basis,
    pub(crate) replicate: Replicate,
    pub(crate) alpha: f64,
    pub(crate) seed: Seed,
}

impl<'data> ClaimCase<'data> {
    /// Gathers a claim's iterations.
    pub(crate) fn new(
        metric: &'data Metric,
        claim: &'data Claim,
        summary: &'data MetricSummary,
        sessions: usize,
        alpha: f64,
        seed: Seed,
    ) -> Self {
        let kills = kill::kills(summary, Arm::Fault);
        let controls = kill::kills(summary, Arm::Control);
        let all: Vec<Kill<'_>> = kills.iter().chain(&controls).copied().collect();
        let basis = kill::basis(claim, &all);
        let replicate = Replicate::of(sessions);
        Self { metric, claim, summary, kills, controls, basis, replicate, alpha, seed }
    }

    /// How every kill came out.
    pub(crate) fn sights(&self) -> Vec<Sight> {
        self.kills.iter().map(|kill| kill::sight(kill, self.metric, self.claim)).collect()
    }

    /// Rules on the claim.
    pub(crate) fn rule(&self, gates: &mut GateLog) -> Ruling {
        if let Some(selector) = &self.summary.matched_nothing {
            return self.nothing_to_judge(matches_nothing(selector));
        }
        if self.kills.is_empty() {
            return self.nothing_to_judge(self.why_empty());
        }
        let mut ruling = self.rule_by_estimand(gates);
        ruling = self.block(ruling, gates);
        self.name_lost(&mut ruling);
        ruling
    }

    /// The ruling of the method that fits the estimand.
    fn rule_by_estimand(&self, gates: &mut GateLog) -> Ruling {
        let (metric, claim, alpha) = (self.metric, self.claim, self.alpha);
        if ratio_change::applies(metric, claim, &self.kills) {
            return ratio_change::rule(metric, claim, &self.kills, self.replicate, alpha, gates);
        }
        match claim.estimand {
            Estimand::MostKills | Estimand::EveryKill => {
                let kills: Vec<SessionSight> = self
                    .kills
                    .iter()
                    .zip(self.sights())
                    .map(|(kill, sight)| SessionSight { session: kill.windows.session, sight })
                    .collect();
                share::rule(claim.share, &kills, self.replicate, alpha, gates)
            }
            Estimand::AllRequests => {
                let requests = Requests::of(metric, claim, &self.kills);
                let requests = match self.replicate {
                    Replicate::Iteration => requests,
                    Replicate::Session => requests.by_session(),
                };
                request::rule(&requests, claim.strictness, alpha, gates)
            }
            Estimand::TypicalKill => {
                typical::rule(&self.sample(&self.kills), claim.strictness, alpha, gates)
            }
            Estimand::ThisRun => threshold::rule(claim, self.basis, &self.sights(), gates),
        }
    }

    /// The numbers that the claim is about.
    fn sample(&self, kills: &[Kill<'_>]) -> Sample {
        Sample::of(self.metric, self.claim, kills, self.basis).with_replicate(self.replicate)
    }

    /// Claims against the baseline need steady baselines and a control arm that stayed.
    fn block(&self, ruling: Ruling, gates: &mut GateLog) -> Ruling {
        let inferred = match self.claim.estimand {
            Estimand::ThisRun => false,
            Estimand::MostKills
            | Estimand::EveryKill
            | Estimand::AllRequests
            | Estimand::TypicalKill => true,
        };
        if !self.claim.form.is_against_baseline() || !inferred {
            return ruling;
        }
        let mut ruling = ruling;
        if let Some(cause) = baseline::unsteady(self.claim, &self.kills, gates) {
            ruling.block(cause);
        }
        let sample = self.sample(&self.controls);
        match control::look(self.claim, &self.controls, &sample, self.alpha, gates) {
            Control::Quiet => {}
            Control::Moved(cause) => ruling.block(cause),
            Control::Subtract(cause) => match self.claim.estimand {
                Estimand::TypicalKill => {
                    let fault = self.sample(&self.kills);
                    let margin = fault.margin(self.claim, &self.kills);
                    let arms = Arms {
                        metric: &self.metric.name,
                        seed: self.seed,
                        fault: &fault,
                        controls: &sample,
                        margin,
                    };
                    ruling = control::subtract(ruling, &arms, self.alpha, gates);
                }
                Estimand::MostKills
                | Estimand::EveryKill
                | Estimand::AllRequests
                | Estimand::ThisRun => ruling.block(cause),
            },
        }
        ruling
    }

    /// Puts the iterations into the causes that name lost kills.
    fn name_lost(&self, ruling: &mut Ruling) {
        let mut lost: BTreeMap<ReasonCode, Vec<String>> = BTreeMap::new();
        for (kill, sight) in self.kills.iter().zip(self.sights()) {
            if let Some(code) = kill.lost {
                lost.entry(code).or_default().push(kill.windows.index.to_string());
            } else if let Sight::Unknown(code) = sight {
                lost.entry(code).or_default().push(kill.windows.index.to_string());
            }
        }
        for cause in ruling.causes.iter_mut().filter(|cause| cause.message.is_empty()) {
            let indices = lost.get(&cause.code).cloned().unwrap_or_default();
            cause.message = lost_words(cause.code, &indices, self.summary.missing_edge);
        }
    }

    /// A ruling without anything to judge.
    fn nothing_to_judge(&self, cause: Cause) -> Ruling {
        let quantity = match self.claim.estimand {
            Estimand::MostKills | Estimand::EveryKill => DecidedQuantity::Share,
            Estimand::AllRequests | Estimand::TypicalKill | Estimand::ThisRun => {
                if self.claim.form.is_against_baseline() {
                    DecidedQuantity::Effect
                } else {
                    DecidedQuantity::Experiment
                }
            }
        };
        Ruling::undecidable(
            Decision {
                quantity,
                lower: None,
                upper: None,
                bound: match quantity {
                    DecidedQuantity::Share => self.claim.share,
                    DecidedQuantity::Experiment | DecidedQuantity::Effect => {
                        shown_bound(self.claim, self.basis)
                    }
                },
                method: "none".to_owned(),
                p_pass: None,
                p_fail: None,
                p_fail_holm: None,
                attained_level: None,
            },
            cause,
        )
    }

    /// Why no kill can be judged.
    fn why_empty(&self) -> Cause {
        let excluded = self
            .summary
            .iterations
            .iter()
            .filter(|windows| windows.arm == Arm::Fault)
            .filter_map(|windows| windows.excluded);
        let needed = match self.claim.estimand {
            Estimand::MostKills | Estimand::EveryKill => {
                share::kills_to_prove(self.claim.share, 0, self.alpha)
            }
            Estimand::AllRequests => Some(kill::small(policy::CLUSTERS_TO_PASS)),
            Estimand::TypicalKill => typical::kills_to_decide(self.alpha),
            Estimand::ThisRun => Some(1),
        };
        nothing_usable(excluded.collect(), needed)
    }
}

/// A selector without any series in the recording.
pub(crate) fn matches_nothing(selector: &str) -> Cause {
    Cause::new(
        ReasonCode::MissingData,
        format!(
            "the selector {selector} matches nothing in the whole recording: check its name and labels"
        ),
    )
}

/// Why no kill can be judged, from what excluded them.
pub(crate) fn nothing_usable(mut excluded: Vec<PreKillLoss>, needed: Option<u32>) -> Cause {
    excluded.sort_unstable_by_key(|cause| cause.code());
    excluded.dedup();
    match excluded.as_slice() {
        [PreKillLoss::NoTraffic] => Cause::new(
            ReasonCode::NoTraffic,
            "no baseline window has enough requests: lower `min_requests`, lengthen the windows or bring more load".to_owned(),
        ),
        [PreKillLoss::BaselineMissing] => Cause::new(
            ReasonCode::MissingData,
            "no baseline window has enough data: check the selector, the scrape interval and the times of the run".to_owned(),
        ),
        _ => Cause::with_needed(
            ReasonCode::TooFewIterations,
            "no kill can be judged: see the excluded iterations".to_owned(),
            needed,
        ),
    }
}

/// A cause of lost kills in words.
fn lost_words(code: ReasonCode, indices: &[String], edge: Option<MissingEdge>) -> String {
    let which = match indices {
        [] => "some iterations".to_owned(),
        [only] => format!("iteration {only}"),
        [first @ .., last] => format!("iterations {} and {last}", first.join(", ")),
    };
    let counted = "counted as a breach for a pass and as unknown for a fail";
    match code {
        ReasonCode::Aborted => format!("{which}: stopped by an abort rule; {counted}"),
        ReasonCode::NoTraffic => format!("{which}: too few requests after the kill; {counted}"),
        ReasonCode::HistogramResolution => match edge {
            Some(edge) => {
                let below = edge.below.map_or_else(|| "0".to_owned(), |below| below.to_string());
                let above =
                    if edge.above.is_finite() { edge.above.to_string() } else { "+Inf".to_owned() };
                let remedy = match edge.remedy {
                    EdgeRemedy::AddEdge => {
                        format!("add a bucket edge at {} to decide it", edge.bound)
                    }
                    EdgeRemedy::RaiseResolution => {
                        "give the native histogram a finer resolution, or claim one of these edges, to decide it".to_owned()
                    }
                };
                format!("{which}: the bound lies inside a bucket ({below} to {above}); {remedy}")
            }
            None => format!(
                "{which}: the bound lies inside a bucket; add a bucket edge there to decide it"
            ),
        },
        ReasonCode::UndecidedByResolution => {
            format!(
                "{which}: the return lies between two samples around the deadline; sample more often; {counted}"
            )
        }
        ReasonCode::CensoredBeforeDeadline => {
            format!("{which}: observation ended before the deadline was decided; {counted}")
        }
        ReasonCode::MissingData
        | ReasonCode::TooFewIterations
        | ReasonCode::IntervalStraddlesBound
        | ReasonCode::DegenerateVariance
        | ReasonCode::BaselineUnstable
        | ReasonCode::Overdispersed
        | ReasonCode::Multiplicity
        | ReasonCode::ControlMoved
        | ReasonCode::NoClaims => format!("{which}: data lost after the kill; {counted}"),
    }
}

/// The word for a kind of metric.
pub(crate) fn kind(measure: &Measure) -> &'static str {
    match measure {
        Measure::Ratio { .. } => "ratio",
        Measure::Histogram { .. } => "histogram",
        Measure::Gauge { .. } => "gauge",
        Measure::Counter { .. } => "counter",
        Measure::Samples { .. } => "samples",
        Measure::Balance { .. } => "balance",
        Measure::Query { .. } => "query",
    }
}

/// The recovery's causes with their iterations.
pub(crate) fn name_recovery_causes(ruling: &mut Ruling, sights: &[(u32, Sight)]) {
    for cause in ruling.causes.iter_mut().filter(|cause| cause.message.is_empty()) {
        let indices: Vec<String> = sights
            .iter()
            .filter(|(_, sight)| *sight == Sight::Unknown(cause.code))
            .map(|(index, _)| index.to_string())
            .collect();
        cause.message = lost_words(cause.code, &indices, None);
    }
}
