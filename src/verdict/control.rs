//! The control arm as a negative control: iterations with the same schedule and no kill.
//!
//! If they break the claim too, or are shown to have moved by more than half of its margin, whatever moved them may
//! also have moved the kills: claims against the baseline are then neither passed nor failed, unless ten or more
//! randomised control iterations allow difference in differences. Absolute claims never subtract the control arm.

use crate::spec::Claim;
use crate::stats::brunner_munzel::brunner_munzel_permuted;
use crate::stats::random::Stream;
use crate::stats::student_t::{MeanEstimate, Variances};
use crate::stats::{self, Alternative};
use crate::unit::Seed;
use crate::unit::show;
use crate::verdict::gate::GateLog;
use crate::verdict::kill::{Kill, number};
use crate::verdict::policy;
use crate::verdict::result::{ReasonCode, Sensitivity};
use crate::verdict::ruling::{Cause, Ruling};
use crate::verdict::sample::{Margin, Replicate, Sample};
use crate::verdict::typical::{limits, pseudo_median, too_few};

/// What the control arm says about a claim against the baseline.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Control {
    /// Nothing to see, or no control arm.
    Quiet,
    /// It moved, and there are too few control iterations to take the movement off.
    Moved(Cause),
    /// It moved, and there are enough to take it off.
    Subtract(Cause),
}

/// Looks at the control arm.
pub(crate) fn look(
    claim: &Claim,
    controls: &[Kill<'_>],
    sample: &Sample,
    alpha: f64,
    gates: &mut GateLog,
) -> Control {
    let values = sample.values();
    let Some(estimate) = pseudo_median(&values) else {
        return Control::Quiet;
    };
    let margin = sample.margin(claim, controls);
    let other_half = margin.neutral - (margin.half - margin.neutral);
    let both = limits(&values, alpha);
    // Equality is no movement; the sample puts its own equal values exactly on the bound.
    let breaks =
        !gates.at_most("control arm against the bound", estimate, margin.bound + sample.tolerance);
    let worse = both.lower.is_some_and(|lower| {
        !gates.at_most(
            "lower limit of the control arm against half of the margin",
            lower,
            margin.half,
        )
    });
    let better = both.upper.is_some_and(|upper| {
        !gates.at_least(
            "upper limit of the control arm against half of the margin the other way",
            upper,
            other_half,
        )
    });
    if !breaks && !worse && !better {
        return Control::Quiet;
    }
    let cause = Cause::new(
        ReasonCode::ControlMoved,
        format!(
            "the control iterations moved too without any kill ({} of them; typical change {}): something else moved this metric",
            values.len(),
            show::significant(sample.shown(estimate), 3)
        ),
    );
    // Iterations that are alike within sessions are no replicates of a permutation test.
    match sample.replicate {
        Replicate::Iteration if values.len() >= policy::CONTROLS_TO_DECIDE => {
            Control::Subtract(cause)
        }
        Replicate::Iteration | Replicate::Session => Control::Moved(cause),
    }
}

/// Difference in differences: kills against controls shifted by the margin, by the permuted Brunner–Munzel test
/// (Neubert & Brunner 2007), beside Welch's t. Lost kills take the worst rank for a pass and the best for a fail.
pub(crate) fn subtract(
    mut ruling: Ruling,
    arms: &Arms<'_>,
    alpha: f64,
    gates: &mut GateLog,
) -> Ruling {
    let Arms { metric, seed, fault, controls, margin } = *arms;
    let kills = fault.with_lost(0.0).len();
    // Many controls make three kills significant, and three kills remain three: no claim over kills rests on fewer
    // than the signed-rank test needs.
    if stats::power::smallest_p(kills).one_sided > alpha {
        ruling.block(too_few(fault, kills, alpha));
        return ruling;
    }
    let shift = margin.bound - margin.neutral;
    let control = controls.values();
    let shifted = |lost: f64| -> Vec<f64> {
        fault.with_lost(lost).into_iter().map(|value| value - shift).collect()
    };
    // A value beyond every other one stands for a lost kill: the test uses ranks only.
    let extreme = fault
        .values()
        .iter()
        .chain(&control)
        .fold(1.0_f64, |most, value| if value.abs() > most { value.abs() } else { most })
        * 4.0
        + shift.abs() * 4.0;
    let mut stream = Stream::new(seed, metric, "difference in differences");
    let mut p = |values: &[f64], alternative| {
        brunner_munzel_permuted(values, &control, alternative, policy::PERMUTATIONS, &mut stream)
            .ok()
            .map(|test| test.p.get())
    };
    // Kills, less the margin, tend to lie below controls: pass.
    let p_pass = p(&shifted(extreme), Alternative::Less);
    let p_fail = p(&shifted(-extreme), Alternative::Greater);
    let known = fault.values();
    let welch = |alternative| {
        MeanEstimate::of_two(&known, &control, Variances::Unequal)
            .ok()
            .map(|difference| difference.p(shift, alternative).get())
    };
    ruling.sensitivity.push(Sensitivity {
        method: "welch_difference_in_differences".to_owned(),
        p_pass: welch(Alternative::Less),
        p_fail: welch(Alternative::Greater),
        verdict: None,
    });
    "brunner_munzel_permuted".clone_into(&mut ruling.decision.method);
    ruling.decision.p_pass = p_pass;
    ruling.decision.p_fail = p_fail;
    // A warning about the test that no longer decides would be about nothing.
    ruling.warnings.clear();
    ruling.decision.lower = None;
    ruling.decision.upper = None;
    ruling.decision.attained_level = Some(1.0 - alpha);
    let shown = |p: Option<f64>| p.is_some_and(|p| p <= alpha);
    let name = "level at which difference in differences passes";
    ruling.passes = gates.says_at_most(name, p_pass, alpha, shown(p_pass));
    let name = "level at which difference in differences fails";
    ruling.fails = !ruling.passes && gates.says_at_most(name, p_fail, alpha, shown(p_fail));
    ruling.causes.clear();
    if !ruling.passes && !ruling.fails {
        ruling.causes.extend(fault.lost_codes().into_iter().map(Cause::plain));
        ruling.causes.push(Cause::new(
            ReasonCode::IntervalStraddlesBound,
            format!(
                "not shown either way once the movement of the {} control iterations is taken off",
                number(control.len())
            ),
        ));
    }
    ruling
}

/// Both arms of one claim, for difference in differences.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arms<'data> {
    /// Name of the metric, which names the stream of permutations.
    pub(crate) metric: &'data str,
    /// Seed of the permutations.
    pub(crate) seed: Seed,
    pub(crate) fault: &'data Sample,
    pub(crate) controls: &'data Sample,
    pub(crate) margin: Margin,
}
