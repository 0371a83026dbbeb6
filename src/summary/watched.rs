//! A metric of the experiment watched from moment to moment, in every session.
//!
//! Owns the samples of a signal and what its baseline window showed. Refuses to know what the samples mean: courses and
//! crossings are read from them elsewhere.

use std::collections::BTreeMap;

use crate::frame::FrameSource;
use crate::run::{Campaign, SessionIteration};
use crate::spec::{Experiment, Measure, Metric};
use crate::summary::band::BaselineLevel;
use crate::summary::error::SummaryError;
use crate::summary::meter::{Meter, SignalPoint, SignalReading};
use crate::summary::metric::{Bench, benches};
use crate::unit::{Span, Timestamp, Window};

/// A metric that is watched from moment to moment, set up for every session.
pub(crate) struct Watched<'document> {
    metric: &'document Metric,
    role: &'static str,
    benches: BTreeMap<u32, Bench>,
}

/// The error of a metric that cannot be watched.
pub(crate) fn no_signal(metric: &str, role: &'static str) -> SummaryError {
    SummaryError::NoSignal { metric: metric.to_owned(), role }
}

impl<'document> Watched<'document> {
    /// Sets up a metric of the experiment; `role` is the place in the document that names it.
    pub(crate) fn new(
        experiment: &'document Experiment,
        name: &str,
        role: &'static str,
        campaign: &Campaign,
        frames: &impl FrameSource,
    ) -> Result<Self, SummaryError> {
        let metric = experiment
            .metrics
            .iter()
            .find(|metric| metric.name == name)
            .ok_or_else(|| no_signal(name, role))?;
        Ok(Self { metric, role, benches: benches(metric, campaign, frames)? })
    }

    /// What reads it in one session.
    pub(crate) fn meter(&self, session: u32) -> &dyn Meter {
        self.benches[&session].meter.as_ref()
    }

    /// Coarsest step over the sessions.
    pub(crate) fn resolution(&self) -> Option<Span> {
        self.benches.values().filter_map(|bench| bench.meter.step()).max()
    }

    /// The samples of a range; shares and quantiles look back over `trailing`.
    pub(crate) fn points(
        &self,
        session: u32,
        range: Window,
        trailing: Span,
    ) -> Result<Vec<SignalPoint>, SummaryError> {
        self.meter(session)
            .signal(range, trailing)
            .ok_or_else(|| no_signal(&self.metric.name, self.role))
    }

    /// Whether a sample tells of the time before it too.
    fn looks_back(&self) -> bool {
        match self.metric.measure {
            Measure::Ratio { .. } | Measure::Histogram { .. } => true,
            Measure::Gauge { .. }
            | Measure::Counter { .. }
            | Measure::Samples { .. }
            | Measure::Balance { .. }
            | Measure::Query { .. } => false,
        }
    }

    /// Smallest and greatest value of a baseline window. A value that looks back beyond the window's start tells of
    /// other times and is left out, unless there is no other.
    pub(crate) fn level(
        &self,
        of_session: &SessionIteration,
        number: f64,
        trailing: Span,
    ) -> Result<Option<BaselineLevel>, SummaryError> {
        let window = of_session.iteration.baseline;
        let points = self.points(of_session.session, window, trailing)?;
        let own = window.start.plus(if self.looks_back() { trailing } else { Span::ZERO });
        let values = |from: Timestamp| {
            points.iter().filter(move |point| point.at >= from.milliseconds()).filter_map(|point| {
                match point.reading {
                    SignalReading::Value(value) => Some(value),
                    SignalReading::NoTraffic | SignalReading::Unknown => None,
                }
            })
        };
        let from = if values(own).next().is_some() { own } else { window.start };
        let least = values(from).min_by(f64::total_cmp);
        let greatest = values(from).max_by(f64::total_cmp);
        Ok(least.zip(greatest).map(|(least, greatest)| BaselineLevel { number, least, greatest }))
    }
}
