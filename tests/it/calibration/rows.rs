//! The worlds that are measured, and how often a verdict may be wrong in each.

use super::control::Controlled;
use super::gauge::{Effect, Gauge};
use super::kills::MostKills;
use super::ratio::{Counted, Ratio, Variation};
use super::world::World;

/// One line of the table.
pub(crate) struct Row {
    /// What is claimed.
    pub(crate) claim: &'static str,
    /// The world in words; names its streams too.
    pub(crate) name: String,
    /// The world.
    pub(crate) world: Box<dyn World>,
    /// What is the truth for the power column.
    pub(crate) inside: &'static str,
    /// How often a verdict may be wrong at the bound; `None` where no limit is promised.
    pub(crate) most_wrong: Option<f64>,
    /// Sizes of campaigns that are measured.
    pub(crate) kills: &'static [usize],
    /// What one of its campaigns costs to judge.
    pub(crate) cost: Cost,
}

/// What it costs to judge one campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cost {
    /// Far below a millisecond.
    Low,
    /// Some milliseconds: limits by root finding.
    Middle,
    /// Tens of milliseconds: random permutations.
    High,
}

/// Sizes at which limits of numbers are measured, and those of shares, where every size counts.
const SIZES: &[usize] = &[3, 5, 10, 20, 50];
const SHARE_SIZES: &[usize] = &[3, 5, 10, 14, 20, 22, 30, 50];

/// Sizes where judging is dear.
const CONTROLLED_SIZES: &[usize] = &[3, 10, 20];

/// What each method promises.
const EXACT: Option<f64> = Some(0.05);
const SKEWED: Option<f64> = Some(0.07);
const LOGNORMAL: Option<f64> = Some(0.09);

/// All lines, in the order of the table.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = gauges();
    rows.extend(ratios());
    rows.extend(most_kills());
    rows.extend(controlled());
    rows
}

fn gauges() -> Vec<Row> {
    let mut rows = Vec::new();
    let effects = [
        (Effect::Same, "every kill alike", EXACT),
        (Effect::Symmetric, "symmetric effects", EXACT),
        (Effect::Exponential, "exponential effects", SKEWED),
        (Effect::Lognormal, "lognormal effects", SKEWED),
    ];
    for (effect, words, most_wrong) in effects {
        for phi in [0.0, 0.6, 0.9, 0.98] {
            rows.push(Row {
                claim: "typical_kill",
                name: format!("gauge, AR(1) {phi}, {words}"),
                world: Box::new(Gauge::new(phi, effect)),
                inside: "1 SD inside",
                most_wrong,
                kills: SIZES,
                cost: Cost::Low,
            });
        }
    }
    rows
}

fn ratios() -> Vec<Row> {
    let variations = [
        (Variation::None, EXACT),
        (Variation::Gamma(0.5), EXACT),
        (Variation::Gamma(0.7), EXACT),
        (Variation::Gamma(1.0), LOGNORMAL),
        (Variation::Lognormal(0.5), LOGNORMAL),
        (Variation::Lognormal(0.7), LOGNORMAL),
        (Variation::Lognormal(1.0), LOGNORMAL),
        (Variation::AllOrNothing, None),
    ];
    let mut rows: Vec<Row> = variations
        .into_iter()
        .map(|(variation, most_wrong)| {
            ratio(
                &format!("ratio, {}", variation.words()),
                Ratio { variation, counted: Counted::Errors, events: 20.0 },
                most_wrong,
            )
        })
        .collect();
    let few = |variation| Ratio { variation, counted: Counted::Errors, events: 2.0 };
    rows.push(ratio("ratio, 2 errors a kill, no variation", few(Variation::None), EXACT));
    rows.push(ratio(
        "ratio, 2 errors a kill, gamma variation 0.7",
        few(Variation::Gamma(0.7)),
        EXACT,
    ));
    rows.push(ratio(
        "histogram on an edge, slow requests, gamma variation 0.5",
        Ratio { variation: Variation::Gamma(0.5), counted: Counted::Slow, events: 100.0 },
        EXACT,
    ));
    rows
}

fn ratio(name: &str, world: Ratio, most_wrong: Option<f64>) -> Row {
    Row {
        claim: "all_requests",
        name: name.to_owned(),
        world: Box::new(world),
        inside: "half the bound",
        most_wrong,
        kills: SIZES,
        cost: Cost::Middle,
    }
}

fn most_kills() -> Vec<Row> {
    let recovery = |good, bad| MostKills::Recovery { lost_when_good: good, lost_when_bad: bad };
    [
        ("gauge under an absolute bound", MostKills::Gauge),
        ("histogram, bound on an edge", MostKills::HistogramOnEdge),
        ("histogram, bound in a bucket with up to 2 %", MostKills::HistogramOffEdge { blur: 0.02 }),
        ("recovery, nothing lost", recovery(0.0, 0.0)),
        ("recovery, 10 % of kills lose scrapes", recovery(0.1, 0.1)),
        ("recovery, slow kills lose scrapes (half of them)", recovery(0.02, 0.5)),
    ]
    .into_iter()
    .map(|(name, world)| Row {
        claim: "most_kills",
        name: name.to_owned(),
        world: Box::new(world),
        inside: "97 % of kills",
        most_wrong: EXACT,
        kills: SHARE_SIZES,
        cost: Cost::Low,
    })
    .collect()
}

fn controlled() -> Vec<Row> {
    [
        ("quiet control arm of 5", 5, 0.0, EXACT, Cost::Low),
        // Five control iterations do not always show that something else moved; what then fails did change, though
        // not because of the kill.
        ("everything moves by the bound, control arm of 5", 5, 1.0, None, Cost::Low),
        ("everything moves by the bound, control arm of 10", 10, 1.0, EXACT, Cost::High),
        ("everything moves by the bound, control arm of 20", 20, 1.0, EXACT, Cost::High),
    ]
    .into_iter()
    .map(|(name, controls, common, most_wrong, cost)| Row {
        claim: "typical_kill",
        name: name.to_owned(),
        world: Box::new(Controlled::new(controls, common)),
        inside: "1 SD inside",
        most_wrong,
        kills: if cost == Cost::High { CONTROLLED_SIZES } else { SIZES },
        cost,
    })
    .collect()
}
