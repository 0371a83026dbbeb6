//! Which series a recording has to hold for an experiment to be summarised.
//!
//! Owns the list that a source fetches: every selector and query of the metrics and of the recovery, and beside counters
//! the start times of their series and processes. Refuses to know how anything is fetched.

use std::collections::BTreeSet;

use crate::frame::start::{IDENTITY, PROCESS_START, created_names};
use crate::spec::{Detection, Experiment, Measure, Remediation, Selector};
use crate::summary::detection::ALERTS;

/// One thing to fetch. Ordered, so that lists of them do not depend on the order of a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The series that a selector means; `name` is the metric under which they are recorded.
    Series {
        /// The metric's name.
        name: String,
        /// The selector as Prometheus reads it.
        selector: String,
    },
    /// The answer of a query, recorded under the expression itself.
    Answer {
        /// The expression.
        expression: String,
    },
    /// Series that help where they exist and are not missed where they do not.
    Helpful {
        /// The metric's name.
        name: String,
        /// The selector as Prometheus reads it: those that may belong to the series they help with.
        selector: String,
    },
}

/// Everything that the summaries of an experiment ask a source for.
pub fn needs(experiment: &Experiment) -> BTreeSet<Need> {
    let mut needs = BTreeSet::new();
    for metric in &experiment.metrics {
        match &metric.measure {
            Measure::Ratio { part, total, .. } => {
                counter(&mut needs, part);
                counter(&mut needs, total);
            }
            Measure::Histogram { base, .. } => {
                counter(&mut needs, &base.with_suffix("_bucket"));
                counter(&mut needs, &base.with_suffix("_count"));
                // The native histograms, which may be recorded beside classic ones, instead of them or not at all.
                needs.insert(Need::Helpful {
                    name: base.metric_name().to_owned(),
                    selector: base.to_string(),
                });
            }
            Measure::Counter { selector } => counter(&mut needs, selector),
            Measure::Balance { incoming, outgoing } => {
                counter(&mut needs, incoming);
                counter(&mut needs, outgoing);
            }
            Measure::Gauge { selector, .. } | Measure::Samples { selector, .. } => {
                needs.insert(series(selector));
            }
            Measure::Query { expression, .. } => {
                needs.insert(Need::Answer { expression: expression.clone() });
            }
        }
    }
    let recovery = experiment.recovery.as_ref();
    if let Some(Detection::Alert(name)) = recovery.and_then(|it| it.detected_by.as_ref()) {
        let name = crate::unit::labels::escape(name);
        let selector = format!("{ALERTS}{{alertname=\"{name}\",alertstate=\"firing\"}}");
        needs.insert(Need::Series { name: ALERTS.to_owned(), selector });
    }
    let confirmed_by = experiment.fault.as_ref().and_then(|fault| fault.confirmed_by.as_ref());
    let remediated_by = recovery.and_then(|it| it.remediated_by.as_ref());
    for sign in remediated_by.into_iter().chain(confirmed_by) {
        match sign {
            Remediation::CounterIncrease(selector) => counter(&mut needs, selector),
            Remediation::GaugeBack(selector) => {
                needs.insert(series(selector));
            }
        }
    }
    needs
}

fn series(selector: &Selector) -> Need {
    Need::Series { name: selector.metric_name().to_owned(), selector: selector.to_string() }
}

/// A counter and its start times. Births are judged beside what was recorded of the metric: fetching all of its series
/// could mean a whole fleet's.
fn counter(needs: &mut BTreeSet<Need>, selector: &Selector) {
    needs.insert(series(selector));
    let mut helpful = |name: &str, selector: &Selector| {
        needs.insert(Need::Helpful { name: name.to_owned(), selector: selector.to_string() });
    };
    for name in created_names(selector.metric_name()) {
        helpful(&name, &selector.on_metric(&name, |label| label != "le"));
    }
    let process = selector.on_metric(PROCESS_START, |label| IDENTITY.contains(&label));
    helpful(PROCESS_START, &process);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Counted, Metric};
    use crate::summary::cases::experiment;
    use crate::unit::Unit;

    #[test]
    fn a_ratio_needs_both_selectors_and_the_start_times_beside_them() {
        let metric = Metric {
            name: "errors".to_owned(),
            measure: Measure::Ratio {
                part: Selector::parse("x_total{outcome=\"error\"}").unwrap(),
                counted: Counted::Bad,
                total: Selector::parse("x_total").unwrap(),
                min_requests: 1,
            },
            unit: Unit::Ratio,
            worst: None,
            claim: None,
        };
        let all: Vec<String> = needs(&experiment(metric, None))
            .into_iter()
            .map(|need| match need {
                Need::Series { selector, .. } => selector,
                Need::Answer { expression } => expression,
                Need::Helpful { selector, .. } => selector,
            })
            .collect();
        let wanted = [
            "x_total",
            "x_total{outcome=\"error\"}",
            "process_start_time_seconds",
            "x_created",
            "x_created{outcome=\"error\"}",
            "x_total_created",
            "x_total_created{outcome=\"error\"}",
        ];
        assert_eq!(all, wanted);
    }
}
