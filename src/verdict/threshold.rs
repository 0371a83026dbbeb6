//! `this_run`: every iteration of this run, as observed. No inference is made and every output says "in this run".

use crate::spec::Claim;
use crate::verdict::gate::GateLog;
use crate::verdict::kill::{Basis, Sight, Tally, number};
use crate::verdict::result::{DecidedQuantity, Decision, ReasonCode};
use crate::verdict::ruling::{Cause, Ruling};
use crate::verdict::sample::shown_bound;
use crate::verdict::share::unknown_causes;

/// Rules on what was observed.
pub(crate) fn rule(claim: &Claim, basis: Basis, sights: &[Sight], gates: &mut GateLog) -> Ruling {
    let tally = Tally::of(sights);
    let held = tally.total() > 0 && tally.inside == tally.total();
    let broke = tally.outside > 0;
    if tally.total() > 0 {
        let not_inside = number(tally.outside + tally.unknown);
        gates.says_at_most("kills not inside the bound", Some(not_inside), 0.0, held);
    }
    let decision = Decision {
        quantity: if claim.form.is_against_baseline() {
            DecidedQuantity::Effect
        } else {
            DecidedQuantity::Experiment
        },
        lower: None,
        upper: None,
        bound: shown_bound(claim, basis),
        method: "threshold".to_owned(),
        p_pass: Some(if held { 0.0 } else { 1.0 }),
        p_fail: Some(if broke { 0.0 } else { 1.0 }),
        p_fail_holm: None,
        attained_level: None,
    };
    let mut ruling = Ruling::of(decision, held, broke);
    if !held && !broke {
        ruling.causes = unknown_causes(sights).into_iter().map(Cause::plain).collect();
        if tally.total() == 0 {
            ruling.causes.push(Cause::with_needed(
                ReasonCode::TooFewIterations,
                "no usable iteration in this run".to_owned(),
                Some(1),
            ));
        }
    }
    ruling
}
