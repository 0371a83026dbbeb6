//! What a recording is, told by small real files.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use polars::prelude::{
    Column, DataFrame, DataType, IntoColumn, NamedFrom, NewChunkedArray, ParquetWriter,
    Series as Polars, StringChunked, TimeUnit, TimeZone,
};
use proptest::prelude::*;

use super::*;
use crate::frame::{Frame, Rows, Series, Wanted};
use crate::store::write_samples;
use crate::unit::{Labels, Timestamp};

/// A row as a person would write it.
#[derive(Debug, Clone)]
struct Sample {
    metric: &'static str,
    labels: &'static str,
    time: i64,
    value: f64,
}

fn sample(metric: &'static str, labels: &'static str, time: i64, value: f64) -> Sample {
    Sample { metric, labels, time, value }
}

const START: i64 = 1_795_420_800_000;

/// The columns of rows, times in milliseconds with zone.
fn columns(samples: &[Sample]) -> Vec<Column> {
    let texts = |name: &str, text: fn(&Sample) -> &'static str| {
        Polars::new(name.into(), samples.iter().map(text).collect::<Vec<_>>()).into_column()
    };
    let times: Vec<i64> = samples.iter().map(|sample| sample.time).collect();
    let values: Vec<f64> = samples.iter().map(|sample| sample.value).collect();
    vec![
        texts("metric", |sample| sample.metric),
        texts("labels", |sample| sample.labels),
        datetime(&times, TimeUnit::Milliseconds, Some(TimeZone::UTC)),
        Polars::new("value".into(), values).into_column(),
    ]
}

fn datetime(times: &[i64], unit: TimeUnit, zone: Option<TimeZone>) -> Column {
    Polars::new("timestamp".into(), times)
        .cast(&DataType::Datetime(unit, zone))
        .unwrap()
        .into_column()
}

fn write_parquet(path: &Path, columns: Vec<Column>, group: usize) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut frame = DataFrame::new_infer_height(columns).unwrap();
    let file = fs::File::create(path).unwrap();
    ParquetWriter::new(file).with_row_group_size(Some(group)).finish(&mut frame).unwrap();
}

fn write_csv(path: &Path, samples: &[Sample]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut writer = ::csv::Writer::from_path(path).unwrap();
    writer.write_record(["value", "timestamp", "note", "labels", "metric"]).unwrap();
    for row in samples {
        let time = if row.time % 2 == 0 {
            Timestamp::from_milliseconds(row.time).to_string()
        } else {
            format!("{}.{:03}", row.time / 1000, row.time % 1000)
        };
        let value = row.value.to_string();
        writer.write_record([&value, &time, "a, \"b\"\nc", row.labels, row.metric]).unwrap();
    }
    writer.flush().unwrap();
}

/// The frames that rows mean, by the rules of the frame room alone.
fn expected(samples: &[Sample]) -> Vec<Frame> {
    let mut names: Vec<&str> = samples.iter().map(|sample| sample.metric).collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .map(|metric| {
            let mut frame = Frame { metric: metric.to_owned(), ..Frame::default() };
            let mut sets: Vec<Labels> = samples
                .iter()
                .filter(|sample| sample.metric == metric)
                .map(|sample| Labels::parse(sample.labels).unwrap())
                .collect();
            sets.sort();
            sets.dedup();
            for labels in sets {
                let rows = samples
                    .iter()
                    .filter(|sample| sample.metric == metric)
                    .filter(|sample| Labels::parse(sample.labels).unwrap() == labels)
                    .map(|sample| (sample.time, sample.value))
                    .collect();
                let (series, conflicts) = Series::from_unordered(labels, rows);
                frame.conflicting_duplicates += conflicts;
                frame.series.push(series);
            }
            frame
        })
        .collect()
}

fn all_frames(recording: &Recording) -> Vec<Frame> {
    let names: Vec<&str> = recording.metric_names().collect();
    recording.frames(&names).unwrap()
}

fn digest(frames: &[Frame]) -> String {
    let mut digest = SamplesDigest::default();
    for frame in frames {
        digest.add(frame);
    }
    digest.finish()
}

fn open_error(directory: &Path) -> String {
    Recording::open(directory).unwrap_err().to_string()
}

/// Rows whose metrics alternate so often that runs are not remembered.
fn mixed() -> Vec<Sample> {
    (0..200)
        .flat_map(|at| {
            [
                sample("a_total", "{x=\"1\"}", START + at * 1000, 1.0),
                sample("b", "", START + at * 1000, 0.5),
                sample("a_total", "{x=\"2\"}", START + at * 1001, 2.0),
            ]
        })
        .collect()
}

#[test]
fn every_layout_of_the_same_rows_gives_the_same_frames_and_the_same_digest() {
    let mut rows = mixed();
    let wanted = expected(&rows);
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    write_parquet(&at("mixed/samples.parquet"), columns(&rows), 1000);
    write_parquet(&at("groups/samples.parquet"), columns(&rows), 7);
    write_csv(&at("csv/samples.csv"), &rows);
    write_csv(&at("csvs/samples/1.csv"), &rows[..100]);
    write_csv(&at("csvs/samples/2.csv"), &rows[100..]);
    rows.reverse();
    write_parquet(&at("shards/samples/b.parquet"), columns(&rows[..300]), 50);
    write_parquet(&at("shards/samples/a.parquet"), columns(&rows[300..]), 500);
    rows.sort_by_key(|row| (row.metric, row.labels, row.time));
    write_parquet(&at("sorted/samples.parquet"), columns(&rows), 90);
    fs::create_dir(at("written")).unwrap();
    write_samples(&at("written"), wanted.clone()).unwrap();
    for name in ["mixed", "groups", "csv", "csvs", "shards", "sorted", "written"] {
        let recording = Recording::open(&at(name)).unwrap();
        let frames = all_frames(&recording);
        assert_eq!(frames, wanted, "{name}");
        assert_eq!(digest(&frames), digest(&wanted), "{name}");
        assert_eq!(recording.frame("b").unwrap(), wanted[1], "{name}");
        assert_eq!(recording.rows(), 600, "{name}");
        let extent = recording.extent().unwrap().unwrap();
        assert_eq!(extent.first.milliseconds(), START, "{name}");
        assert_eq!(extent.last.milliseconds(), START + 199 * 1001, "{name}");
    }
}

#[test]
fn a_metric_that_is_absent_has_a_frame_without_series() {
    let directory = tempfile::tempdir().unwrap();
    write_parquet(&directory.path().join("samples.parquet"), columns(&mixed()), 100);
    let recording = Recording::open(directory.path()).unwrap();
    let frame = recording.frame("c").unwrap();
    assert_eq!(frame, Frame { metric: "c".to_owned(), ..Frame::default() });
    assert_eq!(recording.rows_of("c"), 0);
    assert_eq!(recording.metric_names().collect::<Vec<_>>(), ["a_total", "b"]);
}

#[test]
fn groups_are_worked_on_with_their_own_frames_in_their_own_order() {
    let directory = tempfile::tempdir().unwrap();
    write_parquet(&directory.path().join("samples.parquet"), columns(&mixed()), 100);
    let recording = Recording::open(directory.path()).unwrap();
    let groups = vec![vec!["b"], vec!["b", "a_total"], vec![], vec!["c", "b"]];
    let seen = recording
        .map(&groups, |at, frames: &[Arc<Frame>]| {
            let sizes: Vec<(String, usize)> =
                frames.iter().map(|frame| (frame.metric.clone(), frame.series.len())).collect();
            (at, sizes)
        })
        .unwrap();
    let name = |name: &str, series| (name.to_owned(), series);
    assert_eq!(
        seen,
        vec![
            (0, vec![name("b", 1)]),
            (1, vec![name("b", 1), name("a_total", 2)]),
            (2, vec![]),
            (3, vec![name("c", 0), name("b", 1)]),
        ]
    );
}

#[test]
fn the_greatest_of_conflicting_duplicates_stays_and_the_others_are_counted() {
    let rows = [
        sample("m", "", START, 3.0),
        sample("m", "{}", START, 5.0),
        sample("m", " ", START, f64::NAN),
        sample("m", "", START, 5.0),
        sample("n", "", START, f64::NAN),
        sample("n", "", START, f64::NEG_INFINITY),
    ];
    let directory = tempfile::tempdir().unwrap();
    write_csv(&directory.path().join("samples.csv"), &rows);
    let frames = all_frames(&Recording::open(directory.path()).unwrap());
    assert_eq!(frames[0].conflicting_duplicates, 2);
    assert_eq!(frames[0].series[0].values, [5.0]);
    assert_eq!(frames[1].series[0].values, [f64::NEG_INFINITY]);
    assert_eq!(frames[1].conflicting_duplicates, 1);
}

#[test]
fn every_row_of_a_series_and_time_stays_where_rows_are_requests() {
    let mut rows = vec![
        sample("m", "", START, 3.0),
        sample("m", "{}", START + 1, 1.0),
        sample("m", " ", START, f64::NAN),
        sample("m", "", START, 5.0),
        sample("m", "", START, 3.0),
        sample("m", "{a=\"1\"}", START, 2.0),
        sample("m", "{a=\"1\"}", START, 2.0),
    ];
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    write_csv(&at("csv/samples.csv"), &rows);
    write_parquet(&at("shards/samples/b.parquet"), columns(&rows[..3]), 2);
    write_parquet(&at("shards/samples/a.parquet"), columns(&rows[3..]), 10);
    rows.reverse();
    write_parquet(&at("reversed/samples.parquet"), columns(&rows), 100);
    let mut digests = Vec::new();
    for name in ["csv", "shards", "reversed", "written"] {
        let recording = if name == "written" {
            fs::create_dir(at(name)).unwrap();
            let every = Recording::open(&at("csv")).unwrap().frame(Wanted::every_row("m"));
            let written = write_samples(&at(name), [every.unwrap()]).unwrap();
            assert_eq!(written.samples, 7);
            Recording::open(&at(name)).unwrap()
        } else {
            Recording::open(&at(name)).unwrap()
        };
        let every = recording.frame(Wanted::every_row("m")).unwrap();
        assert_eq!(every.rows, Rows::Every, "{name}");
        assert_eq!(every.conflicting_duplicates, 0, "{name}");
        assert_eq!(every.series[0].times, [START, START, START, START, START + 1], "{name}");
        assert!(every.series[0].values[0].is_nan(), "{name}");
        assert_eq!(every.series[0].values[1..], [3.0, 3.0, 5.0, 1.0], "{name}");
        assert_eq!(every.series[1].values, [2.0, 2.0], "{name}");
        digests.push(digest(&[every]));
        // The same metric, wanted both ways at once, is two frames.
        let both: [Wanted<'_>; 3] = ["m".into(), Wanted::every_row("m"), "absent".into()];
        let frames = recording.frames(&both).unwrap();
        assert_eq!(frames[0].conflicting_duplicates, 2, "{name}");
        assert_eq!(frames[0].series[0].values, [5.0, 1.0], "{name}");
        assert_eq!(frames[1].series[0].values.len(), 5, "{name}");
        let sizes = recording
            .map(&[both.to_vec(), vec![Wanted::every_row("m")]], |_, frames| {
                frames
                    .iter()
                    .map(|frame| frame.series.iter().map(|series| series.times.len()).sum())
                    .collect::<Vec<usize>>()
            })
            .unwrap();
        assert_eq!(sizes, [vec![3, 7, 0], vec![7]], "{name}");
        let each = digest(&frames);
        assert_ne!(each, digest(&frames[..1]), "{name}: two things were used");
        assert_ne!(each, digest(&frames[1..]), "{name}: two things were used");
    }
    digests.dedup();
    assert_eq!(digests.len(), 1, "no layout shows in the digest");
}

#[test]
fn units_zones_and_number_types_of_parquet_are_read_alike() {
    let rows = [sample("m", "", START, 1.0), sample("m", "", START + 1000, 2.0)];
    let wanted = expected(&rows);
    let berlin = TimeZone::opt_try_new(Some("Europe/Berlin")).unwrap();
    let units = [
        (TimeUnit::Milliseconds, 1),
        (TimeUnit::Microseconds, 1000),
        (TimeUnit::Nanoseconds, 1_000_000),
    ];
    for (unit, factor) in units {
        for zone in [Some(TimeZone::UTC), berlin.clone(), None] {
            for value in [
                DataType::Float64,
                DataType::Float32,
                DataType::Int32,
                DataType::Int64,
                DataType::UInt32,
                DataType::UInt64,
            ] {
                let directory = tempfile::tempdir().unwrap();
                let times: Vec<i64> = rows.iter().map(|row| row.time * factor).collect();
                let mut columns = columns(&rows);
                columns[2] = datetime(&times, unit, zone.clone());
                columns[3] = columns[3].cast(&value).unwrap();
                columns.swap(0, 3);
                write_parquet(&directory.path().join("samples.parquet"), columns, 10);
                let recording = Recording::open(directory.path()).unwrap();
                assert_eq!(all_frames(&recording), wanted, "{unit} {zone:?} {value}");
                let codes: Vec<_> =
                    recording.warnings().iter().map(RecordingWarning::code).collect();
                let expected: &[&str] = if zone.is_none() { &["times_without_zone"] } else { &[] };
                assert_eq!(codes, expected);
            }
        }
    }
}

#[test]
fn null_labels_are_no_labels_and_null_values_are_gaps_that_are_counted() {
    let rows: Vec<Sample> = (0..3).map(|at| sample("m", "", START + at, 1.0)).collect();
    let directory = tempfile::tempdir().unwrap();
    let mut columns = columns(&rows);
    columns[1] =
        StringChunked::from_slice_options("labels".into(), &[None, Some("{}"), None]).into_column();
    columns[3] = Polars::new("value".into(), &[Some(1.0), None, Some(3.0)]).into_column();
    write_parquet(&directory.path().join("samples.parquet"), columns.clone(), 10);
    let recording = Recording::open(directory.path()).unwrap();
    let frame = recording.frame("m").unwrap();
    assert_eq!(frame.series.len(), 1);
    assert_eq!(frame.series[0].values, [1.0, 3.0]);
    assert_eq!(
        recording.warnings(),
        [RecordingWarning::NullValues { metric: "m".to_owned(), count: 1 }]
    );
    columns[1] = Column::full_null("labels".into(), 3, &DataType::Null);
    write_parquet(&directory.path().join("samples.parquet"), columns, 10);
    assert_eq!(Recording::open(directory.path()).unwrap().frame("m").unwrap(), frame);
}

#[test]
fn null_names_and_times_are_refused_by_place() {
    let rows: Vec<Sample> = (0..2).map(|at| sample("m", "", START + at, 1.0)).collect();
    for (column, name) in [(0, "metric"), (2, "timestamp")] {
        let directory = tempfile::tempdir().unwrap();
        let mut columns = columns(&rows);
        let kind = columns[column].dtype().clone();
        columns[column] = Column::full_null(name.into(), 2, &kind);
        write_parquet(&directory.path().join("samples.parquet"), columns, 10);
        let error = match Recording::open(directory.path()) {
            Err(error) => error,
            Ok(recording) => recording.frame("m").unwrap_err(),
        };
        assert!(matches!(error, RecordingError::Null { column, .. } if column == name), "{error}");
    }
}

#[test]
fn columns_that_are_missing_or_mistyped_are_all_named_at_once() {
    let rows = [sample("m", "", START, 1.0)];
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("samples.parquet");
    let mut wrong = columns(&rows);
    wrong[0] = wrong[3].clone();
    wrong[0].rename("metric".into());
    wrong[1].rename("tags".into());
    wrong[2] = Polars::new("timestamp".into(), &["now"]).into_column();
    wrong[3] = Polars::new("value".into(), &["1"]).into_column();
    write_parquet(&path, wrong, 10);
    let error = open_error(directory.path());
    for part in [
        "column 'metric' is a 64-bit float, not string",
        "column 'labels' is missing",
        "column 'timestamp' is string, not datetime",
        "column 'value' is string, not float or integer",
        "the file has metric, tags, timestamp, value",
        "samples.parquet",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn what_is_no_parquet_file_is_refused_by_what_it_looks_like() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("samples.parquet");
    write_parquet(&path, columns(&mixed()), 100);
    let good = fs::read(&path).unwrap();
    let noise: Vec<u8> =
        (0..4096_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let footer_gone = [&b"PAR1"[..], &noise, &b"PAR1"[..]].concat();
    let cases: [(&[u8], &str); 6] = [
        (b"", "empty (0 bytes)"),
        (b"PAR1", "only 4 bytes"),
        (&good[..good.len() / 2], "cut off"),
        (&noise, "begins with"),
        (b"metric,labels,timestamp,value\n", "begins with \"metr\""),
        (&footer_gone, "failed to read"),
    ];
    for (bytes, expected) in cases {
        fs::write(&path, bytes).unwrap();
        let error = open_error(directory.path());
        assert!(error.contains(expected), "{expected}: {error}");
        assert!(error.contains("samples.parquet"), "{error}");
    }
}

#[test]
fn damaged_pages_are_errors_and_never_panics() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("samples.parquet");
    write_parquet(&path, columns(&mixed()), 100);
    let good = fs::read(&path).unwrap();
    for at in (4..good.len()).step_by(53) {
        let mut bytes = good.clone();
        bytes[at] ^= 0xff;
        fs::write(&path, &bytes).unwrap();
        // Some damage changes values and cannot be seen; what must not happen is a panic.
        if let Ok(recording) = Recording::open(directory.path()) {
            let _ = recording.frames(&["a_total", "b"]);
        }
    }
}

#[test]
fn a_directory_must_hold_exactly_one_form_of_samples() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    assert!(open_error(&at("nowhere")).contains("nothing at this path"));
    assert!(open_error(directory.path()).contains("an empty directory"));
    fs::write(at("samples.json"), "{}").unwrap();
    let error = open_error(directory.path());
    assert!(error.contains("only samples.json"), "{error}");
    assert!(error.contains("samples/*.parquet"), "{error}");
    assert!(open_error(&at("samples.json")).contains("found a file"));
    write_csv(&at("samples.csv"), &mixed());
    assert!(Recording::open(directory.path()).is_ok());
    write_parquet(&at("samples/1.parquet"), columns(&mixed()), 100);
    let error = open_error(directory.path());
    assert!(error.contains("samples.csv and samples/*.parquet (1) side by side"), "{error}");
}

#[test]
fn csv_errors_name_line_column_what_was_found_and_what_is_accepted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("samples.csv");
    let header = "metric,labels,timestamp,value\n";
    let good = "m,\"{a=\"\"1\"\"}\",2026-11-23T08:00:00Z,1\n";
    let cases = [
        ("m,,2026-11-23T08:00:00,1", "line 3, column 3 (timestamp)", "without a zone"),
        ("m,,1795420800000,1", "line 3, column 3 (timestamp)", "milliseconds?"),
        ("m,,,1", "line 3, column 3 (timestamp)", "found nothing"),
        ("m,,soon,1", "line 3, column 3 (timestamp)", "'soon'"),
        ("m,,NaN,1", "line 3, column 3 (timestamp)", "'NaN'"),
        ("m,,1795420800,", "line 3, column 4 (value)", "found nothing"),
        ("m,,1795420800,1e", "line 3, column 4 (value)", "'1e'"),
        (",,1795420800,1", "line 3, column 1 (metric)", "found nothing"),
        ("m,{a=1},1795420800,1", "line 3, column 2 (labels)", "character 4"),
        ("m,,1795420800", "line 3", "3 fields"),
        ("m,\"{a=\"\"1\"\",b=\"\"2\"\"}\",1795420800,1,2", "line 3", "4 fields, as in the header"),
    ];
    for (row, place, found) in cases {
        fs::write(&path, format!("{header}{good}{row}\n{good}")).unwrap();
        let error = open_error(directory.path());
        assert!(error.contains(place), "{row}: {error}");
        assert!(error.contains(found), "{row}: {error}");
        assert!(error.contains("samples.csv"), "{row}: {error}");
    }
    fs::write(&path, [header.as_bytes(), b"m\xff,,1795420800,1\n"].concat()).unwrap();
    assert!(open_error(directory.path()).contains("not UTF-8"));
    fs::write(&path, "").unwrap();
    assert!(open_error(directory.path()).contains("no header line"));
    fs::write(&path, "metric,value,value\nm,1,1\n").unwrap();
    let error = open_error(directory.path());
    assert!(error.contains("'labels' is missing"), "{error}");
    assert!(error.contains("'value' appears more than once"), "{error}");
}

#[test]
fn csv_accepts_a_byte_order_mark_quotes_and_the_words_for_what_is_no_number() {
    let directory = tempfile::tempdir().unwrap();
    let text = "\u{feff}metric,labels,timestamp,value\r\n\
        m,,1795420800,NaN\r\n\
        \"m\",,1795420801.5,+Inf\r\n\
        m,{},2026-11-23T10:00:02+02:00,-Inf\r\n\
        m,\"\",\"1795420803\",1e-3";
    fs::write(directory.path().join("samples.csv"), text).unwrap();
    let frame = Recording::open(directory.path()).unwrap().frame("m").unwrap();
    assert_eq!(frame.series.len(), 1);
    assert_eq!(frame.series[0].times, [START, START + 1500, START + 2000, START + 3000]);
    let values = &frame.series[0].values;
    assert!(values[0].is_nan());
    assert_eq!(values[1..], [f64::INFINITY, f64::NEG_INFINITY, 0.001]);
}

#[test]
fn a_recording_without_rows_has_no_metrics_and_no_extent() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("samples.csv"), "metric,labels,timestamp,value\n").unwrap();
    let recording = Recording::open(directory.path()).unwrap();
    assert_eq!(recording.metric_names().len(), 0);
    assert_eq!(recording.extent().unwrap(), None);
    let directory = tempfile::tempdir().unwrap();
    write_parquet(&directory.path().join("samples.parquet"), columns(&[]), 10);
    let recording = Recording::open(directory.path()).unwrap();
    assert_eq!(recording.metric_names().len(), 0);
    assert_eq!(recording.extent().unwrap(), None);
}

#[test]
fn every_change_of_a_sample_changes_the_digest() {
    let rows = mixed();
    let base = digest(&expected(&rows));
    let mut changes: Vec<Vec<Sample>> = vec![rows.clone(); 4];
    changes[0][5].value += 1.0;
    changes[1][5].time += 1;
    changes[2][5].labels = "{x=\"3\"}";
    changes[3][5].metric = "c";
    for changed in changes {
        assert_ne!(digest(&expected(&changed)), base);
    }
}

/// Rows of a few metrics and label sets at colliding times.
fn any_rows() -> impl Strategy<Value = Vec<Sample>> {
    let metric = prop::sample::select(vec!["a", "b_total", "c:rate5m"]);
    let labels = prop::sample::select(vec![
        "",
        "{}",
        "{a=\"1\"}",
        "{b=\"x\\\"y\\n\",a=\"1\"}",
        "{ a=\"1\" }",
    ]);
    let value = prop_oneof![
        8 => -1e9..1e9_f64,
        1 => Just(f64::INFINITY),
        1 => Just(-0.0),
    ];
    let row = (metric, labels, 0..40_i64, value)
        .prop_map(|(metric, labels, at, value)| sample(metric, labels, START + at * 333, value));
    prop::collection::vec(row, 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_was_written_is_read_back(rows in any_rows(), seed in any::<u64>()) {
        let wanted = expected(&rows);
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for folder in ["written", "empty"] {
            fs::create_dir(at(folder)).unwrap();
        }
        // Frames know no conflicts once they are written.
        let clean: Vec<Frame> = wanted
            .iter()
            .cloned()
            .map(|frame| Frame { conflicting_duplicates: 0, ..frame })
            .collect();
        write_samples(&at("written"), clean.clone()).unwrap();
        prop_assert_eq!(&all_frames(&Recording::open(&at("written")).unwrap()), &clean);
        let mut shuffled = rows.clone();
        let mut state = seed | 1;
        shuffled.sort_by_cached_key(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state >> 32
        });
        write_csv(&at("csv/samples.csv"), &shuffled);
        let half = shuffled.len() / 2;
        write_parquet(&at("shards/samples/1.parquet"), columns(&shuffled[half..]), 33);
        write_parquet(&at("shards/samples/2.parquet"), columns(&shuffled[..half]), 1000);
        for name in ["csv", "shards"] {
            let frames = all_frames(&Recording::open(&at(name)).unwrap());
            prop_assert_eq!(&frames, &wanted);
            prop_assert_eq!(digest(&frames), digest(&clean));
        }
    }
}
