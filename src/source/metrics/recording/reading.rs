//! An opened recording: which metrics it holds, and their frames.
//!
//! Reading takes `&self`: several metrics may be read at once. [`Recording::map`] is the way for an analysis that
//! needs many metrics, because it reads every row group as rarely as its memory allows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::columns::Zone;
use super::csv::{self, CsvParts};
use super::error::RecordingError;
use super::labels::LabelTable;
use super::layout::{self, Layout};
use super::native::NativeFile;
use super::parquet::ParquetFile;
use super::part::{MetricPart, assemble};
use crate::frame::{Frame, NativeFrame, Wanted};
use crate::unit::Timestamp;

/// Bytes of samples that [`Recording::map`] holds at once when row groups mix many metrics: the most that leaves an
/// analysis under 512 MiB, because every further pass decodes the whole file again.
const MIXED_BUDGET_BYTES: usize = 320 << 20;

/// Bytes of samples that [`Recording::map`] holds at once when metrics lie apart: enough work for all cores, and
/// few row groups that are read twice.
const APART_BUDGET_BYTES: usize = 64 << 20;

/// The samples of a recording directory.
#[derive(Debug)]
pub struct Recording {
    directory: PathBuf,
    samples: Samples,
    metrics: BTreeMap<String, Held>,
    labels: LabelTable,
    native: Option<NativeFile>,
    null_values: Mutex<BTreeMap<String, u64>>,
}

/// The opened files.
#[derive(Debug)]
enum Samples {
    Parquet(Vec<ParquetFile>),
    Csv(Vec<CsvParts>),
}

/// What a recording holds of a metric.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Held {
    rows: u64,
    /// Where it lies: file and row group; for CSV file and 0.
    places: Vec<Place>,
}

/// A row group of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    file: usize,
    group: usize,
}

/// First and last sample of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Time of the first sample.
    pub first: Timestamp,
    /// Time of the last sample.
    pub last: Timestamp,
}

/// What was odd about a recording and was read nevertheless.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordingWarning {
    /// The times of a Parquet file have no zone; they were read as UTC.
    TimesWithoutZone {
        /// The file.
        path: PathBuf,
    },
    /// Rows without a value were left out.
    NullValues {
        /// The metric.
        metric: String,
        /// How many rows.
        count: u64,
    },
}

impl RecordingWarning {
    /// The code of the warning in results.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TimesWithoutZone { .. } => "times_without_zone",
            Self::NullValues { .. } => "null_values",
        }
    }
}

impl std::fmt::Display for RecordingWarning {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TimesWithoutZone { path } => write!(
                formatter,
                "the times in {} have no zone and were read as UTC; write them as datetime with a zone",
                path.file_name().unwrap_or_default().to_string_lossy()
            ),
            Self::NullValues { metric, count } => write!(
                formatter,
                "{count} rows of {metric} have no value and were left out; they are gaps, not zeros"
            ),
        }
    }
}

impl Recording {
    /// Opens the samples in `directory`: finds the files, checks their columns and learns which metrics lie where.
    /// CSV is read whole.
    ///
    /// # Errors
    /// [`RecordingError`] names the path, what was found and what is accepted.
    pub fn open(directory: &Path) -> Result<Self, RecordingError> {
        let labels = LabelTable::default();
        let samples = match layout::find(directory)? {
            Layout::Parquet(paths) => Samples::Parquet(in_order(
                paths.par_iter().map(|path| ParquetFile::open(path)).collect(),
            )?),
            Layout::Csv(paths) => Samples::Csv(in_order(
                paths.par_iter().map(|path| csv::read(path, &labels)).collect(),
            )?),
        };
        let native = directory.join(layout::NATIVE);
        let native = native.is_file().then(|| NativeFile::open(&native)).transpose()?;
        Ok(Self {
            directory: directory.to_owned(),
            metrics: samples.metrics(),
            samples,
            labels,
            native,
            null_values: Mutex::default(),
        })
    }

    /// The directory as given.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Names of all metrics that have a row, sorted.
    pub fn metric_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.metrics.keys().map(String::as_str)
    }

    /// Rows of a metric, as they lie in the files; 0 if it is absent.
    pub fn rows_of(&self, metric: &str) -> u64 {
        self.metrics.get(metric).map_or(0, |held| held.rows)
    }

    /// Rows of all metrics.
    pub fn rows(&self) -> u64 {
        self.metrics.values().map(|held| held.rows).sum()
    }

    /// Names of all metrics that have a native histogram, sorted.
    pub fn native_names(&self) -> impl Iterator<Item = &str> {
        self.native.iter().flat_map(NativeFile::metric_names)
    }

    /// All native histograms of one metric; a frame without series if there are none.
    ///
    /// # Errors
    /// [`RecordingError`] if its rows cannot be decoded.
    pub fn native_frame(&self, metric: &str) -> Result<NativeFrame, RecordingError> {
        match &self.native {
            Some(native) => native.frame(metric),
            None => Ok(NativeFrame { metric: metric.to_owned(), ..NativeFrame::default() }),
        }
    }

    /// First and last sample over all metrics; `None` without samples.
    ///
    /// # Errors
    /// [`RecordingError`] if the column of times has to be read and cannot be.
    pub fn extent(&self) -> Result<Option<Extent>, RecordingError> {
        let ranges = match &self.samples {
            Samples::Parquet(files) => {
                let mut ranges = Vec::new();
                for file in files {
                    for group in 0..file.groups.len() {
                        ranges.extend(file.extent(group)?);
                    }
                }
                ranges
            }
            Samples::Csv(files) => files
                .iter()
                .flat_map(BTreeMap::values)
                .flat_map(|part| &part.series)
                .filter_map(|series| series.times.extent())
                .collect(),
        };
        let moment = Timestamp::from_milliseconds;
        let plain = ranges
            .iter()
            .map(|range| Extent { first: moment(range.start), last: moment(range.end) });
        let native = match &self.native {
            Some(native) => native.extent()?,
            None => None,
        };
        Ok(plain.chain(native).reduce(|left, right| Extent {
            first: left.first.min(right.first),
            last: left.last.max(right.last),
        }))
    }

    /// What was odd and was read nevertheless. Null values are known of the metrics that were read so far.
    pub fn warnings(&self) -> Vec<RecordingWarning> {
        let mut warnings = Vec::new();
        if let Samples::Parquet(files) = &self.samples {
            warnings.extend(
                files.iter().filter(|file| file.zone() == Zone::Missing).map(|file| {
                    RecordingWarning::TimesWithoutZone { path: file.path().to_owned() }
                }),
            );
        }
        let null_values = self.null_values.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.extend(null_values.iter().map(|(metric, count)| RecordingWarning::NullValues {
            metric: metric.clone(),
            count: *count,
        }));
        warnings
    }

    /// All series of one metric; a frame without series if the metric is absent. A name alone asks for one value per
    /// series and time, [`Wanted::every_row`] for all rows.
    ///
    /// # Errors
    /// [`RecordingError`] if its rows cannot be decoded.
    pub fn frame<'names>(
        &self,
        wanted: impl Into<Wanted<'names>>,
    ) -> Result<Frame, RecordingError> {
        let wanted = wanted.into();
        let mut parts = self.parts(&BTreeSet::from([wanted.metric]))?;
        Ok(self.assembled(wanted, parts.remove(wanted.metric).unwrap_or_default()))
    }

    /// The frames of several metrics, in the order in which they are wanted. Every row group is read once; all frames
    /// are in memory together.
    ///
    /// # Errors
    /// [`RecordingError`] if rows of one of them cannot be decoded.
    pub fn frames<'names>(
        &self,
        wanted: &[impl Into<Wanted<'names>> + Copy],
    ) -> Result<Vec<Frame>, RecordingError> {
        let wanted: Vec<Wanted<'names>> = wanted.iter().map(|one| (*one).into()).collect();
        let frames: BTreeMap<Wanted<'names>, Frame> = self
            .parts_of(wanted.iter().copied().collect())?
            .into_par_iter()
            .map(|(wanted, parts)| (wanted, self.assembled(wanted, parts)))
            .collect();
        Ok(wanted
            .iter()
            .map(|one| frames.get(one).cloned().expect("there is a frame for all that is wanted"))
            .collect())
    }

    /// Hands to `work` the frames of each group of metrics, and returns what it made of them in the order of
    /// `groups`. Groups are worked on by all cores; frames of a group come in the order of its names.
    ///
    /// Memory is bounded: groups are taken in batches whose samples fit into a budget, and a frame is given up with
    /// the last group of its batch that needs it. Where row groups of a Parquet file mix many metrics the budget is
    /// 320 MiB, else 64 MiB. A single group beyond the budget is read all the same.
    ///
    /// # Errors
    /// [`RecordingError`] if rows of a metric cannot be decoded; the first one in the order of `groups`.
    pub fn map<'names, T: Send>(
        &self,
        groups: &[Vec<impl Into<Wanted<'names>> + Copy>],
        work: impl Fn(usize, &[Arc<Frame>]) -> T + Sync,
    ) -> Result<Vec<T>, RecordingError> {
        let groups: Vec<Vec<Wanted<'names>>> =
            groups.iter().map(|group| group.iter().map(|one| (*one).into()).collect()).collect();
        let mut results = Vec::with_capacity(groups.len());
        let budget_rows = self.budget_rows()?;
        while results.len() < groups.len() {
            let start = results.len();
            let batch = &groups[start..self.batch_end(&groups, start, budget_rows)];
            let shelf = Shelf::new(self, batch)?;
            let worked: Vec<T> = batch
                .par_iter()
                .enumerate()
                .map(|(at, group)| {
                    let frames: Vec<Arc<Frame>> =
                        group.iter().map(|wanted| shelf.take(*wanted)).collect();
                    work(start + at, &frames)
                })
                .collect();
            results.extend(worked);
        }
        Ok(results)
    }

    /// The end of the batch that begins at `start`: as many groups as fit, at least one.
    fn batch_end(&self, groups: &[Vec<Wanted<'_>>], start: usize, budget_rows: u64) -> usize {
        let mut held = BTreeSet::new();
        let mut rows = 0;
        for (at, group) in groups.iter().enumerate().skip(start) {
            for wanted in group {
                if held.insert(*wanted) {
                    rows += self.rows_of(wanted.metric);
                }
            }
            if rows > budget_rows && at > start {
                return at;
            }
        }
        groups.len()
    }

    /// Rows that a batch of [`Self::map`] may have.
    fn budget_rows(&self) -> Result<u64, RecordingError> {
        let Samples::Parquet(files) = &self.samples else { return Ok(u64::MAX) };
        let mixed = files.iter().enumerate().find_map(|(file, opened)| {
            let group = opened.groups.iter().position(|group| group.runs.is_none())?;
            Some(Place { file, group })
        });
        let Some(place) = mixed else {
            // Pieces of 8 to 12 bytes a sample become frames of 16.
            return Ok(APART_BUDGET_BYTES as u64 / 16);
        };
        // How small the pieces are is found out on one row group.
        let file = &files[place.file];
        let held = &file.groups[place.group].metrics;
        let names: Vec<&str> = held.iter().map(|held| held.metric.as_str()).collect();
        let rows: usize = held.iter().map(|held| held.rows).sum();
        let parts = file.read(place.group, &names, &self.labels)?.parts;
        let bytes: usize = parts.iter().map(MetricPart::bytes).sum();
        Ok((MIXED_BUDGET_BYTES as u64).saturating_mul(rows as u64) / (bytes.max(1) as u64))
    }

    /// The pieces of the metrics, one entry for each name.
    fn parts<'names>(
        &self,
        metrics: &BTreeSet<&'names str>,
    ) -> Result<BTreeMap<&'names str, Vec<MetricPart>>, RecordingError> {
        let mut places: BTreeMap<Place, Vec<&'names str>> = BTreeMap::new();
        for metric in metrics {
            for place in self.metrics.get(*metric).into_iter().flat_map(|held| &held.places) {
                places.entry(*place).or_default().push(*metric);
            }
        }
        let mut found: BTreeMap<&'names str, Vec<MetricPart>> =
            metrics.iter().map(|metric| (*metric, Vec::new())).collect();
        let read: Vec<(Vec<&'names str>, Vec<MetricPart>)> = in_order(
            places
                .into_par_iter()
                .map(|(place, metrics)| {
                    let parts = self.samples.read(place, &metrics, &self.labels)?;
                    Ok((metrics, parts))
                })
                .collect(),
        )?;
        for (metrics, parts) in read {
            for (metric, part) in metrics.into_iter().zip(parts) {
                found.entry(metric).or_default().push(part);
            }
        }
        Ok(found)
    }

    /// The pieces of everything that is wanted; a metric that is wanted in two ways is read once.
    fn parts_of<'names>(
        &self,
        wanted: BTreeSet<Wanted<'names>>,
    ) -> Result<Vec<(Wanted<'names>, Vec<MetricPart>)>, RecordingError> {
        let mut parts = self.parts(&wanted.iter().map(|one| one.metric).collect())?;
        let mut all = Vec::with_capacity(wanted.len());
        let mut rest = wanted.into_iter().peekable();
        while let Some(one) = rest.next() {
            // What is wanted is in the order of names: a name's further uses follow its first.
            let last = rest.peek().is_none_or(|next| next.metric != one.metric);
            let found =
                if last { parts.remove(one.metric) } else { parts.get(one.metric).cloned() };
            all.push((one, found.unwrap_or_default()));
        }
        Ok(all)
    }

    /// The frame of a metric; its null values are noted.
    fn assembled(&self, wanted: Wanted<'_>, parts: Vec<MetricPart>) -> Frame {
        let null_values: u64 = parts.iter().map(|part| part.null_values).sum();
        if null_values > 0 {
            let mut noted = self.null_values.lock().unwrap_or_else(PoisonError::into_inner);
            noted.insert(wanted.metric.to_owned(), null_values);
        }
        assemble(wanted, parts, &self.labels)
    }
}

impl Samples {
    /// Where each metric lies.
    fn metrics(&self) -> BTreeMap<String, Held> {
        let mut metrics: BTreeMap<String, Held> = BTreeMap::new();
        let mut add = |metric: &str, rows: usize, place: Place| {
            let held = metrics.entry(metric.to_owned()).or_default();
            held.rows += rows as u64;
            held.places.push(place);
        };
        match self {
            Self::Parquet(files) => {
                for (file, opened) in files.iter().enumerate() {
                    for (group, index) in opened.groups.iter().enumerate() {
                        for held in &index.metrics {
                            add(&held.metric, held.rows, Place { file, group });
                        }
                    }
                }
            }
            Self::Csv(files) => {
                for (file, parts) in files.iter().enumerate() {
                    for (metric, part) in parts {
                        add(metric, part.rows(), Place { file, group: 0 });
                    }
                }
            }
        }
        metrics
    }

    /// What a place holds of `metrics`, in their order.
    fn read(
        &self,
        place: Place,
        metrics: &[&str],
        labels: &LabelTable,
    ) -> Result<Vec<MetricPart>, RecordingError> {
        match self {
            Self::Parquet(files) => Ok(files[place.file].read(place.group, metrics, labels)?.parts),
            Self::Csv(files) => Ok(metrics
                .iter()
                .map(|metric| files[place.file].get(*metric).cloned().unwrap_or_default())
                .collect()),
        }
    }
}

/// The frames of one batch, made when first needed and given up after their last use.
struct Shelf<'batch> {
    recording: &'batch Recording,
    slots: BTreeMap<Wanted<'batch>, Mutex<Slot>>,
}

/// A metric on the shelf.
struct Slot {
    state: State,
    /// Groups that still need it.
    uses: usize,
}

/// How far a metric has come.
enum State {
    Parts(Vec<MetricPart>),
    Made(Arc<Frame>),
    Gone,
}

impl<'batch> Shelf<'batch> {
    fn new(
        recording: &'batch Recording,
        batch: &'batch [Vec<Wanted<'batch>>],
    ) -> Result<Self, RecordingError> {
        let mut uses: BTreeMap<Wanted<'batch>, usize> = BTreeMap::new();
        for wanted in batch.iter().flatten() {
            *uses.entry(*wanted).or_default() += 1;
        }
        let slots = recording
            .parts_of(uses.keys().copied().collect())?
            .into_iter()
            .map(|(wanted, parts)| {
                (wanted, Mutex::new(Slot { state: State::Parts(parts), uses: uses[&wanted] }))
            })
            .collect();
        Ok(Self { recording, slots })
    }

    /// The frame of a metric of the batch, for one of its uses.
    fn take(&self, wanted: Wanted<'_>) -> Arc<Frame> {
        // The lock is held while the frame is made. That is work of this thread alone: a second one that needs the
        // frame waits instead of making it again.
        let mut slot = self.slots[&wanted].lock().unwrap_or_else(PoisonError::into_inner);
        let frame = match std::mem::replace(&mut slot.state, State::Gone) {
            State::Parts(parts) => Arc::new(self.recording.assembled(wanted, parts)),
            State::Made(frame) => frame,
            State::Gone => Arc::new(self.recording.assembled(wanted, Vec::new())),
        };
        slot.uses = slot.uses.saturating_sub(1);
        if slot.uses > 0 {
            slot.state = State::Made(Arc::clone(&frame));
        }
        frame
    }
}

/// All results, or the first error in their order: which thread met an error first must not show.
fn in_order<T>(results: Vec<Result<T, RecordingError>>) -> Result<Vec<T>, RecordingError> {
    results.into_iter().collect()
}
