//! Fetches the units of a plan with a few workers, and keeps each one as soon as it is whole.

use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use crate::app::AppError;
use crate::app::pull::plan::{FetchPlan, Question, Unit};
use crate::app::pull::tail::{self, CutSeries, TAIL_NOTE};
use crate::frame::{AnsweredHistogram, BoundedBucket};
use crate::source::metrics::prometheus::{
    Client, Collected, Deadline, DecodedHistogram, DecodedSeries, Limits, PrometheusError,
    SeriesSink,
};
use crate::store::{Block, PartialFetch, TimedHistogram, UnitWriter};
use crate::unit::Timestamp;

/// How far a fetch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Questions answered, those of an earlier attempt among them.
    pub done: usize,
    /// All questions.
    pub all: usize,
    /// Samples that came in this attempt.
    pub samples: u64,
}

/// How a server is asked, and who is told how far it is.
pub struct Fetching<'told> {
    /// Limits of the conversation.
    pub limits: Limits,
    /// Called after every answer, by any worker.
    pub progress: &'told (dyn Fn(Progress) + Sync),
}

impl std::fmt::Debug for Fetching<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Fetching").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Default for Fetching<'_> {
    /// The usual limits; nobody is told.
    fn default() -> Self {
        Self { limits: Limits::default(), progress: &|_| {} }
    }
}

/// Work that the workers share.
struct Work<'work> {
    client: &'work Client,
    plan: &'work FetchPlan,
    partial: &'work PartialFetch,
    deadline: Deadline,
    begun: Timestamp,
    next: AtomicUsize,
    done: AtomicUsize,
    samples: AtomicU64,
    arrivals: Arrivals,
    stop: AtomicBool,
    failed: Mutex<Option<AppError>>,
}

/// Which units are there, for somebody who works with them while others are fetched.
#[derive(Debug)]
pub(super) struct Arrivals {
    state: Mutex<Arrived>,
    changed: Condvar,
}

#[derive(Debug)]
struct Arrived {
    there: Vec<bool>,
    stopped: bool,
}

/// Whether units came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// All of them are there.
    Whole,
    /// The fetch has ended without them.
    Never,
}

impl Arrivals {
    fn new(count: usize) -> Self {
        let state = Mutex::new(Arrived { there: vec![false; count], stopped: false });
        Self { state, changed: Condvar::new() }
    }

    /// Waits until all these units are there, or will never be.
    pub(super) fn wait_for(&self, units: &[&Unit]) -> Arrival {
        let all = |state: &Arrived| units.iter().all(|unit| state.there[unit.number]);
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self
            .changed
            .wait_while(state, |state| !state.stopped && !all(state))
            .unwrap_or_else(PoisonError::into_inner);
        if all(&state) { Arrival::Whole } else { Arrival::Never }
    }

    fn change(&self, change: impl FnOnce(&mut Arrived)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }
}

/// Fetches all units that are not there yet, and does something `meanwhile`. `begun` is the time by our clock.
///
/// # Errors
/// The first failure of the fetch, else that of what was done meanwhile; what was fetched until then stays.
pub(super) fn fetch<T>(
    client: &Client,
    plan: &FetchPlan,
    partial: &PartialFetch,
    fetching: &Fetching<'_>,
    begun: Timestamp,
    meanwhile: impl FnOnce(&Arrivals) -> Result<T, AppError>,
) -> Result<T, AppError> {
    let work = Work {
        client,
        plan,
        partial,
        deadline: client.deadline(),
        begun,
        next: AtomicUsize::new(0),
        done: AtomicUsize::new(0),
        samples: AtomicU64::new(0),
        arrivals: Arrivals::new(plan.units.len()),
        stop: AtomicBool::new(false),
        failed: Mutex::new(None),
    };
    let workers = NonZeroUsize::new(fetching.limits.concurrency).map_or(1, NonZeroUsize::get);
    let made = std::thread::scope(|scope| {
        for _ in 0..workers.min(plan.units.len()) {
            scope.spawn(|| work.run(fetching));
        }
        let made = meanwhile(&work.arrivals);
        if made.is_err() {
            work.stop.store(true, Ordering::Relaxed);
        }
        made
    });
    let failed = work.failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    failed.map_or(made, Err)
}

/// Wakes whoever waits for units when a worker ends by a bug of ours: nobody must wait for ever.
struct Alarm<'work>(&'work Arrivals);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.change(|state| state.stopped = true);
        }
    }
}

impl Work<'_> {
    /// Takes units until there are no more, or one has failed.
    fn run(&self, fetching: &Fetching<'_>) {
        let _alarm = Alarm(&self.arrivals);
        while !self.stop.load(Ordering::Relaxed) {
            let Some(unit) = self.plan.units.get(self.next.fetch_add(1, Ordering::Relaxed)) else {
                return;
            };
            match self.unit(unit) {
                Ok(samples) => {
                    self.arrivals.change(|state| state.there[unit.number] = true);
                    let progress = Progress {
                        done: self.done.fetch_add(1, Ordering::Relaxed) + 1,
                        all: self.plan.units.len(),
                        samples: self.samples.fetch_add(samples, Ordering::Relaxed) + samples,
                    };
                    (fetching.progress)(progress);
                }
                Err(error) => {
                    self.stop.store(true, Ordering::Relaxed);
                    let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
                    failed.get_or_insert(error);
                    drop(failed);
                    self.arrivals.change(|state| state.stopped = true);
                }
            }
        }
    }

    /// Fetches a unit, unless it is there.
    fn unit(&self, unit: &Unit) -> Result<u64, AppError> {
        if self.partial.has(unit.number) {
            return Ok(0);
        }
        let mut sink = UnitSink { metric: &unit.metric, writer: self.partial.begin(unit.number)? };
        self.ask(unit, &mut sink)?;
        let samples = sink.writer.samples();
        sink.writer.finish()?;
        Ok(samples)
    }

    fn ask(&self, unit: &Unit, sink: &mut UnitSink<'_>) -> Result<(), PrometheusError> {
        match &unit.question {
            Question::Raw { selector, .. } => {
                self.client.raw(selector, unit.stretch, self.deadline, sink)
            }
            Question::Query { expression, step, lookback } => {
                let asked = tail::asked(unit.stretch, *step, self.begun);
                let grid = Question::grid(*step, *lookback, asked);
                let mut answer = Collected::default();
                self.client.range(expression, grid, self.deadline, &mut answer)?;
                let cut = tail::cut(answer.series, unit.stretch, asked, *step);
                sink.keep(cut).map_err(|error| self.client.unkept(&error))
            }
        }
    }
}

impl UnitSink<'_> {
    /// Writes series whose tails were cut.
    fn keep(&mut self, cut: CutSeries) -> io::Result<()> {
        if cut.tails > 0 {
            self.writer.note(TAIL_NOTE)?;
        }
        for series in cut.series {
            self.series(series)?;
        }
        self.accept();
        Ok(())
    }
}

/// A native histogram as it is kept.
fn timed(histogram: DecodedHistogram) -> TimedHistogram {
    let DecodedHistogram { time, count, sum, buckets } = histogram;
    let buckets = buckets.into_iter().map(|bucket| BoundedBucket {
        lower: bucket.lower,
        upper: bucket.upper,
        count: bucket.count,
    });
    TimedHistogram { time, shown: AnsweredHistogram { count, sum, buckets: buckets.collect() } }
}

/// Writes the series of an answer into a unit.
struct UnitSink<'unit> {
    metric: &'unit str,
    writer: UnitWriter,
}

impl SeriesSink for UnitSink<'_> {
    fn begin(&mut self) -> io::Result<()> {
        self.writer.forget()
    }

    fn series(&mut self, series: DecodedSeries) -> io::Result<()> {
        if series.times.is_empty() && series.histograms.is_empty() {
            return Ok(());
        }
        self.writer.add(&Block {
            metric: self.metric.to_owned(),
            labels: series.labels.to_string(),
            times: series.times,
            values: series.values,
            histograms: series.histograms.into_iter().map(timed).collect(),
        })
    }

    fn accept(&mut self) {
        self.writer.accept();
    }
}
