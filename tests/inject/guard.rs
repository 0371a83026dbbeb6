//! Every refusal, and that nothing was signalled.

use serde_json::{Value, json};
use unfazed::inject::injection::Mode;
use unfazed::inject::outcome::Ending;
use unfazed::inject::process::{State, Users};

use crate::fake::{FakeHost, FakeJournal, SELF, SHELL, code, plan, with, worker};

/// Both ways: what is refused live is refused dry, so that a dry run tells the truth.
fn refuses(host: &FakeHost, plan: &Value, expected: (&str, u8)) {
    for mode in [Mode::DryRun, Mode::Live] {
        let outcome = host.inject(plan, mode);
        assert_eq!(code(&outcome), expected, "{mode:?}: {:?}", outcome.reason);
        assert!(outcome.targets.iter().all(|target| target.signalled_at.is_none()));
    }
    assert_eq!(host.signals(), Vec::<String>::new());
}

fn named(name: &str) -> Value {
    with("/target", json!({"process": {"name": name}}))
}

#[test]
fn one_of_three_is_killed_and_the_intent_came_first() {
    let host = FakeHost::workers(3);
    let outcome = host.live(&plan());
    assert_eq!((outcome.outcome, outcome.considered), (Ending::Killed, 3));
    assert_eq!(outcome.exit().number(), 0);
    let id = &outcome.targets[0].id;
    let expected = [format!("intent \"{id}\""), format!("SIGKILL {id}"), "outcome Killed".into()];
    assert_eq!(*host.log.borrow(), expected);
    assert!(outcome.targets[0].signalled_at.is_some() && outcome.targets[0].exited_at.is_some());
}

#[test]
fn without_live_nothing_is_signalled_whatever_the_action() {
    let host = FakeHost::workers(3);
    let mut pause = with("/action", json!("pause"));
    pause["duration_s"] = json!(5);
    let hook = with("/action", json!({"hook": ["/bin/false"]}));
    for plan in
        [plan(), with("/action", json!("terminate")), with("/action", json!("resume")), pause, hook]
    {
        let outcome = host.inject(&plan, Mode::DryRun);
        assert_eq!(code(&outcome), ("none", 0));
        assert_eq!(outcome.outcome, Ending::DryRun);
        assert_eq!(outcome.targets.len(), 1);
        assert_eq!(outcome.targets[0].signalled_at, None);
    }
    assert!(host.log.borrow().iter().all(|line| line == "outcome DryRun"));
}

#[test]
fn the_dry_run_names_whom_the_live_run_hits() {
    let host = FakeHost::workers(9);
    let dry = host.inject(&plan(), Mode::DryRun);
    let live = host.live(&plan());
    assert_eq!(dry.targets[0].id, live.targets[0].id);
}

#[test]
fn pid_one_is_refused() {
    refuses(&FakeHost::workers(3), &named("init"), ("pid_too_low", 5));
}

#[test]
fn the_injector_itself_is_refused() {
    refuses(&FakeHost::workers(3), &named("unfazed-injector"), ("own_process", 5));
}

#[test]
fn a_thread_of_the_injector_is_refused() {
    let mut thread = worker(SELF + 1, &["payment-worker"]);
    thread.thread_group = SELF;
    refuses(&FakeHost::with([thread]), &plan(), ("own_process", 5));
}

#[test]
fn whoever_started_the_injector_is_refused_even_among_others() {
    let other = [worker(5000, &["bash"]), worker(5001, &["bash"])];
    refuses(&FakeHost::with(other), &named("bash"), ("ancestor", 5));
}

#[test]
fn ancestors_that_cannot_be_followed_refuse_everything() {
    let host = FakeHost::workers(3);
    host.processes.borrow_mut().remove(&SHELL);
    refuses(&host, &plan(), ("ancestors_unknown", 5));
    let host = FakeHost::workers(3);
    host.processes.borrow_mut().get_mut(&SHELL).unwrap().parent = SHELL;
    refuses(&host, &plan(), ("ancestors_unknown", 5));
}

#[test]
fn a_kernel_thread_is_refused() {
    refuses(&FakeHost::workers(3), &named("kworker"), ("kernel_thread", 5));
}

#[test]
fn a_thread_is_no_process() {
    let mut thread = worker(5001, &["payment-worker"]);
    thread.thread_group = 5000;
    refuses(&FakeHost::with([thread]), &plan(), ("not_a_process", 5));
}

#[test]
fn a_process_of_another_user_is_refused_unless_the_user_is_named() {
    for users in [
        Users { real: 33, effective: 33 },
        Users { real: 1000, effective: 0 },
        Users { real: 0, effective: 1000 },
    ] {
        let mut other = worker(5003, &["payment-worker"]);
        other.users = users;
        let host = FakeHost::with([worker(5000, &["payment-worker"]), other]);
        refuses(&host, &plan(), ("other_user", 5));
    }
    let mut other = worker(5003, &["payment-worker"]);
    other.users = Users { real: 33, effective: 33 };
    let mut sibling = other.clone();
    sibling.identity.pid = 5004;
    sibling.thread_group = 5004;
    let host = FakeHost::with([other, sibling]);
    let plan = with("/target", json!({"process": {"name": "payment-worker", "user": "33"}}));
    assert_eq!(host.live(&plan).outcome, Ending::Killed);
}

#[test]
fn an_unknown_user_is_refused() {
    let target = json!({"process": {"name": "payment-worker", "user": "no-such-user-here"}});
    refuses(&FakeHost::workers(3), &with("/target", target), ("unknown_user", 5));
}

#[test]
fn a_name_protected_by_the_plan_is_refused() {
    let host = FakeHost::with([worker(5000, &["vault"]), worker(5001, &["vault"])]);
    refuses(&host, &named("vault"), ("protected_process", 5));
}

#[test]
fn a_name_that_nobody_experiments_on_is_refused_whatever_the_plan_says() {
    for name in ["sshd", "dockerd", "kubelet", "systemd-journald", "containerd-shim-runc-v2"] {
        let host = FakeHost::with([worker(5000, &[name]), worker(5001, &[name])]);
        refuses(&host, &named(name), ("protected_process", 5));
    }
}

#[test]
fn a_protected_name_protects_under_another_selector_too() {
    let host = FakeHost::with([worker(5000, &["vault"]), worker(5001, &["vault"])]);
    let target = json!({"process": {"cgroup": "/user.slice", "command_line": "vault"}});
    refuses(&host, &with("/target", target), ("protected_process", 5));
}

#[test]
fn a_protected_name_protects_a_title_and_a_cut_name() {
    let mut session = worker(5000, &["sshd: root@pts/0"]);
    session.comm = b"sshd".to_vec();
    session.program = None;
    session.users.real = 1000;
    let target = json!({"process": {"cgroup": "/user.slice", "name": "sshd"}});
    refuses(&FakeHost::with([session]), &with("/target", target), ("protected_process", 5));
    let mut long = worker(5000, &["python3", "x"]);
    long.comm = b"vault-of-all-th".to_vec();
    let mut plan = named("python3");
    plan["protected"]["processes"] = json!(["vault-of-all-things"]);
    refuses(&FakeHost::with([long]), &plan, ("protected_process", 5));
}

#[test]
fn labels_that_cannot_be_seen_protect() {
    let id = "0123456789abcdef".repeat(4);
    let inside = |pid| {
        let mut process = worker(pid, &["payment-worker"]);
        process.cgroups = vec![format!("/docker/{id}")];
        process
    };
    let mut plan = plan();
    plan["protected"]["labels"] = json!(["compliance=pci"]);
    let host = FakeHost::with([inside(5000), inside(5001)]);
    refuses(&host, &plan, ("labels_unknown", 5));
    // An injector in the same container sees neighbours, not a container from outside.
    host.processes.borrow_mut().get_mut(&SELF).unwrap().cgroups = vec![format!("/docker/{id}")];
    assert_eq!(host.live(&plan).outcome, Ending::Killed);
}

#[test]
fn an_expired_plan_is_refused_to_the_millisecond() {
    let host = FakeHost::workers(3);
    refuses(&host, &with("/expires_at", json!("2026-11-23T12:00:00Z")), ("plan_expired", 5));
    let host = FakeHost::workers(3);
    let outcome = host.live(&with("/expires_at", json!("2026-11-23T12:00:00.001Z")));
    assert_eq!(outcome.outcome, Ending::Killed);
}

#[test]
fn a_plan_from_the_future_is_refused() {
    let mut plan = with("/created_at", json!("2026-11-23T12:01:01Z"));
    plan["expires_at"] = json!("2026-11-23T12:30:00Z");
    refuses(&FakeHost::workers(3), &plan, ("plan_from_the_future", 5));
}

#[test]
fn outside_its_window_a_plan_is_refused() {
    let early = json!({"start": "2026-11-23T12:00:00.001Z", "end": "2026-11-23T13:00:00Z"});
    refuses(&FakeHost::workers(3), &with("/window", early), ("outside_window", 5));
    let late = json!({"start": "2026-11-23T11:00:00Z", "end": "2026-11-23T12:00:00Z"});
    refuses(&FakeHost::workers(3), &with("/window", late), ("outside_window", 5));
}

#[test]
fn a_pause_that_outlasts_the_window_is_refused() {
    let mut plan = with("/action", json!("pause"));
    plan["duration_s"] = json!(3601);
    refuses(&FakeHost::workers(3), &plan, ("outside_window", 5));
}

#[test]
fn more_kills_than_allowed_are_refused_before_anybody_is_looked_for() {
    let host = FakeHost::workers(9);
    refuses(&host, &with("/count", json!(2)), ("max_kills", 5));
    refuses(&host, &with("/limits/max_kills", json!(0)), ("max_kills", 5));
    assert_eq!(host.live(&with("/count", json!(2))).considered, 0);
}

#[test]
fn a_larger_share_than_allowed_is_refused() {
    let share = |share: f64| with("/limits/max_share", json!(share));
    refuses(&FakeHost::workers(1), &with("/limits/min_survivors", json!(0)), ("max_share", 5));
    refuses(&FakeHost::workers(3), &share(0.33), ("max_share", 5));
    refuses(&FakeHost::workers(3), &share(0.0), ("max_share", 5));
    assert_eq!(FakeHost::workers(3).live(&share(1.0 / 3.0)).outcome, Ending::Killed);
    assert_eq!(FakeHost::workers(2).live(&share(0.5)).outcome, Ending::Killed);
}

#[test]
fn fewer_survivors_than_demanded_are_refused() {
    let survivors = |count: u32| {
        let mut plan = with("/limits/min_survivors", json!(count));
        plan["limits"]["max_share"] = json!(1.0);
        plan
    };
    refuses(&FakeHost::workers(3), &survivors(3), ("min_survivors", 5));
    refuses(&FakeHost::workers(1), &survivors(1), ("min_survivors", 5));
    refuses(&FakeHost::workers(3), &survivors(u32::MAX), ("min_survivors", 5));
    assert_eq!(FakeHost::workers(3).live(&survivors(2)).outcome, Ending::Killed);
    assert_eq!(FakeHost::workers(1).live(&survivors(0)).outcome, Ending::Killed);
}

#[test]
fn fewer_targets_than_the_count_are_refused_and_not_all_killed() {
    let mut plan = with("/count", json!(3));
    plan["limits"] = json!({"max_kills": 3, "max_share": 1.0, "min_survivors": 0});
    refuses(&FakeHost::workers(2), &plan, ("not_enough_targets", 5));
    assert_eq!(FakeHost::workers(3).live(&plan).targets.len(), 3);
}

#[test]
fn nobody_there_is_no_success() {
    let host = FakeHost::workers(0);
    refuses(&host, &plan(), ("nothing_matched", 5));
    assert_eq!(host.live(&plan()).outcome, Ending::NoTarget);
}

#[test]
fn the_dead_do_not_count_as_survivors() {
    let mut zombie = worker(5001, &["payment-worker"]);
    zombie.state = State::Dead;
    let host = FakeHost::with([worker(5000, &["payment-worker"]), zombie.clone()]);
    refuses(&host, &plan(), ("max_share", 5));
    assert_eq!(host.live(&plan()).considered, 1);
    refuses(&FakeHost::with([zombie]), &plan(), ("nothing_matched", 5));
}

#[test]
fn pausing_what_somebody_else_has_stopped_is_refused() {
    let mut stopped = worker(5001, &["payment-worker"]);
    stopped.state = State::Stopped;
    let mut plan = with("/action", json!("pause"));
    plan["duration_s"] = json!(5);
    let host = FakeHost::with([worker(5000, &["payment-worker"]), stopped]);
    refuses(&host, &plan, ("already_stopped", 5));
}

#[test]
fn what_this_build_cannot_reach_is_refused_by_name() {
    let host = FakeHost::workers(3);
    if cfg!(not(feature = "docker")) {
        let target = json!({"container": {"label": "chaos-target=canary"}});
        refuses(&host, &with("/target", target), ("unsupported_target", 5));
    }
    if cfg!(not(feature = "kubernetes")) {
        let target =
            json!({"kubernetes": {"namespace": "canary", "selector": "chaos-target=canary"}});
        refuses(&host, &with("/target", target), ("unsupported_target", 5));
    }
}

#[test]
fn an_intent_that_cannot_be_recorded_stops_everything() {
    let host = FakeHost::workers(3);
    let mut journal = FakeJournal { log: host.log.clone(), broken: true };
    let outcome = host.inject_with(&plan(), Mode::Live, &mut journal);
    assert_eq!(code(&outcome), ("journal_unwritable", 5));
    assert_eq!(outcome.warnings.len(), 1, "nor is the outcome recorded");
    assert!(host.signals().is_empty());
}
