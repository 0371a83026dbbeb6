//! Whether the baselines of a campaign are steady enough to compare with.
//!
//! Decided over iterations, never inside one window: a queue that breathes within five minutes is no reason to block
//! a verdict, a baseline that climbs from kill to kill is. Unsteady means a trend (Mann 1945; Kendall 1975) at level
//! [`policy::BASELINE_LEVEL`] whose size over the campaign (Sen 1968) exceeds what the claim allows: the baselines
//! then differ among themselves by more than the claim is about.

use crate::spec::Claim;
use crate::stats::Alternative;
use crate::stats::mann_kendall::{Continuity, EXACT_LIMIT, Variance, exact_p, mann_kendall};
use crate::stats::theil_sen::theil_sen;
use crate::unit::show;
use crate::verdict::gate::GateLog;
use crate::verdict::kill::{Kill, allowance, number};
use crate::verdict::policy;
use crate::verdict::result::ReasonCode;
use crate::verdict::ruling::Cause;
use crate::verdict::typical::pseudo_median;

/// The two-sided p-value of a trend over iterations: exact for short series without equal values, normal otherwise;
/// `None` where it does not exist.
pub(crate) fn trend_p(values: &[f64]) -> Option<f64> {
    if values.len() <= EXACT_LIMIT
        && let Ok(p) = exact_p(values, Alternative::TwoSided)
    {
        return Some(p.get());
    }
    mann_kendall(values, Variance::Independent, Continuity::Corrected, Alternative::TwoSided)
        .ok()
        .map(|trend| trend.p.get())
}

/// Why a claim against the baseline cannot be judged, if the baselines drift.
pub(crate) fn unsteady(claim: &Claim, kills: &[Kill<'_>], gates: &mut GateLog) -> Option<Cause> {
    let values: Vec<f64> =
        kills.iter().filter_map(|kill| kill.windows.baseline.value.ok()).collect();
    let trend = trend_p(&values)?;
    if gates.at_least("level of a trend in the baselines", trend, policy::BASELINE_LEVEL) {
        return None;
    }
    let order: Vec<f64> = (0..values.len()).map(number).collect();
    let slope = theil_sen(&order, &values, 0.95).ok()?.slope;
    let drift = slope.abs() * (number(values.len()) - 1.0);
    let level = pseudo_median(&values)?;
    let allowed = allowance(claim.amount, claim.or_by, level);
    if gates.at_most("drift of the baselines over the campaign", drift, allowed) {
        return None;
    }
    Some(Cause::new(
        ReasonCode::BaselineUnstable,
        format!(
            "the baselines drift by {} over the campaign, more than the {} that the claim allows: find out why before comparing with them",
            show::significant(drift, 3),
            show::significant(allowed, 3)
        ),
    ))
}
