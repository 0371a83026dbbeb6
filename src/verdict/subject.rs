//! What a result is about, in words: how a metric is measured, where a signal is healthy.

use crate::spec::{
    Across, Action, Amount, Band, Counted, Detection, Fault, Measure, Metric, Reduce, Remediation,
    Target,
};
use crate::unit::{Unit, show};
use crate::verdict::result::FaultInfo;

/// What is measured, in words.
pub(crate) fn measure(metric: &Metric) -> String {
    let mut words = match &metric.measure {
        Measure::Ratio { part, counted, total, .. } => {
            let word = match counted {
                Counted::Bad => "bad",
                Counted::Good => "good",
            };
            format!("{word} {} out of {}", part.text(), total.text())
        }
        Measure::Histogram { base, quantile } => {
            format!("quantile {quantile} of the histogram {}", base.text())
        }
        Measure::Gauge { selector, reduce, across } => {
            let joined = match across {
                Across::Sum => "sum",
                Across::Max => "greatest",
                Across::Min => "smallest",
                Across::Mean => "mean",
            };
            format!("{} of {} ({joined} over series)", reduce_words(*reduce), selector.text())
        }
        Measure::Counter { selector } => format!("{} per second", selector.text()),
        Measure::Samples { selector, quantile } => {
            format!("quantile {quantile} of the values of {} (type 7)", selector.text())
        }
        Measure::Balance { incoming, outgoing } => {
            format!(
                "|{} − {}| from the baseline's start to the end",
                incoming.text(),
                outgoing.text()
            )
        }
        Measure::Query { expression, reduce } => {
            format!("{} of the query {expression}", reduce_words(*reduce))
        }
    };
    if let Some(worst) = metric.worst {
        words = format!("{words}, worst slice of {worst}");
    }
    words
}

fn reduce_words(reduce: Reduce) -> String {
    match reduce {
        Reduce::Mean => "time-weighted mean".to_owned(),
        Reduce::Median => "median".to_owned(),
        Reduce::Max => "maximum".to_owned(),
        Reduce::Min => "minimum".to_owned(),
        Reduce::Last => "last value".to_owned(),
        Reduce::Quantile(q) => format!("quantile {q}"),
    }
}

/// What is injected, in words.
pub(crate) fn fault(fault: &Fault) -> FaultInfo {
    let target = match &fault.target {
        Target::Process { name, arguments, more: _ } => match arguments {
            Some(arguments) => format!("process {name} with the arguments {arguments}"),
            None => format!("process {name}"),
        },
        Target::Container { label, name } => match (name, label) {
            (Some(name), _) => format!("container {name}"),
            (None, Some(label)) => format!("container with the label {label}"),
            (None, None) => "container".to_owned(),
        },
        Target::Kubernetes { namespace, selector, process } => match process {
            Some(process) => {
                format!("process {process} in pods {selector} of the namespace {namespace}")
            }
            None => format!("pods {selector} of the namespace {namespace}"),
        },
    };
    let action = match &fault.action {
        Action::Kill => "kill",
        Action::Terminate => "terminate",
        Action::Pause(_) => "pause",
        Action::Hook { .. } => "hook",
    };
    FaultInfo { target, action: action.to_owned(), count: fault.count, wave: fault.wave }
}

/// What counts as detection, in words.
pub(crate) fn detection(sign: &Detection) -> String {
    match sign {
        Detection::Alert(name) => format!("the alert {name} fires"),
        Detection::Above { signal, above } => format!("{signal} above {}", show::plain(*above)),
        Detection::Below { signal, below } => format!("{signal} below {}", show::plain(*below)),
    }
}

/// What counts as remediation, in words.
pub(crate) fn remediation(sign: &Remediation) -> String {
    match sign {
        Remediation::CounterIncrease(selector) => format!("{} increases", selector.text()),
        Remediation::GaugeBack(selector) => {
            format!("{} is back at its value before the fault", selector.text())
        }
    }
}

/// The healthy band in words.
pub(crate) fn band(band: &Band, signal: Option<&Metric>) -> String {
    let plain = Unit::None;
    let unit = signal.map_or(&plain, |metric| &metric.unit);
    let amount = |amount: Amount, or_by: Option<f64>| {
        let main = match amount {
            Amount::Relative(fraction) => show::percent(fraction),
            Amount::Absolute(value) => show::value(value, unit),
        };
        or_by.map_or(main.clone(), |least| format!("{main} or by {}", show::value(least, unit)))
    };
    match band {
        Band::AtMost(value) => format!("at most {}", show::value(*value, unit)),
        Band::AtLeast(value) => format!("at least {}", show::value(*value, unit)),
        Band::IncreaseAtMost { amount: size, or_by } => {
            format!("at most {} above the greatest baseline value", amount(*size, *or_by))
        }
        Band::DecreaseAtMost { amount: size, or_by } => {
            format!("at most {} below the smallest baseline value", amount(*size, *or_by))
        }
    }
}
