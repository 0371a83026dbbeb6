//! Order statistics of pairwise sums and differences, without forming the pairs.
//!
//! Owns the k-th smallest of all `d_i` + `d_j` (i ≤ j) and of all `x_i` − `y_j`. Because rounded addition is
//! monotone, the number of pairs at or below a value is counted by two pointers in O(n), and the value is
//! found by bisection over the 2^64 doubles in their total order: at most 64 counts, no memory, an exact
//! element of the set. (Johnson and Mizoguchi 1978 need fewer counts and much more code.)

/// The k-th smallest (k from 1) of `d_i` + `d_j` over i ≤ j, for ascending values.
///
/// The values may hold +∞ or −∞, but not both.
pub(crate) fn kth_pair_sum(ascending: &[f64], k: u128) -> f64 {
    bisect(k, |value| pair_sums_at_most(ascending, value))
}

/// How many `d_i` + `d_j` with i ≤ j are at most `value`, for ascending values.
pub(crate) fn pair_sums_at_most(ascending: &[f64], value: f64) -> u128 {
    let mut count = 0_u128;
    let mut end = ascending.len();
    for (i, &first) in ascending.iter().enumerate() {
        while end > i && first + ascending[end - 1] > value {
            end -= 1;
        }
        if end <= i {
            break;
        }
        count += (end - i) as u128;
    }
    count
}

/// The k-th smallest (k from 1) of `x_i` − `y_j`, for ascending values.
pub(crate) fn kth_pair_difference(x: &[f64], y: &[f64], k: u128) -> f64 {
    bisect(k, |value| pair_differences_at_most(x, y, value))
}

/// How many `x_i` − `y_j` are at most `value`, for ascending values.
pub(crate) fn pair_differences_at_most(x: &[f64], y: &[f64], value: f64) -> u128 {
    let mut count = 0_u128;
    let mut start = 0;
    for &first in x {
        // As x grows, the smallest y that is subtracted far enough grows too.
        while start < y.len() && first - y[start] > value {
            start += 1;
        }
        count += (y.len() - start) as u128;
    }
    count
}

/// The smallest double at which the count reaches k.
fn bisect(k: u128, count_at_most: impl Fn(f64) -> u128) -> f64 {
    let mut low = key(f64::NEG_INFINITY);
    let mut high = key(f64::INFINITY);
    while low < high {
        let middle = low.midpoint(high);
        if count_at_most(value(middle)) >= k {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    // Adding 0.0 turns -0.0 into 0.0.
    value(low) + 0.0
}

/// A double as an integer of the same order.
pub(crate) fn key(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// The double of a key.
pub(crate) fn value(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ascending(values: Vec<f64>) -> Vec<f64> {
        let mut values = values;
        values.sort_by(f64::total_cmp);
        values
    }

    proptest::proptest! {
        #[test]
        fn keys_keep_the_order(a in proptest::num::f64::NORMAL, b in proptest::num::f64::NORMAL) {
            assert_eq!(key(a).cmp(&key(b)), a.total_cmp(&b));
            assert_eq!(value(key(a)).to_bits(), a.to_bits());
        }

        #[test]
        fn every_order_statistic_of_the_sums_is_found(values in proptest::collection::vec(-3.0_f64..3.0, 1..12)) {
            let d = ascending(values);
            let mut sums = Vec::new();
            for i in 0..d.len() {
                for j in i..d.len() {
                    sums.push(d[i] + d[j]);
                }
            }
            let sums = ascending(sums);
            for (index, sum) in sums.iter().enumerate() {
                assert_eq!(kth_pair_sum(&d, index as u128 + 1).to_string(), (sum + 0.0).to_string());
            }
        }

        #[test]
        fn every_order_statistic_of_the_differences_is_found(x in proptest::collection::vec(-3_i8..3, 1..9), y in proptest::collection::vec(-3_i8..3, 1..9)) {
            let x = ascending(x.into_iter().map(f64::from).collect());
            let y = ascending(y.into_iter().map(f64::from).collect());
            let differences = ascending(x.iter().flat_map(|a| y.iter().map(move |b| a - b)).collect());
            for (index, difference) in differences.iter().enumerate() {
                assert_eq!(kth_pair_difference(&x, &y, index as u128 + 1).to_string(), (difference + 0.0).to_string());
            }
        }
    }

    #[test]
    fn lost_data_stay_at_the_end() {
        let d = [1.0, 2.0, f64::INFINITY];
        assert_eq!(kth_pair_sum(&d, 3).to_string(), "4");
        assert!(kth_pair_sum(&d, 4).is_infinite());
    }
}
