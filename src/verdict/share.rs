//! `most_kills` and `every_kill`: the share of kills that stay inside the bound is at least p0.
//!
//! k of N with the exact binomial limits of Clopper & Pearson (1934): pass if the lower limit reaches p0 with every
//! unknown kill counted outside, fail if the upper limit stays below p0 with every unknown kill counted inside. Five
//! of five prove 54.9 %, fourteen of fourteen 80.7 %.

use std::collections::BTreeMap;

use crate::stats::clustered_ratio::{ClusteredRatio, Truncation};
use crate::stats::distribution::{beta_quantile, binomial_at_least, binomial_cdf};
use crate::stats::hodges_lehmann::LimitSide;
use crate::unit::show;
use crate::verdict::gate::GateLog;
use crate::verdict::kill::{Sight, Tally, number, small};
use crate::verdict::policy;
use crate::verdict::result::{DecidedQuantity, Decision, ReasonCode};
use crate::verdict::ruling::{Cause, Ruling};
use crate::verdict::sample::Replicate;

/// The one-sided lower limit of a share after `inside` of `total`; `None` without kills.
pub(crate) fn proven(inside: usize, total: usize, alpha: f64) -> Option<f64> {
    if total == 0 {
        return None;
    }
    if inside == 0 {
        return Some(0.0);
    }
    if inside == total {
        return Some(alpha.powf(1.0 / number(total)));
    }
    Some(beta_quantile(alpha, number(inside), number(total - inside + 1)))
}

/// The one-sided upper limit of a share after `inside` of `total`; `None` without kills.
pub(crate) fn possible(inside: usize, total: usize, alpha: f64) -> Option<f64> {
    proven(total - inside, total, alpha).map(|lower| 1.0 - lower)
}

/// Smallest number of kills that proves a share of `share` with `misses` of them outside; `None` beyond
/// [`policy::ITERATIONS_WORTH_SUGGESTING`].
pub(crate) fn kills_to_prove(share: f64, misses: usize, alpha: f64) -> Option<u32> {
    (small(misses) + 1..=policy::ITERATIONS_WORTH_SUGGESTING).find(|total| {
        let total = u64::from(*total);
        // Proven if k or more inside would be too lucky at exactly p0.
        binomial_at_least(total - misses as u64, total, share) <= alpha
    })
}

/// "; proves at least 87.3 % (95 %); 7 more clean kills would prove 90 %".
pub(crate) fn proof_words(
    tally: Tally,
    proven: Option<f64>,
    wanted: f64,
    confidence: f64,
) -> String {
    let Some(proven) = proven else {
        return String::new();
    };
    let mut words = format!(
        "; proves at least {} of kills ({})",
        show::percent((proven * 1000.0).floor() / 1000.0),
        show::level(confidence)
    );
    let misses = tally.outside + tally.unknown;
    let target = if proven < wanted {
        Some(wanted)
    } else {
        policy::SHARES_WORTH_PROVING.into_iter().find(|share| *share > proven)
    };
    if let Some(target) = target
        && let Some(total) = kills_to_prove(target, misses, 1.0 - confidence)
        && let Some(more) = total.checked_sub(small(tally.total())).filter(|more| *more > 0)
    {
        let kills = if more == 1 { "kill" } else { "kills" };
        words = format!("{words}; {more} more clean {kills} would prove {}", show::percent(target));
    }
    words
}

/// Rules on a share of kills, each with its session: from [`policy::SESSIONS_TO_CLUSTER`] sessions on by session.
pub(crate) fn rule(
    required: f64,
    kills: &[SessionSight],
    replicate: Replicate,
    alpha: f64,
    gates: &mut GateLog,
) -> Ruling {
    match replicate {
        Replicate::Iteration => {
            let sights: Vec<Sight> = kills.iter().map(|kill| kill.sight).collect();
            rule_share(Tally::of(&sights), unknown_causes(&sights), required, alpha, gates)
        }
        Replicate::Session => rule_by_session(required, kills, alpha, gates),
    }
}

/// How one kill came out, and the session it belongs to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SessionSight {
    pub(crate) session: u32,
    pub(crate) sight: Sight,
}

/// Rules on a share of kills clustered in sessions: the exact binomial limits and, once any kill is not inside, the
/// clustered ones of Korn & Graubard must both agree. Without such a kill the variance between sessions cannot be
/// estimated and the binomial limit stands alone.
fn rule_by_session(
    required: f64,
    sights: &[SessionSight],
    alpha: f64,
    gates: &mut GateLog,
) -> Ruling {
    let mut ruling = rule(required, sights, Replicate::Iteration, alpha, gates);
    let counts = |adverse: fn(Sight) -> bool| {
        let mut sessions: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
        for kill in sights {
            let entry = sessions.entry(kill.session).or_insert((0.0, 0.0));
            entry.0 += if adverse(kill.sight) { 1.0 } else { 0.0 };
            entry.1 += 1.0;
        }
        sessions.into_values().unzip::<f64, f64, Vec<f64>, Vec<f64>>()
    };
    let allowed = 1.0 - required;
    let (not_inside, kills) = counts(|sight| sight != Sight::Inside);
    if ruling.passes
        && not_inside.iter().sum::<f64>() > 0.0
        && let Ok(ratio) = ClusteredRatio::of(&not_inside, &kills)
    {
        let upper = clustered(&ratio, alpha, LimitSide::Upper, 1.0);
        ruling.passes =
            gates.at_most("clustered upper limit of the share of kills outside", upper, allowed);
        ruling.decision.lower = Some(1.0 - upper);
    }
    let (outside, kills) = counts(|sight| sight == Sight::Outside);
    if ruling.fails
        && let Ok(ratio) = ClusteredRatio::of(&outside, &kills)
    {
        let lower = clustered(&ratio, alpha, LimitSide::Lower, 0.0);
        ruling.fails =
            !gates.at_most("clustered lower limit of the share of kills outside", lower, allowed);
        ruling.decision.upper = Some(1.0 - lower);
    }
    if !ruling.passes && !ruling.fails && ruling.causes.is_empty() {
        ruling.decision.p_pass = Some(1.0);
        ruling.decision.p_fail = Some(1.0);
        ruling.causes.push(Cause::new(
            ReasonCode::IntervalStraddlesBound,
            "not shown either way once kills of one session are taken as alike; more sessions would settle it".to_owned(),
        ));
    }
    "clopper_pearson_and_korn_graubard_by_session".clone_into(&mut ruling.decision.method);
    ruling
}

/// A clustered limit, or the end of the scale where it does not exist.
fn clustered(ratio: &ClusteredRatio, alpha: f64, side: LimitSide, end: f64) -> f64 {
    match ratio.korn_graubard(alpha, side, Truncation::AtRequests) {
        Ok(limit) => limit,
        // Without a spread between sessions nothing bounds the share on this side.
        Err(_) => end,
    }
}

/// Rules on a share with given counts.
fn rule_share(
    tally: Tally,
    unknown: Vec<ReasonCode>,
    required: f64,
    alpha: f64,
    gates: &mut GateLog,
) -> Ruling {
    let total = tally.total();
    let lower = proven(tally.inside, total, alpha);
    let upper = possible(tally.inside + tally.unknown, total, alpha);
    let decision = Decision {
        quantity: DecidedQuantity::Share,
        lower,
        upper,
        bound: required,
        method: "clopper_pearson".to_owned(),
        p_pass: (total > 0).then(|| binomial_at_least(tally.inside as u64, total as u64, required)),
        p_fail: (total > 0)
            .then(|| binomial_cdf((tally.inside + tally.unknown) as u64, total as u64, required)),
        p_fail_holm: None,
        attained_level: Some(1.0 - alpha),
    };
    let (Some(p_pass), Some(p_fail), Some(lower), Some(upper)) =
        (decision.p_pass, decision.p_fail, lower, upper)
    else {
        return Ruling::undecidable(
            decision,
            Cause::with_needed(
                ReasonCode::TooFewIterations,
                "no usable kill".to_owned(),
                kills_to_prove(required, 0, alpha),
            ),
        );
    };
    // The exact binomial level decides; its limit lies on the same side of the claimed share.
    let passes = p_pass <= alpha;
    let fails = !passes && p_fail <= alpha;
    gates.says_at_least("lower limit of the share of kills inside", lower, required, passes);
    let mut ruling = Ruling::of(decision, passes, fails);
    if passes
        || !gates.says_at_least("upper limit of the share of kills inside", upper, required, !fails)
    {
        return ruling;
    }
    ruling.causes = why_open(tally, unknown, required, Limits { lower, upper, alpha });
    ruling
}

/// Both limits of a share.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Limits {
    lower: f64,
    upper: f64,
    alpha: f64,
}

/// Why a share of kills is neither shown nor refuted; what stands in the way alone comes first.
fn why_open(tally: Tally, unknown: Vec<ReasonCode>, required: f64, limits: Limits) -> Vec<Cause> {
    let Limits { lower, upper, alpha } = limits;
    let total = tally.total();
    let best = binomial_at_least(total as u64, total as u64, required);
    let needed = kills_to_prove(required, tally.outside + tally.unknown, alpha);
    let words = needed_words(needed, total);
    let straddles = Cause::with_needed(
        ReasonCode::IntervalStraddlesBound,
        format!(
            "not shown either way: the share of kills inside lies between {} and {}, {} is claimed; {words}",
            show::percent(lower),
            show::percent(upper),
            show::percent(required)
        ),
        needed,
    );
    let too_few = Cause::with_needed(
        ReasonCode::TooFewIterations,
        format!(
            "{total} {} cannot prove {} of kills, whatever they show; {words}",
            if total == 1 { "kill" } else { "kills" },
            show::percent(required)
        ),
        needed,
    );
    // Data that are missing come first when they alone stand in the way of a pass.
    let with_unknown_inside =
        binomial_at_least((tally.inside + tally.unknown) as u64, total as u64, required) <= alpha;
    let main = if best > alpha { too_few } else { straddles };
    let mut causes: Vec<Cause> = unknown.into_iter().map(Cause::plain).collect();
    let place = if with_unknown_inside { causes.len() } else { 0 };
    causes.insert(place, main);
    causes
}

/// "11 more clean kills would settle it", or that none will.
pub(crate) fn needed_words(needed: Option<u32>, total: usize) -> String {
    match needed.and_then(|needed| needed.checked_sub(small(total))) {
        Some(0) => "one more look at the data is needed".to_owned(),
        Some(1) => "1 more clean kill would settle it".to_owned(),
        Some(more) => format!("{more} more clean kills would settle it"),
        None => format!(
            "more than {} kills would be needed: change the bound or the metric",
            policy::ITERATIONS_WORTH_SUGGESTING
        ),
    }
}

/// The distinct causes of unknown kills, in the order of their codes.
pub(crate) fn unknown_causes(sights: &[Sight]) -> Vec<ReasonCode> {
    let mut causes: Vec<ReasonCode> = sights
        .iter()
        .filter_map(|sight| match sight {
            Sight::Unknown(code) => Some(*code),
            Sight::Inside | Sight::Outside => None,
        })
        .collect();
    causes.sort_unstable();
    causes.dedup();
    causes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ruled(inside: usize, outside: usize, unknown: usize) -> Ruling {
        let tally = Tally { inside, outside, unknown };
        rule_share(tally, Vec::new(), 0.8, 0.05, &mut GateLog::new())
    }

    #[test]
    fn fourteen_of_fourteen_prove_four_in_five_and_thirteen_do_not() {
        assert!(ruled(14, 0, 0).passes);
        assert!(!ruled(13, 0, 0).passes);
        assert!(ruled(21, 1, 0).passes);
        assert!(!ruled(20, 1, 0).passes);
    }

    #[test]
    fn none_of_two_already_refutes_four_in_five() {
        assert!(ruled(0, 2, 0).fails);
        assert!(!ruled(0, 1, 0).fails);
    }

    #[test]
    fn an_unknown_kill_counts_against_a_pass_and_against_a_fail() {
        assert!(!ruled(14, 0, 1).passes);
        assert!(!ruled(0, 1, 1).fails);
    }

    #[test]
    fn the_table_of_kills_to_prove_is_the_published_one() {
        for (share, table) in
            [(0.8, [14, 22, 30]), (0.85, [19, 30, 40]), (0.9, [29, 46, 61]), (0.95, [59, 93, 124])]
        {
            for (misses, total) in table.into_iter().enumerate() {
                assert_eq!(kills_to_prove(share, misses, 0.05), Some(total), "{share} {misses}");
            }
        }
    }

    #[test]
    fn no_kill_is_no_verdict() {
        let ruling = ruled(0, 0, 0);
        assert!(!ruling.passes && !ruling.fails);
        assert_eq!(ruling.causes[0].code, ReasonCode::TooFewIterations);
    }
}
