//! The Policy document: its head, its environments, and the order in which its parts are read.
//!
//! Owns the root tables and the checks that span parts. Every part is read even if another has problems.

use crate::spec::grammar::{Key, Kind, Range, Shape, SpanRule, TextRule};
use crate::spec::policy::{
    ApprovalRule, CanaryTraffic, CircuitBreaker, Environment, KillLimits, Policy, Protection,
    Required,
};
use crate::spec::problem::{Findings, accepted_words_or, quoted};
use crate::spec::tree::{Node, Value};
use crate::spec::walk::calendar::{self, BLACKOUT, OPEN_HOURS};
use crate::spec::walk::document::METADATA;
use crate::spec::walk::fault::{LAST_WAVE, MOST_TARGETS};
use crate::spec::walk::fields::Fields;
use crate::spec::walk::place::Place;
use crate::spec::walk::safety::{self, PRECONDITION};
use crate::unit::Span;

/// More people than this never agree.
const MOST_APPROVALS: u64 = 20;

/// How long an approval holds where the policy says nothing: a week, so that it is about this release.
const APPROVAL_HOLDS: Span = Span::from_seconds(7 * 24 * 3600);

/// The rest after a recovery where the policy says nothing.
const COOLDOWN: Span = Span::from_seconds(5 * 60);

/// The share of traffic of a canary where the policy says nothing.
const CANARY_SHARES: [f64; 2] = [0.01, 0.05];

const WAVE: Kind = Kind::Count { least: 0, most: LAST_WAVE };

const LABELS: Kind = Kind::List { of: &Kind::Text(TextRule::Label), least: 0 };

const NAMES: Kind = Kind::List { of: &Kind::Text(TextRule::Line), least: 0 };

pub(crate) const POLICY: Shape = Shape {
    name: "policy",
    doc: "Where, when and how much may be killed, and who has to agree.",
    keys: &[
        Key::required("apiVersion", Kind::Word(&["unfazed/v1"]), "the version of the grammar"),
        Key::required("kind", Kind::Word(&["Policy"]), "what the document is"),
        Key::required("metadata", Kind::Mapping(&METADATA), "who is answerable for what"),
        Key::required("spec", Kind::Mapping(&SPEC), "the policy itself"),
    ],
    choices: &[],
};

const SPEC: Shape = Shape {
    name: "policy_spec",
    doc: "The policy itself. What it does not allow is refused.",
    keys: &[
        Key::required(
            "environments",
            Kind::List { of: &Kind::Mapping(&ENVIRONMENT), least: 1 },
            "the environments in which something may happen",
        ),
        Key::optional("protected", Kind::Mapping(&PROTECTED), "what is never touched"),
        Key::optional(
            "compliance",
            LABELS,
            "labels that mark regulated data, e.g. compliance=pci: never touched",
        ),
        Key::optional(
            "windows",
            Kind::List { of: &Kind::Mapping(&OPEN_HOURS), least: 1 },
            "when something may happen (default at any time)",
        ),
        Key::optional(
            "blackouts",
            Kind::List { of: &Kind::Mapping(&BLACKOUT), least: 0 },
            "when nothing may happen",
        ),
        Key::optional("limits", Kind::Mapping(&LIMITS), "how much may be killed"),
        Key::optional(
            "cooldown",
            Kind::Span(SpanRule::ZeroOrMore),
            "the shortest rest between the recovery from one kill and the next kill (default 5m)",
        ),
        Key::optional(
            "preconditions",
            Kind::List { of: &Kind::Mapping(&PRECONDITION), least: 0 },
            "conditions that have to hold before every kill, whatever the experiment says",
        ),
        Key::optional(
            "canary",
            Kind::Mapping(&CANARY),
            "how much of the traffic the target may carry",
        ),
        Key::optional(
            "approvers",
            Kind::TextMap,
            "public keys (ed25519:<hex>) of people whose approvals have to be signed",
        ),
        Key::optional("circuit_breaker", Kind::Mapping(&BREAKER), "when failures stop everything"),
    ],
    choices: &[],
};

const ENVIRONMENT: Shape = Shape {
    name: "environment",
    doc: "What holds in one environment.",
    keys: &[
        Key::required(
            "name",
            Kind::Text(TextRule::Line),
            "the environment, as experiments name it",
        ),
        Key::required("highest_wave", WAVE, "the widest wave that may run here, 0 to 3"),
        Key::optional(
            "require",
            Kind::List { of: &Kind::Text(TextRule::Line), least: 0 },
            "what an experiment has to say: ticket, labels.<key>, claim, recovery, detected_by, preconditions, abort, runbook, live_source",
        ),
        Key::optional(
            "namespaces",
            Kind::List { of: &Kind::Text(TextRule::Slug), least: 1 },
            "the only namespaces whose pods may be hit",
        ),
        Key::optional(
            "opt_in",
            Kind::Text(TextRule::Label),
            "the label that a container or pod has to carry, e.g. chaos-target=canary",
        ),
        Key::optional(
            "approvals",
            Kind::List { of: &Kind::Mapping(&APPROVAL), least: 0 },
            "who has to agree, from which wave on",
        ),
    ],
    choices: &[],
};

const APPROVAL: Shape = Shape {
    name: "approval",
    doc: "Who has to agree.",
    keys: &[
        Key::required("from_wave", WAVE, "the first wave that needs it, 0 to 3"),
        Key::optional(
            "count",
            Kind::Count { least: 1, most: MOST_APPROVALS },
            "how many different people (default 1)",
        ),
        Key::optional(
            "valid_for",
            Kind::Span(SpanRule::AboveZero),
            "how long an approval holds at most (default 7d)",
        ),
        Key::optional(
            "by",
            Kind::List { of: &Kind::Text(TextRule::Line), least: 1 },
            "the only people whose approval counts (default anybody but the owner and whoever runs it)",
        ),
    ],
    choices: &[],
};

const PROTECTED: Shape = Shape {
    name: "protected",
    doc: "What is never touched.",
    keys: &[
        Key::optional("processes", NAMES, "exact names of processes and containers"),
        Key::optional("namespaces", NAMES, "namespaces"),
        Key::optional("labels", LABELS, "labels, as key or key=value"),
    ],
    choices: &[],
};

const LIMITS: Shape = Shape {
    name: "limits",
    doc: "How much may be killed.",
    keys: &[
        Key::optional(
            "max_concurrent_kills",
            Kind::Count { least: 0, most: MOST_TARGETS },
            "most faults in place at once, of all experiments together (default 1)",
        ),
        Key::optional(
            "max_kills",
            Kind::Count { least: 0, most: MOST_TARGETS },
            "most targets hit by one iteration (default 1)",
        ),
        Key::optional(
            "max_share",
            Kind::Fraction(Range::from_to(0.0, 1.0)),
            "largest share of the matching targets that one iteration hits (default 50%)",
        ),
        Key::optional(
            "min_survivors",
            Kind::Count { least: 0, most: MOST_TARGETS },
            "fewest matching targets that it leaves (default 1)",
        ),
    ],
    choices: &[],
};

const CANARY: Shape = Shape {
    name: "canary",
    doc: "How much of the traffic the target may carry.",
    keys: &[
        Key::required(
            "traffic_share",
            Kind::Text(TextRule::Any),
            "what the source is asked for the share, as a fraction",
        ),
        Key::optional(
            "at_least",
            Kind::Fraction(Range::from_to(0.0, 1.0)),
            "the smallest share: without traffic nothing is shown (default 1%)",
        ),
        Key::optional(
            "at_most",
            Kind::Fraction(Range::from_to(0.0, 1.0)),
            "the largest share (default 5%)",
        ),
        Key::optional("from_wave", WAVE, "the first wave that is held to it (default 2)"),
    ],
    choices: &[],
};

const BREAKER: Shape = Shape {
    name: "circuit_breaker",
    doc: "When failures stop everything.",
    keys: &[
        Key::optional(
            "failures",
            Kind::Count { least: 1, most: 1000 },
            "failed iterations in a row that open it (default 1)",
        ),
        Key::required(
            "rest",
            Kind::Span(SpanRule::AboveZero),
            "how long it stays open after the last of them",
        ),
    ],
    choices: &[],
};

/// Reads a Policy. `None` comes with at least one problem.
pub(crate) fn read(root: &Node, digest: String, findings: &mut Findings) -> Option<Policy> {
    let place = Place::root(root);
    if let Some(node) = root.get("kind")
        && let Value::Scalar(scalar) = &node.value
        && scalar.text == "Experiment"
    {
        let place = Place { node, path: "kind".to_owned() };
        place.refuse("found an Experiment; accepted here is a Policy", findings);
        // Its other keys belong to another grammar: reporting them would bury the one thing to know.
        return None;
    }
    let fields = place.open(&POLICY, findings)?;
    fields.word("apiVersion", findings);
    fields.word("kind", findings);
    let metadata = fields.open("metadata", findings);
    let name = metadata.as_ref().and_then(|fields| fields.text("name", findings));
    let owner = metadata.as_ref().and_then(|fields| fields.text("owner", findings));
    if let Some(fields) = &metadata {
        // Nothing asks for these, and a slip in them is a slip all the same.
        fields.text("ticket", findings);
        fields.text_map("labels", findings);
    }
    let spec = fields.open("spec", findings)?;
    let policy = read_spec(&spec, Head { name, owner, digest }, findings);
    if findings.problems.is_empty() { policy } else { None }
}

/// What stands above `spec`.
struct Head {
    name: Option<String>,
    owner: Option<String>,
    digest: String,
}

fn read_spec(fields: &Fields<'_>, head: Head, findings: &mut Findings) -> Option<Policy> {
    let environments = environments(fields, findings);
    let known: Vec<String> = environments.iter().map(|one| one.name.clone()).collect();
    let protected = fields.open("protected", findings);
    let protected = protected.map_or_else(Protection::default, |fields| Protection {
        processes: fields.texts("processes", findings).unwrap_or_default(),
        namespaces: fields.texts("namespaces", findings).unwrap_or_default(),
        labels: fields.texts("labels", findings).unwrap_or_default(),
    });
    let compliance = fields.texts("compliance", findings).unwrap_or_default();
    let windows = fields.mappings("windows", findings);
    let windows: Vec<_> = windows
        .iter()
        .filter_map(|fields| calendar::open_hours(fields, &known, findings))
        .collect();
    let blackouts = fields.mappings("blackouts", findings);
    let blackouts = blackouts
        .iter()
        .filter_map(|fields| calendar::blackout(fields, &known, findings))
        .collect();
    let limits = fields.open("limits", findings);
    let limits = limits.map_or_else(KillLimits::default, |fields| self::limits(&fields, findings));
    let cooldown = fields.span("cooldown", findings).unwrap_or(COOLDOWN);
    let preconditions = fields.mappings("preconditions", findings);
    let preconditions =
        preconditions.iter().filter_map(|fields| safety::precondition(fields, findings)).collect();
    let canary = fields.open("canary", findings);
    let canary = canary.and_then(|fields| self::canary(&fields, findings));
    let approvers = approvers(fields, findings);
    let breaker = fields.open("circuit_breaker", findings);
    let circuit_breaker = breaker.and_then(|fields| self::breaker(&fields, findings));
    if !fields.has("windows") {
        fields.place.warn("there is no `windows`: it lets things happen at any hour", findings);
    }
    Some(Policy {
        name: head.name?,
        owner: head.owner?,
        environments,
        protected,
        compliance,
        windows: fields.has("windows").then_some(windows),
        blackouts,
        limits,
        cooldown,
        preconditions,
        canary,
        approvers,
        circuit_breaker,
        digest: head.digest,
    })
}

fn environments(fields: &Fields<'_>, findings: &mut Findings) -> Vec<Environment> {
    let mut read: Vec<Environment> = Vec::new();
    for fields in fields.mappings("environments", findings) {
        let Some(environment) = environment(&fields, findings) else { continue };
        if read.iter().any(|known| known.name == environment.name) {
            if let Some(place) = fields.at("name") {
                place.refuse(
                    format!(
                        "found '{}', which another environment above has; accepted are unique names",
                        quoted(&environment.name)
                    ),
                    findings,
                );
            }
            continue;
        }
        read.push(environment);
    }
    read
}

fn environment(fields: &Fields<'_>, findings: &mut Findings) -> Option<Environment> {
    let name = fields.text("name", findings);
    let highest_wave = fields.count("highest_wave", findings);
    let require = required(fields, findings);
    let namespaces = fields.texts("namespaces", findings);
    let opt_in = fields.text("opt_in", findings);
    let approvals = fields.mappings("approvals", findings);
    let approvals = approvals.iter().filter_map(|fields| approval(fields, findings)).collect();
    Some(Environment {
        name: name?,
        highest_wave: wave(highest_wave?),
        require,
        namespaces,
        opt_in,
        approvals,
    })
}

/// The words of `require`; one of them takes a key of its own.
fn required(fields: &Fields<'_>, findings: &mut Findings) -> Vec<Required> {
    let fixed = [
        Required::Ticket,
        Required::Claim,
        Required::Recovery,
        Required::Detection,
        Required::Preconditions,
        Required::Abort,
        Required::Runbook,
        Required::LiveSource,
    ];
    let words: Vec<String> = fixed.iter().map(Required::word).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut read = Vec::new();
    for item in fields.items("require", findings).unwrap_or_default() {
        let Some(text) = item.text(TextRule::Line, findings) else { continue };
        if let Some(at) = words.iter().position(|word| *word == text) {
            read.push(fixed[at].clone());
        } else if let Some(key) = text.strip_prefix("labels.").filter(|key| !key.is_empty()) {
            read.push(Required::Label(key.to_owned()));
        } else {
            let accepted = accepted_words_or(&text, &words, ", also labels.<key>");
            item.refuse(format!("found '{}'; {accepted}", quoted(&text)), findings);
        }
    }
    read
}

fn approval(fields: &Fields<'_>, findings: &mut Findings) -> Option<ApprovalRule> {
    let from_wave = fields.count("from_wave", findings);
    let count = fields.count("count", findings).unwrap_or(1);
    let valid_for = fields.span("valid_for", findings).unwrap_or(APPROVAL_HOLDS);
    let by = fields.texts("by", findings).unwrap_or_default();
    if let (Some(place), false) = (fields.at("by"), by.is_empty())
        && (by.len() as u64) < count
    {
        place.refuse(
            format!(
                "found {} names; accepted are at least as many as the {count} approvals that are needed",
                by.len()
            ),
            findings,
        );
    }
    Some(ApprovalRule { from_wave: wave(from_wave?), count: small(count), valid_for, by })
}

fn limits(fields: &Fields<'_>, findings: &mut Findings) -> KillLimits {
    let usual = KillLimits::default();
    let mut count = |name, usual| fields.count(name, findings).map_or(usual, small);
    let max_concurrent_kills = count("max_concurrent_kills", usual.max_concurrent_kills);
    let max_kills = count("max_kills", usual.max_kills);
    let min_survivors = count("min_survivors", usual.min_survivors);
    let max_share = fields.fraction("max_share", findings).unwrap_or(usual.max_share);
    KillLimits { max_concurrent_kills, max_kills, max_share, min_survivors }
}

fn canary(fields: &Fields<'_>, findings: &mut Findings) -> Option<CanaryTraffic> {
    let query = fields.text("traffic_share", findings);
    let [least, most] = CANARY_SHARES;
    let at_least = fields.fraction("at_least", findings);
    let at_most = fields.fraction("at_most", findings);
    let from_wave = fields.count("from_wave", findings).map_or(2, wave);
    let canary = CanaryTraffic {
        query: query?,
        at_least: at_least.unwrap_or_else(|| least.min(at_most.unwrap_or(most))),
        at_most: at_most.unwrap_or(most),
        from_wave,
    };
    if canary.at_least > canary.at_most {
        fields.place.refuse(
            format!(
                "found at_least {} above at_most {}; accepted is a range that holds something",
                canary.at_least, canary.at_most
            ),
            findings,
        );
        return None;
    }
    Some(canary)
}

fn approvers(
    fields: &Fields<'_>,
    findings: &mut Findings,
) -> std::collections::BTreeMap<String, String> {
    let read = fields.text_map("approvers", findings);
    if let Some(place) = fields.at("approvers") {
        for (name, key) in &read {
            if !TextRule::PublicKey.accepts(key)
                && let Some(node) = place.node.get(name)
            {
                let path = crate::spec::tree::below(&place.path, name);
                Place { node, path }.mismatch(TextRule::PublicKey.accepted(), findings);
            }
        }
    }
    read
}

fn breaker(fields: &Fields<'_>, findings: &mut Findings) -> Option<CircuitBreaker> {
    let failures = fields.count("failures", findings).unwrap_or(1);
    let rest = fields.span("rest", findings)?;
    Some(CircuitBreaker { failures: small(failures), rest })
}

fn wave(number: u64) -> u8 {
    u8::try_from(number).expect("the table bounds it by LAST_WAVE")
}

fn small(number: u64) -> u32 {
    u32::try_from(number).expect("the tables bound every count far below this")
}
