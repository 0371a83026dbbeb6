//! Measures all rows and writes them as Markdown and CSV.

use std::fmt::Write as _;

use rayon::prelude::*;
use unfazed::stats::random::Stream;

use super::clustered_limits::Method;
use super::measure::{Measured, Rate, SEED, Verdicts, measure};
use super::ratio::{Counted, Ratio, Variation};
use super::rows::{Cost, Row};
use super::world::Place;

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Effort {
    /// Sizes of campaigns, as far as a row measures them.
    pub(crate) kills: &'static [usize],
    /// Campaigns for each row, size and place by what judging costs.
    pub(crate) low: usize,
    /// The same where judging takes milliseconds.
    pub(crate) middle: usize,
    /// The same where it takes tens of them.
    pub(crate) high: usize,
    /// Campaigns with the truth inside for each hundred with the truth at the bound.
    pub(crate) inside: usize,
}

impl Effort {
    /// What the published table is measured with.
    pub(crate) const FULL: Self = Self {
        kills: &[3, 5, 10, 14, 20, 22, 30, 50],
        low: 2000,
        middle: 1500,
        high: 150,
        inside: 25,
    };

    /// Campaigns of one row at one size and place.
    pub(crate) const fn campaigns(&self, cost: Cost) -> usize {
        match cost {
            Cost::Low => self.low,
            Cost::Middle => self.middle,
            Cost::High => self.high,
        }
    }
}

/// One row with what was measured.
pub(crate) struct Line {
    /// The row.
    pub(crate) row: Row,
    /// At the bound, one per size.
    pub(crate) at_the_bound: Vec<Measured>,
    /// Inside, one per size.
    pub(crate) inside: Vec<Measured>,
}

impl Line {
    /// Measures a row.
    pub(crate) fn measure(row: Row, effort: &Effort) -> Self {
        let campaigns = effort.campaigns(row.cost);
        let at = |place: Place, campaigns: usize| {
            row.kills
                .iter()
                .filter(|kills| effort.kills.contains(kills))
                .map(|kills| measure(&row.name, row.world.as_ref(), place, *kills, campaigns))
                .collect()
        };
        let at_the_bound = at(Place::AtTheBound, campaigns);
        let inside = match campaigns * effort.inside / 100 {
            0 => Vec::new(),
            campaigns => at(Place::Inside, campaigns),
        };
        Self { row, at_the_bound, inside }
    }

    /// Whether no size is wrong more often than promised, within three standard errors.
    pub(crate) fn keeps_its_promise(&self) -> bool {
        self.row.most_wrong.is_none_or(|most| {
            self.at_the_bound.iter().all(|measured| {
                measured.product.passes().is_at_most(most)
                    && measured.product.fails().is_at_most(most)
            })
        })
    }

    /// The size at which a rate is greatest, with the rate.
    pub(crate) fn worst(&self, rate: impl Fn(&Measured) -> Option<Rate>) -> Option<(usize, Rate)> {
        self.at_the_bound
            .iter()
            .filter_map(|measured| rate(measured).map(|rate| (measured.kills, rate)))
            .max_by(|(_, left), (_, right)| left.share().total_cmp(&right.share()))
    }
}

/// The table of verdicts.
pub(crate) fn verdicts(lines: &[Line]) -> String {
    let sizes: Vec<usize> = lines
        .first()
        .map(|line| line.inside.iter().map(|measured| measured.kills).collect())
        .unwrap_or_default();
    let shown: Vec<usize> =
        sizes.into_iter().filter(|kills| [5, 10, 20, 50].contains(kills)).collect();
    let mut text = String::from(
        "| claim | simulated world | wrong pass | wrong fail | limits hold | right pass when the truth is |",
    );
    for kills in &shown {
        let _ = write!(text, " N = {kills} |");
    }
    text.push_str(" usual way: wrong pass | wrong fail |\n|---|---|--:|--:|--:|---|");
    text.push_str(&"--:|".repeat(shown.len()));
    text.push_str("--:|--:|\n");
    for line in lines {
        let worst = |rate: &dyn Fn(&Measured) -> Option<Rate>| {
            line.worst(rate).map_or_else(
                || "–".to_owned(),
                |(kills, rate)| {
                    if rate.count == 0 {
                        "0.0".to_owned()
                    } else {
                        format!("{} (N = {kills})", percent(rate))
                    }
                },
            )
        };
        let _ = write!(
            text,
            "| `{}` | {} | {} | {} | {} | {} |",
            line.row.claim,
            line.row.name,
            worst(&|measured| Some(measured.product.passes())),
            worst(&|measured| Some(measured.product.fails())),
            held(line),
            line.row.inside,
        );
        for kills in &shown {
            let found = line.inside.iter().find(|measured| measured.kills == *kills);
            let _ = write!(
                text,
                " {} |",
                found.map_or_else(String::new, |m| whole(m.product.passes()))
            );
        }
        let _ = writeln!(
            text,
            " {} | {} |",
            worst(&|measured| measured.usual.map(Verdicts::passes)),
            worst(&|measured| measured.usual.map(Verdicts::fails)),
        );
    }
    text
}

/// The smaller coverage of the two limits, at the worst size.
fn held(line: &Line) -> String {
    let missed = |measured: &Measured| {
        let (above, below) = (measured.above_lower?, measured.below_upper?);
        let worse = if above.count < below.count { above } else { below };
        Some(Rate { count: worse.of - worse.count, of: worse.of })
    };
    line.worst(missed)
        .map_or_else(|| "–".to_owned(), |(_, rate)| format!("{:.1}", 100.0 * (1.0 - rate.share())))
}

/// "4.7 ± 0.3", in percent.
fn percent(rate: Rate) -> String {
    let share = rate.share();
    format!("{:.1} ± {:.1}", 100.0 * share, 100.0 * rate.standard_error(share))
}

/// "72", in percent.
fn whole(rate: Rate) -> String {
    format!("{:.0}", 100.0 * rate.share())
}

/// Every number, one line per row, size and place.
pub(crate) fn csv(lines: &[Line]) -> String {
    let mut text = String::from(
        "claim,world,truth,kills,campaigns,pass,fail,usual_pass,usual_fail,truth_above_lower,truth_below_upper\n",
    );
    let shown = |count: Option<usize>| count.map_or_else(String::new, |count| count.to_string());
    for line in lines {
        for measured in line.at_the_bound.iter().chain(&line.inside) {
            let truth = match measured.place {
                Place::AtTheBound => Place::AtTheBound.word(),
                Place::Inside => line.row.inside,
            };
            let _ = writeln!(
                text,
                "{},\"{}\",{truth},{},{},{},{},{},{},{},{}",
                line.row.claim,
                line.row.name,
                measured.kills,
                measured.product.campaigns,
                measured.product.pass,
                measured.product.fail,
                shown(measured.usual.map(|usual| usual.pass)),
                shown(measured.usual.map(|usual| usual.fail)),
                shown(measured.above_lower.map(|rate| rate.count)),
                shown(measured.below_upper.map(|rate| rate.count)),
            );
        }
    }
    text
}

/// The table of limits for clustered ratios: wrong passes at the bound, right passes at half of it.
pub(crate) fn limits(campaigns: usize) -> String {
    let mut text = String::from("| rates between kills | N |");
    for method in Method::ALL {
        let _ = write!(text, " {} |", method.words());
    }
    text.push_str("\n|---|--:|");
    text.push_str(&"--:|".repeat(Method::ALL.len()));
    text.push('\n');
    let variations = [
        Variation::None,
        Variation::Gamma(0.5),
        Variation::Gamma(0.7),
        Variation::Gamma(1.0),
        Variation::Lognormal(0.7),
        Variation::Lognormal(1.0),
    ];
    for variation in variations {
        for kills in [5, 10, 20, 50] {
            let _ = write!(text, "| {} | {kills} |", variation.words());
            let world = Ratio { variation, counted: Counted::Errors, events: 20.0 };
            let wrong = passes(world, Place::AtTheBound, kills, campaigns);
            let right = passes(world, Place::Inside, kills, campaigns / 4);
            for (wrong, right) in wrong.into_iter().zip(right) {
                let _ = write!(text, " {:.1} → {} |", 100.0 * wrong.share(), whole(right));
            }
            text.push('\n');
        }
    }
    text
}

/// How often each method passes.
fn passes(world: Ratio, place: Place, kills: usize, campaigns: usize) -> Vec<Rate> {
    let name = format!("limits, {}", world.variation.words());
    let counts = (0..campaigns)
        .into_par_iter()
        .map(|index| {
            let purpose = format!("{}, {kills} kills, campaign {index}", place.word());
            let mut stream = Stream::new(SEED, &name, &purpose);
            let clusters = world.clusters(place, kills, &mut stream);
            Method::ALL
                .map(|method| usize::from(method.passes(&clusters, world.bound(), &mut stream)))
        })
        .reduce(
            || [0; Method::ALL.len()],
            |left, right| std::array::from_fn(|at| left[at] + right[at]),
        );
    counts.into_iter().map(|count| Rate { count, of: campaigns }).collect()
}

/// The published page.
pub(crate) fn page(lines: &[Line], limits: &str, effort: &Effort) -> String {
    format!(
        "How often a verdict is wrong, in percent of simulated campaigns whose truth is known ({} campaigns for\n\
         each world and size, {} for ratios, {} with a large control arm; worst of N = {} kills; ± one standard error). The truth lies exactly at the bound, so\n\
         that every pass and every fail is wrong; both are meant to stay at or under 5 %. *Limits hold*: how often the\n\
         worse of the two one-sided 95 % limits covers the truth. *Right pass*: how often the claim passes when it is\n\
         true by the distance stated. *Usual way*: the same data with all scrapes pooled by Mann–Whitney (gauges), all\n\
         requests as if independent (ratios), kills without data left out (recovery).\n\n{}\n\
         Limits for clustered ratios, 20 errors per kill at the bound: wrong passes at the bound → right passes at half\n\
         of it, in percent.\n\n{limits}",
        effort.low,
        effort.middle,
        effort.high,
        effort.kills.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        verdicts(lines),
    )
}
