//! What the page of a comparison says, before any markup.

use serde::Serialize;

use crate::report::ReportError;
use crate::report::number::{self, Figure};
use crate::report::shown::shown_of;
use crate::report::view::{Fact, Mark, Note, Scale, spaced};
use crate::unit::{Timestamp, Unit};
use crate::verdict::compare::result::{
    Campaign, Change, ClaimComparison, CompareForm, CompareReason, CompareSensitivity,
    ComparedQuantity, Comparison, NotCompared, QuantityComparison,
};
use crate::verdict::result::Verdict;

/// Everything that the page says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct ComparisonView {
    pub(super) mark: Mark,
    pub(super) experiment: String,
    pub(super) sentence: String,
    pub(super) hypothesis: String,
    pub(super) facts: Vec<Fact>,
    pub(super) runbook_change: Option<RunbookChange>,
    pub(super) reasons: Vec<Note>,
    pub(super) warnings: Vec<Note>,
    pub(super) claims: Vec<ClaimView>,
    pub(super) exploratory: Vec<ClaimView>,
    pub(super) not_compared: Vec<NotCompared>,
    pub(super) document_changes: Vec<String>,
    pub(super) campaigns: Vec<CampaignRow>,
    pub(super) reading: Vec<&'static str>,
}

/// The change that is to be proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct RunbookChange {
    pub(super) text: String,
    /// Where it leads, if it is a link to the web.
    pub(super) link: Option<String>,
}

/// One campaign in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct CampaignRow {
    pub(super) label: &'static str,
    pub(super) run_id: String,
    pub(super) when: String,
    pub(super) mark: Mark,
    pub(super) kills: String,
    pub(super) sessions: String,
    pub(super) environment: String,
    pub(super) digest: String,
}

/// One claim.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct ClaimView {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) claim: Option<String>,
    pub(super) mark: Mark,
    pub(super) before: Mark,
    pub(super) after: Mark,
    pub(super) sentence: String,
    pub(super) quantities: Vec<QuantityView>,
    pub(super) sensitivity: Vec<SensitivityView>,
    pub(super) reasons: Vec<Note>,
}

/// One quantity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct QuantityView {
    pub(super) label: &'static str,
    pub(super) before: Figure,
    pub(super) after: Figure,
    pub(super) estimate: Figure,
    pub(super) lower: Figure,
    pub(super) upper: Figure,
    pub(super) margin: Figure,
    pub(super) margin_from: String,
    pub(super) method: String,
    pub(super) n: String,
    /// `+1 s … +2 s`, or that it was only observed.
    pub(super) limits: String,
    /// Whether there is more to it than what was observed.
    pub(super) inferred: bool,
    pub(super) p_not_worse: Figure,
    pub(super) p_better: Figure,
    pub(super) p_worse: Figure,
    pub(super) lower_is_better: bool,
    #[serde(skip)]
    pub(super) scale: Scale,
}

/// One figure beside.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct SensitivityView {
    pub(super) method: String,
    pub(super) of: String,
    pub(super) estimate: String,
    pub(super) p_value: Figure,
}

/// The mark of an answer.
pub(super) const fn mark(change: Option<Change>) -> Mark {
    match change {
        Some(Change::Better) => Mark { code: "pass", word: "Better" },
        Some(Change::NotWorse) => Mark { code: "pass", word: "Not worse" },
        Some(Change::Worse) => Mark { code: "fail", word: "Worse" },
        Some(Change::CannotTell) => Mark { code: "inconclusive", word: "Cannot tell" },
        None => Mark { code: "none", word: "Not judged" },
    }
}

impl ComparisonView {
    /// The view of a comparison; its texts are made safe to show first.
    pub(super) fn new(comparison: &Comparison) -> Result<Self, ReportError> {
        let link =
            comparison.runbook_change.as_deref().filter(|text| is_web(text)).map(str::to_owned);
        let comparison = shown_of(comparison)?;
        let views = |rows: &[ClaimComparison], kind: &str| {
            rows.iter()
                .zip(1..)
                .map(|(row, at)| ClaimView::new(row, &format!("{kind}-{at}")))
                .collect()
        };
        Ok(Self {
            mark: mark(Some(comparison.verdict)),
            experiment: comparison.experiment.clone(),
            sentence: comparison.headline.clone(),
            hypothesis: comparison.hypothesis.trim().to_owned(),
            facts: vec![
                Fact { term: "Before", text: when(&comparison.before) },
                Fact { term: "After", text: when(&comparison.after) },
                Fact {
                    term: "Kills",
                    text: format!(
                        "{} before, {} after",
                        number::count(comparison.before.kills),
                        number::count(comparison.after.kills)
                    ),
                },
                Fact { term: "Confidence", text: number::share(comparison.confidence) },
            ],
            runbook_change: comparison
                .runbook_change
                .clone()
                .map(|text| RunbookChange { text, link }),
            reasons: comparison.reasons.iter().map(note).collect(),
            warnings: comparison.warnings.iter().map(Note::warning).collect(),
            claims: views(&comparison.claims, "claim"),
            exploratory: views(&comparison.exploratory, "shown"),
            campaigns: vec![
                CampaignRow::new("Before", &comparison.before),
                CampaignRow::new("After", &comparison.after),
            ],
            not_compared: comparison.not_compared,
            document_changes: comparison.document_changes,
            reading: vec![
                "Better: the limits rule out that it is as bad as before. Not worse: they rule out that it is worse by more than the margin. Worse: they rule out that it is not.",
                "Every quantity of every claim must be not worse; better and worse are adjusted for the number of quantities compared (Holm).",
                "Before and after are two times, not two arms drawn at random: whatever else changed between them is part of the difference.",
            ],
        })
    }
}

/// Whether a text is a link that a browser may follow.
fn is_web(text: &str) -> bool {
    let plain = text.chars().all(|character| {
        character.is_ascii_graphic() && !matches!(character, '"' | '\'' | '<' | '>' | '\\' | '`')
    });
    plain && text.len() < 2000 && (text.starts_with("https://") || text.starts_with("http://"))
}

fn note(reason: &CompareReason) -> Note {
    Note {
        code: reason.code.clone(),
        metric: reason.metric.clone(),
        message: reason.message.clone(),
        needed: None,
    }
}

/// When a campaign ran.
fn when(campaign: &Campaign) -> String {
    let day = |time: Timestamp| time.to_utc().format("%Y-%m-%d %H:%M").to_string();
    match (campaign.started_at, campaign.ended_at) {
        (Some(from), Some(to)) => format!("{} – {} UTC", day(from), day(to)),
        (Some(from), None) => format!("{} UTC", day(from)),
        (None, _) => "no time given".to_owned(),
    }
}

impl CampaignRow {
    fn new(label: &'static str, campaign: &Campaign) -> Self {
        Self {
            label,
            run_id: campaign.run_id.clone(),
            when: when(campaign),
            mark: Mark::of(Some(campaign.verdict)),
            kills: number::count(campaign.kills),
            sessions: number::count(campaign.sessions),
            environment: campaign.environment.clone(),
            digest: campaign.digest.clone(),
        }
    }
}

impl ClaimView {
    fn new(claim: &ClaimComparison, id: &str) -> Self {
        let verdict = |verdict: Option<Verdict>| Mark::of(verdict);
        Self {
            id: id.to_owned(),
            name: claim.metric.clone(),
            claim: claim.claim.clone(),
            mark: mark(claim.verdict),
            before: verdict(claim.before_verdict),
            after: verdict(claim.after_verdict),
            sentence: claim.sentence.clone(),
            quantities: claim
                .quantities
                .iter()
                .map(|one| QuantityView::new(one, claim.unit.as_deref()))
                .collect(),
            sensitivity: claim.sensitivity.iter().map(SensitivityView::new).collect(),
            reasons: claim
                .reasons
                .iter()
                .map(|reason| Note { metric: None, ..note(reason) })
                .collect(),
        }
    }
}

impl QuantityView {
    fn new(one: &QuantityComparison, unit: Option<&str>) -> Self {
        let unit = match one.quantity {
            ComparedQuantity::ShareInside => Unit::Ratio,
            ComparedQuantity::TimeToRecover => Unit::Seconds,
            ComparedQuantity::Value
            | ComparedQuantity::Effect
            | ComparedQuantity::AllRequests
            | ComparedQuantity::ThisRun => Unit::named(unit.unwrap_or_default()),
        };
        let of_effects = one.quantity == ComparedQuantity::Effect;
        let scale = match one.form {
            CompareForm::Ratio => Scale::Change,
            CompareForm::Difference => Scale::Difference(unit.clone()),
        };
        let own = |value: Option<f64>| match one.form {
            CompareForm::Ratio => Figure::change(value, number::DASH),
            CompareForm::Difference if of_effects => Figure::difference(value, &unit, number::DASH),
            CompareForm::Difference => Figure::quantity(value, &unit, number::DASH),
        };
        let on_scale = |value: Option<f64>, missing: &str| scale.figure(value, missing);
        let inferred = one.quantity != ComparedQuantity::ThisRun;
        let (lower, upper) = (on_scale(one.lower, "no limit"), on_scale(one.upper, "no limit"));
        Self {
            limits: if inferred {
                format!("{} … {}", lower.text, upper.text)
            } else {
                "as observed".to_owned()
            },
            inferred,
            label: label(one.quantity),
            before: own(one.before),
            after: own(one.after),
            estimate: on_scale(one.estimate, number::DASH),
            lower,
            upper,
            margin: on_scale(Some(one.margin), number::DASH),
            margin_from: one.margin_from.clone(),
            method: method(&one.method),
            n: format!("{} / {}", number::count(one.n_before), number::count(one.n_after)),
            p_not_worse: Figure::p_value(one.p_not_worse),
            p_better: Figure::p_value(one.p_better_holm),
            p_worse: Figure::p_value(one.p_worse_holm),
            lower_is_better: one.lower_is_better,
            scale,
        }
    }
}

impl SensitivityView {
    fn new(one: &CompareSensitivity) -> Self {
        let plain = |value: f64| number::quantity(value, &Unit::None);
        let estimate = match (one.estimate, one.lower, one.upper) {
            (Some(estimate), Some(lower), Some(upper)) => {
                format!("{} ({} … {})", plain(estimate), plain(lower), plain(upper))
            }
            (Some(estimate), _, _) => plain(estimate),
            (None, _, _) => number::DASH.to_owned(),
        };
        Self {
            method: method(&one.method),
            of: one.of.clone(),
            estimate,
            p_value: Figure::p_value(one.p_value),
        }
    }
}

const fn label(quantity: ComparedQuantity) -> &'static str {
    match quantity {
        ComparedQuantity::ShareInside => "Share of kills inside",
        ComparedQuantity::Value => "Value of the typical kill",
        ComparedQuantity::Effect => "Effect of the typical kill",
        ComparedQuantity::AllRequests => "Ratio over all requests",
        ComparedQuantity::TimeToRecover => "Time to recover",
        ComparedQuantity::ThisRun => "As observed in these runs",
    }
}

fn method(code: &str) -> String {
    match code {
        "hodges_lehmann" => "Hodges–Lehmann shift, rank-sum limits".to_owned(),
        "newcombe" => "Newcombe hybrid score limits".to_owned(),
        "korn_graubard_mover" => {
            "Korn–Graubard limits of each, put together (Zou and Donner)".to_owned()
        }
        "restricted_mean" => "restricted means".to_owned(),
        "threshold" => "comparison with the bound, no inference".to_owned(),
        "brunner_munzel" => "Brunner–Munzel".to_owned(),
        "log_rank" => "log-rank".to_owned(),
        "permutation_log_rank" => "log-rank by permutation".to_owned(),
        other => spaced(other),
    }
}
