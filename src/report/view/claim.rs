//! One metric with its claim: what was claimed, what was seen, what decided.
//!
//! An exploratory metric is viewed by the same type, without a decision.

use serde::Serialize;

use crate::report::number::{self, DASH, Figure};
use crate::report::view::paired::PairedView;
use crate::report::view::timeline::TimelineView;
use crate::report::view::words::{self, Mark, Note};
use crate::spec::{Estimand, Form};
use crate::unit::Unit;
use crate::verdict::result::{
    AnalysisResult, DecidedQuantity, Decision, EffectForm, Estimate, Gate, GateOutcome, Kills,
    MetricResult, Sensitivity, Verdict, WithinWindow,
};

/// The quantity of a claim whose allowance differs between iterations and is therefore taken off first.
const BEYOND: &str = "change beyond the allowance";

/// A metric and its claim.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClaimView {
    /// Unique within the page.
    pub id: String,
    /// The metric's name.
    pub name: String,
    /// What is measured.
    pub description: String,
    /// Its verdict.
    pub mark: Mark,
    /// The claim in words; empty without one.
    pub claim: String,
    /// What the claim is said of; empty without one.
    pub question: String,
    /// The k-of-N line; empty without a claim.
    pub line: String,
    /// The verdict as one sentence; empty without a claim.
    pub sentence: String,
    /// `21 of 22`.
    pub inside: String,
    /// Iterations judged.
    pub n: u32,
    /// What decided.
    pub decision: Option<DecisionView>,
    /// Baseline, experiment, effect.
    pub estimates: Vec<EstimateRow>,
    /// Why the verdict is not a pass.
    pub reasons: Vec<Note>,
    /// What a reader should know besides.
    pub warnings: Vec<Note>,
    /// What was compared with what.
    pub gates: Vec<GateRow>,
    /// Figures that do not decide.
    pub sensitivity: Vec<SensitivityRow>,
    /// What the only kill's own windows say; none with more than one kill.
    pub within_window: Option<WithinWindowView>,
    /// Adjusted p-value of no change (exploratory metrics).
    pub p_adjusted: Option<Figure>,
    /// Iteration by iteration.
    pub paired: PairedView,
    /// Over time, aligned at the kill.
    pub timeline: Option<TimelineView>,
}

/// On which side of the bound a claim holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GoodSide {
    /// Smaller is better.
    Below,
    /// Greater is better.
    Above,
}

/// What decided a claim.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DecisionView {
    /// What the limits are limits of.
    pub quantity: String,
    /// The estimate, where the result has one on this scale.
    pub estimate: Figure,
    /// One-sided lower limit.
    pub lower: Figure,
    /// One-sided upper limit.
    pub upper: Figure,
    /// What they are compared with.
    pub bound: Figure,
    /// On which side the claim holds.
    pub good_side: GoodSide,
    /// The limit that decides, in words.
    pub limit_words: String,
    /// The bound, in words.
    pub bound_words: String,
    /// The method in words.
    pub method: String,
    /// Smallest level at which the claim passes.
    pub p_pass: Figure,
    /// Smallest level at which it fails.
    pub p_fail: Figure,
    /// The same after Holm.
    pub p_fail_holm: Figure,
    /// Level of the limit that decides a pass.
    pub attained_level: Figure,
    /// Unit of the limits, for the axis of the chart.
    #[serde(skip)]
    pub scale: Scale,
}

/// How numbers of a decision read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scale {
    /// In a unit.
    Quantity(Unit),
    /// Signed, in a unit.
    Difference(Unit),
    /// A ratio of experiment over baseline.
    Change,
}

impl Scale {
    /// A number on this scale with its reason if it is missing.
    pub(crate) fn figure(&self, value: Option<f64>, missing: &str) -> Figure {
        match self {
            Self::Quantity(unit) => Figure::quantity(value, unit, missing),
            Self::Difference(unit) => Figure::difference(value, unit, missing),
            Self::Change => Figure::change(value, missing),
        }
    }

    /// A limit that reads differently from the bound unless it is equal to it.
    fn limit(&self, value: Option<f64>, bound: f64) -> Figure {
        match (self, value) {
            (Self::Quantity(unit), Some(value)) if value.is_finite() => {
                Figure { value: Some(value), text: number::beside(value, bound, unit) }
            }
            (Self::Quantity(_) | Self::Difference(_) | Self::Change, _) => {
                self.figure(value, "no limit")
            }
        }
    }
}

/// A labelled estimate with its limits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EstimateRow {
    /// What it is.
    pub label: &'static str,
    /// The estimate.
    pub estimate: Figure,
    /// One-sided lower limit.
    pub lower: Figure,
    /// One-sided upper limit.
    pub upper: Figure,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateRow {
    /// What was compared.
    pub name: String,
    /// The value.
    pub value: Figure,
    /// The threshold.
    pub threshold: Figure,
    /// How it came out.
    pub outcome: &'static str,
}

/// A figure that does not decide.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SensitivityRow {
    /// The method.
    pub method: String,
    /// Its p-value for a pass.
    pub p_pass: Figure,
    /// Its p-value for a fail.
    pub p_fail: Figure,
    /// What it would have said.
    pub mark: Mark,
}

/// How well the change within one kill's windows is known.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WithinWindowView {
    /// The kill described.
    pub index: u32,
    /// Change of the mean.
    pub estimate: Figure,
    /// One-sided lower limit.
    pub lower: Figure,
    /// One-sided upper limit.
    pub upper: Figure,
    /// Level of each limit.
    pub level: Figure,
    /// In words.
    pub line: String,
    /// The method in words.
    pub method: String,
    /// Samples and block lengths in words.
    pub blocks: String,
}

impl ClaimView {
    /// The view of the metric at position `at` (from 1) of the document.
    pub(crate) fn new(result: &AnalysisResult, metric: &MetricResult, at: usize) -> Self {
        let unit = Unit::named(metric.unit.as_deref().unwrap_or_default());
        let timeline = TimelineView::new(result, metric, at, &unit);
        Self {
            id: format!("metric-{at}"),
            name: metric.name.clone(),
            description: metric.description.clone(),
            mark: Mark::of(metric.verdict),
            claim: metric.claim.as_ref().map(|claim| claim.text.clone()).unwrap_or_default(),
            question: metric
                .claim
                .as_ref()
                .map(|claim| words::question(metric.estimand, claim))
                .unwrap_or_default(),
            sentence: metric.sentence.clone().unwrap_or_default(),
            line: metric.kills.as_ref().map(|kills| kills.line.clone()).unwrap_or_default(),
            inside: metric.kills.as_ref().map_or_else(|| DASH.to_owned(), inside),
            n: metric.n,
            decision: metric.decision.as_ref().map(|decision| decided(metric, decision, &unit)),
            estimates: estimates(metric, &unit),
            reasons: metric.reasons.iter().map(Note::own_reason).collect(),
            warnings: metric.warnings.iter().map(Note::warning).collect(),
            gates: metric.gates.iter().map(gate).collect(),
            sensitivity: metric.sensitivity.iter().map(sensitivity).collect(),
            within_window: metric.within_window.as_ref().map(|found| within_window(found, &unit)),
            p_adjusted: metric
                .exploratory
                .as_ref()
                .map(|exploratory| Figure::p_value(exploratory.p_adjusted)),
            paired: PairedView::new(metric, &unit),
            timeline,
        }
    }
}

/// `21 of 22`, with what cannot be said.
fn inside(kills: &Kills) -> String {
    let all = kills.inside + kills.outside + kills.unknown;
    let unknown = if kills.unknown > 0 {
        format!(" ({} unknown)", number::count(kills.unknown))
    } else {
        String::new()
    };
    format!("{} of {}{unknown}", number::count(kills.inside), number::count(all))
}

/// The decision of a claim on a metric.
fn decided(metric: &MetricResult, decision: &Decision, unit: &Unit) -> DecisionView {
    let lower_is_better = metric.claim.as_ref().is_none_or(|claim| claim.form.lower_is_better());
    let below = if lower_is_better { GoodSide::Below } else { GoodSide::Above };
    // A histogram's `all_requests` is decided on the share of slow requests, not on its quantile.
    let of_requests = metric.kind == "histogram" && metric.estimand == Some(Estimand::AllRequests);
    let against_baseline = metric
        .claim
        .as_ref()
        .is_some_and(|claim| matches!(claim.form, Form::IncreaseAtMost | Form::DecreaseAtMost));
    // Nor is a typical kill under an absolute bound: it is decided on the share of requests under that bound.
    let of_typical_share = metric.kind == "histogram"
        && metric.estimand == Some(Estimand::TypicalKill)
        && !against_baseline;
    let allowed_first = metric.claim.as_ref().is_some_and(|claim| {
        claim.or_by.is_some()
            || (claim.relative
                && metric
                    .effect
                    .as_ref()
                    .is_some_and(|effect| effect.form == EffectForm::Difference))
    });
    let effect = metric.effect.as_ref();
    let (quantity, scale, good_side, estimate) = match decision.quantity {
        DecidedQuantity::Share => (
            "share of kills inside the bound",
            Scale::Quantity(Unit::Ratio),
            GoodSide::Above,
            metric.kills.as_ref().and_then(seen_share),
        ),
        DecidedQuantity::Experiment if of_requests && !against_baseline => {
            ("share of slow requests", Scale::Quantity(Unit::Ratio), GoodSide::Below, None)
        }
        DecidedQuantity::Experiment if of_typical_share => (
            "share of requests at or under the bound",
            Scale::Quantity(Unit::Ratio),
            if lower_is_better { GoodSide::Above } else { GoodSide::Below },
            None,
        ),
        DecidedQuantity::Experiment => {
            ("experiment windows", Scale::Quantity(unit.clone()), below, metric.experiment.estimate)
        }
        DecidedQuantity::Effect => (
            if allowed_first { BEYOND } else { "experiment against baseline" },
            match effect.map(|effect| effect.form) {
                Some(EffectForm::Ratio) => Scale::Change,
                Some(EffectForm::Difference) | None => Scale::Difference(unit.clone()),
            },
            below,
            effect.and_then(|effect| effect.estimate),
        ),
    };
    let mut view =
        DecisionView::new(decision, quantity, scale, good_side, estimate, metric.verdict);
    // `this_run` compares what was seen and has no limits; then the worst kill says how close it was.
    let worst = metric.kills.as_ref().and_then(|kills| kills.worst.as_ref());
    let no_limits = decision.lower.is_none() && decision.upper.is_none();
    if let (Some(Estimand::ThisRun), true, Some(worst)) = (metric.estimand, no_limits, worst) {
        let worst = match &view.scale {
            Scale::Difference(unit) => Figure::difference(Some(worst.value), unit, DASH),
            Scale::Quantity(_) | Scale::Change => Figure::quantity(Some(worst.value), unit, DASH),
        };
        view.limit_words = format!("worst {}", worst.text);
    }
    view
}

/// Kills inside over all kills, as the k-of-N line says it.
fn seen_share(kills: &Kills) -> Option<f64> {
    let all = kills.inside + kills.outside + kills.unknown;
    (all > 0).then(|| f64::from(kills.inside) / f64::from(all))
}

impl DecisionView {
    /// A decision with what is known about its scale.
    pub(crate) fn new(
        decision: &Decision,
        quantity: &str,
        scale: Scale,
        good_side: GoodSide,
        estimate: Option<f64>,
        verdict: Option<Verdict>,
    ) -> Self {
        // Where the decision was made on a shifted scale (`or_by`), the estimate does not lie between its limits;
        // then it is not drawn there.
        let of = match &scale {
            Scale::Quantity(Unit::Ratio) if quantity.starts_with("share of kills") => " of kills",
            Scale::Quantity(Unit::Ratio) if quantity.contains("requests") => " of requests",
            _ if quantity == BEYOND => " beyond what is allowed",
            Scale::Quantity(_) | Scale::Difference(_) | Scale::Change => "",
        };
        let estimate = estimate.filter(|estimate| {
            decision.lower.is_none_or(|lower| lower <= *estimate + 1e-9 * estimate.abs())
                && decision.upper.is_none_or(|upper| *estimate <= upper + 1e-9 * upper.abs())
        });
        let lower = scale.limit(decision.lower, decision.bound);
        let upper = scale.limit(decision.upper, decision.bound);
        let bound = scale.figure(Some(decision.bound), DASH);
        let bound_words = match good_side {
            GoodSide::Below => format!("at most {}{of}", bound.text),
            GoodSide::Above => format!("at least {}{of}", bound.text),
        };
        // A fail is told by the limit that refutes the claim, anything else by the one that would prove it.
        let tells_upper = (good_side == GoodSide::Below) != (verdict == Some(Verdict::Fail));
        let (sign, limit, missing) = if tells_upper {
            ("≤", &upper, "no upper limit")
        } else {
            ("≥", &lower, "no lower limit")
        };
        let limit_words =
            limit.value.map_or_else(|| missing.to_owned(), |_| format!("{sign} {}", limit.text));
        Self {
            quantity: quantity.to_owned(),
            estimate: scale.figure(estimate, DASH),
            lower,
            upper,
            bound,
            good_side,
            limit_words,
            bound_words,
            method: words::method(&decision.method),
            p_pass: Figure::p_value(decision.p_pass),
            p_fail: Figure::p_value(decision.p_fail),
            p_fail_holm: Figure::p_value(decision.p_fail_holm),
            attained_level: Figure::share(decision.attained_level, DASH),
            scale,
        }
    }
}

/// Baseline, experiment and effect with their limits.
fn estimates(metric: &MetricResult, unit: &Unit) -> Vec<EstimateRow> {
    let row = |label, estimate: &Estimate| EstimateRow {
        label,
        estimate: Figure::quantity(estimate.estimate, unit, "no value"),
        lower: Figure::quantity(estimate.lower, unit, DASH),
        upper: Figure::quantity(estimate.upper, unit, DASH),
    };
    let mut rows = vec![row("Baseline", &metric.baseline), row("Experiment", &metric.experiment)];
    if let Some(effect) = &metric.effect {
        let scale = match effect.form {
            EffectForm::Difference => Scale::Difference(unit.clone()),
            EffectForm::Ratio => Scale::Change,
        };
        rows.push(EstimateRow {
            label: "Change",
            estimate: scale.figure(effect.estimate, "no value"),
            lower: scale.figure(effect.lower, DASH),
            upper: scale.figure(effect.upper, DASH),
        });
    }
    rows
}

/// A comparison in words.
pub(crate) fn gate(gate: &Gate) -> GateRow {
    GateRow {
        name: words::spaced(&gate.name),
        value: Figure::quantity(gate.value, &Unit::None, "undefined"),
        threshold: Figure::quantity(gate.threshold, &Unit::None, DASH),
        outcome: match gate.outcome {
            GateOutcome::Passed => "passed",
            GateOutcome::Failed => "not passed",
            GateOutcome::Undefined => "cannot be compared",
        },
    }
}

/// A figure beside the decision.
fn sensitivity(figure: &Sensitivity) -> SensitivityRow {
    SensitivityRow {
        method: words::method(&figure.method),
        p_pass: Figure::p_value(figure.p_pass),
        p_fail: Figure::p_value(figure.p_fail),
        mark: Mark::of(figure.verdict),
    }
}

/// What a single kill says about itself.
fn within_window(found: &WithinWindow, unit: &Unit) -> WithinWindowView {
    let change = |value| Figure::difference(Some(value), unit, DASH);
    let window = |name: &str, samples: u32, length: Option<f64>| {
        let blocks = length.map_or_else(
            || "all equal".to_owned(),
            |length| format!("blocks of {} on average", crate::unit::show::significant(length, 2)),
        );
        format!("{name} {} samples, {blocks}", number::count(samples))
    };
    WithinWindowView {
        index: found.index,
        estimate: change(found.estimate),
        lower: change(found.lower),
        upper: change(found.upper),
        level: Figure::share(Some(found.level), DASH),
        line: found.line.clone(),
        method: words::method(&found.method),
        blocks: format!(
            "{}; {}",
            window("baseline", found.baseline_samples, found.baseline_block_length),
            window("experiment", found.experiment_samples, found.experiment_block_length)
        ),
    }
}
