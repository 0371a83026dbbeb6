//! One activity of a Chaos Toolkit journal: what it did, to whom, when.
//!
//! Owns the words for providers, the arguments that name a target, and the events of an activity and its pauses.
//! Refuses to know the journal around it.

use serde_json::Value;

use crate::run::TargetRecord;
use crate::source::chaos::field::Field;
use crate::source::chaos::found_run::{FoundRun, StatedHypothesis};
use crate::source::chaos::import_error::ImportError;
use crate::source::chaos::naive_time::TimeReader;
use crate::source::chaos::redact;
use crate::unit::{Span, Timestamp};

/// What an action came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It did what it should.
    Acted,
    /// It found nobody to act on.
    Nobody,
    /// It tried in vain.
    Failed,
}

/// One activity of a journal with its times.
pub(super) struct Activity<'a> {
    entry: &'a Value,
    name: String,
    /// Its start; a background activity that was cut off has none.
    pub(super) start: Option<Timestamp>,
    /// Its end.
    pub(super) end: Option<Timestamp>,
}

impl<'a> Activity<'a> {
    /// Whether it acts; a probe only looks.
    pub(super) fn is_action(&self) -> bool {
        self.entry.text("activity.type") == Some("action")
    }

    /// What it came to. `succeeded` only says that nothing was raised: a process may have failed, a request may
    /// have been refused, and a selector may have matched nobody.
    pub(super) fn effect(&self) -> Effect {
        let output = self.entry.field("output");
        let code = output.field("status").as_i64();
        if self.entry.text("status") != Some("succeeded") {
            return Effect::Failed;
        }
        match self.entry.text("activity.provider.type") {
            Some("process") if code.is_some_and(|code| code != 0) => Effect::Failed,
            Some("http") if code.is_some_and(|code| code >= 400) => Effect::Failed,
            // Extensions answer with the list of what they hit.
            Some("python") if output.as_array().is_some_and(Vec::is_empty) => Effect::Nobody,
            _ => Effect::Acted,
        }
    }

    /// Reads an entry of `run` or `rollbacks`.
    ///
    /// # Errors
    /// [`ImportError::NotATime`] for a start or an end that is no time.
    pub(super) fn read(
        file: &str,
        list: &str,
        entry: &'a Value,
        times: &mut TimeReader,
    ) -> Result<Self, ImportError> {
        Ok(Self {
            entry,
            name: redact::text(entry.text("activity.name").unwrap_or("unnamed activity")),
            start: times.optional(file, &format!("{list}[].start"), entry.field("start"))?,
            end: times.optional(file, &format!("{list}[].end"), entry.field("end"))?,
        })
    }

    /// Adds an event for the activity and one for each of its pauses.
    pub(super) fn tell(&self, found: &mut FoundRun, kind: &'static str) {
        let Some(at) = self.start.or(self.end) else { return };
        let status = self.entry.text("status").unwrap_or("unknown");
        let what = provider_words(self.entry.field("activity.provider"));
        let is_background = self.entry.field("activity.background") == &Value::Bool(true);
        let background = if is_background { " in the background" } else { "" };
        let error = self
            .entry
            .items("exception")
            .last()
            .and_then(|line| line.as_str())
            .map(|line| format!(" ({})", line.trim()))
            .unwrap_or_default();
        let message = format!("{} {status}{background}: {what}{error}", self.name);
        found.note(at, kind, redact::text(&message));
        let seconds = |path: &str| self.entry.field(path).as_f64().filter(|s| *s > 0.0 && *s < 1e6);
        if let Some(pause) = seconds("activity.pauses.before") {
            #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
            let start = at.minus(Span::from_milliseconds((pause * 1000.0) as i64));
            found.note(start, "pause", format!("{pause} s before {}", self.name));
        }
        if let Some(pause) = seconds("activity.pauses.after") {
            let end = self.end.unwrap_or(at);
            found.note(end, "pause", format!("{pause} s after {}", self.name));
        }
    }

    /// Adds whom the activity aims at, and whom it says it hit.
    pub(super) fn add_target(&self, found: &mut FoundRun) {
        let provider = self.entry.field("activity.provider");
        let is_pods = provider.text("module").is_some_and(|name| name.starts_with("chaosk8s.pod"));
        let pods: Vec<&str> = self
            .entry
            .items("output")
            .into_iter()
            .filter_map(Value::as_str)
            .filter(|_| is_pods)
            .collect();
        let mut aim = aim(provider);
        if !pods.is_empty() {
            "selector".clone_into(&mut aim.kind);
        }
        found.target(&aim.kind, &aim.name, aim.id.as_deref());
        for pod in pods {
            found.target("pod", &redact::text(pod), None);
        }
    }
}

/// What a provider does, in words, without secrets.
fn provider_words(provider: &Value) -> String {
    let arguments = redact::arguments(provider.field("arguments"));
    redact::text(&match provider.text("type") {
        Some("http") => format!(
            "{} {}",
            provider.text("method").unwrap_or("GET"),
            provider.text("url").unwrap_or("?")
        ),
        Some("process") => format!("{} {arguments}", provider.text("path").unwrap_or("?")),
        _ => format!(
            "{}.{} {arguments}",
            provider.text("module").unwrap_or("?"),
            provider.text("func").unwrap_or("?")
        ),
    })
}

/// Whom an action aims at. Extensions agree on no name for it; these are the arguments they use, best first.
fn aim(provider: &Value) -> TargetRecord {
    const NAMES: [(&str, &str); 14] = [
        ("process_name", "process"),
        ("process", "process"),
        ("label_selector", "pod"),
        ("pod_name", "pod"),
        ("name_pattern", "pod"),
        ("container_id", "container"),
        ("container_name", "container"),
        ("instance_id", "instance"),
        ("instance_ids", "instance"),
        ("node_name", "node"),
        ("service", "service"),
        ("name", ""),
        ("host", "host"),
        ("filter", ""),
    ];
    let arguments = provider.field("arguments");
    // `chaosk8s.pod.actions` acts on pods, `chaosaws.ec2.actions` on ec2.
    let module_kind = provider.text("module").and_then(|module| module.split('.').nth(1));
    let named = NAMES.iter().find_map(|(key, kind)| {
        let value = arguments.field(key);
        (!value.is_null()).then(|| (redact::arguments(value), *kind))
    });
    let of_kind = |kind: &str, name: String, id: Option<String>| TargetRecord {
        kind: kind.to_owned(),
        name,
        id,
    };
    match (provider.text("type"), named) {
        (_, Some((name, kind))) => {
            let kind = match kind {
                "process" => kind,
                "" => module_kind.unwrap_or("unknown"),
                other => module_kind.filter(|module| *module != "machine").unwrap_or(other),
            };
            let place = ["ns", "namespace", "host"].iter().find_map(|key| arguments.text(key));
            let id = place
                .filter(|place| *place != name)
                .map(|place| redact::text(&format!("{place}/{name}")));
            of_kind(kind, name, id)
        }
        (Some("http"), None) => {
            of_kind("url", redact::text(provider.text("url").unwrap_or("?")), None)
        }
        (Some("process"), None) => of_kind("command", provider_words(provider), None),
        (_, None) => of_kind(module_kind.unwrap_or("unknown"), provider_words(provider), None),
    }
}

/// The steady state that an experiment states: its title, and what each probe expects.
pub(super) fn stated(hypothesis: &Value) -> Option<StatedHypothesis> {
    let checks: Vec<String> = hypothesis
        .items("probes")
        .into_iter()
        .map(|probe| {
            let tolerance = redact::arguments(probe.field("tolerance"));
            let what = provider_words(probe.field("provider"));
            let name = probe.text("name").unwrap_or("probe");
            redact::text(&format!("{name}: {what} answers {tolerance}"))
        })
        .collect();
    let title = hypothesis.text("title").map(redact::text);
    (title.is_some() || !checks.is_empty())
        .then(|| StatedHypothesis { title: title.unwrap_or_default(), checks })
}
