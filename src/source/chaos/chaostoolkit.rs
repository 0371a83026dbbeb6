//! Chaos Toolkit: `journal.json` as `chaos run` writes it (library 1.3 to 1.44).
//!
//! Owns the meaning of a journal: a run whose gate failed never started, whatever its status says; `dry` spares the
//! actions unless it says `probes` or `pause`; the first action that succeeded is the fault; a rollback ends it.
//! Refuses to believe `deviated`: one probe after the method is one look at one moment.

use serde_json::Value;

use crate::run::{Abort, Outcome};
use crate::source::chaos::chaostoolkit_activity::{Activity, Effect, stated};
use crate::source::chaos::document::Document;
use crate::source::chaos::field::Field;
use crate::source::chaos::found_run::{Finding, FoundRun, NotStarted};
use crate::source::chaos::import_error::ImportError;
use crate::source::chaos::naive_time::TimeReader;
use crate::source::chaos::redact;
use crate::source::chaos::registry::Importer;

/// The registry's line.
pub const IMPORTER: Importer = Importer {
    name: "chaostoolkit",
    accepts: "the journal that `chaos run` writes (journal.json)",
    looks_like: |document| {
        (!journal(document.tree()).is_null()).then_some("a Chaos Toolkit journal")
    },
    joins: |_| false,
    import: |documents, times| {
        documents.iter().map(|document| Journal::new(document).finding(times)).collect()
    },
};

/// The journal in a document, alone or inside what a platform wraps around it; `null` if there is none.
fn journal(tree: &Value) -> &Value {
    [tree, tree.field("journal"), tree.field("result"), tree.field("state")]
        .into_iter()
        .find(|value| {
            value.text("chaoslib-version").is_some()
                || value.has("experiment") && value.has("run") && value.has("steady_states")
        })
        .unwrap_or(&Value::Null)
}

/// One journal on its way to a finding.
struct Journal<'a> {
    file: &'a str,
    tree: &'a Value,
}

impl<'a> Journal<'a> {
    fn new(document: &'a Document) -> Self {
        Self { file: &document.file, tree: journal(document.tree()) }
    }

    fn finding(&self, times: &mut TimeReader) -> Result<Finding, ImportError> {
        let tree = self.tree;
        let run = self.activities("run", times)?;
        if let Some(reason) = self.never_started(&run) {
            return Ok(Finding::NotStarted(NotStarted { file: self.file.to_owned(), reason }));
        }
        let actions: Vec<&Activity<'_>> = run.iter().filter(|one| one.is_action()).collect();
        let struck: Vec<&&Activity<'_>> =
            actions.iter().filter(|one| one.effect() == Effect::Acted).collect();
        let first = struck.first().map_or_else(|| actions.first(), |first| Some(*first));
        let started_at = times.optional(self.file, "start", tree.field("start"))?;
        let gate_end = tree
            .items("steady_states.before.probes")
            .last()
            .and_then(|probe| times.lenient(self.file, probe.field("end")));
        let fault_at = first
            .and_then(|action| action.start)
            .or_else(|| run.first().and_then(|activity| activity.start))
            .or(gate_end)
            .or(started_at)
            .ok_or_else(|| ImportError::Incomplete {
                file: self.file.to_owned(),
                problem: "the journal has neither a start nor an activity with one; the fault cannot be placed in time".to_owned(),
            })?;
        let title = redact::text(tree.text("experiment.title").unwrap_or("untitled experiment"));
        let outcome = self.outcome(&actions);
        let mut found = FoundRun::new(self.file, &title, fault_at, outcome);
        found.started_at = started_at.unwrap_or(fault_at).min(fault_at);
        found.ended_at = times.lenient(self.file, tree.field("end"));
        let rollbacks = self.activities("rollbacks", times)?;
        if outcome == Outcome::Killed {
            let undone =
                rollbacks.iter().find(|one| one.is_action() && one.effect() == Effect::Acted);
            found.fault_until = undone
                .and_then(|rollback| rollback.end)
                .or_else(|| struck.iter().filter_map(|action| action.end).max());
        }
        let hit = if struck.is_empty() {
            actions.clone()
        } else {
            struck.iter().map(|one| **one).collect()
        };
        for action in hit {
            action.add_target(&mut found);
        }
        if actions.is_empty() {
            found.caution(
                "no_action",
                "no action was recorded, so that nothing is known to have been injected".to_owned(),
            );
        }
        if outcome == Outcome::NoTarget {
            found.caution(
                "no_target",
                "the action succeeded on an empty list: it hit nobody".to_owned(),
            );
        }
        for activity in &run {
            activity.tell(&mut found, "activity");
        }
        for rollback in &rollbacks {
            rollback.tell(&mut found, "rollback");
        }
        self.tell_steady_states(&mut found, times);
        self.judge(&mut found);
        found.hypothesis = stated(tree.field("experiment.steady-state-hypothesis"));
        Ok(Finding::Started(Box::new(found)))
    }

    /// Why the method never began, if it never began.
    fn never_started(&self, run: &[Activity<'_>]) -> Option<String> {
        if !run.is_empty() {
            return None;
        }
        let before = self.tree.field("steady_states.before");
        let status = self.tree.text("status").unwrap_or("none");
        let stopped = matches!(status, "interrupted" | "aborted");
        if before.field("steady_state_met") == &Value::Bool(false) {
            let probe = before
                .items("probes")
                .last()
                .and_then(|probe| probe.text("activity.name"))
                .unwrap_or("a probe")
                .to_owned();
            return Some(format!(
                "the run never started although its status is '{status}': the steady state was not met before the method (probe '{}')",
                redact::text(&probe)
            ));
        }
        let has_gate = !self.tree.items("experiment.steady-state-hypothesis.probes").is_empty();
        (before.is_null() && has_gate && !stopped).then(|| {
            format!("the run never started although its status is '{status}': neither the steady state was checked nor an activity run")
        })
    }

    fn outcome(&self, actions: &[&Activity<'_>]) -> Outcome {
        // Old libraries write true, newer ones what is spared; `probes` and `pause` let the actions act.
        let dry = self.tree.field("experiment.dry");
        let spares_actions = match dry {
            Value::Bool(flag) => *flag,
            Value::String(what) => {
                matches!(what.to_lowercase().as_str(), "actions" | "activities" | "true")
            }
            Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
        };
        let any = |effect| actions.iter().any(|action| action.effect() == effect);
        if spares_actions {
            Outcome::DryRun
        } else if any(Effect::Acted) {
            Outcome::Killed
        } else if any(Effect::Nobody) {
            Outcome::NoTarget
        } else {
            Outcome::Failed
        }
    }

    /// The entries of `run` or `rollbacks`. A background activity that was cut off has no times.
    fn activities(
        &self,
        list: &str,
        times: &mut TimeReader,
    ) -> Result<Vec<Activity<'a>>, ImportError> {
        self.tree
            .items(list)
            .into_iter()
            .filter(|entry| entry.is_object())
            .map(|entry| Activity::read(self.file, list, entry, times))
            .collect()
    }

    /// One event per look at the steady state; during the method only those that were not met.
    fn tell_steady_states(&self, found: &mut FoundRun, times: &mut TimeReader) {
        let looks = [
            ("steady_state_before", self.tree.items("steady_states.before")),
            ("steady_state_during", self.tree.items("steady_states.during")),
            ("steady_state_after", self.tree.items("steady_states.after")),
        ];
        for (kind, states) in looks {
            for state in states {
                let Value::Bool(met) = state.field("steady_state_met") else { continue };
                let probes = state.items("probes");
                let Some(last) = probes.last() else { continue };
                let Some(at) = times.lenient(self.file, last.field("end")) else { continue };
                if *met && kind == "steady_state_during" {
                    continue;
                }
                let name = last.text("activity.name").unwrap_or("a probe");
                let message = if *met {
                    format!("met ({} probes)", probes.len())
                } else {
                    // The list ends at the first probe that failed.
                    format!("not met: {name} answered {}", redact::arguments(last.field("output")))
                };
                found.note(at, kind, redact::text(&message));
            }
        }
    }

    /// The toolkit's verdict, where it stopped, and where it contradicts itself.
    fn judge(&self, found: &mut FoundRun) {
        let status = self.tree.text("status").unwrap_or("none");
        let deviated = self.tree.field("deviated") == &Value::Bool(true);
        let after = self.tree.field("steady_states.after.steady_state_met");
        found.verdict = Some(if deviated { "deviated".to_owned() } else { status.to_owned() });
        found.reason = Some(match after {
            Value::Bool(true) => "steady state met after the method".to_owned(),
            Value::Bool(false) => "steady state not met after the method".to_owned(),
            Value::Null
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => "steady state not checked after the method".to_owned(),
        });
        if after == &Value::Bool(false) && !deviated || after == &Value::Bool(true) && deviated {
            found.caution(
                "contradictory_verdict",
                format!("the journal says deviated={deviated} and steady_state_met={after} after the method"),
            );
        }
        if matches!(status, "interrupted" | "aborted") {
            let at = found.ended_at.unwrap_or(found.fault_at).max(found.fault_at);
            found.aborted = Some(Abort { at, rule: format!("chaostoolkit: {status}") });
        }
    }
}
