//! What must not matter: the order of series, where a counter was reset, where a window is cut, the unit of a gauge.

use std::sync::Arc;

use proptest::prelude::*;

use crate::frame::{Counters, Frame, Gauge, Series, Starts};
use crate::spec::{Across, Reduce, Selector};
use crate::unit::{Labels, Timestamp, Window};

fn series(pod: usize, offset: i64, values: impl IntoIterator<Item = f64>) -> Series {
    let values: Vec<f64> = values.into_iter().collect();
    Series {
        labels: Labels::from_pairs([("pod", pod.to_string())]),
        times: (0_i64..).map(|at| offset + at * 5000).take(values.len()).collect(),
        values,
    }
}

fn frame(series: Vec<Series>) -> Arc<Frame> {
    Arc::new(Frame { metric: "x".to_owned(), series, ..Frame::default() })
}

fn window(start: i64, end: i64) -> Window {
    let at = Timestamp::from_milliseconds;
    Window { start: at(start), end: at(end) }
}

fn counters(frame: &Arc<Frame>) -> Counters {
    Counters::new(frame, &Selector::of_metric("x"), &Starts::default())
}

fn gained(frame: &Arc<Frame>, window: Window) -> Option<f64> {
    counters(frame).increase(window).map(|increase| increase.amount)
}

/// A counter that gains whole numbers.
fn running(gains: &[u8]) -> Vec<f64> {
    let mut total = 0.0;
    gains
        .iter()
        .map(|gain| {
            total += f64::from(*gain);
            total
        })
        .collect()
}

/// Gains of up to four counters with the same number of samples and their scrape offsets.
fn fleets() -> impl Strategy<Value = Vec<(i64, Vec<u8>)>> {
    (10_usize..40).prop_flat_map(|samples| {
        let gains = prop::collection::vec(any::<u8>(), samples);
        prop::collection::vec((0_i64..4000, gains), 1..5)
    })
}

fn fleet(members: &[(i64, Vec<u8>)]) -> Vec<Series> {
    let counter =
        |(pod, (offset, gains)): (usize, &(i64, Vec<u8>))| series(pod, *offset, running(gains));
    members.iter().enumerate().map(counter).collect()
}

proptest! {
    #[test]
    fn the_order_of_series_never_matters(members in fleets(), start in 0_i64..60_000) {
        let straight = frame(fleet(&members));
        let reversed = frame(fleet(&members).into_iter().rev().collect());
        let window = window(start, start + 40_000);
        prop_assert_eq!(gained(&straight, window), gained(&reversed, window));
        for across in [Across::Sum, Across::Max, Across::Min, Across::Mean] {
            let mean = |frame: &Arc<Frame>| {
                let gauge = Gauge::new(frame, &Selector::of_metric("x"), across);
                gauge.and_then(|gauge| gauge.reduce(window, Reduce::Mean)).map(f64::to_bits)
            };
            prop_assert_eq!(mean(&straight), mean(&reversed));
        }
    }

    #[test]
    fn a_reset_anywhere_loses_nothing_that_was_seen(
        gains in prop::collection::vec(1_u8..=255, 10..40),
        at in 1_usize..9,
    ) {
        let whole = running(&gains);
        let mut split = whole.clone();
        let before = split[at - 1];
        for value in &mut split[at..] {
            *value -= before;
        }
        // A restarted counter is only seen as one when it falls.
        prop_assume!(split[at] < before);
        let all = window(0, 1_000_000);
        prop_assert_eq!(
            gained(&frame(vec![series(0, 0, split)]), all),
            gained(&frame(vec![series(0, 0, whole)]), all)
        );
    }

    #[test]
    fn neighbouring_windows_add_up(members in fleets(), cut in 1_i64..9) {
        let frame = frame(fleet(&members));
        // Every series starts before the first window, so that none is born within.
        let (start, middle, end) = (5_000, 5_000 + cut * 4_321, 46_000);
        let whole = gained(&frame, window(start, end)).unwrap();
        let left = gained(&frame, window(start, middle)).unwrap();
        let right = gained(&frame, window(middle, end)).unwrap();
        prop_assert!((whole - left - right).abs() < 1e-9);
    }

    #[test]
    fn scaling_a_gauge_scales_every_reducer(
        values in prop::collection::vec(-1e6_f64..1e6, 10..40),
        power in -8_i32..8,
    ) {
        // Powers of two, so that nothing is rounded.
        let factor = 2_f64.powi(power);
        let plain = frame(vec![series(0, 0, values.clone())]);
        let scaled = frame(vec![series(0, 0, values.iter().map(|value| value * factor))]);
        let reducers = [
            Reduce::Mean, Reduce::Median, Reduce::Max, Reduce::Min, Reduce::Last,
            Reduce::Quantile(0.9),
        ];
        for reduce in reducers {
            let read = |frame: &Arc<Frame>| {
                let gauge = Gauge::new(frame, &Selector::of_metric("x"), Across::Sum).unwrap();
                gauge.reduce(window(1_000, 47_000), reduce).unwrap()
            };
            prop_assert_eq!((read(&plain) * factor).to_bits(), read(&scaled).to_bits());
        }
    }

    #[test]
    fn the_mean_of_a_constant_is_that_constant(value in -1e9_f64..1e9, start in 0_i64..40_000) {
        let frame = frame(vec![series(0, 0, vec![value; 30])]);
        let gauge = Gauge::new(&frame, &Selector::of_metric("x"), Across::Sum).unwrap();
        let mean = gauge.reduce(window(start, start + 70_001), Reduce::Mean).unwrap();
        prop_assert_eq!(mean.to_bits(), value.to_bits());
    }

    #[test]
    fn coverage_is_a_share_and_more_series_never_lower_it(members in fleets(), start in 0_i64..300_000) {
        let window = window(start, start + 50_000);
        let all = fleet(&members);
        let one = counters(&frame(all[..1].to_vec())).coverage(window);
        let more = counters(&frame(all)).coverage(window);
        prop_assert!((0.0..=1.0).contains(&one) && (0.0..=1.0).contains(&more));
        prop_assert!(more >= one);
    }
}
