//! Customers see a burst of errors when the process goes away.
//!
//! # What it sees
//! A ratio with a claim that did not pass, whose kills left the bound or whose change against the baseline is shown to be
//! for the worse; with the moment and the height of the worst stretch after the kill.
//!
//! # Why it matters
//! Requests in the hands of a killed process are lost unless somebody sends them again; callers that keep sending to it
//! make it worse.
//!
//! # What to try
//! Let callers retry idempotent requests once, with a budget; take a dead instance out of the load sooner (shorter health
//! checks, connection errors that count at once); hand work back to the queue when its worker dies.
//!
//! # References
//! Beyer and others (eds.), *Site Reliability Engineering* (2016), chapter 22, "Addressing Cascading Failures".

use crate::runbook::case::{Case, CasePoint, listed};
use crate::runbook::confidence::{Confidence, Grade};
use crate::runbook::registry::Rule;
use crate::runbook::suggestion::{Command, Effect, Evidence, Place, Step, Suggestion};
use crate::spec::Form;
use crate::unit::show;
use crate::verdict::result::{EffectForm, MetricResult, Verdict};

/// The rule.
pub const RULE: Rule = Rule { code: "failover_errors", look };

fn look(case: &Case<'_>) -> Option<Suggestion> {
    let metric = case.result.metrics.iter().find(|metric| is_hit(metric))?;
    let claim = metric.claim.as_ref()?;
    let outside: Vec<u32> = metric
        .iterations
        .iter()
        .filter(|iteration| iteration.inside == Some(false))
        .map(|iteration| iteration.index)
        .collect();
    let mut evidence = vec![Evidence {
        metric: metric.name.clone(),
        text: format!(
            "claimed: {}; {} of {} kills outside{}",
            claim.text,
            outside.len(),
            metric.n,
            if outside.is_empty() { String::new() } else { format!(" ({})", listed(&outside)) }
        ),
        iterations: outside.clone(),
        value: metric.experiment.estimate,
        lower: metric.experiment.lower,
        upper: metric.experiment.upper,
        threshold: (!claim.form.is_against_baseline()).then_some(claim.bound),
    }];
    evidence.extend(burst(case, metric, claim.form));
    Some(Suggestion {
        rule: RULE.code.to_owned(),
        title: format!("Expect {} to suffer while the process is away", metric.name),
        seen: format!(
            "{} did not keep its bound ({}) when the process was killed.",
            metric.name, claim.text
        ),
        why: "Customers feel it for as long as the process is away.".to_owned(),
        evidence,
        confidence: confidence(case, metric, &outside),
        place: Place::Diagnose,
        step: Step {
            effect: Effect::Reads,
            text: format!(
                "Look at {} since the process went away. If it is still outside its bound ({}), callers still reach the dead instance, or send again without a budget: take the instance out of the load.",
                metric.name, claim.text
            ),
            command: Command::AskMetric,
        },
        verification: case.transaction(),
        escalation: case.escalation(),
        references: vec![
            "Beyer and others (eds.), Site Reliability Engineering (2016), chapter 22".to_owned(),
        ],
    })
}

/// Whether a ratio was hit: its claim did not pass, and something shows it.
fn is_hit(metric: &MetricResult) -> bool {
    let judged = matches!(metric.verdict, Some(Verdict::Fail | Verdict::Inconclusive));
    let left = metric.kills.as_ref().is_some_and(|kills| kills.outside > 0);
    metric.kind == "ratio" && judged && (left || worsens(metric).is_some())
}

/// The limit that shows a change for the worse.
fn worsens(metric: &MetricResult) -> Option<f64> {
    let (effect, claim) = (metric.effect.as_ref()?, metric.claim.as_ref()?);
    let none = match effect.form {
        EffectForm::Difference => 0.0,
        EffectForm::Ratio => 1.0,
    };
    if claim.form.lower_is_better() {
        effect.lower.filter(|lower| *lower > none)
    } else {
        effect.upper.filter(|upper| *upper < none)
    }
}

fn confidence(case: &Case<'_>, metric: &MetricResult, outside: &[u32]) -> Confidence {
    let level = show::level(case.level());
    match (metric.verdict, worsens(metric)) {
        (Some(Verdict::Fail), _) => {
            Confidence::new(Grade::High, format!("the claim fails ({level}, after Holm)"))
        }
        (_, Some(_)) => Confidence::new(
            Grade::High,
            format!("the change against the baseline is for the worse ({level})"),
        ),
        (_, None) => {
            let seen = u32::try_from(outside.len()).unwrap_or(u32::MAX);
            Confidence::of_kills(seen, metric.n, case.level()).at_most(Grade::Medium)
        }
    }
}

/// The worst stretch after a kill.
fn burst(case: &Case<'_>, metric: &MetricResult, form: Form) -> Option<Evidence> {
    let worst = |points: &[CasePoint]| {
        points.iter().copied().reduce(|worst, point| {
            let worse = if form.lower_is_better() {
                point.mean > worst.mean
            } else {
                point.mean < worst.mean
            };
            if worse { point } else { worst }
        })
    };
    let (index, point) = case
        .courses(&metric.name)
        .iter()
        .filter_map(|course| Some((course.index, worst(&course.after)?)))
        .reduce(|left, right| {
            let worse = if form.lower_is_better() {
                right.1.mean > left.1.mean
            } else {
                right.1.mean < left.1.mean
            };
            if worse { right } else { left }
        })?;
    Some(Evidence {
        metric: metric.name.clone(),
        iterations: vec![index],
        text: format!(
            "worst stretch {}, {} after kill {index}",
            show::percent(point.mean),
            show::seconds(point.at_s)
        ),
        value: Some(point.mean),
        lower: None,
        upper: None,
        threshold: None,
    })
}
