//! Looks at the service in a thread of its own, so that a slow source never delays a stop.
//!
//! Owns the questions and answers between the campaign and its telemetry: one question at a time, each answered with
//! everything that gates, abort rules and recovery need of that moment.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use crate::app::run::reading::{self, Stretch, WellBeing};
use crate::app::run::telemetry::Telemetry;
use crate::safety::{Fact, MetricFacts};
use crate::spec::Experiment;
use crate::unit::{Span, Timestamp, Window};

/// Before the first baseline nothing older than this is of interest.
const LOOK_BACK: Span = Span::from_seconds(60);

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Question {
    pub(crate) purpose: Purpose,
    pub(crate) now: Timestamp,
    /// The current iteration's baseline, once it is over.
    pub(crate) baseline: Option<Window>,
    /// The fault, or in a control iteration the end of the baseline; the rules count from it.
    pub(crate) since: Option<Timestamp>,
    pub(crate) queries: Vec<String>,
}

/// What an observation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Watching.
    Watch,
    /// The gate before a kill.
    Gate,
}

/// What was seen at a moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Observation {
    pub(crate) purpose: Purpose,
    pub(crate) now: Timestamp,
    /// The fault to which `well_being` refers.
    pub(crate) since: Option<Timestamp>,
    pub(crate) answers: BTreeMap<String, Fact<f64>>,
    /// The metrics that abort rules watch.
    pub(crate) metrics: BTreeMap<String, MetricFacts>,
    /// How the service is; unwell as long as nobody has looked.
    pub(crate) well_being: WellBeing,
    /// Why nothing was seen.
    pub(crate) trouble: Option<String>,
}

impl Observation {
    /// Whether something that was looked for was not found.
    pub(crate) fn has_unknowns(&self) -> bool {
        let unknown = |fact: &Fact<f64>| matches!(fact, Fact::Unknown(_));
        self.trouble.is_some()
            || self.answers.values().any(unknown)
            || self.metrics.values().any(|facts| unknown(&facts.now) || unknown(&facts.baseline))
    }
}

/// The thread, seen from outside.
#[derive(Debug)]
pub(crate) struct Watcher {
    questions: Option<Sender<Question>>,
    thread: Option<JoinHandle<()>>,
    observations: Receiver<Observation>,
    is_asked: bool,
}

impl Watcher {
    /// Starts the thread. It ends when this is dropped.
    pub(crate) fn start(experiment: Experiment, telemetry: Box<dyn Telemetry>, step: Span) -> Self {
        let (questions, asked) = channel::<Question>();
        let (told, observations) = channel();
        let mut eye = Eye { experiment, telemetry, step };
        let thread = std::thread::spawn(move || {
            while let Ok(question) = asked.recv() {
                if told.send(eye.observe(question)).is_err() {
                    return;
                }
            }
        });
        Self { questions: Some(questions), thread: Some(thread), observations, is_asked: false }
    }

    /// Asks, unless the last question is still being answered. Whether it asked.
    pub(crate) fn ask(&mut self, question: Question) -> bool {
        if self.is_asked {
            return false;
        }
        self.is_asked =
            self.questions.as_ref().is_some_and(|questions| questions.send(question).is_ok());
        self.is_asked
    }

    /// What was seen, if there is an answer.
    pub(crate) fn poll(&mut self) -> Option<Observation> {
        let observation = self.observations.try_recv().ok()?;
        self.is_asked = false;
        Some(observation)
    }
}

impl Drop for Watcher {
    /// Waits for the answer that is under way.
    fn drop(&mut self) {
        self.questions = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            let _joined = thread.join();
        }
    }
}

struct Eye {
    experiment: Experiment,
    telemetry: Box<dyn Telemetry>,
    step: Span,
}

impl Eye {
    fn observe(&mut self, question: Question) -> Observation {
        let Question { purpose, now, baseline, since, queries } = question;
        let from = baseline.map_or(now.minus(LOOK_BACK), |window| window.start);
        let margin = self.step.times(3);
        let mut trouble = self.telemetry.refresh(from.minus(margin), now).err();
        let mut answers = BTreeMap::new();
        for query in queries {
            let answer = match self.telemetry.answer(&query, now) {
                Ok(value) => Fact::Known(value),
                Err(why) => Fact::Unknown(why),
            };
            answers.insert(query, answer);
        }
        let stretch = baseline.map(|baseline| Stretch {
            baseline,
            since: since.unwrap_or(baseline.end),
            now,
            step: self.step,
        });
        let mut well_being = WellBeing::Unwell;
        let metrics = stretch.map_or_else(BTreeMap::new, |stretch| self.metrics(stretch));
        if let Some(stretch) = stretch {
            match reading::well_being(&self.experiment, stretch, self.telemetry.as_ref()) {
                Ok(found) => well_being = found,
                Err(why) => trouble = trouble.or(Some(why)),
            }
        }
        Observation { purpose, now, since, answers, metrics, well_being, trouble }
    }

    /// The metrics that abort rules watch, each over the slice of its rule.
    fn metrics(&self, stretch: Stretch) -> BTreeMap<String, MetricFacts> {
        let mut facts = BTreeMap::new();
        for rule in &self.experiment.safety.abort {
            let Some(metric) =
                self.experiment.metrics.iter().find(|metric| metric.name == rule.metric)
            else {
                continue;
            };
            let slice = reading::slice(rule);
            let telemetry = self.telemetry.as_ref();
            let found = match reading::numbers(&self.experiment, metric, slice, stretch, telemetry)
            {
                Ok(numbers) => MetricFacts {
                    baseline: known(numbers.baseline, "its baseline holds too little data"),
                    now: known(numbers.now, "the last moments hold too little data"),
                },
                Err(why) => {
                    MetricFacts { baseline: Fact::Unknown(why.clone()), now: Fact::Unknown(why) }
                }
            };
            facts.insert(rule.metric.clone(), found);
        }
        facts
    }
}

fn known(number: Option<f64>, why: &str) -> Fact<f64> {
    number.map_or_else(|| Fact::Unknown(why.to_owned()), Fact::Known)
}
