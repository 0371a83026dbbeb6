//! Keeps samples while they are collected: `samples/part-000001.parquet` and so on, and `events.jsonl` beside them.
//!
//! A part appears whole under its name, so that a recording can be read at any moment, also after the process was
//! killed: what is lost then is what was collected since the last part. Parts are closed by the time of the samples and by
//! their number, so that memory does not grow with the length of a recording.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::frame::{Frame, Series};
use crate::run::Event;
use crate::source::events;
use crate::source::metrics::collector::{
    CollectedExemplar, CollectedSeries, SampleSink, ScrapeBatch, SinkError,
};
use crate::store::StoreError;
use crate::store::event_file::append_events;
use crate::store::recording_writer::write_samples_file;
use crate::unit::{Span, Timestamp};

/// The folder inside the recording.
const FOLDER: &str = "samples";

/// Longest stretch of time that one part holds: what a crash costs at most.
const PART_SPAN: Span = Span::from_seconds(10);

/// Most rows that are held before they are written, about 24 bytes each.
const PART_ROWS: usize = 1 << 20;

/// Writes what a collector hands over into a recording directory.
#[derive(Debug)]
pub struct CollectedSamples {
    directory: PathBuf,
    next_part: u32,
    /// By the address of the shared name, which is kept here and so stays its own.
    series: HashMap<usize, Held>,
    events: Vec<Event>,
    rows: usize,
    first: Option<Timestamp>,
}

/// The samples of one series.
#[derive(Debug)]
struct Held {
    series: Arc<CollectedSeries>,
    samples: Vec<(i64, f64)>,
}

impl CollectedSamples {
    /// Begins to write into `directory`, which must exist. Parts that are there already stay; new ones follow them.
    ///
    /// # Errors
    /// [`StoreError`] if the folder for the parts cannot be made or read.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let folder = directory.join(FOLDER);
        #[expect(clippy::disallowed_methods, reason = "the store is where files are written")]
        let made = fs::create_dir_all(&folder);
        made.map_err(|source| StoreError::new("create the directory", &folder, source))?;
        #[expect(clippy::disallowed_methods, reason = "the store looks at its own files")]
        let listed = fs::read_dir(&folder);
        let failed = |source| StoreError::new("list", &folder, source);
        let mut last = 0;
        for entry in listed.map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            last = last.max(part_number(&name.to_string_lossy()).unwrap_or(0));
        }
        Ok(Self {
            directory: directory.to_owned(),
            next_part: last + 1,
            series: HashMap::new(),
            events: Vec::new(),
            rows: 0,
            first: None,
        })
    }

    /// Writes what is held as one part.
    fn write_part(&mut self) -> Result<(), StoreError> {
        if !self.events.is_empty() {
            append_events(&self.directory, &std::mem::take(&mut self.events))?;
        }
        if self.rows == 0 {
            return Ok(());
        }
        let name = format!("part-{:06}.parquet", self.next_part);
        let held = std::mem::take(&mut self.series);
        write_samples_file(&self.directory.join(FOLDER).join(name), frames(held))?;
        self.next_part += 1;
        self.rows = 0;
        self.first = None;
        Ok(())
    }
}

impl SampleSink for CollectedSamples {
    fn take(&mut self, batch: ScrapeBatch) -> Result<(), SinkError> {
        // What is about the scrape itself stands last and has the scrape's own time; others may bring old times along.
        let now = batch.samples.last().map(|sample| sample.at);
        self.first = self.first.or(now);
        self.rows += batch.samples.len();
        for sample in batch.samples {
            let held = self.series.entry(Arc::as_ptr(&sample.series).addr()).or_insert_with(|| {
                Held { series: Arc::clone(&sample.series), samples: Vec::new() }
            });
            held.samples.push((sample.at.milliseconds(), sample.value));
        }
        self.events.extend(batch.exemplars.iter().map(event));
        let is_long = self.first.zip(now).is_some_and(|(first, now)| now.since(first) >= PART_SPAN);
        if is_long || self.rows >= PART_ROWS {
            self.write_part().map_err(|error| SinkError(error.into()))?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.write_part().map_err(|error| SinkError(error.into()))
    }
}

/// The number in `part-000001.parquet`.
fn part_number(name: &str) -> Option<u32> {
    name.strip_prefix("part-")?.strip_suffix(".parquet")?.parse().ok()
}

/// One frame a metric, sorted by metric and labels.
fn frames(held: HashMap<usize, Held>) -> Vec<Frame> {
    let mut all: Vec<Held> = held.into_values().collect();
    all.sort_by(|left, right| left.series.cmp(&right.series));
    let mut frames: Vec<Frame> = Vec::new();
    for same in all.chunk_by_mut(|left, right| left.series == right.series) {
        // A series whose name was made twice is one series all the same.
        let samples = same.iter_mut().flat_map(|held| std::mem::take(&mut held.samples)).collect();
        let Held { series, .. } = &same[0];
        let (written, _) = Series::from_unordered(series.labels.clone(), samples);
        match frames.last_mut().filter(|frame| frame.metric == series.metric) {
            Some(frame) => frame.series.push(written),
            None => frames.push(Frame {
                metric: series.metric.clone(),
                series: vec![written],
                ..Frame::default()
            }),
        }
    }
    frames
}

fn event(exemplar: &CollectedExemplar) -> Event {
    events::of_exemplar(
        &exemplar.series.metric,
        &exemplar.series.labels,
        &exemplar.labels,
        exemplar.value,
        exemplar.at,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::metrics::Recording;
    use crate::source::metrics::collector::CollectedSample;
    use crate::unit::Labels;

    fn batch(second: i64, values: &[f64]) -> ScrapeBatch {
        let at = Timestamp::from_milliseconds(1_764_000_000_000 + second * 1000);
        let series = |metric: &str, number: usize| {
            let labels = Labels::from_pairs([("instance", number.to_string())]);
            Arc::new(CollectedSeries { metric: metric.to_owned(), labels })
        };
        let sample = |(number, value): (usize, &f64)| CollectedSample {
            series: series("a_total", number),
            at,
            value: *value,
        };
        let mut samples: Vec<CollectedSample> = values.iter().enumerate().map(sample).collect();
        samples.push(CollectedSample { series: series("up", 0), at, value: 1.0 });
        ScrapeBatch { samples, exemplars: Vec::new() }
    }

    #[test]
    fn a_recording_is_whole_after_every_part_and_continues_behind_the_last() {
        let directory = tempfile::tempdir().unwrap();
        let mut kept = CollectedSamples::open(directory.path()).unwrap();
        for second in 0..25 {
            kept.take(batch(second, &[1.0, 2.0])).unwrap();
        }
        // As after kill -9: nothing is finished.
        std::mem::forget(kept);
        let recording = Recording::open(directory.path()).unwrap();
        assert_eq!(recording.rows_of("up"), 22, "two parts of eleven seconds");
        let mut kept = CollectedSamples::open(directory.path()).unwrap();
        kept.take(batch(25, &[3.0])).unwrap();
        kept.finish().unwrap();
        let recording = Recording::open(directory.path()).unwrap();
        let frame = recording.frame("a_total").unwrap();
        assert_eq!(frame.series.len(), 2);
        assert_eq!(frame.series[0].times.len(), 23);
        let names: Vec<String> = fs::read_dir(directory.path().join(FOLDER))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names.len(), 3, "no temporary files: {names:?}");
    }
}
