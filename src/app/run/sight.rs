//! The two ways in which a running campaign sees the service: the embedded collector's memory, and a server's answers.
//!
//! Both hand over frames, so that everything that looks at them is the same. The collector records what it sees; of a
//! server everything is fetched again at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::app::AppError;
use crate::app::run::telemetry::Telemetry;
use crate::frame::{Frame, FrameSource, Gauge, Rows, Series, SourceFailure, Wanted};
use crate::source::metrics::Recording;
use crate::source::metrics::collector::{Collector, Recent};
use crate::source::metrics::prometheus::{Client, Collected, DecodedSeries, Grid, Limits, Stretch};
use crate::spec::{Across, Experiment, PrometheusServer, Reduce, Selector};
use crate::summary::{Need, needs};
use crate::unit::{Labels, Seed, Span, Timestamp, Window};

/// A watched server has to answer faster than a fetching one.
const LIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// All requests of one look together, retries included.
const LIVE_DEADLINE: Duration = Duration::from_secs(10);

/// What the embedded collector has seen lately.
pub(crate) struct ScrapeSight {
    pub(crate) collector: Arc<Collector>,
    pub(crate) recent: Recent,
    pub(crate) every: Span,
    /// What was recorded before this process took the campaign up: the baseline may be in it.
    pub(crate) earlier: Option<Recording>,
}

impl FrameSource for ScrapeSight {
    fn frame(&self, session: u32, wanted: Wanted<'_>) -> Result<Arc<Frame>, SourceFailure> {
        let recent = self.recent.frame(session, wanted)?;
        let Some(earlier) = &self.earlier else { return Ok(recent) };
        let earlier = earlier.frame(wanted).map_err(SourceFailure::new)?;
        Ok(Arc::new(joined(&earlier, &recent)))
    }
}

/// The series of both, each once.
fn joined(earlier: &Frame, later: &Frame) -> Frame {
    let mut all: BTreeMap<&Labels, Vec<(i64, f64)>> = BTreeMap::new();
    for series in earlier.series.iter().chain(&later.series) {
        let samples = series.times.iter().copied().zip(series.values.iter().copied());
        all.entry(&series.labels).or_default().extend(samples);
    }
    let mut frame = empty(&later.metric, later.rows);
    for (labels, samples) in all {
        frame.series.push(Series::from_unordered(labels.clone(), samples).0);
    }
    frame
}

impl Telemetry for ScrapeSight {
    fn refresh(&mut self, since: Timestamp, now: Timestamp) -> Result<(), String> {
        self.recent = self.collector.latest(now.since(since).plus(self.every.times(2)));
        let newest = self.recent.newest();
        match newest {
            Some(newest) if now.since(newest) <= self.every.times(5).plus(LATE) => Ok(()),
            Some(newest) => Err(format!("nothing was collected since {newest}")),
            None => Err("nothing was collected yet".to_owned()),
        }
    }

    fn answer(&mut self, query: &str, now: Timestamp) -> Result<f64, String> {
        let selector = Selector::parse(query).map_err(|_| {
            format!("`{query}` needs a server that answers PromQL; the embedded collector knows selectors only")
        })?;
        let frame = self
            .frame(1, Wanted::from(selector.metric_name()))
            .map_err(|failure| failure.to_string())?;
        let held = Window { start: now.minus(self.every.times(3)), end: now.plus(self.every) };
        Gauge::new(&frame, &selector, Across::Sum)
            .ok_or_else(|| format!("no series matches `{query}`"))?
            .reduce(held, Reduce::Last)
            .ok_or_else(|| format!("`{query}` has had no value for a while"))
    }
}

/// A scrape may take this long on top of its interval.
const LATE: Span = Span::from_seconds(2);

/// What a server has answered lately.
pub(crate) struct ServerSight {
    client: Client,
    step: Span,
    needs: BTreeSet<Need>,
    known: BTreeMap<String, BTreeMap<Labels, Vec<(i64, f64)>>>,
    /// From when to when everything is known.
    span: Option<Stretch>,
    frames: BTreeMap<String, Arc<Frame>>,
}

impl ServerSight {
    /// Makes ready to ask for the metrics that rules and recovery watch.
    pub(crate) fn open(
        experiment: &Experiment,
        server: &PrometheusServer,
        beside: &Path,
        step: Span,
    ) -> Result<Self, AppError> {
        let limits = Limits {
            timeout: LIVE_TIMEOUT,
            deadline: LIVE_DEADLINE,
            retries: 1,
            ..Limits::default()
        };
        let client = Client::open(server, beside, limits, Seed(0))
            .map_err(|error| AppError::Source { why: error.to_string() })?;
        Ok(Self {
            client,
            step,
            needs: needs(&watched(experiment)),
            known: BTreeMap::new(),
            span: None,
            frames: BTreeMap::new(),
        })
    }

    fn fetch(&mut self, need: &Need, stretch: Stretch) -> Result<(), String> {
        let mut found = Collected::default();
        let deadline = self.client.deadline();
        let (name, asked) = match need {
            Need::Series { name, selector } | Need::Helpful { name, selector } => {
                (name, self.client.raw(selector, stretch, deadline, &mut found))
            }
            Need::Answer { expression } => {
                let grid = Grid { stretch, step: self.step, lookback: self.step.times(3) };
                (expression, self.client.range(expression, grid, deadline, &mut found))
            }
        };
        asked.map_err(|error| error.to_string())?;
        let series = self.known.entry(name.clone()).or_default();
        for DecodedSeries { labels, times, values, .. } in found.series {
            series.entry(labels).or_default().extend(times.into_iter().zip(values));
        }
        Ok(())
    }
}

/// The experiment with nothing but what is watched.
fn watched(experiment: &Experiment) -> Experiment {
    let mut watched = experiment.clone();
    let signal = experiment.recovery.as_ref().map(|recovery| recovery.signal.clone());
    let rules: BTreeSet<&str> =
        experiment.safety.abort.iter().map(|rule| rule.metric.as_str()).collect();
    watched.metrics.retain(|metric| {
        Some(&metric.name) == signal.as_ref() || rules.contains(metric.name.as_str())
    });
    if let Some(recovery) = &mut watched.recovery {
        recovery.detected_by = None;
        recovery.remediated_by = None;
    }
    if let Some(fault) = &mut watched.fault {
        fault.confirmed_by = None;
    }
    watched
}

impl FrameSource for ServerSight {
    fn frame(&self, _session: u32, wanted: Wanted<'_>) -> Result<Arc<Frame>, SourceFailure> {
        Ok(self
            .frames
            .get(wanted.metric)
            .map_or_else(|| Arc::new(empty(wanted.metric, wanted.rows)), Arc::clone))
    }
}

impl Telemetry for ServerSight {
    fn refresh(&mut self, since: Timestamp, now: Timestamp) -> Result<(), String> {
        // Another iteration, or an earlier beginning: everything is asked for anew.
        if self.span.is_none_or(|span| since < span.first) {
            self.known.clear();
            self.span = None;
        }
        let first = self.span.map_or(since, |span| {
            // A scrape arrives at the server a little after its time.
            span.last.minus(self.step.times(2)).max(since)
        });
        let needs = self.needs.clone();
        for need in &needs {
            self.fetch(need, Stretch { first, last: now })?;
        }
        let oldest = self.span.map_or(since, |span| span.first.max(since));
        self.span = Some(Stretch { first: oldest, last: now });
        self.frames.clear();
        for (name, known) in &mut self.known {
            let mut frame = empty(name, Rows::Deduplicated);
            for (labels, samples) in known.iter_mut() {
                samples.retain(|(at, _)| *at >= oldest.milliseconds());
                let (series, _) = Series::from_unordered(labels.clone(), samples.clone());
                samples.clear();
                samples.extend(series.times.iter().copied().zip(series.values.iter().copied()));
                if !samples.is_empty() {
                    frame.series.push(series);
                }
            }
            self.frames.insert(name.clone(), Arc::new(frame));
        }
        Ok(())
    }

    fn answer(&mut self, query: &str, now: Timestamp) -> Result<f64, String> {
        let found = self.client.instant(query, now).map_err(|error| error.to_string())?;
        match found.as_slice() {
            [] => Err(format!("`{query}` has no answer: nothing matches it now")),
            [one] => Ok(one.value),
            several => {
                // As everywhere, matching series are summed; what is no selector has to answer with one number.
                if Selector::parse(query).is_ok() {
                    Ok(several.iter().map(|sample| sample.value).sum())
                } else {
                    Err(format!(
                        "`{query}` has {} answers; make it one number, e.g. with sum() or max()",
                        several.len()
                    ))
                }
            }
        }
    }
}

fn empty(metric: &str, rows: Rows) -> Frame {
    Frame { metric: metric.to_owned(), rows, series: Vec::new(), conflicting_duplicates: 0 }
}
