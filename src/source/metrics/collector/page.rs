//! From the page that a target answered to samples with the target's labels.
//!
//! A page repeats the same series texts in the same order every time. Each text is taken apart once; afterwards a line
//! costs a comparison with the text that stood behind the one before, a number, and a count of a shared name.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::batch::{CollectedExemplar, CollectedSample, CollectedSeries, ScrapeBatch};
use super::settings::Keep;
use super::target::Target;
use crate::source::metrics::exposition::{
    Dialect, Entry, ExpositionError, Reader, Rules, SampleLine, SampleTime,
};
use crate::spec::Selector;
use crate::unit::{Labels, Timestamp};

/// Texts that are kept beyond those of the last page.
const SPARE_TEXTS: usize = 1024;

/// Exemplars that are remembered, so that each is handed on once.
const KNOWN_EXEMPLARS: usize = 1 << 14;

/// Reads the pages of one target.
#[derive(Debug)]
pub(super) struct PageReader {
    target: Target,
    keep: Arc<Keep>,
    known: Vec<KnownText>,
    positions: HashMap<Arc<str>, usize>,
    /// Number of the page that is being read.
    page: u64,
    exemplars: HashSet<String>,
    up: Arc<CollectedSeries>,
    duration: Arc<CollectedSeries>,
}

/// A series text that was met before.
#[derive(Debug)]
struct KnownText {
    text: Arc<str>,
    /// The series under which its samples are kept: none, its own, and one for each query that means it.
    series: Box<[Arc<CollectedSeries>]>,
    /// The last page that held it.
    page: u64,
}

impl PageReader {
    pub(super) fn new(target: Target, keep: Arc<Keep>) -> Self {
        let own = |metric: &str| {
            Arc::new(CollectedSeries { metric: metric.to_owned(), labels: target.own_labels() })
        };
        Self {
            up: own("up"),
            duration: own("scrape_duration_seconds"),
            target,
            keep,
            known: Vec::new(),
            positions: HashMap::new(),
            page: 0,
            exemplars: HashSet::new(),
        }
    }

    /// The target whose pages are read.
    pub(super) const fn target(&self) -> &Target {
        &self.target
    }

    /// What the page says, samples without a time of their own taken at `at`. A page that breaks its format brings
    /// nothing at all: half of it could be believed to be the whole.
    pub(super) fn read(
        &mut self,
        page: &str,
        dialect: Dialect,
        at: Timestamp,
    ) -> Result<ScrapeBatch, ExpositionError> {
        self.page += 1;
        let mut batch = ScrapeBatch::default();
        let mut reader = Reader::new(page, dialect, Rules::Scrape);
        let (mut guess, mut met) = (0, 0_usize);
        while let Some(entry) = reader.next_entry()? {
            let Entry::Sample(sample) = entry else { continue };
            let position = self.position(&sample, guess)?;
            guess = position + 1;
            let known = &mut self.known[position];
            met += usize::from(known.page != self.page);
            known.page = self.page;
            if known.series.is_empty() {
                continue;
            }
            let at = match sample.time() {
                SampleTime::OfTheText => at,
                SampleTime::Own(own) => own,
                SampleTime::BeyondTheCalendar => continue,
            };
            batch.samples.extend(known.series.iter().map(|series| CollectedSample {
                series: Arc::clone(series),
                at,
                value: sample.value,
            }));
            let series = Arc::clone(&known.series[0]);
            self.exemplar(&sample, &series, at, &mut batch)?;
        }
        if self.known.len() > 2 * met + SPARE_TEXTS {
            self.forget();
        }
        Ok(batch)
    }

    /// What is said of the scrape itself.
    pub(super) fn about(&self, at: Timestamp, is_up: bool, seconds: f64) -> [CollectedSample; 2] {
        let sample = |series: &Arc<CollectedSeries>, value| CollectedSample {
            series: Arc::clone(series),
            at,
            value,
        };
        [sample(&self.up, f64::from(u8::from(is_up))), sample(&self.duration, seconds)]
    }

    /// Where a sample's series text is known, made known if it was not.
    fn position(
        &mut self,
        sample: &SampleLine<'_>,
        guess: usize,
    ) -> Result<usize, ExpositionError> {
        let text = sample.series.text;
        if self.known.get(guess).is_some_and(|known| *known.text == *text) {
            return Ok(guess);
        }
        if let Some(position) = self.positions.get(text) {
            return Ok(*position);
        }
        let read = sample.series.read()?;
        let labels = self.target.labels_of(&read.pairs);
        let own = self.keep.keeps(&read.name).then_some(read.name.as_str());
        let answers = self.keep.answers(&read.name, &labels).map(Selector::text);
        let series = own
            .into_iter()
            .chain(answers.filter(|text| Some(*text) != own))
            .map(|metric| {
                Arc::new(CollectedSeries { metric: metric.to_owned(), labels: labels.clone() })
            })
            .collect();
        let text: Arc<str> = text.into();
        self.positions.insert(Arc::clone(&text), self.known.len());
        self.known.push(KnownText { text, series, page: self.page - 1 });
        Ok(self.known.len() - 1)
    }

    /// Drops the texts that the last page did not hold, so that series which come and go do not fill the memory.
    fn forget(&mut self) {
        let page = self.page;
        self.known.retain(|known| known.page == page);
        self.positions = self
            .known
            .iter()
            .enumerate()
            .map(|(position, known)| (Arc::clone(&known.text), position))
            .collect();
    }

    /// An exemplar stands on every page until a newer one takes its place; it is handed on once.
    fn exemplar(
        &mut self,
        sample: &SampleLine<'_>,
        series: &Arc<CollectedSeries>,
        at: Timestamp,
        batch: &mut ScrapeBatch,
    ) -> Result<(), ExpositionError> {
        let Some(exemplar) = &sample.exemplar else { return Ok(()) };
        if self.exemplars.contains(exemplar.labels.text) {
            return Ok(());
        }
        let labels = exemplar.labels.read_labels()?;
        if self.exemplars.len() >= KNOWN_EXEMPLARS {
            self.exemplars.clear();
        }
        self.exemplars.insert(exemplar.labels.text.to_owned());
        batch.exemplars.push(CollectedExemplar {
            series: Arc::clone(series),
            labels: Labels::from_pairs(labels),
            value: exemplar.value,
            at: exemplar.time().unwrap_or(at),
        });
        Ok(())
    }
}
