//! The recovery section: times of all kills, and the deadline as a claim like any other.
//!
//! Owns what `judge` says about recovery before and after claims are weighed. The deadline itself is decided in
//! `deadline`, the times are described in `times`.

use crate::run::Arm;
use crate::spec::{Detection, Metric, Recovery};
use crate::summary::{PreKillLoss, RecoverySummary, RecoveryTime};
use crate::unit::show;
use crate::verdict::claim;
use crate::verdict::deadline;
use crate::verdict::gate::GateLog;
use crate::verdict::judge::{Evidence, Weighed, reasons};
use crate::verdict::kill::Sight;
use crate::verdict::result::{RecoveryResult, TimeResult, Verdict};
use crate::verdict::ruling::Cause;
use crate::verdict::sample::Replicate;
use crate::verdict::sentence::{self, Conditions, Headlined};
use crate::verdict::share;
use crate::verdict::subject;
use crate::verdict::times;
use crate::verdict::warning::warning;

/// Times of all kills, and the claim on the deadline until it is weighed with the others.
pub(crate) struct Recovered<'data> {
    spec: &'data Recovery,
    signal: Option<&'data Metric>,
    detect: Option<TimeResult>,
    remediate: Option<TimeResult>,
    recover: TimeResult,
    /// The claim, if the document has a deadline.
    pub(crate) claim: Option<Weighed>,
}

/// The recovery section with its line of the headline.
pub(crate) struct Described {
    pub(crate) result: RecoveryResult,
    pub(crate) headlined: Option<Headlined>,
}

/// Looks at the times, if the document asks for them.
pub(crate) fn look<'data>(evidence: &Evidence<'data>, alpha: f64) -> Option<Recovered<'data>> {
    let (Some(spec), Some(summary)) = (&evidence.experiment.recovery, evidence.recovery) else {
        return None;
    };
    let confidence = 1.0 - alpha;
    let usable = times::usable(&summary.recover);
    let mut recover = times::describe(&summary.recover, confidence);
    let count = |of: fn(&RecoveryTime) -> u32| usable.iter().map(|time| of(time)).sum::<u32>();
    recover.never_departed = Some(count(|time| u32::from(time.never_departed)));
    recover.relapses = Some(count(|time| time.relapses));
    recover.excursions = Some(count(|time| time.excursions));
    let claim = spec.within.map(|within| {
        let mut gates = GateLog::new();
        let replicate = Replicate::of(evidence.campaign.sessions.len());
        let decided = deadline::rule(spec, within, &usable, replicate, alpha, &mut gates);
        let mut ruling = decided.ruling;
        if usable.is_empty() {
            ruling.causes = vec![why_empty(evidence, summary, alpha)];
        }
        let sights: Vec<(u32, Sight)> =
            usable.iter().map(|time| time.index).zip(decided.sights).collect();
        claim::name_recovery_causes(&mut ruling, &sights);
        recover.within = Some(decided.within);
        Weighed { name: "recovery".to_owned(), ruling, gates }
    });
    Some(Recovered {
        spec,
        signal: evidence.experiment.metrics.iter().find(|metric| metric.name == spec.signal),
        detect: summary.detect.as_ref().map(|reading| times::describe(reading, confidence)),
        remediate: summary.remediate.as_ref().map(|reading| times::describe(reading, confidence)),
        recover,
        claim,
    })
}

/// Why no kill can be judged.
fn why_empty(evidence: &Evidence<'_>, summary: &RecoverySummary, alpha: f64) -> Cause {
    let nothing = evidence
        .metrics
        .iter()
        .find(|metric| metric.name == summary.signal)
        .and_then(|metric| metric.matched_nothing.as_deref());
    if let Some(selector) = nothing {
        return claim::matches_nothing(selector);
    }
    let excluded: Vec<PreKillLoss> = summary
        .recover
        .times
        .iter()
        .filter(|time| time.arm == Arm::Fault)
        .filter_map(|time| time.excluded)
        .collect();
    let share = evidence.experiment.recovery.as_ref().map(|spec| spec.share);
    claim::nothing_usable(excluded, share.and_then(|share| share::kills_to_prove(share, 0, alpha)))
}

/// The section as the result has it, with the verdict on the deadline if there is one.
pub(crate) fn describe(
    times: Recovered<'_>,
    decided: Option<(Weighed, Verdict)>,
    conditions: &Conditions,
) -> Described {
    let Recovered { spec, signal, detect, remediate, recover, claim: _ } = times;
    let never_departed = recover.never_departed.filter(|count| *count > 0).map(|count| {
        warning(
            "never_departed",
            format!(
                "in {count} of {} kills the signal never left its band: no departure seen, counted as recovered at 0 s; is it the right signal?",
                recover.n
            ),
        )
    });
    let mut result = RecoveryResult {
        signal: spec.signal.clone(),
        healthy: subject::band(&spec.healthy, signal),
        stable_for_s: Some(spec.stable_for.seconds()),
        detected_by: spec.detected_by.as_ref().map(subject::detection),
        alert: match &spec.detected_by {
            Some(Detection::Alert(name)) => Some(name.clone()),
            Some(Detection::Above { .. } | Detection::Below { .. }) | None => None,
        },
        remediated_by: spec.remediated_by.as_ref().map(subject::remediation),
        verdict: None,
        sentence: None,
        reasons: Vec::new(),
        gates: Vec::new(),
        detect,
        remediate,
        recover,
        decision: None,
        warnings: never_departed.into_iter().collect(),
    };
    let (Some((weighed, verdict)), Some(within)) = (decided, &result.recover.within) else {
        return Described { result, headlined: None };
    };
    let reasons = reasons(&weighed.name, &weighed.ruling, verdict);
    let breach = format!(
        "more than {} of kills take longer than {} to recover",
        show::percent(1.0 - spec.share),
        show::seconds(within.deadline_s)
    );
    let headlined = Headlined {
        name: weighed.name,
        verdict,
        this_run: false,
        carries_line: false,
        short: format!("{} of {} kills recovered in time", within.recovered, within.n),
        broken: format!("{} of {} kills did not recover in time", within.missed, within.n),
        outside: within.missed,
        total: within.n,
        needed: reasons.iter().find_map(|reason| reason.iterations_needed),
        reason: reasons.first().map(|reason| reason.message.clone()).unwrap_or_default(),
        baseline_breaches: false,
    };
    result.sentence =
        Some(sentence::of_claim(verdict, &breach, false, &within.line, &reasons, conditions));
    result.verdict = Some(verdict);
    result.reasons = reasons;
    result.gates = weighed.gates.into_gates();
    result.decision = Some(weighed.ruling.decision);
    Described { result, headlined: Some(headlined) }
}
