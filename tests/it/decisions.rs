//! Decisions of a policy: what lets a kill pass, and every single thing that does not.
//!
//! Each row changes one thing about an experiment, a policy or a situation in which a kill is allowed, and says which
//! gate denies it and in which words. Nothing else may deny then, so that a gate cannot hide behind another one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use unfazed::safety::approval::{Approval, Consent, Record, read};
use unfazed::safety::situation::queries;
use unfazed::safety::{
    Begun, Decision, Fact, Failures, History, MetricFacts, Mode, Moment, Outcome, Situation,
    WaveBefore, decide,
};
use unfazed::spec::{Experiment, Policy};
use unfazed::unit::{Span, Timestamp};

fn text(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/decisions");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// Everything a decision is made from; the documents as text, so that a row can change them.
struct World {
    experiment: String,
    policy: Option<String>,
    situation: Situation,
}

fn consent(experiment: &Experiment, by: &str) -> Consent {
    Consent {
        experiment: experiment.name.clone(),
        digest: experiment.digest.clone(),
        policy_digest: None,
        by: by.to_owned(),
        at: time("2026-11-23T12:00:00Z"),
        until: time("2026-11-30T12:00:00Z"),
        ticket: None,
    }
}

fn approvals(experiment: &Experiment) -> Vec<Record> {
    let intact = |by| Record::Intact(Approval::new(consent(experiment, by), None));
    vec![intact("alice"), intact("bob")]
}

impl World {
    /// A Tuesday at noon in Berlin on which everything is as it should be.
    fn allowed() -> Self {
        let experiment = text("experiment.yaml");
        let policy = text("policy.yaml");
        let read = Experiment::parse("", experiment.as_bytes()).unwrap();
        let metric =
            |baseline, now| MetricFacts { baseline: Fact::Known(baseline), now: Fact::Known(now) };
        let situation = Situation {
            now: time("2026-11-24T11:00:00Z"),
            moment: Moment::Kill,
            mode: Mode::Live,
            actor: Fact::Known("carol".to_owned()),
            begun: Some(Begun {
                experiment_digest: read.digest.clone(),
                policy_digest: Some(Policy::parse("", policy.as_bytes()).unwrap().digest),
            }),
            labels: Fact::Known(BTreeSet::from(["chaos-target=canary".to_owned()])),
            matching: Fact::Known(3),
            in_place: Fact::Known(0),
            answers: BTreeMap::from([
                ("slo_error_budget_left_ratio".to_owned(), Fact::Known(0.8)),
                ("db_replica_lag_seconds".to_owned(), Fact::Known(0.02)),
                ("canary_traffic_ratio".to_owned(), Fact::Known(0.03)),
            ]),
            metrics: BTreeMap::from([
                ("payment-errors".to_owned(), metric(0.0, 0.0)),
                ("queue-depth".to_owned(), metric(40.0, 41.0)),
            ]),
            history: History {
                wave_before: Fact::Known(WaveBefore::Passed {
                    run_id: "r1".to_owned(),
                    at: time("2026-11-23T12:00:00Z"),
                }),
                last_recovery: Fact::Known(Some(time("2026-11-24T10:50:00Z"))),
                failures: Fact::Known(Failures { in_a_row: 0, last_at: None }),
            },
            approvals: approvals(&read),
        };
        Self { experiment, policy: Some(policy), situation }
    }

    /// Changes the experiment, and approves and begins with what came of it.
    fn experiment(mut self, from: &str, to: &str) -> Self {
        assert!(self.experiment.contains(from), "{from}");
        self.experiment = self.experiment.replace(from, to);
        let read = Experiment::parse("", self.experiment.as_bytes()).unwrap();
        self.situation.approvals = approvals(&read);
        if let Some(begun) = &mut self.situation.begun {
            begun.experiment_digest = read.digest;
        }
        self
    }

    /// Changes the policy, and begins with what came of it.
    fn policy(mut self, from: &str, to: &str) -> Self {
        let policy = self.policy.take().unwrap();
        assert!(policy.contains(from), "{from}");
        let policy = policy.replace(from, to);
        if let Some(begun) = &mut self.situation.begun {
            begun.policy_digest = Some(Policy::parse("", policy.as_bytes()).unwrap().digest);
        }
        self.policy = Some(policy);
        self
    }

    fn situation(mut self, change: impl FnOnce(&mut Situation)) -> Self {
        change(&mut self.situation);
        self
    }

    fn now(self, text: &str) -> Self {
        let at = time(text);
        self.situation(|situation| situation.now = at)
    }

    fn answer(self, query: &str, fact: Fact<f64>) -> Self {
        self.situation(|situation| {
            situation.answers.insert(query.to_owned(), fact).unwrap();
        })
    }

    fn metric(self, name: &str, baseline: Fact<f64>, now: Fact<f64>) -> Self {
        self.situation(|situation| {
            situation.metrics.insert(name.to_owned(), MetricFacts { baseline, now }).unwrap();
        })
    }

    /// Changes the consent of the first of two approvers.
    fn consent(self, change: impl FnOnce(&mut Consent)) -> Self {
        let read = Experiment::parse("", self.experiment.as_bytes()).unwrap();
        let mut first = consent(&read, "alice");
        change(&mut first);
        self.situation(|situation| {
            situation.approvals[0] = Record::Intact(Approval::new(first, None));
        })
    }

    fn decide(&self) -> Decision {
        let experiment = Experiment::parse("e", self.experiment.as_bytes()).unwrap();
        let policy = self.policy.as_ref().map(|text| Policy::parse("p", text.as_bytes()).unwrap());
        decide(&experiment, policy.as_ref(), &self.situation)
    }
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "a world is made for one question")]
fn denied(world: World, gate: &str, words: &str) {
    let decision = world.decide();
    let lines = decision.lines().join("\n");
    assert!(!decision.may_kill() && !decision.allowed(), "{lines}");
    let denials: Vec<_> = decision.denials().collect();
    assert!(!denials.is_empty() && denials.iter().all(|finding| finding.gate == gate), "{lines}");
    assert!(denials.iter().any(|finding| finding.sentence.contains(words)), "{words}\n{lines}");
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "a world is made for one question")]
fn allowed(world: World) {
    let decision = world.decide();
    assert!(decision.may_kill(), "{}", decision.lines().join("\n"));
}

fn unknown<T>() -> Fact<T> {
    Fact::Unknown("the server did not answer".to_owned())
}

#[test]
fn where_everything_is_as_it_should_be_a_kill_is_allowed() {
    let decision = World::allowed().decide();
    assert!(decision.may_kill(), "{}", decision.lines().join("\n"));
    let bounds = decision.bounds;
    assert_eq!(bounds.protected.labels, ["chaos=never", "compliance=pci", "compliance=phi"]);
    assert_eq!(bounds.opt_in.as_deref(), Some("chaos-target=canary"));
    let window = bounds.window.unwrap();
    assert_eq!(window.start.to_string(), "2026-11-24T08:30:00Z");
    assert_eq!(window.end.to_string(), "2026-11-24T15:00:00Z");
}

#[test]
fn without_a_policy_nothing_is_killed_and_a_dry_run_is_allowed() {
    let mut world = World::allowed();
    world.policy = None;
    world.situation.begun.as_mut().unwrap().policy_digest = None;
    let decision = world.decide();
    assert!(!decision.may_kill());
    assert_eq!(decision.denials().next().unwrap().gate, "policy");
    world.situation.mode = Mode::Dry;
    let decision = world.decide();
    assert!(decision.allowed() && !decision.may_kill());
}

#[test]
fn a_dry_run_and_wave_zero_never_kill() {
    assert!(!World::allowed().situation(|s| s.mode = Mode::Dry).decide().may_kill());
    let world = World::allowed().experiment("wave: 2", "wave: 0");
    assert!(world.decide().allowed());
    assert!(!world.decide().may_kill());
}

#[test]
fn documents_that_changed_since_the_campaign_began_are_refused() {
    let mut world = World::allowed();
    let policy = world.policy.as_mut().unwrap();
    *policy = policy.replace("max_kills: 1", "max_kills: 9");
    denied(world, "unchanged", "the policy is not the one with which the campaign began");
    let mut world = World::allowed();
    world.policy = None;
    let decision = world.decide();
    assert!(decision.denials().any(|finding| finding.sentence.contains("became none")));
    // An experiment that changed also has no approvals any more.
    let mut world = World::allowed();
    world.experiment = world.experiment.replace("at_most: 0.1%", "at_most: 0.2%");
    let gates: Vec<_> = world.decide().denials().map(|finding| finding.gate).collect();
    assert_eq!(gates, ["unchanged", "approvals"]);
}

#[test]
fn what_the_policy_does_not_name_is_denied() {
    let world = World::allowed().experiment("environment: staging", "environment: stagin");
    let decision = world.decide();
    let first = decision.denials().next().unwrap();
    assert_eq!(first.gate, "environment");
    assert!(first.sentence.ends_with("did you mean 'staging'?"), "{}", first.sentence);
    denied(
        World::allowed().policy("highest_wave: 2", "highest_wave: 1"),
        "highest_wave",
        "wave 2 is wider than wave 1",
    );
    denied(
        World::allowed().policy("namespaces: [canary]", "namespaces: [canary-2]"),
        "namespace",
        "namespace 'canary' is none of those",
    );
}

#[test]
fn what_the_policy_requires_has_to_be_said() {
    for (from, to, word) in [
        (", ticket: CHG-4211", "", "ticket"),
        ("labels: {service: payments}", "labels: {team: payments}", "labels.service"),
        (", detected_by: {alert: Down}", "", "detected_by"),
        ("runbook: runbooks/payment-worker.md", "", "runbook"),
        (
            "    preconditions:\n      - {name: error budget left, query: slo_error_budget_left_ratio, at_least: 50%}\n",
            "",
            "preconditions",
        ),
        (
            "source: {prometheus: {url: \"http://127.0.0.1:9090\", step: 5s}}",
            "source: {recording: x}",
            "live_source",
        ),
    ] {
        let words = format!("the policy requires {word}");
        denied(World::allowed().experiment(from, to), "require", &words);
    }
}

#[test]
fn what_is_protected_or_regulated_is_denied_wherever_the_name_stands() {
    denied(
        World::allowed().policy("[postgres]", "[payment-worker]"),
        "protected_process",
        "'payment-worker' is protected",
    );
    // A name that only begins alike protects nothing else.
    allowed(World::allowed().policy("[postgres]", "[payment-worker-2]"));
    denied(
        World::allowed().policy("[kube-system]", "[canary]"),
        "protected_namespace",
        "'canary' is protected",
    );
    denied(
        World::allowed().experiment("{service: payments}", "{service: payments, compliance: pci}"),
        "compliance",
        "the document carries 'compliance=pci'",
    );
    denied(
        World::allowed()
            .experiment("\"chaos-target=canary\"", "\"chaos-target=canary,compliance==phi\""),
        "compliance",
        "the document carries 'compliance=phi'",
    );
    let carrying = |label: &str| {
        let labels = BTreeSet::from(["chaos-target=canary".to_owned(), label.to_owned()]);
        World::allowed().situation(|situation| situation.labels = Fact::Known(labels))
    };
    denied(carrying("compliance=phi"), "compliance", "the target carries 'compliance=phi'");
    denied(carrying("chaos=never"), "protected_label", "the target carries 'chaos=never'");
    allowed(carrying("compliance=none"));
    // A harmless label of the same key hides no other one.
    denied(
        World::allowed()
            .experiment("{service: payments}", "{service: payments, compliance: pci}")
            .experiment("\"chaos-target=canary\"", "\"chaos-target=canary,compliance=none\""),
        "compliance",
        "compliance=pci",
    );
}

#[test]
fn the_target_has_to_opt_in() {
    denied(
        World::allowed().experiment("\"chaos-target=canary\"", "\"app=canary\""),
        "opt_in",
        "not selected by the label 'chaos-target=canary'",
    );
    denied(
        World::allowed().experiment("\"chaos-target=canary\"", "\"chaos-target=canary-2\""),
        "opt_in",
        "not selected",
    );
    denied(
        World::allowed().experiment("\"chaos-target=canary\"", "\"chaos-target!=canary\""),
        "opt_in",
        "not selected",
    );
}

#[test]
fn outside_the_hours_nothing_is_killed() {
    for (at, words) in [
        // One second before they open, and once the iteration would outlast them.
        ("2026-11-24T08:29:59Z", "closed now; they open next on Tue 2026-11-24 09:30 CET"),
        ("2026-11-24T14:55:01Z", "the hours close at Tue 2026-11-24 16:00 CET"),
        ("2026-11-24T15:00:00Z", "they open next on Wed 2026-11-25 09:30 CET"),
        // Friday is no day of the policy, in Berlin and not in UTC.
        ("2026-11-27T11:00:00Z", "they open next on Mon 2026-11-30 09:30 CET"),
    ] {
        let world = World::allowed().now(at).situation(|situation| {
            situation.history.last_recovery = Fact::Known(None);
        });
        denied(world, "window", words);
    }
    allowed(World::allowed().now("2026-11-24T14:55:00Z"));
    denied(
        World::allowed().policy(", environments: [staging]}", ", environments: [production]}"),
        "window",
        "opens no hours for 'staging'",
    );
}

#[test]
fn a_blackout_closes_hours_that_are_open() {
    let at = |from: &str, to: &str| {
        World::allowed().policy("2026-12-18, to: 2027-01-04", &format!("{from}, to: {to}"))
    };
    denied(at("2026-11-24", "2026-11-24"), "blackout", "'year end' closes everything");
    // It begins before the iteration is over.
    denied(at("2026-11-24T12:04", "2026-11-25"), "blackout", "from Tue 2026-11-24 12:04 CET");
    // Its end is not part of it.
    allowed(at("2026-11-23", "2026-11-24T12:00"));
    let decision = at("2026-11-24T12:05", "2026-11-25").decide();
    assert!(decision.may_kill());
    assert_eq!(decision.bounds.window.unwrap().end.to_string(), "2026-11-24T11:05:00Z");
}

#[test]
fn hours_are_right_on_the_days_on_which_the_clocks_change() {
    let sunday = |from: &str, to: &str, at: &str| {
        let policy = format!("days: [sun], from: \"{from}\", to: \"{to}\"");
        let world = World::allowed()
            .policy("days: [mon, tue, wed, thu], from: \"09:30\", to: \"16:00\"", &policy)
            .policy("valid_for: 7d", "valid_for: 5000d")
            .now(at)
            .situation(|situation| situation.history.last_recovery = Fact::Known(None))
            .consent(|_| {});
        world.situation(|situation| {
            let read = Experiment::parse("", text("experiment.yaml").as_bytes()).unwrap();
            situation.approvals = ["alice", "bob"]
                .into_iter()
                .map(|by| {
                    let mut given = consent(&read, by);
                    (given.at, given.until) =
                        (time("2026-01-01T00:00:00Z"), time("2027-01-01T00:00:00Z"));
                    Record::Intact(Approval::new(given, None))
                })
                .collect();
        })
    };
    // In spring 02:00 to 03:00 is left out: hours inside it are no hours, hours around it an hour shorter.
    denied(sunday("02:00", "03:00", "2026-03-29T01:00:00Z"), "window", "closed now");
    denied(sunday("02:10", "02:50", "2026-03-29T01:00:00Z"), "window", "closed now");
    allowed(sunday("01:30", "03:30", "2026-03-29T01:20:00Z"));
    denied(sunday("01:30", "03:30", "2026-03-29T01:30:00Z"), "window", "closed now");
    // In autumn 02:00 to 03:00 comes twice: hours that begin in it begin the second time, and end the first.
    denied(sunday("02:30", "04:00", "2026-10-25T00:40:00Z"), "window", "closed now");
    allowed(sunday("02:30", "04:00", "2026-10-25T01:30:00Z"));
    allowed(sunday("01:00", "02:30", "2026-10-25T00:20:00Z"));
    denied(sunday("01:00", "02:30", "2026-10-25T01:10:00Z"), "window", "closed now");
    denied(sunday("02:10", "02:50", "2026-10-25T00:20:00Z"), "window", "closed now");
    // Hours past midnight belong to the day on which they began.
    allowed(sunday("22:00", "02:00", "2026-11-23T00:30:00Z"));
    denied(sunday("22:00", "02:00", "2026-11-22T00:30:00Z"), "window", "closed now");
}

#[test]
fn a_blackout_is_the_longer_one_on_the_day_on_which_an_hour_comes_twice() {
    let at = |now: &str| {
        World::allowed()
            .policy("2026-12-18, to: 2027-01-04", "2026-10-25T02:30, to: 2026-10-25T02:45")
            .policy(
                "days: [mon, tue, wed, thu], from: \"09:30\", to: \"16:00\"",
                "days: [sun], from: \"00:00\", to: \"24:00\"",
            )
            .now(now)
    };
    for now in ["2026-10-25T00:30:00Z", "2026-10-25T01:44:00Z"] {
        let decision = at(now).decide();
        assert!(decision.denials().any(|finding| finding.gate == "blackout"), "{now}");
    }
    let decision = at("2026-10-25T01:45:00Z").decide();
    assert!(decision.denials().all(|finding| finding.gate != "blackout"));
}

#[test]
fn more_than_the_limits_allow_is_denied() {
    denied(
        World::allowed().policy("max_kills: 1,", "max_kills: 0,"),
        "max_kills",
        "an iteration hits 1, and 0 at most",
    );
    denied(
        World::allowed().situation(|situation| situation.in_place = Fact::Known(1)),
        "max_concurrent_kills",
        "1 faults of others are in place, with this one 2",
    );
    denied(
        World::allowed().policy("max_share: 34%", "max_share: 33%"),
        "max_share",
        "1 of 3 are to be hit",
    );
    denied(
        World::allowed().policy("min_survivors: 2", "min_survivors: 3"),
        "min_survivors",
        "2 of 3 would be left",
    );
    let none = World::allowed().situation(|situation| situation.matching = Fact::Known(0));
    let gates: Vec<_> = none.decide().denials().map(|finding| finding.gate).collect();
    assert_eq!(gates, ["targets", "max_share", "min_survivors"]);
}

#[test]
fn a_wave_opens_only_after_a_pass_of_the_wave_before() {
    let why = "its last run was inconclusive".to_owned();
    denied(
        World::allowed().situation(|situation| {
            situation.history.wave_before = Fact::Known(WaveBefore::NotPassed(why));
        }),
        "wave_order",
        "wave 2 opens only after a pass of wave 1: its last run was inconclusive",
    );
}

#[test]
fn between_two_kills_the_target_rests() {
    let recovered = |at: &str| {
        let at = time(at);
        World::allowed().situation(|s| s.history.last_recovery = Fact::Known(Some(at)))
    };
    denied(recovered("2026-11-24T10:55:01Z"), "cooldown", "rests until 2026-11-24T11:00:01Z");
    allowed(recovered("2026-11-24T10:55:00Z"));
    // A recovery that lies ahead is a clock that jumped, and no rest.
    denied(recovered("2026-11-24T23:00:00Z"), "cooldown", "rests until");
    denied(
        World::allowed().policy("cooldown: 5m", "cooldown: 6m"),
        "planned_cooldown",
        "the experiment rests 5m after a recovery, and the policy demands 6m",
    );
}

#[test]
fn a_failed_iteration_opens_the_circuit_breaker() {
    let failed = |in_a_row, last_at: Option<&str>| {
        let failures = Failures { in_a_row, last_at: last_at.map(time) };
        World::allowed().situation(|s| s.history.failures = Fact::Known(failures))
    };
    denied(
        failed(1, Some("2026-11-24T10:30:00Z")),
        "circuit_breaker",
        "nothing more until 2026-11-24T11:30:00Z",
    );
    allowed(failed(1, Some("2026-11-24T10:00:00Z")));
    denied(failed(1, None), "circuit_breaker", "is not known");
    allowed(failed(1, Some("2026-11-24T10:30:00Z")).policy("failures: 1", "failures: 2"));
}

#[test]
fn an_approval_that_does_not_count_says_why() {
    type Change = fn(&mut Consent);
    let cases: [(Change, &str); 9] = [
        (|c| c.experiment = "another".to_owned(), "it is for the experiment 'another'"),
        (|c| c.digest = "sha256:00".to_owned(), "it is for another version (sha256:00)"),
        (|c| c.policy_digest = Some("sha256:00".to_owned()), "given under another policy"),
        (|c| c.until = time("2026-11-24T11:00:00Z"), "it expired at 2026-11-24T11:00:00Z"),
        (|c| c.at = time("2026-11-24T11:02:00Z"), "it is from the future"),
        (
            |c| (c.at, c.until) = (time("2026-11-17T11:00:00Z"), time("2027-11-17T11:00:00Z")),
            "it is older than 7d",
        ),
        (|c| c.by = "Payments-SRE".to_owned(), "the owner does not approve"),
        (|c| c.by = "carol ".to_owned(), "whoever runs the experiment does not approve it"),
        // One person under two spellings is one person.
        (|c| c.by = "  BOB".to_owned(), "it needs the approval of 2, and has 1"),
    ];
    for (change, words) in cases {
        denied(World::allowed().consent(change), "approvals", words);
    }
    denied(
        World::allowed().situation(|situation| situation.approvals.clear()),
        "approvals",
        "it needs the approval of 2, and has 0 (none)",
    );
    denied(
        World::allowed().policy("valid_for: 7d}", "valid_for: 7d, by: [alice, dave]}"),
        "approvals",
        "bob: only alice, dave may",
    );
    denied(
        World::allowed().situation(|situation| situation.actor = unknown()),
        "approvals",
        "who runs the experiment is not known",
    );
}

#[test]
fn an_edited_approval_is_broken() {
    let read_back = |change: fn(String) -> String| {
        let experiment = Experiment::parse("", text("experiment.yaml").as_bytes()).unwrap();
        let line = Approval::new(consent(&experiment, "alice"), None).line();
        read(change(line).as_bytes())
    };
    let intact = read_back(|line| line);
    assert!(matches!(intact.as_slice(), [Record::Intact(_)]));
    let edits: [fn(String) -> String; 6] = [
        |line| line.replace("2026-11-30", "2027-11-30"),
        |line| line.replace("alice", "mallory"),
        |line| line.replace("\"ticket\":null", "\"ticket\":\"CHG-1\""),
        |line| line.replace("\"until\"", "\"Until\""),
        |line| line[..line.len() / 2].to_owned(),
        |line| line.replace("approval/v1", "approval/v2"),
    ];
    for edit in edits {
        let records = read_back(edit);
        assert!(matches!(records.as_slice(), [Record::Broken { line: 1, .. }]), "{records:?}");
        let world = World::allowed().situation(|situation| {
            situation.approvals[0] = records[0].clone();
        });
        denied(world, "approvals", "not counted: line 1: it");
    }
}

#[test]
fn where_the_policy_names_keys_only_their_signatures_count() {
    let pem = text("alice.pem");
    let key = unfazed::safety::signature::SigningKey::from_pem(&pem).unwrap();
    let policy = format!("cooldown: 5m\n  approvers: {{alice: '{}'}}", key.public());
    let world = || World::allowed().policy("cooldown: 5m", &policy).policy("count: 2", "count: 1");
    denied(world(), "approvals", "alice: it is not signed");
    denied(world(), "approvals", "bob: the policy has no key of theirs");
    let experiment = Experiment::parse("", text("experiment.yaml").as_bytes()).unwrap();
    let signed = |by: &str| {
        let record = Record::Intact(Approval::new(consent(&experiment, by), Some(&key)));
        world().situation(|situation| situation.approvals = vec![record])
    };
    allowed(signed("alice"));
    denied(signed("mallory"), "approvals", "no key of theirs");
    // The signature of one approval under the words of another.
    let mut stolen = Approval::new(consent(&experiment, "alice"), Some(&key)).line();
    let longer = {
        let mut later = consent(&experiment, "alice");
        later.until = time("2027-11-30T12:00:00Z");
        Approval::new(later, None).line()
    };
    let signature = stolen.split_off(stolen.find("\"signature\"").unwrap());
    let forged = longer.replace("\"signature\":null}\n", &signature);
    let records = read(forged.as_bytes());
    assert!(matches!(records.as_slice(), [Record::Intact(_)]), "{records:?}");
    let world = world().situation(|situation| situation.approvals = records);
    denied(world, "approvals", "its signature is not by");
}

#[test]
fn a_condition_that_does_not_hold_denies() {
    for (query, value, words) in [
        ("slo_error_budget_left_ratio", 0.49, "`slo_error_budget_left_ratio` is 0.49"),
        ("db_replica_lag_seconds", 0.101, "at most 0.1 is accepted"),
        ("canary_traffic_ratio", 0.06, "at most 0.05 is accepted"),
        ("canary_traffic_ratio", 0.009, "at least 0.01 is accepted"),
    ] {
        denied(World::allowed().answer(query, Fact::Known(value)), "precondition", words);
    }
    allowed(World::allowed().answer("slo_error_budget_left_ratio", Fact::Known(0.5)));
    // Below wave 2 the share of the traffic is not asked for.
    allowed(
        World::allowed()
            .experiment("wave: 2", "wave: 1")
            .answer("canary_traffic_ratio", Fact::Known(1.0)),
    );
}

#[test]
fn an_abort_rule_that_holds_already_or_cannot_work_denies() {
    let known = Fact::Known;
    denied(
        World::allowed().metric("payment-errors", known(0.0), known(0.002)),
        "abort_rule",
        "payment-errors is 0.2 % before the kill",
    );
    denied(
        World::allowed().metric("queue-depth", known(100.0), known(141.0)),
        "abort_rule",
        "queue-depth is 141 before the kill",
    );
    allowed(World::allowed().metric("queue-depth", known(40.0), known(60.0)));
    denied(
        World::allowed().metric("queue-depth", unknown(), known(41.0)),
        "abort_rule",
        "the baseline of queue-depth is not known",
    );
    let without = World::allowed()
        .experiment("      - {metric: payment-errors, above: 0.1%, consecutive: 3m}\n", "")
        .experiment(
            "    abort:\n      - {metric: queue-depth, above_baseline: 40%, or_by: 20}\n",
            "",
        )
        .policy("preconditions, abort,", "preconditions,");
    denied(without, "abort_rules", "wave 2 needs a rule that stops it");
}

#[test]
fn what_is_not_known_denies() {
    type Change = fn(&mut Situation);
    let changes: [(Change, &str); 6] = [
        (|s| s.labels = unknown(), "compliance"),
        (|s| s.matching = unknown(), "targets"),
        (|s| s.in_place = unknown(), "max_concurrent_kills"),
        (|s| s.history.wave_before = unknown(), "wave_order"),
        (|s| s.history.last_recovery = unknown(), "cooldown"),
        (|s| s.history.failures = unknown(), "circuit_breaker"),
    ];
    for (change, gate) in changes {
        let decision = World::allowed().situation(change).decide();
        assert!(!decision.may_kill());
        let denial = decision.denials().last().unwrap();
        assert_eq!(denial.gate, gate);
        assert!(denial.sentence.contains("the server did not answer"), "{}", denial.sentence);
    }
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let world = World::allowed().answer("db_replica_lag_seconds", Fact::Known(value));
        denied(world, "precondition", "no number to compare");
        let world = World::allowed().metric("queue-depth", Fact::Known(40.0), Fact::Known(value));
        denied(world, "abort_rule", "no number to compare");
    }
    denied(
        World::allowed().answer("canary_traffic_ratio", unknown()),
        "precondition",
        "is not known, and what is not known denies: the server did not answer",
    );
}

#[test]
fn what_nobody_looked_up_denies_a_kill_and_is_said_before() {
    let nothing = |moment| {
        let mut world = World::allowed();
        let asked = Situation::at_check(world.situation.now, Mode::Live);
        world.situation = Situation { moment, approvals: world.situation.approvals, ..asked };
        world.decide()
    };
    for moment in [Moment::Check, Moment::Start] {
        let decision = nothing(moment);
        assert!(decision.allowed() && !decision.may_kill());
        let later = decision.findings.iter().filter(|one| one.outcome == Outcome::Later).count();
        assert_eq!(later, 13, "{}", decision.lines().join("\n"));
    }
    let decision = nothing(Moment::Kill);
    assert_eq!(decision.denials().count(), 13, "{}", decision.lines().join("\n"));
}

#[test]
fn every_query_is_asked_once() {
    let world = World::allowed();
    let experiment = Experiment::parse("", world.experiment.as_bytes()).unwrap();
    let policy = Policy::parse("", world.policy.unwrap().as_bytes()).unwrap();
    assert_eq!(
        queries(&experiment, Some(&policy)),
        ["slo_error_budget_left_ratio", "db_replica_lag_seconds", "canary_traffic_ratio"]
    );
}

#[test]
fn one_gate_that_denies_is_enough_at_every_hour_of_a_year() {
    let world = World::allowed();
    let experiment = Experiment::parse("", world.experiment.as_bytes()).unwrap();
    let policy = Policy::parse("", world.policy.unwrap().as_bytes()).unwrap();
    let mut situation = world.situation;
    situation.approvals.clear();
    let start = time("2026-01-01T00:00:00Z");
    for hour in 0..365 * 24 {
        situation.now = start.plus(Span::from_seconds(hour * 3600));
        assert!(!decide(&experiment, Some(&policy), &situation).may_kill());
    }
}
