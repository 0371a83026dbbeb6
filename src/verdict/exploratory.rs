//! Exploratory metrics: a two-sided signed-rank p-value of no change, adjusted by Benjamini & Hochberg (1995) over
//! the exploratory metrics. Shown, never part of the verdict.

use crate::stats::Alternative;
use crate::stats::PValue;
use crate::stats::multiplicity::{Adjustment, adjusted};
use crate::stats::signed_rank::{NullDistribution, Zeros, signed_rank_test};
use crate::verdict::estimate::Pair;
use crate::verdict::kill::Kill;
use crate::verdict::result::{Exploratory, MetricResult};

/// The unadjusted p-value of one metric.
pub(crate) fn p_value(kills: &[Kill<'_>]) -> Exploratory {
    let differences: Vec<f64> =
        kills.iter().filter_map(Pair::of).map(|pair| pair.experiment - pair.baseline).collect();
    // The exact distribution costs n³; beyond a thousand kills the normal one is as good.
    let null =
        if differences.len() > 1000 { NullDistribution::Normal } else { NullDistribution::Exact };
    let p_value = signed_rank_test(&differences, Alternative::TwoSided, Zeros::Pratt, null)
        .ok()
        .map(|test| test.p.get());
    Exploratory { p_value, p_adjusted: None }
}

/// Adjusts all exploratory p-values of a result together.
pub(crate) fn adjust(metrics: &mut [MetricResult]) {
    let raw: Vec<Option<PValue>> = metrics
        .iter()
        .filter_map(|metric| metric.exploratory.as_ref())
        .map(|exploratory| exploratory.p_value.map(PValue::new))
        .collect();
    let mut all = adjusted(&raw, Adjustment::BenjaminiHochberg).into_iter();
    for exploratory in metrics.iter_mut().filter_map(|metric| metric.exploratory.as_mut()) {
        exploratory.p_adjusted = all.next().flatten().map(PValue::get);
    }
}
