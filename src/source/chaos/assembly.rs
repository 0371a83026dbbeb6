//! Findings put together as one run record.
//!
//! Owns what all formats share once they are read: time order, duplicates, faults that overlap and therefore are
//! one iteration, windows, indices, the events' order, the names of run and experiment. Refuses to know formats.
//! Last step of an import.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::run::{Arm, record};
use crate::run::{Event, FaultRecord, Iteration, Origin, Outcome, RunRecord};
use crate::source::chaos::draft::{CHECK_EVENT, HYPOTHESIS_EVENT};
use crate::source::chaos::found_run::{Finding, FoundRun, NotStarted, Note, StatedHypothesis};
use crate::source::chaos::import_error::ImportError;
use crate::source::chaos::redact;
use crate::source::chaos::window_plan::{FaultSpan, LaidWindows, SHORTEST, WindowPlan};
use crate::unit::Timestamp;
use crate::verdict::result::Warning;

/// Most warnings of one kind that are worth reading.
const MOST_WARNINGS: usize = 10;

/// Most different verdicts that are listed.
const MOST_VERDICTS: usize = 6;

/// What came out of an import.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The record, checked.
    pub record: RunRecord,
    /// The steady state as the tool states it, where it does.
    pub hypothesis: Option<StatedHypothesis>,
    /// The lengths of windows that were wanted.
    pub windows: WindowPlan,
    /// What a reader must know.
    pub warnings: Vec<Warning>,
}

/// Findings on their way to a record.
#[derive(Debug)]
pub struct Assembly {
    /// The tool's word.
    pub tool: &'static str,
    /// What its importer found, in any order.
    pub findings: Vec<Finding>,
    /// The windows wanted.
    pub windows: WindowPlan,
}

impl Assembly {
    /// The record of all runs that started.
    ///
    /// # Errors
    /// [`ImportError::NothingStarted`] with every reason; [`ImportError::WindowsOverlap`].
    pub fn record(self, mut warnings: Vec<Warning>) -> Result<Imported, ImportError> {
        let (mut runs, idle) = parted(self.findings);
        if runs.is_empty() {
            let mut reasons: Vec<String> =
                idle.iter().map(|run| format!("{}: {}", run.file, run.reason)).collect();
            reasons.sort();
            return Err(ImportError::NothingStarted { reasons });
        }
        warnings.extend(idle.iter().map(|run| Warning {
            code: "not_started".to_owned(),
            message: format!("{}: {}; left out", run.file, run.reason),
        }));
        runs.sort_by(|left, right| {
            (left.fault_at, &left.file, &left.title).cmp(&(
                right.fault_at,
                &right.file,
                &right.title,
            ))
        });
        let runs = joined(without_duplicates(runs, &mut warnings), &mut warnings);
        warnings.extend(mixed_titles(&runs));
        let spans: Vec<FaultSpan> =
            runs.iter().map(|run| FaultSpan { at: run.fault_at, until: run.fault_until }).collect();
        let layout = self.windows.lay(&spans)?;
        warnings.extend(layout.warnings);
        for (number, run) in (1..).zip(&runs) {
            warnings.extend(run.cautions.iter().map(|caution| Warning {
                code: caution.code.to_owned(),
                message: format!("iteration {number} ({}): {}", run.file, caution.message),
            }));
        }
        // What is written must read: a record that does not is our own mistake.
        let record = record(self.tool, &runs, &layout.windows).checked()?;
        let hypothesis = runs.into_iter().find_map(|run| run.hypothesis);
        Ok(Imported { record, hypothesis, windows: self.windows, warnings: condensed(warnings) })
    }
}

/// Runs that started, and the others.
fn parted(findings: Vec<Finding>) -> (Vec<FoundRun>, Vec<NotStarted>) {
    let mut started = Vec::new();
    let mut idle = Vec::new();
    for finding in findings {
        match finding {
            Finding::Started(run) => started.push(*run),
            Finding::NotStarted(reason) => idle.push(reason),
        }
    }
    (started, idle)
}

/// Drops a run that was given twice: the same file under two names, or a result printed twice.
fn without_duplicates(runs: Vec<FoundRun>, warnings: &mut Vec<Warning>) -> Vec<FoundRun> {
    let mut first_file: BTreeMap<(Timestamp, String), String> = BTreeMap::new();
    let mut kept: Vec<FoundRun> = Vec::new();
    for run in runs {
        let what = format!("{:?}", (&run.title, &run.tool_id, &run.targets));
        match first_file.entry((run.fault_at, what)) {
            Entry::Vacant(free) => {
                free.insert(run.file.clone());
                kept.push(run);
            }
            Entry::Occupied(twin) => warnings.push(Warning {
                code: "duplicate_run".to_owned(),
                message: format!(
                    "{} holds the run at {} that {} holds too; it counts once",
                    run.file,
                    run.fault_at,
                    twin.get()
                ),
            }),
        }
    }
    kept
}

/// Joins faults that overlap or follow within a second: their effects cannot be told apart, so that they are one
/// iteration.
fn joined(runs: Vec<FoundRun>, warnings: &mut Vec<Warning>) -> Vec<FoundRun> {
    let mut apart: Vec<FoundRun> = Vec::new();
    for run in runs {
        match apart.last_mut() {
            Some(last) if run.fault_at < free_from(last) => {
                warnings.push(Warning {
                    code: "faults_joined".to_owned(),
                    message: format!(
                        "'{}' ({}) at {} overlaps '{}' ({}) at {}; their effects cannot be told apart, so that they are one iteration",
                        run.title, run.file, run.fault_at, last.title, last.file, last.fault_at
                    ),
                });
                absorb(last, run);
            }
            Some(_) | None => apart.push(run),
        }
    }
    for run in &mut apart {
        let mut seen = BTreeSet::new();
        run.targets.retain(|target| seen.insert(format!("{target:?}")));
    }
    apart
}

/// Keeps the first few warnings of a kind and says how many more there are.
fn condensed(warnings: Vec<Warning>) -> Vec<Warning> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept = Vec::new();
    for warning in warnings {
        let count = counts.entry(warning.code.clone()).or_default();
        *count += 1;
        if *count <= MOST_WARNINGS {
            kept.push(warning);
        }
    }
    for (code, count) in counts.into_iter().filter(|(_, count)| *count > MOST_WARNINGS) {
        let message = format!("… and {} more of this kind", count - MOST_WARNINGS);
        kept.push(Warning { code, message });
    }
    kept
}

/// The first moment at which another fault is another iteration.
fn free_from(run: &FoundRun) -> Timestamp {
    run.fault_until.unwrap_or(run.fault_at).max(run.fault_at).plus(SHORTEST)
}

/// Adds a fault to the iteration that it overlaps.
fn absorb(into: &mut FoundRun, run: FoundRun) {
    into.ended_at = into.ended_at.max(run.ended_at);
    into.fault_until = match (into.fault_until, run.fault_until) {
        (None, None) if run.fault_at > into.fault_at => Some(run.fault_at),
        (left, right) => left.max(right),
    };
    if run.outcome == Outcome::Killed {
        into.outcome = Outcome::Killed;
    }
    if run.arm == Arm::Fault {
        into.arm = Arm::Fault;
    }
    into.targets.extend(run.targets);
    into.detected_at = into.detected_at.or(run.detected_at);
    into.remediated_at = into.remediated_at.max(run.remediated_at);
    into.recovered_at = into.recovered_at.max(run.recovered_at);
    into.aborted = into.aborted.take().or(run.aborted);
    into.notes.push(Note {
        at: run.fault_at,
        kind: "fault_joined",
        message: redact::text(&format!("{} ({})", run.title, run.file)),
    });
    into.notes.extend(run.notes);
    into.cautions.extend(run.cautions);
    into.joined_verdicts.push(run.verdict);
}

/// A warning when the runs are of different experiments.
fn mixed_titles(runs: &[FoundRun]) -> Option<Warning> {
    let titles: BTreeSet<&str> = runs.iter().map(|run| run.title.as_str()).collect();
    (titles.len() > 1).then(|| Warning {
        code: "experiments_mixed".to_owned(),
        message: format!(
            "{} different experiments are in one record ({}); a claim over them speaks of their mixture. Import them one by one to judge each",
            titles.len(),
            titles.into_iter().take(4).collect::<Vec<_>>().join("; ")
        ),
    })
}

/// The record of runs and the windows laid around them.
fn record(tool: &'static str, runs: &[FoundRun], windows: &[LaidWindows]) -> RunRecord {
    let first = &runs[0];
    let started_at = runs.iter().map(|run| run.started_at).min().unwrap_or(first.started_at);
    let ended_at =
        runs.iter().filter_map(|run| run.ended_at).max().filter(|end| *end >= started_at);
    let mut files: Vec<&str> = runs.iter().map(|run| run.file.as_str()).collect();
    files.sort_unstable();
    files.dedup();
    let mut events: Vec<Event> =
        (1..).zip(runs).flat_map(|(index, run)| run_events(tool, index, run)).collect();
    events.sort_by_key(|event| (event.at, event.iteration));
    let mut reasons: Vec<&str> = runs.iter().filter_map(|run| run.reason.as_deref()).collect();
    reasons.dedup();
    RunRecord {
        schema: record::SCHEMA.to_owned(),
        run_id: run_id(tool, runs),
        experiment: slug(&first.title).unwrap_or_else(|| tool.to_owned()),
        experiment_digest: None,
        started_at,
        ended_at,
        origin: Some(Origin {
            tool: tool.to_owned(),
            file: Some(files.join(", ")),
            verdict: mixture(runs.iter().flat_map(FoundRun::verdicts)),
            reason: (!reasons.is_empty()).then(|| redact::text(&reasons.join("; "))),
        }),
        iterations: (1..)
            .zip(runs.iter().zip(windows))
            .map(|(index, (run, laid))| iteration(index, run, *laid))
            .collect(),
        events,
        audit: None,
    }
}

fn iteration(index: u32, run: &FoundRun, laid: LaidWindows) -> Iteration {
    let fault = FaultRecord {
        at: run.fault_at,
        until: run.fault_until,
        outcome: run.outcome,
        targets: run.targets.clone(),
    };
    // Before the fault nobody can have noticed it: clocks of two machines differ.
    let answers_to = |time: Option<Timestamp>| time.filter(|time| *time >= run.fault_at);
    Iteration {
        index,
        arm: run.arm,
        baseline: laid.baseline,
        fault: (run.arm == Arm::Fault).then_some(fault),
        experiment: laid.experiment,
        detected_at: answers_to(run.detected_at),
        remediated_at: answers_to(run.remediated_at),
        recovered_at: answers_to(run.recovered_at),
        aborted: run.aborted.clone(),
    }
}

/// The events of one run: where it came from, what was done, what the tool said.
fn run_events(tool: &str, index: u32, run: &FoundRun) -> Vec<Event> {
    let event = |at: Timestamp, kind: &str, message: String| Event {
        at,
        kind: kind.to_owned(),
        message,
        correlation_id: run.tool_id.clone(),
        iteration: Some(index),
    };
    let mut events = vec![event(
        run.started_at,
        "imported",
        redact::text(&format!("{tool}: '{}' from {}", run.title, run.file)),
    )];
    if let Some(stated) = &run.hypothesis {
        events.push(event(run.started_at, HYPOTHESIS_EVENT, redact::text(&stated.title)));
        let checks = stated.checks.iter();
        events.extend(checks.map(|check| event(run.started_at, CHECK_EVENT, redact::text(check))));
    }
    if run.arm == Arm::Fault {
        events.push(event(
            run.fault_at,
            "fault_started",
            format!("outcome {}", run.outcome.word()),
        ));
        events.extend(
            run.fault_until.map(|at| event(at, "fault_ended", "the fault ended".to_owned())),
        );
    }
    events.extend(run.notes.iter().map(|note| event(note.at, note.kind, note.message.clone())));
    if let Some(verdict) = mixture(run.verdicts()) {
        let at = run.ended_at.or(run.fault_until).unwrap_or(run.fault_at);
        let reason = run.reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        events.push(event(
            at,
            "tool_verdict",
            redact::text(&format!("{tool} says {verdict}{reason}")),
        ));
    }
    events
}

/// One word if all agree, else how often each was said; nothing if nobody said anything.
fn mixture<'a>(verdicts: impl Iterator<Item = Option<&'a str>>) -> Option<String> {
    let mut places: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    let mut counts: Vec<(Option<&str>, usize)> = Vec::new();
    for verdict in verdicts {
        let place = *places.entry(verdict).or_insert(counts.len());
        match counts.get_mut(place) {
            Some((_, count)) => *count += 1,
            None => counts.push((verdict, 1)),
        }
    }
    if let [] | [_] = counts.as_slice() {
        return counts.first().and_then(|(word, _)| word.map(str::to_owned));
    }
    let mut parts: Vec<String> = counts
        .iter()
        .take(MOST_VERDICTS)
        .map(|(word, count)| format!("{} ×{count}", word.unwrap_or("none")))
        .collect();
    if counts.len() > MOST_VERDICTS {
        parts.push(format!("and {} more", counts.len() - MOST_VERDICTS));
    }
    Some(format!("mixed: {}", parts.join(", ")))
}

/// A name for the run that is the same for the same files in any order.
fn run_id(tool: &str, runs: &[FoundRun]) -> String {
    let start = runs[0].fault_at.to_string().replace(['-', ':'], "");
    let ids: BTreeSet<Option<&str>> = runs.iter().map(|run| run.tool_id.as_deref()).collect();
    if let (1, Some(Some(id))) = (ids.len(), ids.first()) {
        // A run's name may become a file's: only what every file system takes.
        let safe: String = id
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' })
            .take(80)
            .collect();
        return format!("{tool}-{safe}-{start}");
    }
    // FNV-1a, 64 bits (Fowler, Noll, Vo 1991): names runs apart, protects nothing.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for run in runs {
        let key = format!("{}|{}|{:?}\n", run.title, run.fault_at, run.tool_id);
        for byte in key.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{tool}-{start}-{:08x}", hash >> 32)
}

/// A title as a name: small letters, digits and single hyphens.
pub fn slug(title: &str) -> Option<String> {
    let mut name = String::new();
    for c in title.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
        if name.len() >= 63 {
            break;
        }
    }
    let name = name.trim_end_matches('-').to_owned();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(title: &str, seconds: i64) -> FoundRun {
        let at = Timestamp::from_milliseconds((1_700_000_000 + seconds) * 1000);
        FoundRun::new("a.json", title, at, Outcome::Killed)
    }

    fn assemble(runs: Vec<FoundRun>) -> Result<Imported, ImportError> {
        let findings = runs.into_iter().map(|run| Finding::Started(Box::new(run))).collect();
        Assembly { tool: "test", findings, windows: WindowPlan::default() }.record(Vec::new())
    }

    #[test]
    fn iterations_stand_in_time_order_whatever_the_order_of_the_files() {
        let forwards = assemble(vec![run("a", 0), run("a", 1000)]).unwrap();
        let backwards = assemble(vec![run("a", 1000), run("a", 0)]).unwrap();
        assert_eq!(forwards, backwards);
        assert_eq!(forwards.record.iterations.len(), 2);
    }

    #[test]
    fn faults_at_one_moment_are_one_iteration() {
        let mut second = run("b", 0);
        second.target("pod", "x", None);
        let imported = assemble(vec![run("a", 0), second]).unwrap();
        assert_eq!(imported.record.iterations.len(), 1);
        assert!(imported.warnings.iter().any(|warning| warning.code == "faults_joined"));
    }

    #[test]
    fn a_run_given_twice_counts_once() {
        let imported = assemble(vec![run("a", 0), run("a", 0)]).unwrap();
        assert_eq!(imported.record.iterations.len(), 1);
        assert_eq!(imported.warnings[0].code, "duplicate_run");
    }

    #[test]
    fn verdicts_of_joined_faults_are_counted_one_by_one() {
        let judged = |seconds: i64, verdict: &str| {
            let mut run = run(&format!("{verdict}{seconds}"), seconds);
            run.verdict = Some(verdict.to_owned());
            run
        };
        let runs = vec![judged(0, "pass"), judged(0, "fail"), judged(9000, "fail")];
        let imported = assemble(runs).unwrap();
        let verdict = imported.record.origin.unwrap().verdict.unwrap();
        assert_eq!(verdict, "mixed: fail ×2, pass ×1");
        let many = assemble((0..30).map(|n| judged(n * 1000, &n.to_string())).collect()).unwrap();
        let verdict = many.record.origin.unwrap().verdict.unwrap();
        assert!(verdict.ends_with("5 ×1, and 24 more"), "{verdict}");
    }

    #[test]
    fn warnings_of_one_kind_are_not_repeated_without_end() {
        let many = assemble((0..50).map(|_| run("a", 0)).collect()).unwrap();
        assert_eq!(many.warnings.len(), 11);
        assert!(many.warnings[10].message.contains("39 more"), "{:?}", many.warnings[10]);
    }

    #[test]
    fn nobody_notices_a_fault_before_it_happens() {
        let mut early = run("a", 0);
        early.detected_at = Some(early.fault_at.minus(crate::unit::Span::from_seconds(1)));
        early.ended_at = Some(early.fault_at.minus(crate::unit::Span::from_seconds(9)));
        let imported = assemble(vec![early]).unwrap();
        assert_eq!(imported.record.iterations[0].detected_at, None);
        assert_eq!(imported.record.ended_at, None);
    }

    #[test]
    fn titles_become_names() {
        assert_eq!(slug("Kill: one  Pod!").as_deref(), Some("kill-one-pod"));
        assert_eq!(slug("出错"), None);
        assert!(slug(&"ab ".repeat(100)).unwrap().len() <= 63);
    }
}
