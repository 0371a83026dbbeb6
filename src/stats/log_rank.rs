//! Comparison of right-censored times between groups.
//!
//! Owns the log-rank test with its G-rho weights, and the permutation form of it for few events. Groups are
//! numbers from 0; their names and their order belong to the caller.

use crate::stats::distribution::{chi_squared_survival, ln_choose};
use crate::stats::kaplan_meier::{Ending, Observation, ordered};
use crate::stats::random::Stream;
use crate::stats::{PValue, Undefined, count_to_f64};

/// One right-censored time of one group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupedObservation {
    /// The time and how it ended.
    pub observation: Observation,
    /// The group, counted from 0.
    pub group: usize,
}

/// The sums of one group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupSums {
    /// How many were observed.
    pub n: usize,
    /// Weighted number of events seen.
    pub observed: f64,
    /// Weighted number of events expected if all groups had the same curve.
    pub expected: f64,
}

/// The outcome of a log-rank test.
#[derive(Debug, Clone, PartialEq)]
pub struct LogRank {
    /// The sums of each group.
    pub groups: Vec<GroupSums>,
    /// The test statistic.
    pub chi_squared: f64,
    /// Its degrees of freedom: the groups in which an event was possible, less 1.
    pub degrees_of_freedom: usize,
    /// P(chi-squared with these degrees of freedom ≥ the statistic).
    pub p: PValue,
}

/// The log-rank test (rho = 0) or a G-rho test with weights S(t−)^rho.
///
/// At each event time the events are compared with their hypergeometric expectation given the numbers at
/// risk; the statistic is (O − E)ᵀ V⁻¹ (O − E) over all groups but one (Mantel 1966; Harrington and Fleming
/// 1982; R `survdiff`). rho = 1 is the Peto–Peto form, which weighs early differences more.
/// Cost: O(n log n + k²·event times + k³).
/// Edge cases: fewer than two groups are [`Undefined::TooFew`]; without any event, or when all events
/// happen with one at risk, the variance is 0 and [`Undefined::DegenerateVariance`].
///
/// ```
/// use unfazed::stats::kaplan_meier::{Ending, Observation};
/// use unfazed::stats::log_rank::{GroupedObservation, log_rank};
/// let data = [(3.0, Ending::Event, 0), (5.0, Ending::Event, 1), (7.0, Ending::Event, 0), (9.0, Ending::Censored, 1)];
/// let data = data.map(|(time, ending, group)| GroupedObservation { observation: Observation { time, ending }, group });
/// let found = log_rank(&data, 0.0).unwrap();
/// assert!((found.chi_squared - 8.0 / 13.0).abs() < 1e-12);
/// ```
pub fn log_rank(data: &[GroupedObservation], rho: f64) -> Result<LogRank, Undefined> {
    if !rho.is_finite() {
        return Err(Undefined::OutOfRange { what: "rho", found: rho, accepted: "a finite number" });
    }
    let table = Table::new(data)?;
    let k = table.sizes.len();
    let mut observed = vec![0.0; k];
    let mut expected = vec![0.0; k];
    let mut variance = vec![0.0; k * k];
    let mut survival = 1.0_f64;
    let mut at_risk = table.sizes.clone();
    for moment in &table.moments {
        let risk = count_to_f64(at_risk.iter().sum());
        let events = count_to_f64(moment.events.iter().sum());
        if events > 0.0 {
            let weight = survival.powf(rho);
            let spread = if risk > 1.0 {
                weight * weight * events * (risk - events) / (risk * (risk - 1.0))
            } else {
                0.0
            };
            for j in 0..k {
                let mine = count_to_f64(at_risk[j]);
                observed[j] += weight * count_to_f64(moment.events[j]);
                expected[j] += weight * events * mine / risk;
                variance[j * k + j] += spread * mine;
                for other in 0..k {
                    variance[j * k + other] -= spread * mine * count_to_f64(at_risk[other]) / risk;
                }
            }
            survival *= (risk - events) / risk;
        }
        for (left, leaving) in at_risk.iter_mut().zip(&moment.leaving) {
            *left -= leaving;
        }
    }
    let possible: Vec<usize> = (0..k).filter(|&j| expected[j] > 0.0).collect();
    if possible.len() < 2 {
        return Err(Undefined::DegenerateVariance);
    }
    let rest = &possible[1..];
    let difference: Vec<f64> = rest.iter().map(|&j| observed[j] - expected[j]).collect();
    let matrix: Vec<Vec<f64>> =
        rest.iter().map(|&i| rest.iter().map(|&j| variance[i * k + j]).collect()).collect();
    let solved = solve(matrix, difference.clone()).ok_or(Undefined::DegenerateVariance)?;
    let chi_squared: f64 = solved.iter().zip(&difference).map(|(left, right)| left * right).sum();
    let sums =
        |j: usize| GroupSums { n: table.sizes[j], observed: observed[j], expected: expected[j] };
    Ok(LogRank {
        groups: (0..k).map(sums).collect(),
        chi_squared,
        degrees_of_freedom: rest.len(),
        p: PValue::new(chi_squared_survival(chi_squared, count_to_f64(rest.len()))),
    })
}

/// Events and departures of every group at one time.
struct Moment {
    events: Vec<usize>,
    leaving: Vec<usize>,
}

struct Table {
    sizes: Vec<usize>,
    moments: Vec<Moment>,
}

impl Table {
    fn new(data: &[GroupedObservation]) -> Result<Self, Undefined> {
        let times = fixed_times(data)?;
        let k = data.iter().fold(0, |k, row| k.max(row.group + 1));
        let mut sizes = vec![0; k];
        for row in data {
            sizes[row.group] += 1;
        }
        let present = sizes.iter().filter(|&&size| size > 0).count();
        if present < 2 {
            return Err(Undefined::TooFew { found: present, needed: 2 });
        }
        let mut order: Vec<usize> = (0..data.len()).collect();
        order.sort_by(|&left, &right| times[left].total_cmp(&times[right]));
        let mut moments: Vec<Moment> = Vec::new();
        let mut previous = f64::NEG_INFINITY;
        for row in order {
            if times[row] > previous {
                moments.push(Moment { events: vec![0; k], leaving: vec![0; k] });
                previous = times[row];
            }
            let Some(moment) = moments.last_mut() else { continue };
            let group = data[row].group;
            moment.leaving[group] += 1;
            if data[row].observation.ending == Ending::Event {
                moment.events[group] += 1;
            }
        }
        Ok(Self { sizes, moments })
    }
}

/// The times in the order of the input, with rounding differences removed.
fn fixed_times(data: &[GroupedObservation]) -> Result<Vec<f64>, Undefined> {
    let observations: Vec<Observation> = data.iter().map(|row| row.observation).collect();
    let sorted = ordered(&observations)?;
    let mut distinct: Vec<f64> = sorted.iter().map(|observation| observation.time).collect();
    distinct.dedup_by(|right, left| right <= left);
    let snap =
        |time: f64| distinct[distinct.partition_point(|&kept| kept <= time).saturating_sub(1)];
    Ok(observations.iter().map(|observation| snap(observation.time)).collect())
}

/// Gaussian elimination with partial pivoting; `None` for a singular matrix.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let n = right.len();
    let scale = matrix
        .iter()
        .flatten()
        .fold(0.0, |scale, entry| crate::stats::position::larger(scale, entry.abs()));
    for column in 0..n {
        let pivot = (column..n)
            .max_by(|&a, &b| matrix[a][column].abs().total_cmp(&matrix[b][column].abs()))?;
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        if matrix[column][column].abs() <= scale * 1e-14 {
            return None;
        }
        for row in column + 1..n {
            let factor = matrix[row][column] / matrix[column][column];
            let (above, below) = matrix.split_at_mut(row);
            for (entry, pivot) in below[0][column..].iter_mut().zip(&above[column][column..]) {
                *entry -= factor * pivot;
            }
            right[row] -= factor * right[column];
        }
    }
    for column in (0..n).rev() {
        for entry in column + 1..n {
            right[column] -= matrix[column][entry] * right[entry];
        }
        right[column] /= matrix[column][column];
    }
    Some(right)
}

/// How a permutation p-value was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PermutationMethod {
    /// Every split of the pooled sample was looked at.
    Exact {
        /// How many there are.
        splits: u64,
    },
    /// Random splits; p = (extreme + 1)/(draws + 1).
    MonteCarlo {
        /// How many were drawn.
        draws: usize,
    },
}

/// The outcome of a permutation log-rank test of two groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PermutationLogRank {
    /// Σ of the log-rank scores of group 1 (the second group); negative means events come later than expected.
    pub score: f64,
    /// Two-sided p: the share of splits whose |score| is at least as large.
    pub p: PValue,
    /// How it was found.
    pub method: PermutationMethod,
}

/// Splits looked at one by one before random ones are drawn.
pub const EXACT_SPLITS: u64 = 1_000_000;

/// The log-rank test of two groups by permutation: for fewer than about ten events in all.
///
/// Each time gets the score δᵢ − Λ(tᵢ), event indicator less Nelson–Aalen hazard at its time; the scores add
/// up to 0 and the sum over one group is O − E of the pooled curve (Peto and Peto 1972). All C(n, m) splits
/// are looked at when there are at most [`EXACT_SPLITS`], otherwise `draws` random ones. Assumes that
/// censoring does not depend on the group. Cost: splits × m.
/// Edge cases: other than two groups are refused; without events every split is equal and p is 1.
///
/// ```
/// use unfazed::stats::kaplan_meier::{Ending, Observation};
/// use unfazed::stats::log_rank::{GroupedObservation, permutation_log_rank};
/// use unfazed::stats::random::Stream;
/// use unfazed::unit::Seed;
/// let data: Vec<_> = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0].iter().enumerate().map(|(i, &time)| GroupedObservation {
///     observation: Observation { time, ending: Ending::Event }, group: i / 3 }).collect();
/// let found = permutation_log_rank(&data, 1000, &mut Stream::new(Seed(0), "recovery", "log-rank")).unwrap();
/// assert_eq!(found.p.get(), 2.0 / 20.0);
/// ```
pub fn permutation_log_rank(
    data: &[GroupedObservation],
    draws: usize,
    stream: &mut Stream,
) -> Result<PermutationLogRank, Undefined> {
    let table = Table::new(data)?;
    if table.sizes.len() != 2 {
        return Err(Undefined::OutOfRange {
            what: "the number of groups",
            found: count_to_f64(table.sizes.len()),
            accepted: "2",
        });
    }
    let scores = scores(data)?;
    let score: f64 =
        data.iter().zip(&scores).filter(|(row, _)| row.group == 1).map(|(_, score)| score).sum();
    let bound = score.abs() * (1.0 - 1e-12) - 1e-14;
    let chosen = table.sizes[1];
    let splits = ln_choose(count_to_f64(data.len()), count_to_f64(chosen)).exp().round();
    if splits <= 1e6 {
        let mut seen = Splits { extreme: 0, all: 0 };
        visit(&scores, chosen, 0.0, bound, &mut seen);
        let p = crate::stats::wide_count_to_f64(seen.extreme.into())
            / crate::stats::wide_count_to_f64(seen.all.into());
        return Ok(PermutationLogRank {
            score,
            p: PValue::new(p),
            method: PermutationMethod::Exact { splits: seen.all },
        });
    }
    let mut shuffled = scores;
    let mut extreme = 0;
    for _ in 0..draws {
        for place in 0..chosen {
            let other = place + stream.index(shuffled.len() - place);
            shuffled.swap(place, other);
        }
        if shuffled[..chosen].iter().sum::<f64>().abs() >= bound {
            extreme += 1;
        }
    }
    Ok(PermutationLogRank {
        score,
        p: PValue::from_draws(extreme, draws),
        method: PermutationMethod::MonteCarlo { draws },
    })
}

struct Splits {
    extreme: u64,
    all: u64,
}

/// Adds every choice of `chosen` of the scores to a running sum.
fn visit(scores: &[f64], chosen: usize, sum: f64, bound: f64, seen: &mut Splits) {
    if chosen == 0 {
        seen.all += 1;
        seen.extreme += u64::from(sum.abs() >= bound);
        return;
    }
    for first in 0..=scores.len() - chosen {
        visit(&scores[first + 1..], chosen - 1, sum + scores[first], bound, seen);
    }
}

/// δᵢ − Λ(tᵢ) of every observation, in the order of the input.
fn scores(data: &[GroupedObservation]) -> Result<Vec<f64>, Undefined> {
    let times = fixed_times(data)?;
    let mut order: Vec<usize> = (0..data.len()).collect();
    order.sort_by(|&left, &right| times[left].total_cmp(&times[right]));
    let mut scores = vec![0.0; data.len()];
    let mut hazard = 0.0;
    let mut start = 0;
    while start < order.len() {
        let end = start + order[start..].partition_point(|&row| times[row] <= times[order[start]]);
        let event = |row: usize| data[row].observation.ending == Ending::Event;
        let events = order[start..end].iter().filter(|&&row| event(row)).count();
        hazard += count_to_f64(events) / count_to_f64(order.len() - start);
        for &row in &order[start..end] {
            scores[row] = f64::from(u8::from(event(row))) - hazard;
        }
        start = end;
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Seed;
    use proptest::prelude::*;

    fn data(rows: &[(f64, bool, usize)]) -> Vec<GroupedObservation> {
        let ending = |event| if event { Ending::Event } else { Ending::Censored };
        rows.iter()
            .map(|&(time, event, group)| GroupedObservation {
                observation: Observation { time, ending: ending(event) },
                group,
            })
            .collect()
    }

    fn stream() -> Stream {
        Stream::new(Seed(1), "test", "log-rank")
    }

    #[test]
    fn one_group_cannot_be_compared() {
        let some = data(&[(1.0, true, 0), (2.0, true, 0)]);
        assert_eq!(log_rank(&some, 0.0), Err(Undefined::TooFew { found: 1, needed: 2 }));
    }

    #[test]
    fn without_events_there_is_no_statistic() {
        let some = data(&[(1.0, false, 0), (2.0, false, 1)]);
        assert_eq!(log_rank(&some, 0.0), Err(Undefined::DegenerateVariance));
        assert_eq!(permutation_log_rank(&some, 100, &mut stream()).unwrap().p.get(), 1.0);
    }

    #[test]
    fn random_splits_come_near_the_exact_share() {
        let rows: Vec<(f64, bool, usize)> = (0..26_u8)
            .map(|i| (f64::from(i % 13) + f64::from(i / 13) * 2.5, i % 5 != 0, usize::from(i / 13)))
            .collect();
        let found = permutation_log_rank(&data(&rows), 20_000, &mut stream()).unwrap();
        assert_eq!(found.method, PermutationMethod::MonteCarlo { draws: 20_000 });
        let asymptotic = log_rank(&data(&rows), 0.0).unwrap().p.get();
        assert!((found.p.get() - asymptotic).abs() < 0.05, "{} {asymptotic}", found.p.get());
    }

    proptest! {
        #[test]
        fn names_of_groups_and_order_of_rows_do_not_matter(
            rows in prop::collection::vec((1_u8..15, any::<bool>(), 0_usize..3), 6..30), rho in 0_u8..2,
        ) {
            let rho = f64::from(rho);
            let rows: Vec<(f64, bool, usize)> = rows.into_iter().map(|(time, event, group)| (f64::from(time), event, group)).collect();
            let mut other: Vec<(f64, bool, usize)> = rows.iter().map(|&(time, event, group)| (time, event, 2 - group)).collect();
            other.reverse();
            match (log_rank(&data(&rows), rho), log_rank(&data(&other), rho)) {
                (Ok(left), Ok(right)) => {
                    prop_assert!((left.chi_squared - right.chi_squared).abs() < 1e-8 * (1.0 + left.chi_squared));
                    let observed: f64 = left.groups.iter().map(|group| group.observed).sum();
                    let expected: f64 = left.groups.iter().map(|group| group.expected).sum();
                    prop_assert!((observed - expected).abs() < 1e-9);
                }
                (left, right) => prop_assert_eq!(left.is_err(), right.is_err()),
            }
        }

        #[test]
        fn scores_add_up_to_zero(rows in prop::collection::vec((1_u8..15, any::<bool>()), 2..30)) {
            let rows: Vec<(f64, bool, usize)> = rows.into_iter().map(|(time, event)| (f64::from(time), event, 0)).collect();
            prop_assert!(scores(&data(&rows)).unwrap().iter().sum::<f64>().abs() < 1e-10);
        }
    }
}
