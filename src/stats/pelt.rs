//! Change points in the mean of a series.
//!
//! Owns the exact penalised segmentation with squared-error cost. It is told the penalty; the usual one,
//! 3·σ̂²·ln n with σ̂ from the first differences, is offered beside it. Offline only: it looks at the whole
//! series at once.

use crate::stats::descriptive::{sorted_median, two_pass_mean};
use crate::stats::{Undefined, count_to_f64, require_finite};

/// How a series may be cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segmentation {
    /// The price of one more segment.
    pub penalty: f64,
    /// The fewest values in a segment, at least 1.
    pub min_size: usize,
    /// Change points are multiples of this, at least 1.
    pub jump: usize,
}

/// The best segments of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Segments {
    /// Where each segment ends, exclusive; the last is the length of the series.
    pub ends: Vec<usize>,
    /// Σ over the segments of the squared deviations from their means, without penalties.
    pub cost: f64,
}

/// The segmentation that minimises cost + penalty·(segments − 1), exactly.
///
/// Optimal partitioning F(t) = min over s of F(s) + C(s, t) + penalty (Jackson and others 2005), with the
/// candidates s dropped that can never win again (PELT; Killick, Fearnhead and Eckley 2012, theorem 3.1).
/// A dropped candidate stays in use until t + `min_size`, before which its successor is not allowed either,
/// so that the answer stays exact for every `min_size`. C(s, t) comes from prefix sums of the values less
/// their mean. Equal totals keep the earliest last change.
/// Numbers agree with ruptures `Pelt(model="l2", min_size, jump).predict(pen)`.
///
/// Cost: O(n) when the changes grow with n, O(n²) at worst: 0.5 million cheap steps at n = 1000.
/// Edge cases: with fewer than 2·`min_size` values there is one segment; values must be finite.
///
/// ```
/// use unfazed::stats::pelt::{Segmentation, segments};
/// let series = [0.0, 0.1, 0.0, 5.0, 5.1, 5.0];
/// let found = segments(&series, Segmentation { penalty: 1.0, min_size: 2, jump: 1 }).unwrap();
/// assert_eq!(found.ends, vec![3, 6]);
/// ```
pub fn segments(values: &[f64], rule: Segmentation) -> Result<Segments, Undefined> {
    require_finite(values)?;
    if !(rule.penalty >= 0.0 && rule.penalty.is_finite()) {
        return Err(Undefined::OutOfRange {
            what: "the penalty",
            found: rule.penalty,
            accepted: "a number of at least 0",
        });
    }
    for (what, found) in [("min_size", rule.min_size), ("jump", rule.jump)] {
        if found == 0 {
            return Err(Undefined::OutOfRange {
                what,
                found: 0.0,
                accepted: "a whole number of at least 1",
            });
        }
    }
    let n = values.len();
    let previous = last_changes(values, rule);
    let mut ends = vec![n];
    let mut end = n;
    while previous[end] > 0 {
        end = previous[end];
        ends.push(end);
    }
    ends.reverse();
    let mut start = 0;
    let mut cost = 0.0;
    for &end in &ends {
        cost += crate::stats::descriptive::sum_of_squares(&values[start..end]);
        start = end;
    }
    Ok(Segments { ends, cost })
}

/// The start of the last segment in the best segmentation of each beginning of the series.
fn last_changes(values: &[f64], rule: Segmentation) -> Vec<usize> {
    let n = values.len();
    let never = usize::MAX;
    let sums = prefix_sums(values);
    let shares: Vec<f64> = (0..=n).map(|length| 1.0 / count_to_f64(length)).collect();
    let mut previous = vec![0; n + 1];
    let mut totals = Vec::with_capacity(n);
    // F(0) is −penalty, so that the first segment costs nothing extra.
    let mut candidates =
        vec![Candidate { start: 0, sum: 0.0, rest: -rule.penalty, dropped_at: never }];
    let mut next_drop = never;
    for end in 1..=n {
        let allowed = end == n || (end >= rule.min_size && end % rule.jump == 0);
        if !allowed {
            continue;
        }
        if next_drop <= end {
            candidates.retain(|candidate| candidate.dropped_at > end);
            next_drop =
                candidates.iter().map(|candidate| candidate.dropped_at).min().unwrap_or(never);
        }
        let here = sums[end];
        totals.clear();
        totals.extend(candidates.iter().map(|candidate| {
            let sum = here.values - candidate.sum;
            candidate.rest + here.squares - sum * sum * shares[end - candidate.start]
        }));
        let mut least = f64::INFINITY;
        for (candidate, total) in candidates.iter().zip(&totals) {
            let long_enough = candidate.start == 0 || end - candidate.start >= rule.min_size;
            if *total < least && long_enough {
                least = *total;
                previous[end] = candidate.start;
            }
        }
        let best = least + rule.penalty;
        for (candidate, total) in candidates.iter_mut().zip(&totals) {
            if *total > best && candidate.dropped_at == never {
                candidate.dropped_at = end + rule.min_size;
                next_drop = next_drop.min(candidate.dropped_at);
            }
        }
        candidates.push(Candidate {
            start: end,
            sum: here.values,
            rest: best - here.squares,
            dropped_at: never,
        });
    }
    previous
}

/// A possible start of the last segment.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    start: usize,
    /// Sum of the centred values before the start.
    sum: f64,
    /// F(start) less the sum of squares before the start.
    rest: f64,
    /// The first end at which the candidate is out.
    dropped_at: usize,
}

/// Sums over the beginning of a series.
#[derive(Debug, Clone, Copy)]
struct Sums {
    values: f64,
    squares: f64,
}

/// The sums of the centred values and of their squares over every beginning of the series; Σ(x − mean)² of a
/// stretch follows from the sums at its two ends.
fn prefix_sums(values: &[f64]) -> Vec<Sums> {
    let center = two_pass_mean(values);
    let mut sums = Vec::with_capacity(values.len() + 1);
    let mut running = Sums { values: 0.0, squares: 0.0 };
    sums.push(running);
    for value in values {
        let centred = value - center;
        running =
            Sums { values: running.values + centred, squares: running.squares + centred * centred };
        sums.push(running);
    }
    sums
}

/// The usual penalty 3·σ̂²·ln n, with σ̂ from the median absolute first difference.
///
/// σ̂ = median|xᵢ₊₁ − xᵢ| / (√2·Φ⁻¹(3/4)): a change of level touches one difference only, so it does not
/// inflate σ̂. Positive autocorrelation makes σ̂ too small and the segmentation too fine.
/// Edge cases: fewer than 2 values are refused; when more than half of the differences are 0 the spread
/// cannot be estimated.
///
/// ```
/// use unfazed::stats::pelt::usual_penalty;
/// assert!(usual_penalty(&[1.0, 2.0, 1.5, 2.5, 1.0, 2.2]).unwrap() > 0.0);
/// assert!(usual_penalty(&[1.0; 9]).is_err());
/// ```
pub fn usual_penalty(values: &[f64]) -> Result<f64, Undefined> {
    require_finite(values)?;
    if values.len() < 2 {
        return Err(Undefined::TooFew { found: values.len(), needed: 2 });
    }
    let mut differences: Vec<f64> =
        values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    differences.sort_unstable_by(f64::total_cmp);
    let sigma = sorted_median(&differences) / (std::f64::consts::SQRT_2 * THREE_QUARTER_NORMAL);
    if sigma <= 0.0 {
        return Err(Undefined::DegenerateVariance);
    }
    Ok(3.0 * sigma * sigma * count_to_f64(values.len()).ln())
}

/// Φ⁻¹(3/4), which makes a median absolute deviation a standard deviation of normal data.
const THREE_QUARTER_NORMAL: f64 = 0.674_489_750_196_081_7;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::position::smaller;
    use proptest::prelude::*;

    const RULE: Segmentation = Segmentation { penalty: 1.0, min_size: 2, jump: 1 };

    #[test]
    fn a_constant_series_has_one_segment() {
        let found = segments(&[3.0; 30], RULE).unwrap();
        assert_eq!((found.ends, found.cost), (vec![30], 0.0));
    }

    #[test]
    fn too_short_for_two_segments_is_one_segment() {
        assert_eq!(segments(&[0.0, 9.0, 0.0], RULE).unwrap().ends, vec![3]);
        assert_eq!(segments(&[7.0], RULE).unwrap().ends, vec![1]);
    }

    #[test]
    fn a_jump_of_five_puts_changes_on_multiples_of_five() {
        let mut series = vec![0.0; 12];
        series.extend([9.0; 18]);
        let found = segments(&series, Segmentation { jump: 5, ..RULE }).unwrap();
        assert!(found.ends.iter().all(|end| end % 5 == 0));
    }

    /// Optimal partitioning over every admissible last change, nothing dropped.
    fn slow(values: &[f64], rule: Segmentation) -> f64 {
        let n = values.len();
        let mut best = vec![f64::INFINITY; n + 1];
        best[0] = -rule.penalty;
        for end in rule.min_size..=n {
            for start in 0..=end - rule.min_size {
                let total = best[start]
                    + crate::stats::descriptive::sum_of_squares(&values[start..end])
                    + rule.penalty;
                best[end] = smaller(best[end], total);
            }
        }
        best[n]
    }

    proptest! {
        #[test]
        fn dropping_candidates_never_changes_the_total(
            values in prop::collection::vec(-3.0_f64..3.0, 8..40),
            steps in prop::collection::vec(-6.0_f64..6.0, 4),
            penalty in 0.0_f64..20.0, min_size in 1_usize..5,
        ) {
            let series: Vec<f64> =
                values.iter().enumerate().map(|(i, value)| value + steps[i * steps.len() / values.len()]).collect();
            let rule = Segmentation { penalty, min_size, jump: 1 };
            let found = segments(&series, rule).unwrap();
            let total = found.cost + penalty * count_to_f64(found.ends.len() - 1);
            prop_assert!((total - slow(&series, rule)).abs() < 1e-8 * (1.0 + total));
            let mut start = 0;
            for end in found.ends {
                prop_assert!(end - start >= min_size);
                start = end;
            }
        }
    }
}
