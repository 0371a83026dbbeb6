//! One Parquet file: its footer, where its metrics lie, and the decoding of what is asked for.
//!
//! Opening reads the footer and, of every row group, the column of metric names, which is a few hundred bytes where
//! the file is sorted by metric. From then on it is known which rows belong to which metric, so that reading a
//! metric decodes only those rows of the three other columns. Row groups in which the metrics alternate more than
//! [`MAX_RUNS`] times are decoded whole and divided.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use polars_buffer::Buffer;
use polars_parquet::read::{FileMetadata, ParquetType, read_metadata};

use super::columns::{Chunk, NULL_KEY, TextForm, Texts, TimeForm, ValueForm, Zone, one_line};
use super::error::{ColumnProblem, RecordingError};
use super::gather::{Gathered, Rows};
use super::labels::LabelTable;
use super::layout::io_error;
use super::part::MetricPart;

/// Runs of metrics that are remembered of a row group; beyond it only the counts are.
const MAX_RUNS: usize = 64;

/// Rows that are decoded at once; larger row groups are decoded in slices of this length.
const MAX_ROWS: usize = 1 << 20;

/// An opened Parquet file.
#[derive(Debug)]
pub(super) struct ParquetFile {
    path: PathBuf,
    metadata: FileMetadata,
    form: Form,
    /// What each row group holds.
    pub groups: Vec<GroupIndex>,
}

/// How the four columns are stored.
#[derive(Debug, Clone, Copy)]
struct Form {
    metric: TextForm,
    labels: TextForm,
    time: TimeForm,
    zone: Zone,
    value: ValueForm,
}

/// Which metrics a row group holds.
#[derive(Debug)]
pub(super) struct GroupIndex {
    /// Its metrics with their rows, each once.
    pub metrics: Vec<MetricRows>,
    /// The runs in row order, if there are few.
    pub runs: Option<Vec<MetricRun>>,
}

/// How many rows a metric has in a row group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MetricRows {
    /// The metric's name.
    pub metric: String,
    /// Its rows.
    pub rows: usize,
}

/// Neighbouring rows of one metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MetricRun {
    /// Position in [`GroupIndex::metrics`], or in a request.
    pub metric: u32,
    /// The rows.
    pub rows: Range<usize>,
}

/// The pieces that one row group holds of the metrics that were asked for.
#[derive(Debug)]
pub(super) struct GroupParts {
    /// In the order of the request.
    pub parts: Vec<MetricPart>,
}

impl ParquetFile {
    /// Reads footer and metric names.
    pub(super) fn open(path: &Path) -> Result<Self, RecordingError> {
        #[expect(clippy::disallowed_methods, reason = "a source reads the files it was given")]
        let mut file = File::open(path).map_err(|source| io_error("open", path, source))?;
        let length = file
            .seek(SeekFrom::End(0))
            .map_err(|source| io_error("read the length of", path, source))?;
        let not_parquet =
            |found: String| RecordingError::NotParquet { path: path.to_owned(), found };
        if length == 0 {
            return Err(not_parquet("the file is empty (0 bytes)".to_owned()));
        }
        check_magic(&file, path, length)?;
        let read = || read_metadata(&mut BufReader::new(&mut file));
        let metadata = match catch_unwind(AssertUnwindSafe(read)) {
            Ok(Ok(metadata)) => metadata,
            Ok(Err(error)) => return Err(not_parquet(one_line(&error.to_string()))),
            Err(_) => return Err(not_parquet("the footer cannot be decoded".to_owned())),
        };
        for group in &metadata.row_groups {
            for column in group.parquet_columns() {
                let range = column.byte_range();
                if range.start > range.end || range.end > length {
                    return Err(not_parquet(format!(
                        "the footer announces bytes up to {} and the file ends at {length}",
                        range.end
                    )));
                }
            }
        }
        let form = form_of(path, &metadata)?;
        let mut opened = Self { path: path.to_owned(), metadata, form, groups: Vec::new() };
        for group in 0..opened.metadata.row_groups.len() {
            opened.groups.push(opened.index(&file, group)?);
        }
        Ok(opened)
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the times name a zone.
    pub(super) fn zone(&self) -> Zone {
        self.form.zone
    }

    /// First and last time of a row group, from its statistics or by reading the column.
    pub(super) fn extent(&self, group: usize) -> Result<Option<Range<i64>>, RecordingError> {
        let rows = self.metadata.row_groups[group].num_rows();
        if rows == 0 {
            return Ok(None);
        }
        let column = self.column(group, "timestamp")?;
        if let Some(Ok(statistics)) = column.statistics(&self.metadata.footer_buf)
            && let Some(statistics) = statistics.as_int64()
            && let (Some(first), Some(last)) = (statistics.min_value, statistics.max_value)
        {
            let time = self.form.time;
            return Ok(Some(time.milliseconds(first)..time.milliseconds(last)));
        }
        let file = self.reopen()?;
        let times = self.times(&self.chunk(&file, group, "timestamp")?, group, &(0..rows))?;
        Ok(times.iter().min().zip(times.iter().max()).map(|(first, last)| *first..*last))
    }

    /// What a row group holds of `metrics`, in their order.
    pub(super) fn read(
        &self,
        group: usize,
        metrics: &[&str],
        table: &LabelTable,
    ) -> Result<GroupParts, RecordingError> {
        let file = self.reopen()?;
        let mut gathered = Gathered::new(metrics);
        let index = &self.groups[group];
        let wanted: Vec<Option<u32>> =
            index.metrics.iter().map(|held| gathered.position(&held.metric)).collect();
        let labels = self.chunk(&file, group, "labels")?;
        let times = self.chunk(&file, group, "timestamp")?;
        let values = self.chunk(&file, group, "value")?;
        let metric_chunk = match index.runs {
            Some(_) => None,
            None => Some(self.chunk(&file, group, "metric")?),
        };
        for range in self.ranges(group, &wanted) {
            let damaged = |column| move |reason| self.damaged(group, column, reason);
            let runs = match (&index.runs, &metric_chunk) {
                (None, Some(chunk)) => {
                    let texts = chunk.texts(self.form.metric, &range).map_err(damaged("metric"))?;
                    keyed_runs(&texts, &gathered)
                }
                (runs, _) => clipped_runs(runs.as_deref().unwrap_or_default(), &wanted, &range),
            };
            let labels = labels.texts(self.form.labels, &range).map_err(damaged("labels"))?;
            let times = self.times(&times, group, &range)?;
            let values = values.values(self.form.value, &range).map_err(damaged("value"))?;
            let numbers = labels
                .dictionary
                .iter()
                .map(String::as_str)
                // The last number stands for null: no labels.
                .chain(std::iter::once(""))
                .map(|text| table.number(text))
                .collect::<Result<Vec<_>, _>>()
                .map_err(|source| RecordingError::Labels {
                    path: self.path.clone(),
                    row_group: group,
                    source,
                })?;
            let rows = Rows { labels: &labels.keys, times: &times, values: &values };
            gathered.add(&runs, &rows, &numbers);
        }
        Ok(GroupParts { parts: gathered.parts })
    }

    /// The row ranges that have to be decoded for the wanted metrics.
    fn ranges(&self, group: usize, wanted: &[Option<u32>]) -> Vec<Range<usize>> {
        let rows = self.metadata.row_groups[group].num_rows();
        let mut joined: Vec<Range<usize>> = Vec::new();
        match &self.groups[group].runs {
            None => joined.push(0..rows),
            Some(runs) => {
                for run in runs.iter().filter(|run| wanted[run.metric as usize].is_some()) {
                    match joined.last_mut() {
                        Some(last) if last.end == run.rows.start => last.end = run.rows.end,
                        _ => joined.push(run.rows.clone()),
                    }
                }
            }
        }
        joined
            .into_iter()
            .flat_map(|range| {
                let end = range.end;
                range.step_by(MAX_ROWS).map(move |start| start..(start + MAX_ROWS).min(end))
            })
            .collect()
    }

    /// Reads which metrics a row group holds where.
    fn index(&self, file: &File, group: usize) -> Result<GroupIndex, RecordingError> {
        let rows = self.metadata.row_groups[group].num_rows();
        let mut metrics: Vec<MetricRows> = Vec::new();
        let mut positions: HashMap<String, u32> = HashMap::new();
        let mut runs: Option<Vec<MetricRun>> = Some(Vec::new());
        if rows == 0 {
            return Ok(GroupIndex { metrics, runs });
        }
        let chunk = self.chunk(file, group, "metric")?;
        for start in (0..rows).step_by(MAX_ROWS) {
            let range = start..(start + MAX_ROWS).min(rows);
            let texts = chunk
                .texts(self.form.metric, &range)
                .map_err(|reason| self.damaged(group, "metric", reason))?;
            // Keys of the dictionary are given positions at their first row: an unused text is no metric.
            let mut position_of: Vec<Option<u32>> = vec![None; texts.dictionary.len()];
            let mut at = start;
            for same in texts.keys.chunk_by(|left, right| left == right) {
                let key = same[0];
                if key == NULL_KEY {
                    return Err(RecordingError::Null {
                        path: self.path.clone(),
                        row_group: group,
                        column: "metric",
                    });
                }
                let position = *position_of[key as usize].get_or_insert_with(|| {
                    let name = &texts.dictionary[key as usize];
                    *positions.entry(name.clone()).or_insert_with(|| {
                        metrics.push(MetricRows { metric: name.clone(), rows: 0 });
                        u32::try_from(metrics.len() - 1)
                            .expect("a row group has fewer than 2^32 rows")
                    })
                });
                metrics[position as usize].rows += same.len();
                let rows = at..at + same.len();
                at = rows.end;
                runs = runs.and_then(|runs| push_run(runs, position, rows));
            }
        }
        Ok(GroupIndex { metrics, runs })
    }

    /// Times of a range of rows.
    fn times(
        &self,
        chunk: &Chunk<'_>,
        group: usize,
        range: &Range<usize>,
    ) -> Result<Vec<i64>, RecordingError> {
        chunk
            .times(self.form.time, range)
            .map_err(|reason| self.damaged(group, "timestamp", reason))?
            .ok_or_else(|| RecordingError::Null {
                path: self.path.clone(),
                row_group: group,
                column: "timestamp",
            })
    }

    /// Opens the file again. Files are not kept open: a recording may have more of them than a process may hold.
    #[expect(clippy::disallowed_methods, reason = "a source reads the files it was given")]
    fn reopen(&self) -> Result<File, RecordingError> {
        File::open(&self.path).map_err(|source| io_error("open", &self.path, source))
    }

    /// Where a column of a row group lies.
    fn column(
        &self,
        group: usize,
        name: &'static str,
    ) -> Result<&polars_parquet::read::ColumnChunkMetadata, RecordingError> {
        self.metadata.row_groups[group]
            .columns_under_root_iter(name)
            .and_then(|mut columns| columns.next())
            .ok_or_else(|| {
                self.damaged(group, name, "the row group does not hold this column".to_owned())
            })
    }

    /// The bytes of a column of a row group.
    fn chunk(
        &self,
        file: &File,
        group: usize,
        name: &'static str,
    ) -> Result<Chunk<'_>, RecordingError> {
        let metadata = self.column(group, name)?;
        let range = metadata.byte_range();
        let length = usize::try_from(range.end - range.start)
            .expect("the range lies inside the file, which was checked on opening");
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, range.start)
            .map_err(|source| io_error("read", &self.path, source))?;
        Ok(Chunk { metadata, bytes: Buffer::from_vec(bytes) })
    }

    fn damaged(&self, row_group: usize, column: &'static str, reason: String) -> RecordingError {
        RecordingError::Damaged { path: self.path.clone(), row_group, column, reason }
    }
}

/// Adds a run unless there are too many already.
fn push_run(mut runs: Vec<MetricRun>, metric: u32, rows: Range<usize>) -> Option<Vec<MetricRun>> {
    let full = runs.len() == MAX_RUNS;
    match runs.last_mut() {
        Some(last) if last.metric == metric => last.rows.end = rows.end,
        _ if full => return None,
        _ => runs.push(MetricRun { metric, rows }),
    }
    Some(runs)
}

/// Refuses what does not begin and end as Parquet, and says what it looks like.
fn check_magic(file: &File, path: &Path, length: u64) -> Result<(), RecordingError> {
    let not_parquet =
        |found: String| Err(RecordingError::NotParquet { path: path.to_owned(), found });
    if length < 12 {
        return not_parquet(format!("the file has only {length} bytes"));
    }
    let mut ends = [[0_u8; 4]; 2];
    for (end, offset) in ends.iter_mut().zip([0, length - 4]) {
        file.read_exact_at(end, offset).map_err(|source| io_error("read", path, source))?;
    }
    match ends.map(|end| &end == b"PAR1") {
        [true, true] => Ok(()),
        [true, false] => not_parquet(format!(
            "it begins as Parquet and does not end so: it is cut off after {length} bytes"
        )),
        [false, _] => not_parquet(format!("it begins with \"{}\"", ends[0].escape_ascii())),
    }
}

/// How the columns are stored, or everything that is wrong with them.
fn form_of(path: &Path, metadata: &FileMetadata) -> Result<Form, RecordingError> {
    let columns = metadata.schema_descr.columns();
    let mut problems = Vec::new();
    let mut find = |name: &'static str| {
        let mut found = columns.iter().filter(|column| column.path_in_schema[0] == name);
        let column = found.next();
        if column.is_none() {
            problems.push(ColumnProblem::Missing(name));
        }
        column
    };
    let found = [find("metric"), find("labels"), find("timestamp"), find("value")];
    let mut typed = |column: usize,
                     accepted: &'static str,
                     check: &mut dyn FnMut(&_) -> Result<(), String>| {
        let names = ["metric", "labels", "timestamp", "value"];
        let Some(descriptor) = found[column] else { return };
        let nested = descriptor.path_in_schema.len() > 1 || descriptor.descriptor.max_rep_level > 0;
        let result = if nested {
            Err("nested".to_owned())
        } else {
            check(&descriptor.descriptor.primitive_type)
        };
        if let Err(kind) = result {
            problems.push(ColumnProblem::Type { column: names[column], found: kind, accepted });
        }
    };
    let (mut metric, mut labels, mut time, mut value) = (None, None, None, None);
    typed(0, "string", &mut |column| TextForm::of(column).map(|form| metric = Some(form)));
    typed(1, "string", &mut |column| TextForm::of(column).map(|form| labels = Some(form)));
    typed(2, "datetime of any unit and zone", &mut |column| {
        TimeForm::of(column).map(|form| time = Some(form))
    });
    typed(3, "float or integer", &mut |column| {
        ValueForm::of(column).map(|form| value = Some(form))
    });
    if let (Some(metric), Some(labels), Some((time, zone)), Some(value)) =
        (metric, labels, time, value)
    {
        return Ok(Form { metric, labels, time, zone, value });
    }
    let names: Vec<&str> = metadata.schema().fields().iter().map(ParquetType::name).collect();
    let found = if names.is_empty() { "no columns".to_owned() } else { names.join(", ") };
    Err(RecordingError::Columns { path: path.to_owned(), problems, found })
}

/// Runs of wanted metrics that a decoded metric column shows. Positions are those of the request.
fn keyed_runs(texts: &Texts, gathered: &Gathered<'_>) -> Vec<MetricRun> {
    let positions: Vec<Option<u32>> =
        texts.dictionary.iter().map(|name| gathered.position(name)).collect();
    let mut runs = Vec::new();
    let mut at = 0;
    for same in texts.keys.chunk_by(|left, right| left == right) {
        let rows = at..at + same.len();
        at = rows.end;
        // A null was refused when the file was opened.
        if let Some(metric) = positions.get(same[0] as usize).copied().flatten() {
            runs.push(MetricRun { metric, rows });
        }
    }
    runs
}

/// The part of known runs that lies in `range`, counted from its start. Positions are those of the request.
fn clipped_runs(
    runs: &[MetricRun],
    wanted: &[Option<u32>],
    range: &Range<usize>,
) -> Vec<MetricRun> {
    runs.iter()
        .filter_map(|run| {
            let metric = wanted[run.metric as usize]?;
            let start = run.rows.start.max(range.start);
            let end = run.rows.end.min(range.end);
            (start < end)
                .then(|| MetricRun { metric, rows: start - range.start..end - range.start })
        })
        .collect()
}
