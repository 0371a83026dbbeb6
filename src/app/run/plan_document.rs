//! The plan that the injector is handed: `unfazed.plan/v1`, from the document, the policy and the moment.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::app::run::gate::Gatekeeper;
use crate::safety::Bounds;
use crate::spec::{Action, Experiment, Fault, KillLimits, Protection, Target};
use crate::unit::{Span, Timestamp, Window};

/// How long a plan holds: the injector is started at once, and a plan that lies around must not be used.
const VALID_FOR: Span = Span::from_seconds(60);

/// A hook that names no time limit gets this one, as in the injector.
const HOOK_TIMEOUT: Span = Span::from_seconds(60);

/// What a plan takes from outside the document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mandate {
    pub(crate) run_id: String,
    pub(crate) actor: String,
    pub(crate) limits: Limits,
    pub(crate) protected: Protected,
    /// The label that a pod has to carry.
    pub(crate) opt_in: Option<String>,
}

impl Mandate {
    /// What a policy demands.
    pub(crate) fn of(gatekeeper: &Gatekeeper, bounds: &Bounds, count: u32) -> Self {
        let free = Self::unlimited(gatekeeper, count);
        if gatekeeper.policy.is_none() {
            return free;
        }
        let KillLimits { max_kills, max_share, min_survivors, .. } = bounds.limits;
        let Protection { processes, namespaces, labels } = bounds.protected.clone();
        Self {
            limits: Limits { max_kills, max_share, min_survivors },
            protected: Protected { processes, namespaces, labels },
            opt_in: bounds.opt_in.clone(),
            ..free
        }
    }

    /// No policy at all: only for dry runs, which hit nobody.
    pub(crate) fn unlimited(gatekeeper: &Gatekeeper, count: u32) -> Self {
        Self {
            run_id: gatekeeper.run_id.clone(),
            actor: gatekeeper.actor.clone(),
            limits: Limits { max_kills: count, max_share: 1.0, min_survivors: 0 },
            protected: Protected::default(),
            opt_in: None,
        }
    }
}

/// What must hold whatever the document's count says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limits {
    pub(crate) max_kills: u32,
    pub(crate) max_share: f64,
    pub(crate) min_survivors: u32,
}

/// What must never be touched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Protected {
    pub(crate) processes: Vec<String>,
    pub(crate) namespaces: Vec<String>,
    pub(crate) labels: Vec<String>,
}

/// One iteration's plan.
pub(crate) fn plan_document(
    experiment: &Experiment,
    fault: &Fault,
    mandate: &Mandate,
    moment: Moment<'_>,
) -> Value {
    let expires_at = moment.now.plus(VALID_FOR);
    // The injector wants the end of the fault inside the window; without hours of a policy any time is.
    let window = moment.window.unwrap_or(Window {
        start: moment.now,
        end: expires_at.plus(lasts(&fault.action)).plus(VALID_FOR),
    });
    json!({
        "schema": "unfazed.plan/v1",
        "run_id": mandate.run_id,
        "iteration": moment.iteration,
        "created_at": moment.now,
        "expires_at": expires_at,
        "digest": experiment.digest,
        "actor": mandate.actor,
        "ticket": experiment.ticket,
        "target": target(&fault.target, mandate.opt_in.as_deref(), moment.beside),
        "action": action(&fault.action),
        "duration_s": match &fault.action {
            Action::Pause(span) => Value::from(span.seconds()),
            Action::Kill | Action::Terminate | Action::Hook { .. } => Value::Null,
        },
        "count": fault.count,
        "limits": {
            "max_kills": mandate.limits.max_kills,
            "max_share": mandate.limits.max_share,
            "min_survivors": mandate.limits.min_survivors,
        },
        "protected": {
            "processes": mandate.protected.processes,
            "namespaces": mandate.protected.namespaces,
            "labels": mandate.protected.labels,
        },
        "window": window,
    })
}

/// When a plan is made, and where its document stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) iteration: u32,
    pub(crate) now: Timestamp,
    /// The hours that the policy has open now.
    pub(crate) window: Option<Window>,
    /// The directory of the document: paths in it are relative to it.
    pub(crate) beside: &'a Path,
}

/// The longest time that the fault may be in place.
pub(crate) fn lasts(action: &Action) -> Span {
    match action {
        Action::Kill | Action::Terminate => Span::ZERO,
        Action::Pause(span) => *span,
        Action::Hook { timeout, .. } => timeout.unwrap_or(HOOK_TIMEOUT),
    }
}

fn target(target: &Target, opt_in: Option<&str>, beside: &Path) -> Value {
    match target {
        Target::Process { name, arguments, more } => {
            let mut keys = Map::new();
            keys.insert("name".to_owned(), Value::from(name.as_str()));
            if let Some(arguments) = arguments {
                keys.insert("arguments".to_owned(), Value::from(arguments.as_str()));
            }
            for (key, text) in more {
                let text = if key == "pid_file" {
                    beside.join(text).display().to_string()
                } else {
                    text.clone()
                };
                keys.insert(key.clone(), Value::from(text));
            }
            json!({ "process": keys })
        }
        Target::Container { label, name } => {
            let given = [("label", label), ("name", name)];
            let keys: Map<String, Value> = given
                .into_iter()
                .filter_map(|(key, text)| Some((key.to_owned(), Value::from(text.as_deref()?))))
                .collect();
            json!({ "container": keys })
        }
        Target::Kubernetes { namespace, selector, process } => {
            let mut pod = json!({"namespace": namespace, "selector": selector});
            if let Some(process) = process {
                pod["process"] = Value::from(process.as_str());
            }
            if let Some(label) = opt_in {
                // The injector wants the key; whether the value is the right one, the policy has judged.
                pod["opt_in"] = Value::from(label.split('=').next().unwrap_or(label));
            }
            json!({ "kubernetes": pod })
        }
    }
}

/// A message without the words of a hook, which may hold secrets: its program says enough.
pub(crate) fn without_words(action: &Action, message: &str) -> String {
    let Action::Hook { command, rollback, .. } = action else { return message.to_owned() };
    let mut message = message.to_owned();
    for words in [Some(command), rollback.as_ref()].into_iter().flatten() {
        if let Some(program) = words.first().filter(|_| words.len() > 1) {
            message = message.replace(&words.join(" "), &format!("{program} …"));
        }
    }
    message
}

fn action(action: &Action) -> Value {
    match action {
        Action::Kill => Value::from("kill"),
        Action::Terminate => Value::from("terminate"),
        Action::Pause(_) => Value::from("pause"),
        Action::Hook { command, rollback, timeout } => json!({
            "hook": command,
            "rollback": rollback,
            "timeout_s": timeout.unwrap_or(HOOK_TIMEOUT).seconds(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inject::plan::Plan;

    fn experiment(fault: &str) -> Experiment {
        let text = format!(
            "apiVersion: unfazed/v1\nkind: Experiment\nmetadata: {{name: a, owner: o, ticket: CHG-1}}\nspec:\n  \
             hypothesis: h\n  environment: e\n  windows: {{baseline: 5m, experiment: 5m}}\n  \
             metrics: [{{name: m, gauge: x}}]\n  fault: {fault}\n"
        );
        Experiment::parse("test", text.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"))
    }

    #[test]
    fn the_injector_reads_every_kind_of_fault() {
        let mandate = Mandate {
            run_id: "a-1".to_owned(),
            actor: "me".to_owned(),
            limits: Limits { max_kills: 1, max_share: 0.5, min_survivors: 1 },
            protected: Protected { processes: vec!["sshd".to_owned()], ..Protected::default() },
            opt_in: Some("chaos=yes".to_owned()),
        };
        for fault in [
            "{target: {process: {name: w, arguments: '--queue canary'}}, action: kill}",
            "{target: {process: {name: w, pid_file: run/w.pid, user: nobody}}, action: terminate}",
            "{target: {process: {name: w}}, action: pause, duration: 3s}",
            "{target: {container: {label: chaos-target=canary}}, action: kill}",
            "{target: {kubernetes: {namespace: canary, selector: 'a=b', process: w}}, action: kill}",
            "{target: {process: {name: w}}, action: {hook: [tc, add], rollback: [tc, del], timeout: 5s}}",
            "{target: {process: {name: w}}, action: {hook: [tc, add]}}",
        ] {
            let experiment = experiment(fault);
            let moment = Moment {
                iteration: 3,
                now: Timestamp::from_milliseconds(1_000),
                window: None,
                beside: Path::new("/somewhere"),
            };
            let fault = experiment.fault.as_ref().unwrap();
            let document = plan_document(&experiment, fault, &mandate, moment);
            let plan = Plan::parse(document.to_string().as_bytes());
            let plan = plan.unwrap_or_else(|what| panic!("{document}: {what}"));
            assert_eq!((plan.iteration, plan.ticket.as_deref()), (3, Some("CHG-1")));
            assert_eq!(plan.digest, Some(experiment.digest.clone()));
        }
    }
}
