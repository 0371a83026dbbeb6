//! The order of it all: find, refuse, choose, hold, record, strike.
//!
//! Owns the sequence and what counts as done. Everything before the signals only reads; the intent is on disk before
//! the first signal; each target is held by pidfd and examined again while held, so that what is hit is what was
//! examined. Nothing that was not seen to have happened is called done.

use super::candidate::{self, Body, Candidate, Found};
use super::choice::choose;
use super::clock::Clock;
use super::guard::{self, Ground, Since};
use super::guardian::Guardians;
use super::host::Host;
use super::journal::{Intent, Journal};
use super::outcome::{Code, Ending, Outcome, Reason, SCHEMA, Stop};
use super::plan::Plan;
use super::process::{Process, State};
use super::strike::{Grip, Strike};

/// Whether anything may be touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is touched: everything else is done as it would be.
    DryRun,
    /// Somebody said `--live`.
    Live,
}

/// What the injection acts on and through.
pub struct Context<'a> {
    /// The machine.
    pub host: &'a dyn Host,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Intent and outcome.
    pub journal: &'a mut dyn Journal,
    /// Those who undo.
    pub guardians: &'a dyn Guardians,
}

/// Carries out a plan, or says why not.
pub fn inject(plan: &Plan, mode: Mode, context: &mut Context<'_>) -> Outcome {
    let mut outcome = Outcome {
        schema: SCHEMA,
        run_id: Some(plan.run_id.clone()),
        iteration: Some(plan.iteration),
        outcome: Ending::Failed,
        reason: None,
        considered: 0,
        targets: Vec::new(),
        warnings: Vec::new(),
    };
    match attempt(plan, mode, context, &mut outcome) {
        Ok(ending) => outcome.outcome = ending,
        Err(stop) => {
            outcome.outcome = stop.ending;
            outcome.reason = Some(stop.reason);
        }
    }
    record(context, &mut outcome);
    outcome
}

/// Records the outcome. What was done stays done if that fails, so it becomes a warning.
pub fn record(context: &mut Context<'_>, outcome: &mut Outcome) {
    if let Err(error) = context.journal.outcome(context.clock.now(), outcome) {
        let message = format!("the outcome is not in the journal: {error}");
        outcome.warnings.push(Reason { code: Code::JournalUnwritable, message });
    }
}

fn attempt(
    plan: &Plan,
    mode: Mode,
    context: &mut Context<'_>,
    outcome: &mut Outcome,
) -> Result<Ending, Stop> {
    let since = Since::begin(context.clock);
    guard::time(plan, since, context.clock)?;
    guard::kills(plan)?;
    let found = candidate::find(plan, context.host)?;
    outcome.considered = found.candidates.len() + found.elsewhere;
    let ground = Ground::read(context.host)?;
    guard::candidates(plan, &found, &ground)?;
    guard::arithmetic(plan, outcome.considered)?;
    guard::within_reach(plan, &found)?;
    let places = choose(found.candidates.len(), plan.count as usize, &plan.run_id, plan.iteration);
    outcome.targets = places.iter().map(|place| found.candidates[*place].target()).collect();
    if mode == Mode::DryRun {
        return Ok(Ending::DryRun);
    }
    let chosen: Vec<&Candidate> = places.iter().map(|place| &found.candidates[*place]).collect();
    let grips = chosen
        .iter()
        .map(|candidate| grip(plan, candidate, &found, &ground, context.host))
        .collect::<Result<Vec<_>, Stop>>()?;
    write_intent(plan, context, outcome)?;
    // Syncing can take long.
    guard::time(plan, since, context.clock)?;
    Strike { plan, since, context, grips, targets: &mut outcome.targets }.carry_out()
}

fn write_intent(plan: &Plan, context: &mut Context<'_>, outcome: &Outcome) -> Result<(), Stop> {
    let boot_id =
        context.host.boot_id().map_err(|error| candidate::unreadable("the boot id", &error))?;
    let at = context.clock.now();
    let intent = Intent::new(at, plan, &boot_id, outcome.considered, &outcome.targets);
    context.journal.intent(&intent).map_err(|error| {
        Stop::refused(Code::JournalUnwritable, format!("the intent is not recorded: {error}"))
    })
}

/// Holds a target, then examines what is held: from the hold on, the number cannot be handed on any more.
fn grip<'a>(
    plan: &Plan,
    candidate: &'a Candidate,
    found: &Found,
    ground: &Ground,
    host: &dyn Host,
) -> Result<Grip<'a>, Stop> {
    let examined = match &candidate.body {
        Body::Remote(remote) => return Ok(Grip::Remote(remote.as_ref())),
        Body::Process(process) => process,
    };
    let identity = examined.identity;
    let gone = || {
        Stop::no_target(
            Code::TargetGone,
            format!("{} ({}) ended before it was hit", identity, candidate.name),
        )
    };
    let held = host
        .hold(identity.pid)
        .map_err(|error| candidate::unreadable(&format!("process {}", identity.pid), &error))?
        .ok_or_else(gone)?;
    let now = host
        .process(identity.pid)
        .map_err(|error| candidate::unreadable(&format!("process {}", identity.pid), &error))?
        .filter(|now| now.identity == identity && now.state != State::Dead)
        .ok_or_else(gone)?;
    let selected = found.selection.as_ref().is_none_or(|selection| selection.means(&now));
    if !selected || !is_still(examined, &now) {
        return Err(Stop::refused(
            Code::TargetChanged,
            format!("{} ({}) runs another program or user now", identity, candidate.name),
        ));
    }
    let again = Candidate {
        kind: candidate.kind,
        name: candidate.name.clone(),
        id: candidate.id.clone(),
        namespace: candidate.namespace.clone(),
        labels: candidate.labels.clone(),
        started_at: candidate.started_at,
        body: Body::Process(Box::new(now)),
    };
    let named_user = found.selection.as_ref().and_then(|selection| selection.user);
    guard::candidate(plan, &again, named_user, ground)?;
    Ok(Grip::Process { identity, held })
}

/// The same process may have become another program by exec. Its titles may change as they like.
fn is_still(examined: &Process, now: &Process) -> bool {
    examined.users == now.users
        && examined.program == now.program
        && examined.container_id() == now.container_id()
        && examined.namespace_pids == now.namespace_pids
}
