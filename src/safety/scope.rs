//! Gates on what may be hit: the environment, the wave, what the policy requires, protects and regulates.
//!
//! Names are compared whole. Refuses to know the host and the cluster: the injector holds what it finds there to the
//! same lists once more.

use std::collections::BTreeSet;

use crate::safety::finding::{Finding, GateLog, Outcome, Question};
use crate::safety::situation::Situation;
use crate::spec::problem::nearest;
use crate::spec::{Environment, Experiment, Fault, Policy, Required, Source, Target};

/// Asks the gates of this room.
pub(crate) fn ask(
    experiment: &Experiment,
    policy: &Policy,
    situation: &Situation,
    log: &mut GateLog,
) {
    let environment = environment(experiment, policy, log);
    if let Some(environment) = environment {
        for required in &environment.require {
            require(experiment, required, log);
        }
    }
    let Some(fault) = &experiment.fault else {
        log.record(Finding {
            gate: "fault",
            subject: None,
            value: "none".to_owned(),
            threshold: "a fault".to_owned(),
            outcome: Outcome::Denied,
            sentence: "the experiment has no `fault`: there is nothing to inject; another tool may inject, and `unfazed analyze` judges it".to_owned(),
        });
        return;
    };
    if let Some(environment) = environment {
        wave(fault, environment, log);
        namespaces(fault, environment, log);
        opt_in(fault, environment, log);
    }
    protected_names(fault, policy, log);
    protected_namespace(fault, policy, log);
    labels(experiment, fault, policy, situation, log);
}

fn environment<'policy>(
    experiment: &Experiment,
    policy: &'policy Policy,
    log: &mut GateLog,
) -> Option<&'policy Environment> {
    let found = policy.environment(&experiment.environment);
    let names: Vec<&str> = policy.environments.iter().map(|one| one.name.as_str()).collect();
    let hint = nearest(&experiment.environment, names.iter().copied())
        .filter(|_| found.is_none())
        .map_or_else(String::new, |name| format!("; did you mean '{name}'?"));
    let sentence = match found {
        Some(_) => format!("the policy has the environment '{}'", experiment.environment),
        None => format!(
            "the policy does not have the environment '{}', and what it does not name is denied{hint}",
            experiment.environment
        ),
    };
    log.record(Finding {
        gate: "environment",
        subject: None,
        value: experiment.environment.clone(),
        threshold: names.join(", "),
        outcome: Outcome::when(found.is_some()),
        sentence,
    });
    found
}

fn require(experiment: &Experiment, required: &Required, log: &mut GateLog) {
    let recovery = experiment.recovery.as_ref();
    let given = match required {
        Required::Ticket => experiment.ticket.is_some(),
        Required::Label(key) => experiment.labels.contains_key(key),
        Required::Claim => {
            experiment.metrics.iter().any(|metric| metric.claim.is_some())
                || recovery.is_some_and(|recovery| recovery.within.is_some())
        }
        Required::Recovery => recovery.is_some(),
        Required::Detection => recovery.is_some_and(|recovery| recovery.detected_by.is_some()),
        Required::Preconditions => !experiment.safety.preconditions.is_empty(),
        Required::Abort => !experiment.safety.abort.is_empty(),
        Required::Runbook => experiment.runbook.is_some(),
        Required::LiveSource => !matches!(experiment.source, Source::Recording(_)),
    };
    let word = required.word();
    let place = match required {
        Required::Ticket => "metadata.ticket",
        Required::Label(_) => "metadata.labels",
        Required::Claim => "an `expect` at a metric",
        Required::Recovery => "spec.recovery",
        Required::Detection => "spec.recovery.detected_by",
        Required::Preconditions => "spec.safety.preconditions",
        Required::Abort => "spec.safety.abort",
        Required::Runbook => "spec.runbook",
        Required::LiveSource => "prometheus or scrape under spec.source",
    };
    let sentence = if given {
        format!("the experiment gives {word}")
    } else {
        format!("the policy requires {word} in '{}'; add {place}", experiment.environment)
    };
    log.record(Finding {
        gate: "require",
        subject: Some(word),
        value: if given { "given" } else { "missing" }.to_owned(),
        threshold: "given".to_owned(),
        outcome: Outcome::when(given),
        sentence,
    });
}

fn wave(fault: &Fault, environment: &Environment, log: &mut GateLog) {
    let Environment { name, highest_wave, .. } = environment;
    let holds = fault.wave <= *highest_wave;
    let sentence = if holds {
        format!("wave {} may run in '{name}'", fault.wave)
    } else {
        format!(
            "wave {} is wider than wave {highest_wave}, the widest that may run in '{name}'",
            fault.wave
        )
    };
    log.record(Finding {
        gate: "highest_wave",
        subject: None,
        value: fault.wave.to_string(),
        threshold: format!("at most {highest_wave}"),
        outcome: Outcome::when(holds),
        sentence,
    });
}

/// The namespace of a target, if it has one.
fn namespace(fault: &Fault) -> Option<&str> {
    match &fault.target {
        Target::Kubernetes { namespace, .. } => Some(namespace),
        Target::Process { .. } | Target::Container { .. } => None,
    }
}

fn namespaces(fault: &Fault, environment: &Environment, log: &mut GateLog) {
    let (Some(allowed), Some(namespace)) = (&environment.namespaces, namespace(fault)) else {
        return;
    };
    let holds = allowed.iter().any(|name| name == namespace);
    let listed = allowed.join(", ");
    let sentence = if holds {
        format!("namespace '{namespace}' is open in '{}'", environment.name)
    } else {
        format!(
            "namespace '{namespace}' is none of those that are open in '{}': {listed}",
            environment.name
        )
    };
    log.record(Finding {
        gate: "namespace",
        subject: None,
        value: namespace.to_owned(),
        threshold: listed,
        outcome: Outcome::when(holds),
        sentence,
    });
}

/// A container has to be selected by the label that opts in; pods are held to it by the injector.
fn opt_in(fault: &Fault, environment: &Environment, log: &mut GateLog) {
    let Some(wanted) = &environment.opt_in else { return };
    let found = match &fault.target {
        Target::Process { .. } => return,
        Target::Container { label, .. } => label.clone().unwrap_or_else(|| "no label".to_owned()),
        Target::Kubernetes { selector, .. } => selector.clone(),
    };
    let holds = found.split(',').map(str::trim).any(|term| covers(wanted, term));
    let sentence = if holds {
        format!("the target is selected by the label '{wanted}' that opts in")
    } else {
        format!(
            "the target is not selected by the label '{wanted}' that opts in; add it to the selector"
        )
    };
    log.record(Finding {
        gate: "opt_in",
        subject: None,
        value: found,
        threshold: wanted.clone(),
        outcome: Outcome::when(holds),
        sentence,
    });
}

/// Whether a label as `key` or `key=value` covers another one of that form.
fn covers(label: &str, found: &str) -> bool {
    let found = found.replacen("==", "=", 1);
    match label.split_once('=') {
        Some(_) => label == found,
        None => label == found.split('=').next().unwrap_or(&found),
    }
}

fn protected_names(fault: &Fault, policy: &Policy, log: &mut GateLog) {
    let name = match &fault.target {
        Target::Process { name, .. } => Some(name),
        Target::Container { name, .. } => name.as_ref(),
        Target::Kubernetes { process, .. } => process.as_ref(),
    };
    let Some(name) = name else { return };
    let hit = policy.protected.processes.iter().any(|protected| protected == name);
    let sentence = if hit {
        format!("'{name}' is protected by the policy: it is never hit")
    } else {
        format!("'{name}' is none of the protected names")
    };
    log.record(Finding {
        gate: "protected_process",
        subject: None,
        value: name.clone(),
        threshold: listed("none of", &policy.protected.processes),
        outcome: Outcome::when(!hit),
        sentence,
    });
}

fn protected_namespace(fault: &Fault, policy: &Policy, log: &mut GateLog) {
    let Some(namespace) = namespace(fault) else { return };
    let hit = policy.protected.namespaces.iter().any(|protected| protected == namespace);
    let sentence = if hit {
        format!("namespace '{namespace}' is protected by the policy: nothing in it is ever hit")
    } else {
        format!("namespace '{namespace}' is not protected")
    };
    log.record(Finding {
        gate: "protected_namespace",
        subject: None,
        value: namespace.to_owned(),
        threshold: listed("none of", &policy.protected.namespaces),
        outcome: Outcome::when(!hit),
        sentence,
    });
}

/// Labels of the experiment, of its selector, and of what was found: none may be protected or regulated.
fn labels(
    experiment: &Experiment,
    fault: &Fault,
    policy: &Policy,
    situation: &Situation,
    log: &mut GateLog,
) {
    let written = written_labels(experiment, fault);
    for (gate, list, word) in [
        ("protected_label", &policy.protected.labels, "protected"),
        ("compliance", &policy.compliance, "regulated"),
    ] {
        if list.is_empty() {
            continue;
        }
        let threshold = listed("none of", list);
        let found = log.known(
            situation.labels.as_ref(),
            Question {
                gate,
                subject: Some("target".to_owned()),
                threshold: threshold.clone(),
                what: "which labels the target carries".to_owned(),
            },
        );
        let read = [("document", Some(&written)), ("target", found)];
        for (subject, labels) in read {
            let Some(labels) = labels else { continue };
            let hit = list.iter().find(|label| carries(labels, label));
            let sentence = match hit {
                Some(label) => {
                    format!("the {subject} carries '{label}', which is {word}: it is never touched")
                }
                None => format!("the {subject} carries no {word} label"),
            };
            log.record(Finding {
                gate,
                subject: Some(subject.to_owned()),
                value: shown(labels),
                threshold: threshold.clone(),
                outcome: Outcome::when(hit.is_none()),
                sentence,
            });
        }
    }
}

/// The labels that the experiment and the selector of its target say, as `key=value`.
fn written_labels(experiment: &Experiment, fault: &Fault) -> BTreeSet<String> {
    let own = experiment.labels.iter().map(|(key, value)| format!("{key}={value}"));
    let selector = match &fault.target {
        Target::Process { .. } => "",
        Target::Container { label, .. } => label.as_deref().unwrap_or(""),
        Target::Kubernetes { selector, .. } => selector,
    };
    let terms = selector.split(',').filter(|term| !term.contains("!="));
    let selected = terms.filter_map(|term| {
        let term = term.replacen("==", "=", 1);
        let (key, value) = term.split_once('=')?;
        Some(format!("{}={}", key.trim(), value.trim()))
    });
    own.chain(selected).collect()
}

/// Whether labels as `key=value` hold one that is given as `key` or `key=value`.
fn carries(labels: &BTreeSet<String>, label: &str) -> bool {
    labels.iter().any(|found| covers(label, found))
}

fn shown(labels: &BTreeSet<String>) -> String {
    let all: Vec<&str> = labels.iter().map(String::as_str).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

fn listed(start: &str, names: &[String]) -> String {
    if names.is_empty() { "any".to_owned() } else { format!("{start} {}", names.join(", ")) }
}
