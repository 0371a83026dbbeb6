//! Fisher's exact test of a two-by-two table, with the conditional odds ratio.
//!
//! Owns the noncentral hypergeometric distribution of the first cell given the margins. Sums run from the
//! mode outwards until the terms no longer count, so that tables of millions cost O(√cell), not O(cell).
//!
//! Fisher (1935); conditional maximum likelihood estimate and limits by inversion of the one-sided tests
//! (Cornfield 1956). R's `fisher.test` looks for them with an absolute tolerance of 1.2e-4 in the odds ratio
//! or its inverse, which moves a limit near 600 by 1 %; [`Roots`] says whether to find them to rounding or
//! where R finds them.

use crate::stats::brent::brent_root;
use crate::stats::distribution::ln_choose;
use crate::stats::{Alternative, Interval, PValue, Undefined, require_level, wide_count_to_f64};

/// A two-by-two table with rows (a, b) and (c, d).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// First row, first column.
    pub a: u64,
    /// First row, second column.
    pub b: u64,
    /// Second row, first column.
    pub c: u64,
    /// Second row, second column.
    pub d: u64,
}

/// How precisely the odds ratio and its limits are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Roots {
    /// To rounding.
    Precise,
    /// By Brent's method at R's tolerance, so that R's digits come out.
    AsR,
}

/// The result of Fisher's exact test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FisherTest {
    /// The p-value of odds ratio 1.
    pub p: PValue,
    /// The conditional maximum likelihood estimate of the odds ratio; `None` when it is infinite. With only
    /// one possible table it is 0, as in R.
    pub odds_ratio: Option<f64>,
    /// Exact limits of the odds ratio; `None` is infinite.
    pub interval: Interval,
}

/// Tests whether rows and columns are independent.
///
/// `Greater` suspects an odds ratio above 1. Two-sided p: the total probability of all tables that are not
/// more likely than the observed one, within a relative 1e-7 as in R. Margins of zero leave only one table:
/// p = 1 and unbounded limits.
///
/// ```
/// use unfazed::stats::{Alternative, fisher::{Roots, Table, fisher_test}};
/// let tea = fisher_test(Table { a: 3, b: 1, c: 1, d: 3 }, 0.95, Alternative::Greater, Roots::Precise).unwrap();
/// assert!((tea.p.get() - 17.0 / 70.0).abs() < 1e-13);
/// ```
pub fn fisher_test(
    table: Table,
    level: f64,
    alternative: Alternative,
    roots: Roots,
) -> Result<FisherTest, Undefined> {
    require_level("conf_level", level)?;
    let cell = FirstCell::of(table);
    let central = cell.under(0.0);
    let p = match alternative {
        Alternative::Less => central.at_most(cell.observed),
        Alternative::Greater => central.at_least(cell.observed),
        Alternative::TwoSided => central.not_more_likely(cell.observed),
    };
    let alpha = 1.0 - level;
    let lower = |tail: f64| {
        if cell.observed == cell.lowest {
            return Some(0.0);
        }
        Some(odds_at_root(|ln_odds| tail - cell.under(ln_odds).at_least(cell.observed), roots))
    };
    let upper = |tail: f64| {
        (cell.observed < cell.highest).then(|| {
            odds_at_root(|ln_odds| cell.under(ln_odds).at_most(cell.observed) - tail, roots)
        })
    };
    let (lower, upper) = match alternative {
        Alternative::TwoSided => (lower(0.5 * alpha), upper(0.5 * alpha)),
        Alternative::Less => (Some(0.0), upper(alpha)),
        Alternative::Greater => (lower(alpha), None),
    };
    Ok(FisherTest {
        p: PValue::new(p),
        odds_ratio: cell.most_likely_odds(roots),
        interval: Interval::new(lower, upper, level),
    })
}

/// The odds ratio at which a decreasing function of its logarithm crosses zero.
fn odds_at_root(decreasing: impl Fn(f64) -> f64, roots: Roots) -> f64 {
    match roots {
        Roots::Precise => log_odds_at_root(decreasing).exp(),
        Roots::AsR => {
            let at_one = decreasing(0.0);
            // R's default tolerance is the fourth root of the machine epsilon.
            let tolerance = f64::EPSILON.sqrt().sqrt();
            if at_one < 0.0 {
                // At odds of zero the function has long reached its limit at 1e-300.
                let of_odds =
                    |odds: f64| decreasing(if odds > 1e-300 { odds.ln() } else { -690.0 });
                brent_root(of_odds, 0.0, 1.0, tolerance)
            } else if at_one > 0.0 {
                1.0 / brent_root(|inverse| decreasing(-inverse.ln()), f64::EPSILON, 1.0, tolerance)
            } else {
                1.0
            }
        }
    }
}

fn log_odds_at_root(decreasing: impl Fn(f64) -> f64) -> f64 {
    let mut reach = 1.0;
    while reach < 700.0 && (decreasing(reach) > 0.0 || decreasing(-reach) < 0.0) {
        reach *= 2.0;
    }
    let (mut low, mut high) = (-reach, reach);
    while high - low > 1e-14 * (1.0 + low.abs()) {
        let middle = low.midpoint(high);
        if middle <= low || middle >= high {
            break;
        }
        if decreasing(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    low.midpoint(high)
}

/// The first cell given the margins.
#[derive(Debug, Clone, Copy)]
struct FirstCell {
    observed: u64,
    lowest: u64,
    highest: u64,
    first_column: f64,
    second_column: f64,
    first_row: f64,
}

impl FirstCell {
    fn of(table: Table) -> Self {
        let (first_column, first_row) = (table.a + table.c, table.a + table.b);
        let second_column = table.b + table.d;
        Self {
            observed: table.a,
            lowest: first_row.saturating_sub(second_column),
            highest: if first_row < first_column { first_row } else { first_column },
            first_column: wide(first_column),
            second_column: wide(second_column),
            first_row: wide(first_row),
        }
    }

    fn under(&self, ln_odds: f64) -> Noncentral {
        Noncentral::new(*self, ln_odds)
    }

    fn ln_weight(&self, value: u64, ln_odds: f64) -> f64 {
        let j = wide(value);
        ln_choose(self.first_column, j)
            + ln_choose(self.second_column, self.first_row - j)
            + j * ln_odds
    }

    /// weight(value + 1) / weight(value).
    fn ratio(&self, value: u64, odds: f64) -> f64 {
        let j = wide(value);
        odds * (self.first_column - j) * (self.first_row - j)
            / ((j + 1.0) * (self.second_column - self.first_row + j + 1.0))
    }

    fn most_likely_odds(&self, roots: Roots) -> Option<f64> {
        if self.observed == self.lowest {
            return Some(0.0);
        }
        if self.observed == self.highest {
            return None;
        }
        let observed = wide(self.observed);
        Some(odds_at_root(|ln_odds| observed - self.under(ln_odds).mean(), roots))
    }
}

/// The distribution of the first cell under one odds ratio.
struct Noncentral {
    cell: FirstCell,
    ln_odds: f64,
    odds: f64,
    mode: u64,
    /// Sum of the weights, the mode weighing 1.
    total: f64,
    /// Sum of (value − mode)·weight.
    moment: f64,
}

impl Noncentral {
    fn new(cell: FirstCell, ln_odds: f64) -> Self {
        let odds = ln_odds.exp();
        // The ratios fall with the value: the mode is the first value from which they are below 1.
        let (mut low, mut high) = (cell.lowest, cell.highest);
        while low < high {
            let middle = low + (high - low) / 2;
            if cell.ratio(middle, odds) >= 1.0 {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let mut found = Self { cell, ln_odds, odds, mode: low, total: 1.0, moment: 0.0 };
        let upward = found.upward(low);
        let downward = found.downward(low);
        found.total += upward.sum + downward.sum;
        found.moment = upward.moment - downward.moment;
        found
    }

    /// Weights above a value relative to its own, and their moment of distances.
    fn upward(&self, from: u64) -> Outward {
        let mut outward = Outward { sum: 0.0, moment: 0.0 };
        let mut weight = 1.0;
        for value in from..self.cell.highest {
            weight *= self.cell.ratio(value, self.odds);
            if !outward.take(weight, wide(value + 1 - from)) {
                break;
            }
        }
        outward
    }

    /// Weights below a value relative to its own, and their moment of distances.
    fn downward(&self, from: u64) -> Outward {
        let mut outward = Outward { sum: 0.0, moment: 0.0 };
        let mut weight = 1.0;
        for value in (self.cell.lowest..from).rev() {
            weight /= self.cell.ratio(value, self.odds);
            if !outward.take(weight, wide(from - value)) {
                break;
            }
        }
        outward
    }

    fn mean(&self) -> f64 {
        wide(self.mode) + self.moment / self.total
    }

    /// The probability of one value.
    fn at(&self, value: u64) -> f64 {
        let relative =
            self.cell.ln_weight(value, self.ln_odds) - self.cell.ln_weight(self.mode, self.ln_odds);
        relative.exp() / self.total
    }

    fn at_most(&self, value: u64) -> f64 {
        if value >= self.cell.highest {
            1.0
        } else if value < self.cell.lowest {
            0.0
        } else if value <= self.mode {
            self.at(value) * (1.0 + self.downward(value).sum)
        } else {
            1.0 - self.at_least(value + 1)
        }
    }

    fn at_least(&self, value: u64) -> f64 {
        if value <= self.cell.lowest {
            1.0
        } else if value > self.cell.highest {
            0.0
        } else if value > self.mode {
            self.at(value) * (1.0 + self.upward(value).sum)
        } else {
            1.0 - self.at_most(value - 1)
        }
    }

    /// The probability of all values that are not more likely than the given one.
    fn not_more_likely(&self, value: u64) -> f64 {
        let limit = self.cell.ln_weight(value, self.ln_odds) + 1e-7;
        let likely = |value: u64| self.cell.ln_weight(value, self.ln_odds) > limit;
        if !likely(self.mode) {
            return 1.0;
        }
        // Weights fall on both sides of the mode: find the first unlikely value on each.
        let (mut low, mut high) = (self.mode, self.cell.highest + 1);
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            if likely(middle) { low = middle } else { high = middle }
        }
        let above = self.at_least(high);
        let (mut low, mut high) = (0, self.mode - self.cell.lowest + 1);
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            if likely(self.mode - middle) { low = middle } else { high = middle }
        }
        let below =
            if high > self.mode - self.cell.lowest { 0.0 } else { self.at_most(self.mode - high) };
        above + below
    }
}

struct Outward {
    sum: f64,
    moment: f64,
}

impl Outward {
    /// Adds a weight; false when the following ones no longer count.
    fn take(&mut self, weight: f64, distance: f64) -> bool {
        self.sum += weight;
        self.moment += weight * distance;
        weight * distance > 1e-18 * (1.0 + self.sum)
    }
}

fn wide(count: u64) -> f64 {
    wide_count_to_f64(u128::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All tables, one after the other.
    fn slow(table: Table, alternative: Alternative) -> f64 {
        let cell = FirstCell::of(table);
        let weights: Vec<(u64, f64)> =
            (cell.lowest..=cell.highest).map(|j| (j, cell.ln_weight(j, 0.0).exp())).collect();
        let total: f64 = weights.iter().map(|(_, w)| w).sum();
        let own = cell.ln_weight(cell.observed, 0.0).exp();
        let inside = |j: u64, w: f64| match alternative {
            Alternative::Less => j <= cell.observed,
            Alternative::Greater => j >= cell.observed,
            Alternative::TwoSided => w <= own * (1.0 + 1e-7),
        };
        weights.iter().filter(|(j, w)| inside(*j, *w)).map(|(_, w)| w).sum::<f64>() / total
    }

    #[test]
    fn the_lady_tasting_tea() {
        let tea = Table { a: 3, b: 1, c: 1, d: 3 };
        let test = fisher_test(tea, 0.95, Alternative::TwoSided, Roots::Precise).unwrap();
        assert!((test.p.get() - 34.0 / 70.0).abs() < 1e-12);
        assert!((test.odds_ratio.unwrap() - 6.408_309).abs() < 1e-4);
    }

    #[test]
    fn the_limits_of_r_are_those_of_r() {
        let test = |roots| {
            fisher_test(Table { a: 3, b: 1, c: 1, d: 3 }, 0.95, Alternative::TwoSided, roots)
                .unwrap()
        };
        let upper = |roots| test(roots).interval.upper.unwrap();
        assert!((upper(Roots::AsR) - 621.933_750_545_417).abs() < 1e-6);
        // Inserted into the test, the precise limit gives back its level.
        assert!((upper(Roots::Precise) - 626.243_530_588_82).abs() < 1e-6);
    }

    #[test]
    fn one_possible_table_says_nothing() {
        let test = fisher_test(
            Table { a: 0, b: 1000, c: 0, d: 1000 },
            0.95,
            Alternative::TwoSided,
            Roots::Precise,
        )
        .unwrap();
        assert_eq!((test.p.get(), test.odds_ratio), (1.0, Some(0.0)));
        assert_eq!((test.interval.lower, test.interval.upper), (Some(0.0), None));
    }

    #[test]
    fn an_empty_cell_on_the_other_diagonal_has_no_largest_odds() {
        let test = fisher_test(
            Table { a: 5, b: 0, c: 1, d: 4 },
            0.95,
            Alternative::TwoSided,
            Roots::Precise,
        )
        .unwrap();
        assert_eq!((test.odds_ratio, test.interval.upper), (None, None));
    }

    proptest::proptest! {
        #[test]
        fn the_p_value_adds_up_tables(a in 0_u64..15, b in 0_u64..15, c in 0_u64..15, d in 0_u64..15) {
            let table = Table { a, b, c, d };
            for alternative in Alternative::ALL {
                let fast = fisher_test(table, 0.95, alternative, Roots::Precise).unwrap().p.get();
                assert!((fast - slow(table, alternative)).abs() < 1e-10, "{table:?} {alternative:?} {fast}");
            }
        }

        #[test]
        fn the_limits_hold_the_estimate(a in 1_u64..15, b in 1_u64..15, c in 1_u64..15, d in 1_u64..15) {
            let test = fisher_test(Table { a, b, c, d }, 0.95, Alternative::TwoSided, Roots::Precise).unwrap();
            assert!(test.interval.contains(test.odds_ratio.unwrap()));
        }
    }
}
