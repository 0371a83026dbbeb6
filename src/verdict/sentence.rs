//! The words of a verdict.
//!
//! A pass says what the data rule out, under which conditions, at which level; a fail says what exceeds its bound
//! and after which correction; an inconclusive one says what was seen and what is needed. None of them says
//! "resilient", "safe" or "no impact", none names a cause.

use crate::spec::{Claim, Estimand, Metric};
use crate::unit::show;
use crate::verdict::result::{Kills, Reason, Verdict};

/// Under which conditions a verdict was reached.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Conditions {
    /// One-sided level.
    pub(crate) confidence: f64,
    /// Number of sessions.
    pub(crate) sessions: usize,
    /// Where it ran.
    pub(crate) environment: String,
    /// Primary claims.
    pub(crate) claims: usize,
}

impl Conditions {
    /// "the conditions of 1 session in staging".
    fn words(&self) -> String {
        let sessions = if self.sessions == 1 { "session" } else { "sessions" };
        format!("the conditions of {} {sessions} in {}", self.sessions, self.environment)
    }

    fn level(&self) -> String {
        show::level(self.confidence)
    }

    fn holm(&self) -> String {
        let claims = if self.claims == 1 { "claim" } else { "claims" };
        format!("{}, Holm over {} {claims}", self.level(), self.claims)
    }
}

/// What it would mean for a claim to be broken: "more than 20 % of kills take payment-p95 out of its bound (at most
/// 200 ms)".
pub(crate) fn breach(metric: &Metric, claim: &Claim) -> String {
    let name = &metric.name;
    let text = &claim.text;
    match claim.estimand {
        Estimand::MostKills | Estimand::EveryKill => format!(
            "more than {} of kills take {name} out of its bound “{text}”",
            show::percent(1.0 - claim.share)
        ),
        Estimand::AllRequests => {
            format!("{name} over all requests is out of its bound “{text}”")
        }
        Estimand::TypicalKill => {
            format!("the typical kill takes {name} out of its bound “{text}”")
        }
        Estimand::ThisRun => format!("{name} is out of its bound “{text}”"),
    }
}

/// One claim's verdict as a sentence.
pub(crate) fn of_claim(
    verdict: Verdict,
    breach: &str,
    is_this_run: bool,
    line: &str,
    reasons: &[Reason],
    conditions: &Conditions,
) -> String {
    if is_this_run {
        return match verdict {
            Verdict::Pass => format!("Held in this run: {line}."),
            Verdict::Fail => format!("Broke in this run: {line}."),
            Verdict::Inconclusive => {
                format!("Not shown either way in this run: {line}; {}.", first_message(reasons))
            }
        };
    }
    match verdict {
        Verdict::Pass => format!(
            "If the next kill is like these, the data rule out ({}) that {breach}, under {}. {}.",
            conditions.level(),
            conditions.words(),
            capitalised(line)
        ),
        Verdict::Fail => {
            format!("{} ({}). {}.", capitalised(breach), conditions.holm(), capitalised(line))
        }
        Verdict::Inconclusive => {
            format!("Not shown either way. Seen: {line}. {}.", capitalised(&first_message(reasons)))
        }
    }
}

/// The message of the reason that weighs most.
fn first_message(reasons: &[Reason]) -> String {
    reasons
        .first()
        .map_or_else(|| "no reason was recorded".to_owned(), |reason| reason.message.clone())
}

/// The text with its first letter in upper case.
pub(crate) fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

/// One primary claim as the headline sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Headlined {
    /// Metric or "recovery".
    pub(crate) name: String,
    pub(crate) verdict: Verdict,
    /// Whether it is a `this_run` claim.
    pub(crate) this_run: bool,
    /// Whether its k-of-N line belongs into the headline (a typical kill under an absolute bound).
    pub(crate) carries_line: bool,
    /// k of N in short: "22 of 22 kills inside".
    pub(crate) short: String,
    /// The same about what was seen broken: "5 of 5 kills broke the bound of payment-p95, worst 3.1 s".
    pub(crate) broken: String,
    /// Kills known to be outside.
    pub(crate) outside: u32,
    /// Kills in all.
    pub(crate) total: u32,
    /// What would settle it.
    pub(crate) needed: Option<u32>,
    /// First reason in words.
    pub(crate) reason: String,
    /// The baseline itself breaches the absolute bound.
    pub(crate) baseline_breaches: bool,
}

/// k of N in short; `worst` is the worst kill in words.
pub(crate) fn short(kills: &Kills, worst: Option<&str>) -> String {
    let total = kills.inside + kills.outside + kills.unknown;
    format!("{} of {total} kills inside{}", kills.inside, worst_seen(kills, worst))
}

/// What was seen broken.
pub(crate) fn broken(kills: &Kills, name: &str, worst: Option<&str>) -> String {
    let total = kills.inside + kills.outside + kills.unknown;
    let worst = worst_seen(kills, worst);
    format!("{} of {total} kills broke the bound of {name}{worst}", kills.outside)
}

/// ", worst 3.1 s" if any kill is outside.
fn worst_seen(kills: &Kills, worst: Option<&str>) -> String {
    worst.filter(|_| kills.outside > 0).map_or_else(String::new, |worst| format!(", worst {worst}"))
}

/// The headline of an experiment.
pub(crate) fn headline(verdict: Verdict, claims: &[Headlined], conditions: &Conditions) -> String {
    let mut text = match verdict {
        Verdict::Pass => pass(claims, conditions),
        Verdict::Fail => fail(claims, conditions),
        Verdict::Inconclusive => inconclusive(claims),
    };
    let breaching: Vec<&str> = claims
        .iter()
        .filter(|claim| claim.baseline_breaches)
        .map(|claim| claim.name.as_str())
        .collect();
    if !breaching.is_empty() {
        text = format!(
            "{text}; the baseline of {} is out of its bound even without a kill",
            listed(&breaching)
        );
    }
    text.push('.');
    text
}

fn pass(claims: &[Headlined], conditions: &Conditions) -> String {
    let inferred = claims.iter().filter(|claim| !claim.this_run).count();
    let held: Vec<&str> =
        claims.iter().filter(|claim| claim.this_run).map(|claim| claim.name.as_str()).collect();
    let mut text = "Pass: ".to_owned();
    if inferred > 0 {
        let which = if inferred == 1 {
            "its claim is".to_owned()
        } else {
            format!("any of {inferred} claims is")
        };
        text = format!(
            "{text}if the next kill is like these, the data rule out ({}) that {which} broken, under {}",
            conditions.level(),
            conditions.words()
        );
    }
    if !held.is_empty() {
        let joint = if inferred > 0 { "; " } else { "" };
        text = format!("{text}{joint}{} held in this run", listed(&held));
    }
    for claim in claims.iter().filter(|claim| claim.carries_line) {
        text = format!("{text}; {}: {}", claim.name, claim.short);
    }
    text
}

fn fail(claims: &[Headlined], conditions: &Conditions) -> String {
    let failing: Vec<&Headlined> =
        claims.iter().filter(|claim| claim.verdict == Verdict::Fail).collect();
    let lines: Vec<String> = failing
        .iter()
        .map(|claim| {
            let run = if claim.this_run { " in this run" } else { "" };
            format!("{}{run} ({})", claim.name, claim.short)
        })
        .collect();
    let refs: Vec<&str> = lines.iter().map(String::as_str).collect();
    let bound = if failing.len() == 1 { "its bound" } else { "their bounds" };
    format!("Fail: out of {bound} ({}): {}", conditions.holm(), listed(&refs))
}

fn inconclusive(claims: &[Headlined]) -> String {
    let open: Vec<&Headlined> =
        claims.iter().filter(|claim| claim.verdict == Verdict::Inconclusive).collect();
    let Some(first) = open.iter().max_by_key(|claim| (claim.outside, claim.total == 0)) else {
        return "Inconclusive: the document claims nothing; add an `expect` or a `within`"
            .to_owned();
    };
    let seen = if first.outside > 0 {
        first.broken.clone()
    } else {
        let clean = claims.iter().all(|claim| claim.outside == 0);
        let total = claims.iter().map(|claim| claim.total).max();
        match total {
            Some(total) if clean && total > 0 => format!(
                "in {total} {} no claim was seen broken",
                if total == 1 { "kill" } else { "kills" }
            ),
            Some(_) | None => format!("{}: {}", first.name, first.short),
        }
    };
    let needed = open
        .iter()
        .filter_map(|claim| claim.needed.map(|needed| (needed, claim)))
        .max_by_key(|(needed, _)| *needed);
    let all_known = open.iter().all(|claim| claim.needed.is_some());
    let wanted = match needed {
        Some((needed, claim)) if all_known => {
            let more = needed.saturating_sub(claim.total);
            format!("needed: about {more} more clean {}", if more == 1 { "kill" } else { "kills" })
        }
        Some(_) | None => {
            let open_end =
                open.iter().find(|claim| claim.needed.is_none()).copied().unwrap_or(first);
            format!("{}: {}", open_end.name, open_end.reason)
        }
    };
    format!("Inconclusive: {seen}; not shown either way; {wanted}")
}

/// "a", "a and b", "a, b and c".
pub(crate) fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
