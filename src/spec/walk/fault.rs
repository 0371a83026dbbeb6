//! `fault`: whom the injector hits, how, and how often.

use std::collections::BTreeMap;

use crate::spec::experiment::{Action, Fault, Target, Windows};
use crate::spec::grammar::{Choice, Key, Kind, Rule, Shape, SpanRule, TextRule};
use crate::spec::problem::Findings;
use crate::spec::walk::fields::{Fields, WordOrFields};
use crate::spec::walk::recovery::{self, SIGN};
use crate::unit::Span;

/// More targets than this in one iteration are no experiment.
pub(crate) const MOST_TARGETS: u64 = 10_000;

/// The widest wave.
pub(crate) const LAST_WAVE: u64 = 3;

pub(crate) const FAULT: Shape = Shape {
    name: "fault",
    doc: "What is injected; left out when another tool injects.",
    keys: &[
        Key::required("target", Kind::Mapping(&TARGET), "whom the fault hits"),
        Key::required(
            "action",
            Kind::WordOrMapping(&["kill", "terminate", "pause"], &HOOK),
            "what is done: kill (SIGKILL), terminate (SIGTERM), pause (SIGSTOP, and SIGCONT after the duration), or a command of your own",
        ),
        Key::optional("duration", Kind::Span(SpanRule::AboveZero), "how long a pause lasts"),
        Key::optional(
            "count",
            Kind::Count { least: 1, most: MOST_TARGETS },
            "how many targets an iteration hits (default 1)",
        ),
        Key::optional(
            "wave",
            Kind::Count { least: 0, most: LAST_WAVE },
            "0 to 3; a wave opens only after the wave before has passed (default 1)",
        ),
        Key::optional(
            "confirmed_by",
            Kind::Mapping(&SIGN),
            "a sign that the kill was felt: reported, never a reason to exclude",
        ),
    ],
    choices: &[],
};

const TARGET: Shape = Shape {
    name: "target",
    doc: "Whom a fault hits.",
    keys: &[
        Key::optional("process", Kind::Mapping(&PROCESS), "a process on this host"),
        Key::optional("container", Kind::Mapping(&CONTAINER), "a container of the local engine"),
        Key::optional("kubernetes", Kind::Mapping(&KUBERNETES), "a pod"),
    ],
    choices: &[Choice {
        rule: Rule::ExactlyOne,
        keys: &["process", "container", "kubernetes"],
        noun: "target",
    }],
};

const PROCESS: Shape = Shape {
    name: "process",
    doc: "A process on this host.",
    keys: &[
        Key::required("name", Kind::Text(TextRule::Line), "the exact process name"),
        Key::optional(
            "arguments",
            Kind::Text(TextRule::Any),
            "a part of the command line that has to be there, argument by argument",
        ),
        Key::optional(
            "pid_file",
            Kind::Text(TextRule::Any),
            "the path of a file that holds the process id",
        ),
        Key::optional("cgroup", Kind::Text(TextRule::Any), "the control group of the process"),
        Key::optional("user", Kind::Text(TextRule::Line), "the user that runs the process"),
    ],
    choices: &[],
};

const CONTAINER: Shape = Shape {
    name: "container",
    doc: "A container of the local engine.",
    keys: &[
        Key::optional("label", Kind::Text(TextRule::KeyValue), "a label as key=value"),
        Key::optional("name", Kind::Text(TextRule::Line), "the exact container name"),
    ],
    choices: &[Choice { rule: Rule::AtLeastOne, keys: &["label", "name"], noun: "way to find it" }],
};

const KUBERNETES: Shape = Shape {
    name: "kubernetes",
    doc: "A pod.",
    keys: &[
        Key::required("namespace", Kind::Text(TextRule::Slug), "the namespace of the pod"),
        Key::required("selector", Kind::Text(TextRule::Line), "the label selector of the pod"),
        Key::optional("process", Kind::Text(TextRule::Line), "the process to hit inside the pod"),
    ],
    choices: &[],
};

const HOOK: Shape = Shape {
    name: "hook",
    doc: "A command of your own.",
    keys: &[
        Key::required(
            "hook",
            Kind::List { of: &Kind::Text(TextRule::Any), least: 1 },
            "the command, argument by argument",
        ),
        Key::optional(
            "rollback",
            Kind::List { of: &Kind::Text(TextRule::Any), least: 1 },
            "the command that undoes it",
        ),
        Key::optional("timeout", Kind::Span(SpanRule::AboveZero), "how long the command may take"),
    ],
    choices: &[],
};

/// Reads `fault`.
pub(crate) fn read(
    fields: &Fields<'_>,
    windows: Option<&Windows>,
    findings: &mut Findings,
) -> Option<Fault> {
    let target = fields.open("target", findings);
    let target = target.and_then(|fields| self::target(&fields, findings));
    let action = action(fields, windows, findings);
    let count = fields.count("count", findings).unwrap_or(1);
    let wave = fields.count("wave", findings).unwrap_or(1);
    let confirmed_by = fields.open("confirmed_by", findings);
    let confirmed_by = confirmed_by.and_then(|fields| recovery::sign(&fields, findings));
    Some(Fault {
        target: target?,
        action: action?,
        count: u32::try_from(count).expect("the table bounds it by MOST_TARGETS"),
        wave: u8::try_from(wave).expect("the table bounds it by LAST_WAVE"),
        confirmed_by,
    })
}

fn target(fields: &Fields<'_>, findings: &mut Findings) -> Option<Target> {
    let process = fields.open("process", findings);
    let process = process.and_then(|fields| self::process(&fields, findings));
    let container = fields.open("container", findings);
    let container = container.map(|fields| Target::Container {
        label: fields.text("label", findings),
        name: fields.text("name", findings),
    });
    let kubernetes = fields.open("kubernetes", findings);
    let kubernetes = kubernetes.and_then(|fields| self::kubernetes(&fields, findings));
    process.or(container).or(kubernetes)
}

fn process(fields: &Fields<'_>, findings: &mut Findings) -> Option<Target> {
    let name = fields.text("name", findings);
    let arguments = fields.text("arguments", findings);
    let mut more = BTreeMap::new();
    for key in ["pid_file", "cgroup", "user"] {
        if let Some(text) = fields.text(key, findings) {
            more.insert(key.to_owned(), text);
        }
    }
    Some(Target::Process { name: name?, arguments, more })
}

fn kubernetes(fields: &Fields<'_>, findings: &mut Findings) -> Option<Target> {
    let namespace = fields.text("namespace", findings);
    let selector = fields.text("selector", findings);
    let process = fields.text("process", findings);
    Some(Target::Kubernetes { namespace: namespace?, selector: selector?, process })
}

fn action(
    fields: &Fields<'_>,
    windows: Option<&Windows>,
    findings: &mut Findings,
) -> Option<Action> {
    let duration = fields.span("duration", findings);
    let action = fields.word_or_open("action", findings)?;
    let pauses = matches!(action, WordOrFields::Word("pause"));
    if let (Some(place), false) = (fields.at("duration"), pauses) {
        place.refuse(
            "found a duration; accepted only with action: pause, the other actions are over at once",
            findings,
        );
    }
    match action {
        WordOrFields::Word("kill") => Some(Action::Kill),
        WordOrFields::Word("terminate") => Some(Action::Terminate),
        WordOrFields::Word(_) => pause(fields, duration, windows, findings),
        WordOrFields::Fields(hook) => {
            let command = hook.texts("hook", findings);
            let rollback = hook.texts("rollback", findings);
            let timeout = hook.span("timeout", findings);
            Some(Action::Hook { command: command?, rollback, timeout })
        }
    }
}

/// A pause, which needs to know how long it lasts.
fn pause(
    fields: &Fields<'_>,
    duration: Option<Span>,
    windows: Option<&Windows>,
    findings: &mut Findings,
) -> Option<Action> {
    if !fields.has("duration") {
        let message = "found pause without a duration; accepted is e.g. duration: 30s beside it";
        fields.at("action")?.refuse(message, findings);
    }
    let duration = duration?;
    if let (Some(windows), Some(place)) = (windows, fields.at("duration"))
        && duration >= windows.experiment
    {
        let window = windows.experiment;
        place.warn(
            format!("the pause lasts as long as the experiment window of {window}: the end of the pause will not be seen"),
            findings,
        );
    }
    Some(Action::Pause(duration))
}
