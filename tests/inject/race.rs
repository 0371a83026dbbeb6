//! What happens between the look and the hit.

use std::io;
use std::rc::Rc;

use serde_json::json;
use unfazed::inject::clock::Clock;
use unfazed::inject::outcome::Ending;
use unfazed::inject::process::State;
use unfazed::inject::signal::Delivery;

use crate::fake::{FakeHost, code, plan, with, worker};

fn one() -> serde_json::Value {
    with("/limits", json!({"max_kills": 1, "max_share": 1.0, "min_survivors": 0}))
}

fn host(event: impl Fn(&FakeHost) + 'static) -> FakeHost {
    let mut host = FakeHost::workers(1);
    host.before_hold = Some(Box::new(event));
    host
}

#[test]
fn a_reused_pid_is_never_hit() {
    let host = host(|host| {
        let mut stranger = worker(5000, &["/usr/bin/database"]);
        stranger.identity.start_ticks += 1;
        host.processes.borrow_mut().insert(5000, stranger);
    });
    assert_eq!(code(&host.live(&one())), ("target_gone", 5));
    assert!(host.signals().is_empty());
}

#[test]
fn a_pid_reused_by_a_process_of_the_same_name_is_not_hit_either() {
    let host = host(|host| {
        let mut twin = worker(5000, &["/opt/payment-worker"]);
        twin.identity.start_ticks += 1;
        host.processes.borrow_mut().insert(5000, twin);
    });
    assert_eq!(code(&host.live(&one())), ("target_gone", 5));
    assert!(host.signals().is_empty());
}

#[test]
fn a_target_that_becomes_another_program_is_not_hit() {
    let host = host(|host| {
        let mut changed = worker(5000, &["/usr/bin/migrate-database"]);
        changed.identity.start_ticks = 6000;
        host.processes.borrow_mut().insert(5000, changed);
    });
    assert_eq!(code(&host.live(&one())), ("target_changed", 5));
    assert!(host.signals().is_empty());
}

#[test]
fn a_target_that_changes_its_user_is_not_hit() {
    let host = host(|host| {
        host.processes.borrow_mut().get_mut(&5000).unwrap().users.effective = 0;
    });
    assert_eq!(code(&host.live(&one())), ("target_changed", 5));
}

#[test]
fn a_target_that_ends_before_it_is_held_was_not_killed() {
    let host = host(|host| {
        host.processes.borrow_mut().remove(&5000);
    });
    let outcome = host.live(&one());
    assert_eq!(code(&outcome), ("target_gone", 5));
    assert_eq!(outcome.outcome, Ending::NoTarget);
    let zombie = self::host(|host| {
        host.processes.borrow_mut().get_mut(&5000).unwrap().state = State::Dead;
    });
    assert_eq!(code(&zombie.live(&one())), ("target_gone", 5));
}

#[test]
fn a_target_that_ends_while_it_is_held_was_not_killed() {
    let mut host = FakeHost::workers(1);
    host.delivery = Some(|| Ok(Delivery::Gone));
    let outcome = host.live(&one());
    assert_eq!((outcome.outcome, code(&outcome)), (Ending::NoTarget, ("target_gone", 5)));
    assert_eq!(outcome.targets[0].signalled_at, None);
}

#[test]
fn a_signal_that_the_kernel_forbids_is_a_failure() {
    let mut host = FakeHost::workers(1);
    host.delivery = Some(|| Err(io::ErrorKind::PermissionDenied.into()));
    assert_eq!(code(&host.live(&one())), ("not_permitted", 4));
}

#[test]
fn a_target_that_ignores_the_signal_is_a_failure_and_no_kill() {
    let mut host = FakeHost::workers(1);
    host.deaf = true;
    let mut plan = one();
    plan["action"] = json!("terminate");
    let outcome = host.live(&plan);
    assert_eq!(code(&outcome), ("still_running", 4));
    assert!(outcome.targets[0].signalled_at.is_some());
    assert_eq!(outcome.targets[0].exited_at, None);
}

#[test]
fn a_clock_that_jumps_between_look_and_hit_stops_the_hit() {
    for jump in [-3_600_000, -2_001, 2_001, 3_600_000] {
        let host = host(move |host| host.clock.jump(jump));
        assert_eq!(code(&host.live(&one())), ("clock_jumped", 5), "{jump}");
        assert!(host.signals().is_empty());
    }
    let slewed = host(|host| host.clock.jump(500));
    assert_eq!(slewed.live(&one()).outcome, Ending::Killed);
}

#[test]
fn a_plan_that_expires_between_look_and_hit_stops_the_hit() {
    let host = host(|host| host.clock.pass(300_000));
    assert_eq!(code(&host.live(&one())), ("plan_expired", 5));
    assert!(host.signals().is_empty());
}

#[test]
fn a_window_that_closes_between_look_and_hit_stops_the_hit() {
    let host = host(|host| host.clock.pass(61_000));
    let mut plan = one();
    plan["window"]["end"] = json!("2026-11-23T12:01:00Z");
    assert_eq!(code(&host.live(&plan)), ("outside_window", 5));
    assert!(host.signals().is_empty());
}

#[test]
fn nobody_is_hit_when_one_of_several_cannot_be_held() {
    let mut host = FakeHost::workers(4);
    let calls = Rc::new(std::cell::Cell::new(0));
    let counted = Rc::clone(&calls);
    host.before_hold = Some(Box::new(move |host| {
        counted.set(counted.get() + 1);
        if counted.get() == 3 {
            host.processes.borrow_mut().retain(|pid, _| *pid < 5000);
        }
    }));
    let mut plan = with("/count", json!(3));
    plan["limits"]["max_kills"] = json!(3);
    plan["limits"]["max_share"] = json!(1.0);
    assert_eq!(code(&host.live(&plan)), ("target_gone", 5));
    assert_eq!(calls.get(), 3);
    assert!(host.signals().is_empty());
}

#[test]
fn a_plan_that_expires_while_its_intent_is_synced_is_refused() {
    let host = FakeHost::workers(4);
    let mut plan = with("/count", json!(2));
    plan["limits"]["max_kills"] = json!(2);
    plan["expires_at"] = json!("2026-11-23T12:00:01Z");
    let clock = Rc::clone(&host.clock);
    let mut journal = SlowJournal { clock: Rc::clone(&clock) };
    let outcome = host.inject_with(&plan, unfazed::inject::injection::Mode::Live, &mut journal);
    assert_eq!(code(&outcome), ("plan_expired", 5));
    assert!(host.signals().is_empty());
}

#[test]
fn some_hit_and_some_not_is_a_failure_that_says_which() {
    // The first signal takes so long that the plan has expired before the second.
    let mut host = FakeHost::workers(4);
    host.signal_takes = 1_000;
    let mut plan = with("/count", json!(2));
    plan["limits"]["max_kills"] = json!(2);
    plan["expires_at"] = json!("2026-11-23T12:00:01Z");
    let outcome = host.live(&plan);
    assert_eq!(code(&outcome), ("partly_carried_out", 4));
    let hit: Vec<bool> = outcome.targets.iter().map(|target| target.exited_at.is_some()).collect();
    assert_eq!(hit, [true, false]);
    assert_eq!(host.signals().len(), 1);
}

struct SlowJournal {
    clock: Rc<crate::fake::FakeClock>,
}

impl unfazed::inject::journal::Journal for SlowJournal {
    fn intent(&mut self, _intent: &unfazed::inject::journal::Intent<'_>) -> io::Result<()> {
        self.clock.pass(1_000);
        Ok(())
    }

    fn outcome(
        &mut self,
        _at: unfazed::unit::Timestamp,
        _outcome: &unfazed::inject::outcome::Outcome,
    ) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_pause_is_undone_and_tells_when() {
    let host = FakeHost::workers(3);
    let mut plan = with("/action", json!("pause"));
    plan["duration_s"] = json!(30);
    let outcome = host.live(&plan);
    assert_eq!(outcome.outcome, Ending::Killed);
    let id = &outcome.targets[0].id;
    let log = host.log.borrow();
    let places = [
        "guardian posted",
        &format!("SIGSTOP {id}"),
        "guardian released",
        &format!("SIGCONT {id}"),
    ]
    .map(|line| log.iter().position(|found| found == line).expect(line));
    assert!(places.is_sorted());
    let target = &outcome.targets[0];
    let paused = target.resumed_at.unwrap().since(target.signalled_at.unwrap());
    assert_eq!(paused.milliseconds(), 30_000);
    assert_eq!(host.clock.elapsed().milliseconds(), 30_000);
}

#[test]
fn a_pause_that_does_not_stop_its_target_is_a_failure_and_still_resumed() {
    let mut host = FakeHost::workers(3);
    host.delivery = Some(|| Ok(Delivery::Sent));
    let mut plan = plan();
    plan["action"] = json!("pause");
    plan["duration_s"] = json!(30);
    let outcome = host.live(&plan);
    assert_eq!(code(&outcome), ("not_paused", 4));
    assert!(host.log.borrow().iter().any(|line| line == "guardian released"));
    assert!(host.clock.elapsed().milliseconds() < 10_000, "nobody waits for a pause that is none");
}
