//! How a plan is written down: one JSON document, parsed once and strictly.
//!
//! Owns the reading of `unfazed.plan/v1`. Refuses unknown keys (an unknown key may be a limit that this build would not
//! honour), duplicate keys, values that contradict each other, and documents over 64 KiB. First link: everything after
//! it works on a checked [`Plan`].

use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor, value::MapAccessDeserializer};

use super::label_selector::LabelSelector;
use super::plan::{
    Action, ContainerTarget, Hook, Limits, Plan, PodMeans, PodTarget, ProcessTarget, Protected,
    Target,
};
use crate::unit::{Span, Timestamp, Window};

/// The name of the plan format.
pub const SCHEMA: &str = "unfazed.plan/v1";

/// A plan is a page; anything longer is not one.
pub const MOST_BYTES: usize = 64 * 1024;

/// More targets than this in one iteration are no experiment.
const MOST_TARGETS: u32 = 10_000;

/// A pause or hook that lasts longer than a day is an outage.
const LONGEST_SECONDS: f64 = 86_400.0;

/// A hook that names no time limit gets this one.
const DEFAULT_HOOK_TIMEOUT: Span = Span::from_seconds(60);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlan {
    schema: String,
    run_id: String,
    iteration: u32,
    created_at: Timestamp,
    expires_at: Timestamp,
    #[serde(default)]
    digest: Option<String>,
    #[serde(default)]
    actor: Option<String>,
    #[serde(default)]
    ticket: Option<String>,
    target: Target,
    action: RawAction,
    #[serde(default)]
    duration_s: Option<f64>,
    count: u32,
    limits: Limits,
    #[serde(default)]
    protected: Option<Protected>,
    #[serde(default)]
    window: Option<RawWindow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWindow {
    start: Timestamp,
    end: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHook {
    hook: Vec<String>,
    #[serde(default)]
    rollback: Option<Vec<String>>,
    #[serde(default)]
    timeout_s: Option<f64>,
}

enum RawAction {
    Kill,
    Terminate,
    Pause,
    Resume,
    Hook(RawHook),
}

impl<'de> Deserialize<'de> for RawAction {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ActionVisitor;
        impl<'de> Visitor<'de> for ActionVisitor {
            type Value = RawAction;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("kill, terminate, pause, resume or {\"hook\": [command, …]}")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<RawAction, E> {
                match word {
                    "kill" => Ok(RawAction::Kill),
                    "terminate" => Ok(RawAction::Terminate),
                    "pause" => Ok(RawAction::Pause),
                    "resume" => Ok(RawAction::Resume),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(word), &self)),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawAction, A::Error> {
                RawHook::deserialize(MapAccessDeserializer::new(map)).map(RawAction::Hook)
            }
        }
        deserializer.deserialize_any(ActionVisitor)
    }
}

impl Plan {
    /// Reads a plan.
    ///
    /// # Errors
    /// One sentence that names every problem found; JSON errors with line and column.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MOST_BYTES {
            return Err(format!("the plan is longer than {MOST_BYTES} bytes"));
        }
        let raw: RawPlan = serde_json::from_slice(bytes)
            .map_err(|error| format!("the plan is not one {SCHEMA} document: {error}"))?;
        let mut problems = Vec::new();
        let plan = raw.check(&mut problems);
        match plan {
            Some(plan) if problems.is_empty() => Ok(plan),
            _ => Err(problems.join("; ")),
        }
    }
}

impl RawPlan {
    fn check(self, problems: &mut Vec<String>) -> Option<Plan> {
        if self.schema != SCHEMA {
            problems.push(format!("schema is '{}'; accepted is '{SCHEMA}'", self.schema));
        }
        check_word("run_id", &self.run_id, problems);
        for (key, text) in
            [("digest", &self.digest), ("actor", &self.actor), ("ticket", &self.ticket)]
        {
            if let Some(text) = text {
                check_line(key, text, problems);
            }
        }
        if self.expires_at <= self.created_at {
            problems.push("expires_at is not after created_at".to_owned());
        }
        if self.count == 0 || self.count > MOST_TARGETS {
            problems.push(format!("count is {}; accepted is 1 to {MOST_TARGETS}", self.count));
        }
        if !(0.0..=1.0).contains(&self.limits.max_share) {
            problems.push("limits.max_share lies outside 0 to 1".to_owned());
        }
        match &self.target {
            Target::Process(target) => target.check(problems),
            Target::Container(target) => target.check(problems),
            Target::Kubernetes(target) => target.check(problems),
        }
        let protected = self.protected.unwrap_or_default();
        protected.check(problems);
        let window = self.window.map(|window| {
            if window.end <= window.start {
                problems.push("window.end is not after window.start".to_owned());
            }
            Window { start: window.start, end: window.end }
        });
        let action = check_action(self.action, self.duration_s, problems)?;
        Some(Plan {
            run_id: self.run_id,
            iteration: self.iteration,
            created_at: self.created_at,
            expires_at: self.expires_at,
            digest: self.digest,
            actor: self.actor,
            ticket: self.ticket,
            target: self.target,
            action,
            count: self.count,
            limits: self.limits,
            protected,
            window,
        })
    }
}

impl ProcessTarget {
    fn check(&self, problems: &mut Vec<String>) {
        let given = [
            ("name", &self.name),
            ("arguments", &self.arguments),
            ("command_line", &self.command_line),
            ("pid_file", &self.pid_file),
            ("cgroup", &self.cgroup),
            ("user", &self.user),
        ];
        for (key, text) in given {
            if let Some(text) = text {
                check_word(&format!("target.process.{key}"), text, problems);
            }
        }
        let narrows = [&self.name, &self.command_line, &self.pid_file, &self.cgroup];
        if narrows.iter().all(|text| text.is_none()) {
            problems.push(
                "target.process selects everything; name one of name, command_line, pid_file, cgroup"
                    .to_owned(),
            );
        }
        if self.name.as_deref().is_some_and(|name| name.contains('/')) {
            problems.push("target.process.name is a path; write the file name alone".to_owned());
        }
        if self.pid_file.as_deref().is_some_and(|path| !path.starts_with('/')) {
            problems.push("target.process.pid_file is not an absolute path".to_owned());
        }
        if let Some(cgroup) = self.cgroup.as_deref()
            && (!cgroup.starts_with('/') || cgroup.trim_matches('/').is_empty())
        {
            problems.push(
                "target.process.cgroup is not an absolute path below the root cgroup".to_owned(),
            );
        }
    }
}

impl ContainerTarget {
    fn check(&self, problems: &mut Vec<String>) {
        if self.label.is_none() && self.name.is_none() {
            problems.push("target.container selects everything; name label or name".to_owned());
        }
        if let Some(name) = &self.name {
            check_word("target.container.name", name, problems);
        }
        if let Some(label) = &self.label {
            check_word("target.container.label", label, problems);
            match label.split_once('=') {
                Some((key, value)) if !key.is_empty() && !value.is_empty() => {}
                _ => problems.push("target.container.label is not key=value".to_owned()),
            }
        }
    }
}

impl PodTarget {
    fn check(&self, problems: &mut Vec<String>) {
        check_word("target.kubernetes.namespace", &self.namespace, problems);
        check_word("target.kubernetes.selector", &self.selector, problems);
        let namespace = self.namespace.as_bytes();
        let letters = namespace
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-');
        // It becomes part of a URL.
        if !letters || namespace.len() > 63 {
            problems.push(
                "target.kubernetes.namespace is not a name of at most 63 of a-z, 0-9 and -"
                    .to_owned(),
            );
        }
        for text in [&self.process, &self.opt_in].into_iter().flatten() {
            check_word("target.kubernetes.process or opt_in", text, problems);
        }
        if let Err(what) = LabelSelector::parse(&self.selector) {
            problems.push(format!("target.kubernetes.{what}"));
        }
        if self.process.is_some() && self.via != PodMeans::Process {
            problems.push(
                "target.kubernetes.process needs via: process; the others hit the whole pod"
                    .to_owned(),
            );
        }
    }
}

impl Protected {
    fn check(&self, problems: &mut Vec<String>) {
        let lists = [
            ("processes", &self.processes),
            ("namespaces", &self.namespaces),
            ("labels", &self.labels),
        ];
        for (key, texts) in lists {
            for text in texts {
                check_word(&format!("protected.{key}"), text, problems);
            }
        }
    }
}

fn check_action(
    action: RawAction,
    duration_s: Option<f64>,
    problems: &mut Vec<String>,
) -> Option<Action> {
    let duration = duration_s.map(|seconds| span("duration_s", seconds, problems));
    match (action, duration) {
        (RawAction::Kill, None) => Some(Action::Kill),
        (RawAction::Terminate, None) => Some(Action::Terminate),
        (RawAction::Resume, None) => Some(Action::Resume),
        (RawAction::Kill | RawAction::Terminate | RawAction::Resume, Some(_)) => {
            problems.push(
                "duration_s is given; accepted with pause and hook only, the others are over at once"
                    .to_owned(),
            );
            None
        }
        (RawAction::Pause, Some(duration)) => duration.map(Action::Pause),
        (RawAction::Pause, None) => {
            problems.push("pause without duration_s would never end".to_owned());
            None
        }
        (RawAction::Hook(hook), duration) => check_hook(hook, duration.flatten(), problems),
    }
}

fn check_hook(hook: RawHook, hold: Option<Span>, problems: &mut Vec<String>) -> Option<Action> {
    let commands = [("hook", Some(&hook.hook)), ("rollback", hook.rollback.as_ref())];
    for (key, command) in commands {
        let Some(command) = command else { continue };
        if command.first().is_none_or(|program| program.trim().is_empty()) {
            problems.push(format!("action.{key} names no program"));
        }
        if command.iter().any(|word| word.contains('\0')) {
            problems.push(format!("action.{key} holds a NUL character"));
        }
    }
    if hold.is_some() && hook.rollback.is_none() {
        problems
            .push("duration_s of a hook is the time until its rollback, and it has none".into());
    }
    let timeout = match hook.timeout_s {
        Some(seconds) => span("action.timeout_s", seconds, problems)?,
        None => DEFAULT_HOOK_TIMEOUT,
    };
    let hold = hold.unwrap_or(Span::ZERO);
    Some(Action::Hook(Hook { command: hook.hook, rollback: hook.rollback, timeout, hold }))
}

fn span(key: &str, seconds: f64, problems: &mut Vec<String>) -> Option<Span> {
    if !(seconds.is_finite() && (0.001..=LONGEST_SECONDS).contains(&seconds)) {
        problems.push(format!("{key} is {seconds}; accepted is 0.001 to {LONGEST_SECONDS}"));
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "bounded by the check above")]
    Some(Span::from_milliseconds((seconds * 1000.0).round() as i64))
}

/// Text that selects or names something: there must be some.
fn check_word(key: &str, text: &str, problems: &mut Vec<String>) {
    if text.trim().is_empty() {
        problems.push(format!("{key} is empty"));
    }
    check_line(key, text, problems);
}

/// Text that ends up in journals and terminals: one line, without control characters.
fn check_line(key: &str, text: &str, problems: &mut Vec<String>) {
    if text.chars().any(char::is_control) {
        problems.push(format!("{key} holds control characters"));
    }
    if text.len() > 4096 {
        problems.push(format!("{key} is longer than 4096 bytes"));
    }
}
