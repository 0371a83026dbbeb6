//! What a team files: the summary in plain sentences, the impact, the course of the worst kill, what went well, badly and by
//! luck, and what to change. Everything is read off the result; what only people know is asked for.

use serde::Serialize;

use crate::report::number::{self, DASH, Figure};
use crate::report::view::claim::ClaimView;
use crate::report::view::headline::Fact;
use crate::report::view::words::Mark;
use crate::runbook::text::told;
use crate::runbook::{Effect, Place, Suggestion};
use crate::unit::{Timestamp, Unit};
use crate::verdict::result::{
    AnalysisResult, Direction, MetricResult, RecoveryResult, TimeResult, TimelineWindow, Verdict,
};

/// Most moments of the worst kill that a page lists.
const MOMENT_LIMIT: usize = 60;

/// The parts of a postmortem.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PostmortemView {
    /// What happened, in plain sentences.
    pub summary: Vec<String>,
    /// What was done to whom.
    pub trigger: String,
    /// Before and after, metric by metric.
    pub impact: Vec<ImpactRow>,
    /// How it was noticed.
    pub detection: String,
    /// How it came back.
    pub resolution: String,
    /// The course of the worst kill.
    pub course: Option<CourseView>,
    /// What went well.
    pub well: Vec<String>,
    /// What went badly.
    pub badly: Vec<String>,
    /// Where it was luck.
    pub lucky: Vec<String>,
    /// Questions on the root causes.
    pub questions: Vec<String>,
    /// What to change.
    pub changes: Vec<ChangeView>,
    /// What this run teaches about the experiment itself.
    pub learning: Vec<Fact>,
}

/// One metric before and after.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImpactRow {
    /// The metric.
    pub name: String,
    /// Its verdict.
    pub mark: Mark,
    /// Over the baseline windows.
    pub before: Figure,
    /// Over the experiment windows.
    pub after: Figure,
    /// The change.
    pub change: Figure,
    /// `9 of 10`, the kills inside the bound; a dash without a claim.
    pub inside: String,
}

/// The course of one kill.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CourseView {
    /// Number within the campaign.
    pub index: u32,
    /// Why this one.
    pub why: String,
    /// What happened when.
    pub moments: Vec<Moment>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Moment {
    /// Time of day, UTC.
    pub at: String,
    /// From the kill.
    pub offset: String,
    /// A word for its kind.
    pub kind: String,
    /// What happened.
    pub message: String,
    /// Where traces and logs of it are.
    pub link: Option<String>,
    #[serde(skip)]
    order: Timestamp,
}

/// A suggested change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeView {
    /// Its heading.
    pub title: String,
    /// The rule.
    pub rule: String,
    /// What was seen.
    pub seen: String,
    /// Why it matters.
    pub why: String,
    /// The numbers.
    pub evidence: Vec<String>,
    /// `high`, `medium`, `low` or `fact`.
    pub grade: &'static str,
    /// What the grade rests on.
    pub grade_why: String,
    /// What to do.
    pub step: String,
    /// `mitigate`, `detect` or `prevent`.
    pub kind: &'static str,
    /// Whether a person has to approve it.
    pub approval: bool,
    /// How to see that it worked.
    pub verify: String,
    /// Whom to call.
    pub escalate: String,
    /// Where to read on.
    pub references: Vec<String>,
}

/// Where traces and logs of an event are: an address with `{correlation_id}` in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventLink(Option<String>);

impl EventLink {
    /// What is replaced by the event's correlation id.
    pub const PLACE: &str = "{correlation_id}";

    /// A template of addresses.
    ///
    /// # Errors
    /// In words, if it is no web address or does not say where the id belongs.
    pub fn parse(template: &str) -> Result<Self, String> {
        let is_web = template.starts_with("https://") || template.starts_with("http://");
        if is_web && template.contains(Self::PLACE) {
            return Ok(Self(Some(template.to_owned())));
        }
        Err(format!(
            "found '{template}'; accepted is an address that begins with https:// or http:// and holds {}",
            Self::PLACE
        ))
    }

    /// The address for an id; everything but letters, digits and `-._~` is encoded.
    fn of(&self, id: Option<&str>) -> Option<String> {
        let (template, id) = (self.0.as_ref()?, id?);
        let mut encoded = String::new();
        for byte in id.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
        Some(template.replace(Self::PLACE, &encoded))
    }
}

impl PostmortemView {
    /// The postmortem of `result`, whose claims were already viewed.
    pub(crate) fn new(
        result: &AnalysisResult,
        claims: &[ClaimView],
        suggestions: &[Suggestion],
        link: &EventLink,
    ) -> Self {
        let changes: Vec<ChangeView> = suggestions.iter().map(change).collect();
        let trigger = trigger(result);
        let detection = detection(result.recovery.as_ref());
        let resolution = resolution(result.recovery.as_ref());
        let mut summary = vec![trigger.clone(), outcome(result), impact_sentence(result)];
        summary.extend([detection.clone(), resolution.clone()]);
        summary.extend(changes.first().map(|first| {
            format!(
                "First thing to change: {} (confidence: {}).",
                uncapitalised(&first.title),
                first.grade
            )
        }));
        summary.retain(|sentence| !sentence.is_empty());
        Self {
            summary,
            trigger,
            impact: result.metrics.iter().map(|metric| impact(metric, claims)).collect(),
            detection,
            resolution,
            course: course(result, link),
            well: well(result),
            badly: badly(result),
            lucky: lucky(result),
            questions: questions(result),
            changes,
            learning: learning(result, suggestions.len()),
        }
    }
}

/// What was done to whom, when and how often.
fn trigger(result: &AnalysisResult) -> String {
    let kills = match result.iterations.fault {
        1 => "once".to_owned(),
        count => format!("{} times", number::count(count)),
    };
    let (whom, action) = result.experiment.fault.as_ref().map_or_else(
        || (String::new(), "hit by a fault"),
        |fault| {
            let action = match fault.action.as_str() {
                "kill" => "killed",
                "terminate" => "terminated",
                "pause" => "paused",
                _ => "hit by a fault",
            };
            (format!(" ({})", fault.target), action)
        },
    );
    let when = result.started_at.map_or_else(String::new, |started| {
        format!(" on {}", started.to_utc().format("%Y-%m-%d from %H:%M UTC on"))
    });
    let controls = match result.iterations.control {
        0 => String::new(),
        count => {
            format!(", with {} without a kill for comparison", number::counted(count, "control"))
        }
    };
    format!(
        "The target{whom} was {action} {kills} in {}{when}{controls}.",
        result.experiment.environment
    )
}

/// The verdict in a sentence that needs no statistics.
fn outcome(result: &AnalysisResult) -> String {
    match result.verdict {
        Verdict::Pass => {
            format!("The hypothesis held, at {} confidence.", number::share(result.confidence))
        }
        Verdict::Fail => format!(
            "The hypothesis did not hold, at {} confidence.",
            number::share(result.confidence)
        ),
        Verdict::Inconclusive => {
            "It is not shown whether the hypothesis holds: neither a pass nor a fail.".to_owned()
        }
    }
}

/// What broke, and what held.
fn impact_sentence(result: &AnalysisResult) -> String {
    let with = |verdict: Verdict| -> Vec<&str> {
        let recovery = result
            .recovery
            .as_ref()
            .filter(|recovery| recovery.verdict == Some(verdict))
            .map(|_| "recovery in time");
        result
            .metrics
            .iter()
            .filter(|metric| metric.verdict == Some(verdict))
            .map(|metric| metric.name.as_str())
            .chain(recovery)
            .collect()
    };
    let parts: Vec<String> = [
        (Verdict::Fail, "Out of bounds"),
        (Verdict::Inconclusive, "undecided"),
        (Verdict::Pass, "inside their bounds"),
    ]
    .into_iter()
    .filter_map(|(verdict, words)| {
        let names = with(verdict);
        (!names.is_empty()).then(|| format!("{words}: {}", names.join(", ")))
    })
    .collect();
    if parts.is_empty() { String::new() } else { format!("{}.", capitalised(&parts.join("; "))) }
}

/// How it was noticed.
fn detection(recovery: Option<&RecoveryResult>) -> String {
    let Some(recovery) = recovery else {
        return "How soon anybody notices was not measured: the experiment has no recovery section."
            .to_owned();
    };
    let Some(detect) = &recovery.detect else {
        return "How soon anybody notices was not measured: the experiment names no sign of detection."
            .to_owned();
    };
    let sign = recovery.detected_by.as_ref().map_or_else(String::new, |sign| format!(" ({sign})"));
    format!("Noticed{sign} {}.", how_soon(detect))
}

/// How it came back.
fn resolution(recovery: Option<&RecoveryResult>) -> String {
    let Some(recovery) = recovery else { return String::new() };
    let remediated = recovery.remediate.as_ref().map_or_else(String::new, |remediate| {
        format!("The process was back {}. ", how_soon(remediate))
    });
    let recover = &recovery.recover;
    let untouched =
        recover.never_departed.filter(|count| *count > 0).map_or_else(String::new, |count| {
            format!(
                ", after {} of them without any impact on {}",
                number::counted(count, "kill"),
                recovery.signal
            )
        });
    let deadline = recover.within.as_ref().map_or_else(String::new, |within| {
        format!(
            " {} of {} recovered within the {} that the hypothesis allows.",
            number::count(within.recovered),
            number::counted(within.n, "kill"),
            number::quantity(within.deadline_s, &Unit::Seconds)
        )
    });
    format!(
        "{remediated}Recovered ({} back in its band) {}{untouched}.{deadline}",
        recovery.signal,
        how_soon(recover)
    )
}

/// `after 10 of 10 kills, in 4.0 s (median)`.
fn how_soon(time: &TimeResult) -> String {
    let seen =
        format!("after {} of {}", number::count(time.events), number::counted(time.n, "kill"));
    match time.median_s {
        Some(median) => {
            format!("{seen}, in {} (median)", number::quantity(median, &Unit::Seconds))
        }
        None => seen,
    }
}

fn impact(metric: &MetricResult, claims: &[ClaimView]) -> ImpactRow {
    let unit = Unit::named(metric.unit.as_deref().unwrap_or_default());
    let claim = claims.iter().find(|claim| claim.name == metric.name);
    let change = claim
        .and_then(|claim| {
            claim.estimates.iter().find(|row| row.label.to_lowercase().contains("change"))
        })
        .map(|row| row.estimate.clone());
    let change = change.unwrap_or_else(|| {
        let values = metric.experiment.estimate.zip(metric.baseline.estimate);
        Figure::difference(values.map(|(after, before)| after - before), &unit, DASH)
    });
    ImpactRow {
        name: metric.name.clone(),
        mark: Mark::of(metric.verdict),
        before: Figure::quantity(metric.baseline.estimate, &unit, DASH),
        after: Figure::quantity(metric.experiment.estimate, &unit, DASH),
        change,
        inside: metric.kills.as_ref().map_or_else(
            || DASH.to_owned(),
            |kills| format!("{} of {}", number::count(kills.inside), number::count(metric.n)),
        ),
    }
}

/// The worst kill: the one that took longest to recover, else the worst of the first claim that did not pass.
fn worst(result: &AnalysisResult) -> Option<(u32, String)> {
    let slowest = result.recovery.as_ref().and_then(|recovery| {
        recovery
            .recover
            .times
            .iter()
            .filter(|entry| entry.seconds.is_some_and(|seconds| seconds > 0.0))
            .max_by(|left, right| {
                let key = |entry: &crate::verdict::result::TimeEntry| {
                    (entry.censored, entry.seconds.unwrap_or_default())
                };
                let (left_key, right_key) = (key(left), key(right));
                left_key
                    .0
                    .cmp(&right_key.0)
                    .then(left_key.1.total_cmp(&right_key.1))
                    .then(right.index.cmp(&left.index))
            })
            .map(|entry| (entry.index, "the one that took longest to recover".to_owned()))
    });
    slowest.or_else(|| {
        let metric = result
            .metrics
            .iter()
            .find(|metric| matches!(metric.verdict, Some(Verdict::Fail | Verdict::Inconclusive)))
            .or_else(|| result.metrics.iter().find(|metric| metric.claim.is_some()))?;
        let worst = metric.kills.as_ref()?.worst.as_ref()?;
        Some((worst.index, format!("the worst for {}", metric.name)))
    })
}

/// The course of the worst kill.
fn course(result: &AnalysisResult, link: &EventLink) -> Option<CourseView> {
    let (index, why) = worst(result)?;
    let window = result.timeline.windows.iter().find(|window| window.index == index)?;
    let fault = window.fault_at?;
    let mut moments = read_off(result, window, fault);
    moments.extend(
        result.timeline.events.iter().filter(|event| event.iteration == Some(index)).map(|event| {
            Moment {
                link: link.of(event.correlation_id.as_deref()),
                ..moment(event.at, fault, &event.kind, event.message.clone())
            }
        }),
    );
    moments.sort_by_key(|moment| moment.order);
    moments.truncate(MOMENT_LIMIT);
    Some(CourseView { index, why, moments })
}

/// What the numbers say about one kill.
fn read_off(result: &AnalysisResult, window: &TimelineWindow, fault: Timestamp) -> Vec<Moment> {
    let mut moments = vec![
        moment(window.baseline.start, fault, "baseline", "measurement begins".to_owned()),
        moment(fault, fault, "kill", "the process is killed".to_owned()),
        moment(window.experiment.end, fault, "end", "measurement ends".to_owned()),
    ];
    moments.extend(
        window
            .aborted
            .map(|at| moment(at, fault, "stopped", "a rule stopped the iteration".to_owned())),
    );
    for onset in result.timeline.onsets.iter().filter(|onset| onset.index == window.index) {
        let way = match onset.direction {
            Direction::Up => "rises",
            Direction::Down => "falls",
        };
        let text = format!("{} {way} (change point)", onset.metric);
        moments.push(moment(onset.at, fault, "onset", text));
    }
    let Some(recovery) = &result.recovery else { return moments };
    let stages = [
        ("detected", recovery.detect.as_ref(), recovery.detected_by.clone()),
        ("remediated", recovery.remediate.as_ref(), recovery.remediated_by.clone()),
        (
            "recovered",
            Some(&recovery.recover),
            Some(format!("{} is back in its band", recovery.signal)),
        ),
    ];
    for (kind, time, sign) in stages {
        let entry = time.and_then(|time| time.times.iter().find(|one| one.index == window.index));
        let Some(entry) = entry.filter(|entry| !entry.never_departed) else { continue };
        let at =
            entry.seconds.and_then(|seconds| Timestamp::from_seconds(fault.seconds() + seconds));
        let Some(at) = at else { continue };
        let sign = sign.unwrap_or_default();
        moments.push(if entry.censored {
            moment(at, fault, "not seen", format!("not {kind} until here: {sign}"))
        } else {
            moment(at, fault, kind, sign)
        });
    }
    moments
}

fn moment(at: Timestamp, fault: Timestamp, kind: &str, message: String) -> Moment {
    let seconds = at.since(fault).seconds();
    let sign = if seconds > 0.0 { "+" } else { "" };
    Moment {
        at: at.to_utc().format("%H:%M:%S%.3f").to_string(),
        offset: format!("{sign}{}", number::quantity(seconds, &Unit::Seconds)),
        kind: kind.to_owned(),
        message,
        link: None,
        order: at,
    }
}

/// Claims that passed.
fn well(result: &AnalysisResult) -> Vec<String> {
    let mut well: Vec<String> = result
        .metrics
        .iter()
        .filter(|metric| metric.verdict == Some(Verdict::Pass))
        .filter_map(|metric| {
            let (claim, kills) = (metric.claim.as_ref()?, metric.kills.as_ref()?);
            Some(format!("{} {}: {}", metric.name, claim.text, kills.line))
        })
        .collect();
    if let Some(recovery) = &result.recovery {
        if recovery.verdict == Some(Verdict::Pass) {
            well.extend(
                recovery.recover.within.as_ref().map(|within| format!("recovery: {}", within.line)),
            );
        }
        let noticed =
            recovery.detect.as_ref().filter(|detect| detect.n > 0 && detect.events == detect.n);
        well.extend(noticed.map(|detect| format!("every kill was noticed, {}", how_soon(detect))));
    }
    well
}

/// Claims that failed, and what was not noticed or not measured.
fn badly(result: &AnalysisResult) -> Vec<String> {
    let mut badly: Vec<String> = result
        .metrics
        .iter()
        .filter(|metric| metric.verdict == Some(Verdict::Fail))
        .filter_map(|metric| {
            let (claim, kills) = (metric.claim.as_ref()?, metric.kills.as_ref()?);
            Some(format!("{} (claimed: {}): {}", metric.name, claim.text, seen(&kills.line)))
        })
        .collect();
    if let Some(recovery) = &result.recovery {
        if recovery.verdict == Some(Verdict::Fail) {
            badly.extend(
                recovery
                    .recover
                    .within
                    .as_ref()
                    .map(|within| format!("recovery: {}", seen(&within.line))),
            );
        }
        let silent = recovery.detect.as_ref().filter(|detect| detect.censored > 0);
        badly.extend(silent.map(|detect| {
            format!("{} not noticed while watched", number::counted(detect.censored, "kill"))
        }));
    }
    let lost: u32 = result
        .metrics
        .iter()
        .filter_map(|metric| metric.kills.as_ref())
        .map(|kills| kills.unknown)
        .max()
        .unwrap_or_default();
    if lost > 0 {
        badly.push(format!(
            "{} could not be judged: data are missing",
            number::counted(lost, "kill")
        ));
    }
    badly
}

/// What a k-of-N line says was seen, without what it proves: nobody asks that of a failure.
fn seen(line: &str) -> &str {
    line.split_once("; proves").map_or(line, |(seen, _)| seen)
}

/// What held without being shown, and what the run could not have shown.
fn lucky(result: &AnalysisResult) -> Vec<String> {
    let mut lucky = Vec::new();
    for metric in &result.metrics {
        let Some(kills) = &metric.kills else { continue };
        match metric.verdict {
            Some(Verdict::Inconclusive) if kills.outside == 0 && kills.inside > 0 => {
                lucky.push(format!(
                    "{} stayed inside its bound after every kill, which {} cannot show",
                    metric.name,
                    number::counted(metric.n, "kill")
                ));
            }
            Some(Verdict::Pass) if kills.outside > 0 => lucky.push(format!(
                "{} passed although {} left its bound",
                metric.name,
                number::counted(kills.outside, "kill")
            )),
            Some(Verdict::Pass | Verdict::Fail | Verdict::Inconclusive) | None => {}
        }
    }
    if let Some(recovery) = &result.recovery {
        let untouched = recovery.recover.never_departed.filter(|count| *count > 0);
        lucky.extend(untouched.map(|count| {
            format!(
                "{} of {} never moved {}: was it the load, the hour, or the service?",
                number::count(count),
                number::counted(recovery.recover.n, "kill"),
                recovery.signal
            )
        }));
    }
    if result.sessions == 1 {
        lucky
            .push("all kills belong to one session: another day may bring another load".to_owned());
    }
    lucky
}

/// Questions that only people can answer.
fn questions(result: &AnalysisResult) -> Vec<String> {
    let mut questions: Vec<String> = result
        .metrics
        .iter()
        .filter(|metric| metric.verdict == Some(Verdict::Fail))
        .map(|metric| format!("Why did {} leave its bound?", metric.name))
        .collect();
    if let Some(recovery) = &result.recovery
        && recovery.verdict == Some(Verdict::Fail)
    {
        questions.push("Which stage of the recovery took longest, and why?".to_owned());
    }
    if questions.is_empty() {
        questions.push("What would have to be different for this kill to hurt?".to_owned());
    }
    questions.push("What surprised us?".to_owned());
    questions
}

/// What this run teaches about the experiment itself.
fn learning(result: &AnalysisResult, changes: usize) -> Vec<Fact> {
    let deadline = result.recovery.as_ref().map(|recovery| recovery.verdict);
    let is_claim = usize::from(deadline.is_some_and(|verdict| verdict.is_some()));
    let claims = result.metrics.iter().filter(|metric| metric.claim.is_some()).count() + is_claim;
    let with = |verdict: Verdict| {
        let metrics =
            result.metrics.iter().filter(|metric| metric.verdict == Some(verdict)).count();
        metrics + usize::from(deadline == Some(Some(verdict)))
    };
    let decided = with(Verdict::Pass) + with(Verdict::Fail);
    let needed = result.reasons.iter().filter_map(|reason| reason.iterations_needed).max();
    let mut facts = vec![
        Fact { term: "Claims decided", text: format!("{decided} of {claims}") },
        Fact {
            term: "Kills usable",
            text: format!(
                "{} of {}",
                number::count(result.iterations.usable),
                number::count(result.iterations.fault)
            ),
        },
        Fact { term: "Changes suggested", text: changes.to_string() },
    ];
    if let Some(needed) = needed {
        facts.push(Fact { term: "Kills needed to decide", text: number::count(needed) });
    }
    facts
}

fn change(suggestion: &Suggestion) -> ChangeView {
    ChangeView {
        title: suggestion.title.clone(),
        rule: suggestion.rule.clone(),
        seen: suggestion.seen.clone(),
        why: suggestion.why.clone(),
        evidence: suggestion.evidence.iter().map(told).collect(),
        grade: suggestion.confidence.grade.word(),
        grade_why: suggestion.confidence.why.clone(),
        step: suggestion.step.text.clone(),
        kind: match suggestion.place {
            Place::Prepare => "prevent",
            Place::Detect | Place::Diagnose => "detect",
            Place::Repair | Place::Verify => "mitigate",
        },
        approval: suggestion.step.effect == Effect::Changes,
        verify: suggestion.verification.text.clone(),
        escalate: suggestion.escalation.text.clone(),
        references: suggestion.references.clone(),
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn uncapitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_leave_its_place_in_an_address() {
        let link = EventLink::parse("https://t.example/x?id={correlation_id}#a").unwrap();
        let found = link.of(Some("a/b\"><script>&é")).unwrap();
        assert_eq!(found, "https://t.example/x?id=a%2Fb%22%3E%3Cscript%3E%26%C3%A9#a");
        assert_eq!(link.of(None), None);
        assert!(EventLink::parse("javascript:{correlation_id}").is_err());
        assert!(EventLink::parse("https://t.example/").is_err());
    }
}
