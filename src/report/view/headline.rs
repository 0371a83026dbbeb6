//! What a reader has to know within thirty seconds: the verdict, the sentence that explains it, the claims at a
//! glance.

use serde::Serialize;

use crate::report::number;
use crate::report::view::claim::ClaimView;
use crate::report::view::recovery::RecoveryView;
use crate::report::view::words::{Mark, Note};
use crate::verdict::result::AnalysisResult;

/// The top of the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeadlineView {
    /// The verdict over all claims.
    pub mark: Mark,
    /// The result's own sentence.
    pub sentence: String,
    /// Name of the experiment.
    pub experiment: String,
    /// The hypothesis as written.
    pub hypothesis: String,
    /// `3 of 5 claims pass, 1 fails, 1 is inconclusive`.
    pub tally: String,
    /// Who, where, when, how many.
    pub facts: Vec<Fact>,
    /// Reasons, those of the experiment and of its claims, each once.
    pub reasons: Vec<Note>,
    /// What a reader should know besides.
    pub warnings: Vec<Note>,
    /// One row per claim.
    pub claims: Vec<Glance>,
}

/// A term and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// The term.
    pub term: &'static str,
    /// What is said.
    pub text: String,
}

/// One claim in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Glance {
    /// Where on the page it is told in full.
    pub target: String,
    /// The metric.
    pub name: String,
    /// The claim in words.
    pub claim: String,
    /// Its verdict.
    pub mark: Mark,
    /// `22 of 22`.
    pub inside: String,
    /// The limit that decided.
    pub seen: String,
    /// What it was compared with.
    pub bound: String,
}

impl HeadlineView {
    /// The top of the page for `result`, with one row for each claim already viewed.
    pub(crate) fn new(
        result: &AnalysisResult,
        claims: &[ClaimView],
        recovery: Option<&RecoveryView>,
    ) -> Self {
        let mut glance: Vec<Glance> = claims.iter().map(glance_of_claim).collect();
        if let Some(recovery) = recovery.filter(|recovery| recovery.mark.code != "none") {
            glance.push(glance_of_recovery(recovery));
        }
        Self {
            mark: Mark::of(Some(result.verdict)),
            sentence: result.headline.clone(),
            experiment: result.experiment.name.clone(),
            hypothesis: result.experiment.hypothesis.trim().to_owned(),
            tally: tally(&glance),
            facts: facts(result),
            reasons: result.reasons.iter().map(Note::reason).collect(),
            warnings: result.warnings.iter().map(Note::warning).collect(),
            claims: glance,
        }
    }
}

/// How many claims came out how.
fn tally(claims: &[Glance]) -> String {
    let with = |code: &str| claims.iter().filter(|claim| claim.mark.code == code).count();
    if claims.is_empty() {
        return "nothing is claimed".to_owned();
    }
    let noun = if claims.len() == 1 { "claim" } else { "claims" };
    let mut parts = vec![format!("{} of {} {noun} passed", with("pass"), claims.len())];
    for (code, word) in [("fail", "failed"), ("inconclusive", "inconclusive")] {
        let number = with(code);
        if number > 0 {
            parts.push(format!("{number} {word}"));
        }
    }
    parts.join(", ")
}

/// Who, where, when, how many.
fn facts(result: &AnalysisResult) -> Vec<Fact> {
    let counts = &result.iterations;
    let planned = counts
        .planned
        .filter(|planned| *planned != counts.fault)
        .map_or_else(String::new, |planned| format!(" of {} planned", number::count(planned)));
    let mut kills = format!(
        "{}{planned}, {} usable",
        number::count(counts.fault),
        number::count(counts.usable)
    );
    if counts.control > 0 {
        kills.extend(["; ", &number::counted(counts.control, "control")]);
    }
    let mut facts = vec![
        Fact { term: "Environment", text: result.experiment.environment.clone() },
        Fact { term: "Kills", text: kills },
        Fact { term: "Sessions", text: number::count(result.sessions) },
        Fact { term: "Owner", text: result.experiment.owner.clone() },
    ];
    if let Some(ticket) = &result.experiment.ticket {
        facts.push(Fact { term: "Ticket", text: ticket.clone() });
    }
    if let Some(started) = result.started_at {
        let from = started.to_utc().format("%Y-%m-%d %H:%M").to_string();
        let to = result.ended_at.map_or_else(String::new, |ended| {
            let same_day = ended.to_utc().date_naive() == started.to_utc().date_naive();
            let format = if same_day { " – %H:%M" } else { " – %Y-%m-%d %H:%M" };
            ended.to_utc().format(format).to_string()
        });
        facts.push(Fact { term: "When", text: format!("{from}{to} UTC") });
    }
    if !result.experiment.labels.is_empty() {
        let labels: Vec<String> =
            result.experiment.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        facts.push(Fact { term: "Labels", text: labels.join(", ") });
    }
    facts
}

/// The row of a claim.
fn glance_of_claim(claim: &ClaimView) -> Glance {
    let (seen, bound) = claim.decision.as_ref().map_or_else(
        || (number::DASH.to_owned(), number::DASH.to_owned()),
        |decision| (decision.limit_words.clone(), decision.bound_words.clone()),
    );
    Glance {
        target: claim.id.clone(),
        name: claim.name.clone(),
        claim: claim.claim.clone(),
        mark: claim.mark,
        inside: claim.inside.clone(),
        seen,
        bound,
    }
}

/// The row of recovery within its deadline.
fn glance_of_recovery(recovery: &RecoveryView) -> Glance {
    let (seen, bound) = recovery.decision.as_ref().map_or_else(
        || (number::DASH.to_owned(), number::DASH.to_owned()),
        |decision| (decision.limit_words.clone(), decision.bound_words.clone()),
    );
    Glance {
        target: "recovery".to_owned(),
        name: "recovery".to_owned(),
        claim: recovery.claim.clone(),
        mark: recovery.mark,
        inside: recovery.inside.clone(),
        seen,
        bound,
    }
}
