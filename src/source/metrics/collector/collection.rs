//! The running collector: its threads, what they have done so far, and their end.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use reqwest::blocking::Client;

use super::batch::{SampleSink, ScrapeBatch, SinkError};
use super::fetch::{self, Limits, ScrapeFailure};
use super::page::PageReader;
use super::recent::{Memory, Recent};
use super::schedule;
use super::settings::CollectorSettings;
use super::stop::StopSignal;
use crate::unit::{Span, Timestamp};

/// A sample that is taken so little beside its moment gets the moment's own time, so that spacings are even.
const ALIGNED_WITHIN: Span = Span::from_milliseconds(5);

/// Stack of a thread that asks one target.
const STACK_BYTES: usize = 512 << 10;

/// Why nothing is collected (any more).
#[derive(Debug, thiserror::Error)]
pub enum CollectorError {
    /// There is nobody to ask.
    #[error("there is no target to ask; give at least one address of a /metrics endpoint")]
    NoTarget,
    /// The interval is none.
    #[error("the interval between scrapes is zero; give at least 1ms")]
    NoInterval,
    /// HTTP or threads could not be set up.
    #[error("failed to start collecting: {0}")]
    Start(String),
    /// Samples could not be kept.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A thread ended by our own mistake.
    #[error("a thread of the collector ended by a bug of unfazed; please report the message above")]
    Broken,
}

/// What was done so far.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Progress {
    /// By target, in the order of the settings.
    pub targets: Vec<TargetProgress>,
}

/// What was done so far with one target.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetProgress {
    /// The address, without secrets.
    pub url: String,
    /// Attempts.
    pub scrapes: u64,
    /// Attempts that brought nothing, by kind.
    pub failures: BTreeMap<&'static str, u64>,
    /// Moments at which nobody was asked, because the answer before took too long or the disk was slow.
    pub missed: u64,
    /// Samples kept.
    pub samples: u64,
    /// Why the last attempt brought nothing; `None` if it did.
    pub failing: Option<ScrapeFailure>,
}

impl Progress {
    /// Attempts.
    pub fn scrapes(&self) -> u64 {
        self.targets.iter().map(|target| target.scrapes).sum()
    }

    /// Attempts that brought nothing.
    pub fn failures(&self) -> u64 {
        self.targets.iter().flat_map(|target| target.failures.values()).sum()
    }

    /// Moments at which nobody was asked.
    pub fn missed(&self) -> u64 {
        self.targets.iter().map(|target| target.missed).sum()
    }

    /// Samples kept.
    pub fn samples(&self) -> u64 {
        self.targets.iter().map(|target| target.samples).sum()
    }
}

/// What was collected from start to end.
#[derive(Debug, Clone, PartialEq)]
pub struct Collected {
    /// When the first question was due.
    pub started_at: Timestamp,
    /// When the last thread had ended.
    pub ended_at: Timestamp,
    /// What was done.
    pub progress: Progress,
}

/// A collector at work. Dropped, it stops and waits for its threads, and a failure to keep samples goes unnoticed: call
/// [`Collector::stop`].
#[derive(Debug)]
pub struct Collector {
    shared: Arc<Shared>,
    start: Start,
    askers: Vec<JoinHandle<()>>,
    writer: Option<JoinHandle<Result<(), SinkError>>>,
}

#[derive(Debug)]
struct Shared {
    stop: StopSignal,
    progress: Mutex<Progress>,
    memory: Mutex<Memory>,
}

impl Collector {
    /// Starts to ask the targets and to hand what they answer to `sink`.
    ///
    /// ```no_run
    /// # use unfazed::source::metrics::collector::*;
    /// # fn keep(sink: Box<dyn SampleSink>) -> Result<(), Box<dyn std::error::Error>> {
    /// use unfazed::unit::Span;
    /// let targets = vec![Target::new("http://127.0.0.1:9101/metrics", "payments")?];
    /// let mut settings = CollectorSettings::new(targets, Span::from_seconds(1));
    /// settings.recent = Span::from_seconds(300);
    /// let collector = Collector::start(settings, sink)?;
    /// let last_minute = collector.latest(Span::from_seconds(60)); // a FrameSource
    /// let collected = collector.stop()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`CollectorError`] if the settings name nobody or no interval, or threads cannot be started.
    pub fn start(
        settings: CollectorSettings,
        sink: Box<dyn SampleSink>,
    ) -> Result<Self, CollectorError> {
        if settings.targets.is_empty() {
            return Err(CollectorError::NoTarget);
        }
        if settings.every <= Span::ZERO {
            return Err(CollectorError::NoInterval);
        }
        let client = fetch::client().map_err(CollectorError::Start)?;
        let targets = settings.targets.iter().map(|target| TargetProgress {
            url: target.shown(),
            scrapes: 0,
            failures: BTreeMap::new(),
            missed: 0,
            samples: 0,
            failing: None,
        });
        let shared = Arc::new(Shared {
            stop: StopSignal::default(),
            progress: Mutex::new(Progress { targets: targets.collect() }),
            memory: Mutex::new(Memory::new(settings.recent)),
        });
        let start = Start { instant: instant_now(), at: now() };
        let (sender, receiver) = sync_channel(settings.targets.len());
        let mut collector = Self { shared, start, askers: Vec::new(), writer: None };
        let shared = Arc::clone(&collector.shared);
        collector.writer =
            Some(spawn("collector writer", move || write(&receiver, sink, &shared))?);
        let keep = Arc::new(settings.keep);
        for (number, target) in settings.targets.into_iter().enumerate() {
            let asker = Asker {
                number,
                client: client.clone(),
                pages: PageReader::new(target, Arc::clone(&keep)),
                every: duration(settings.every),
                limits: Limits {
                    timeout: duration(settings.timeout),
                    body_bytes: settings.body_bytes,
                },
                start,
                body: Vec::new(),
                shared: Arc::clone(&collector.shared),
                sender: sender.clone(),
            };
            collector.askers.push(spawn("collector", move || asker.work())?);
        }
        Ok(collector)
    }

    /// When the first question was due.
    pub const fn started_at(&self) -> Timestamp {
        self.start.at
    }

    /// How long it has been running.
    pub fn elapsed(&self) -> Span {
        let milliseconds = self.start.instant.elapsed().as_millis();
        Span::from_milliseconds(i64::try_from(milliseconds).unwrap_or(i64::MAX))
    }

    /// Samples of the last `window`, up to [`CollectorSettings::recent`], as frames. Counted back from the newest sample of
    /// any metric.
    pub fn latest(&self, window: Span) -> Recent {
        lock(&self.shared.memory).latest(window)
    }

    /// What was done so far.
    pub fn progress(&self) -> Progress {
        lock(&self.shared.progress).clone()
    }

    /// Waits, at most so long. Returns whether the collector still runs; it stops by itself only when samples cannot be
    /// kept, and [`Collector::stop`] then says why.
    pub fn wait(&self, at_most: Span) -> bool {
        !self.shared.stop.wait(duration(at_most))
    }

    /// Stops, and waits until everything that was collected is kept. Takes as long as the answers that are under way.
    ///
    /// # Errors
    /// [`CollectorError`] if samples could not be kept.
    pub fn stop(mut self) -> Result<Collected, CollectorError> {
        self.end()?;
        Ok(Collected { started_at: self.start.at, ended_at: now(), progress: self.progress() })
    }

    fn end(&mut self) -> Result<(), CollectorError> {
        self.shared.stop.stop();
        let mut outcome = Ok(());
        for asker in self.askers.drain(..) {
            if asker.join().is_err() {
                outcome = Err(CollectorError::Broken);
            }
        }
        match self.writer.take().map(JoinHandle::join) {
            Some(Ok(written)) => written?,
            Some(Err(_)) => return Err(CollectorError::Broken),
            None => {}
        }
        outcome
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// The beginning on both clocks.
#[derive(Debug, Clone, Copy)]
struct Start {
    instant: Instant,
    at: Timestamp,
}

/// Asks one target.
struct Asker {
    number: usize,
    client: Client,
    pages: PageReader,
    every: Duration,
    limits: Limits,
    start: Start,
    body: Vec<u8>,
    shared: Arc<Shared>,
    sender: SyncSender<ScrapeBatch>,
}

impl Asker {
    /// Asks until it is told to stop or nobody takes the answers any more.
    fn work(mut self) {
        let mut last = None;
        loop {
            let elapsed = self.start.instant.elapsed();
            let tick = schedule::next(self.every, elapsed, last);
            if self.shared.stop.wait(tick.due.saturating_sub(elapsed)) {
                return;
            }
            last = Some(tick.number);
            let batch = self.ask(tick);
            if self.sender.send(batch).is_err() {
                return;
            }
        }
    }

    /// One scrape, a failed one too: it then holds only what is said of the scrape itself.
    fn ask(&mut self, tick: schedule::Tick) -> ScrapeBatch {
        let at = self.moment(tick);
        let begin = instant_now();
        let outcome = self.page(at);
        let seconds = begin.elapsed().as_secs_f64();
        let (mut batch, failure) = match outcome {
            Ok(batch) => (batch, None),
            Err(failure) => (ScrapeBatch::default(), Some(failure)),
        };
        let samples = batch.samples.len() as u64;
        batch.samples.extend(self.pages.about(at, failure.is_none(), seconds));
        lock(&self.shared.memory).remember(&batch.samples);
        if let Some(target) = lock(&self.shared.progress).targets.get_mut(self.number) {
            target.scrapes += 1;
            target.missed += tick.missed;
            target.samples += samples;
            if let Some(failure) = &failure {
                *target.failures.entry(failure.code()).or_default() += 1;
            }
            target.failing = failure;
        }
        batch
    }

    fn page(&mut self, at: Timestamp) -> Result<ScrapeBatch, ScrapeFailure> {
        let dialect = fetch::fetch(&self.client, self.pages.target(), self.limits, &mut self.body)?;
        let text = std::str::from_utf8(&self.body).map_err(|error| ScrapeFailure::NotText {
            url: self.pages.target().shown(),
            offset: error.valid_up_to(),
        })?;
        self.pages.read(text, dialect, at).map_err(|problem| ScrapeFailure::Malformed {
            url: self.pages.target().shown(),
            problem,
        })
    }

    /// The time of the scrape's samples: the moment of the schedule, unless the thread woke late or the clock was set.
    fn moment(&self, tick: schedule::Tick) -> Timestamp {
        let due = i64::try_from(tick.due.as_millis()).unwrap_or(i64::MAX);
        let planned = self.start.at.plus(Span::from_milliseconds(due));
        let real = now();
        let beside = real.since(planned).milliseconds().unsigned_abs();
        if beside <= ALIGNED_WITHIN.milliseconds().unsigned_abs() { planned } else { real }
    }
}

/// Hands batches to the sink until nobody sends any more. What cannot be kept stops everybody.
fn write(
    receiver: &Receiver<ScrapeBatch>,
    mut sink: Box<dyn SampleSink>,
    shared: &Shared,
) -> Result<(), SinkError> {
    let outcome = receiver.iter().try_for_each(|batch| sink.take(batch));
    // After a failure the rest is not kept either, but what the sink holds already may still be.
    let finished = sink.finish();
    if outcome.is_err() || finished.is_err() {
        shared.stop.stop();
    }
    outcome.and(finished)
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, CollectorError> {
    thread::Builder::new()
        .name(name.to_owned())
        .stack_size(STACK_BYTES)
        .spawn(work)
        .map_err(|error| CollectorError::Start(error.to_string()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Counters and queues stay whole whatever happens to the thread that held them.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn duration(span: Span) -> Duration {
    Duration::from_millis(u64::try_from(span.milliseconds()).unwrap_or(0))
}

#[expect(clippy::disallowed_methods, reason = "a scrape happens at a moment of the real clock")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_milliseconds(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[expect(clippy::disallowed_methods, reason = "the schedule must not move when the clock is set")]
fn instant_now() -> Instant {
    Instant::now()
}
