//! Both formats by small texts; the official cases are in `tests/it/exposition_verdicts.rs`.

use super::*;
use crate::unit::Timestamp;

fn verdict(text: &str, dialect: Dialect, rules: Rules) -> Result<Dump, ExpositionError> {
    read_dump(text, dialect, rules, Timestamp::from_milliseconds(1000))
}

fn text(text: &str) -> Dump {
    verdict(text, Dialect::Text, Rules::Official).unwrap()
}

/// Metric, labels and value of every sample.
fn samples(dump: &Dump) -> Vec<(String, String, f64)> {
    dump.series
        .iter()
        .flat_map(|((metric, labels), series)| {
            series.values.iter().map(|value| (metric.clone(), labels.to_string(), *value))
        })
        .collect()
}

#[test]
fn blanks_escapes_and_own_times_of_the_text_format_are_read() {
    let dump = text(
        "# a remark\n\n#  TYPE  a   counter \na{ x = \"1\\\"\\\\\\n\" , }-Inf\n  a {y=\"}\"}\t2  1500\nb 0.5\n",
    );
    assert_eq!(
        samples(&dump),
        [
            ("a".to_owned(), "{x=\"1\\\"\\\\\\n\"}".to_owned(), f64::NEG_INFINITY),
            ("a".to_owned(), "{y=\"}\"}".to_owned(), 2.0),
            ("b".to_owned(), String::new(), 0.5),
        ]
    );
    assert_eq!(dump.own_times, 1);
    let times: Vec<i64> = dump.series.values().flat_map(|series| series.times.clone()).collect();
    assert_eq!(times, [1000, 1500, 1000]);
}

#[test]
fn names_in_utf_8_stand_in_quotes() {
    for dialect in [Dialect::Text, Dialect::OpenMetrics] {
        let lines =
            "# TYPE \"http.dauer\" gauge\n{\"http.dauer\",\"größe.x\"=\"1\",y=\"2\"} 3\n# EOF\n";
        let dump = verdict(lines, dialect, Rules::Official).unwrap();
        let ((metric, labels), _) = dump.series.first_key_value().unwrap();
        assert_eq!(metric, "http.dauer");
        assert_eq!(labels.get("größe.x"), "1");
    }
}

#[test]
fn an_empty_label_is_no_label() {
    assert_eq!(samples(&text("a{x=\"\"} 1\n")), [("a".to_owned(), String::new(), 1.0)]);
}

#[test]
fn exemplars_carry_their_trace_and_their_time() {
    let lines = "# TYPE a histogram\na_bucket{le=\"1\"} 2 # {trace_id=\"4bf9\"} 0.7 1.5\na_bucket{le=\"+Inf\"} 2\n# EOF\n";
    let dump = verdict(lines, Dialect::OpenMetrics, Rules::Official).unwrap();
    let [exemplar] = dump.exemplars.as_slice() else { panic!("{:?}", dump.exemplars) };
    assert_eq!(exemplar.labels.get("trace_id"), "4bf9");
    assert_eq!((exemplar.value, exemplar.at.milliseconds()), (0.7, 1500));
}

#[test]
fn a_scrape_is_read_as_prometheus_does_where_a_file_is_refused() {
    for lines in [
        "a 1",
        "a{x=\"\\t\"} 1\n",
        "# TYPE a counter\n# TYPE a counter\na 1\n",
        "a 1\n# TYPE a counter\n",
    ] {
        assert!(verdict(lines, Dialect::Text, Rules::Official).is_err(), "{lines:?}");
        assert!(verdict(lines, Dialect::Text, Rules::Scrape).is_ok(), "{lines:?}");
    }
    let cut = "# TYPE a gauge\na 1\n";
    assert!(
        verdict(cut, Dialect::OpenMetrics, Rules::Scrape).is_err(),
        "a cut answer is no answer"
    );
    let unsorted = "# TYPE a histogram\na_bucket{le=\"2\"} 1\na_bucket{le=\"1\"} 1\n# EOF\n";
    assert!(verdict(unsorted, Dialect::OpenMetrics, Rules::Scrape).is_ok());
}

#[test]
fn a_refusal_names_the_line_and_what_is_accepted() {
    for (lines, expected) in [
        ("a 1\nb{x=y} 1\n", "line 2: found 'y}'; accepted is a value in double quotes"),
        ("a 1\n<html>\n", "line 2: found '<html>'"),
        ("a one\n", "line 1: found 'one'; accepted is a decimal number"),
        ("a{x=\"1\",x=\"2\"} 1\n", "x is there twice"),
    ] {
        let error = verdict(lines, Dialect::Text, Rules::Official).unwrap_err().to_string();
        assert!(error.contains(expected), "{lines:?}: {error}");
    }
}

#[test]
fn content_types_choose_the_format_and_refuse_pages() {
    let of = |text| Dialect::of_content_type(Some(text));
    assert_eq!(
        of("application/openmetrics-text; version=1.0.0; charset=utf-8"),
        Some(Dialect::OpenMetrics)
    );
    assert_eq!(of("text/plain; version=0.0.4"), Some(Dialect::Text));
    assert_eq!(of("text/html; charset=utf-8"), None);
    assert_eq!(of("application/vnd.google.protobuf"), None);
    assert_eq!(Dialect::of_content_type(None), Some(Dialect::Text));
}

#[test]
fn prometheus_parse_agrees_wherever_it_applies() {
    let lines = "# HELP a counts\n# TYPE a counter\na{x=\"1\"} 3\na{x=\"2\",y=\"z\"} 4.5e-3 1700000000000\n# TYPE h histogram\nh_bucket{le=\"0.5\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 0.75\nh_count 2\n# TYPE s summary\ns{quantile=\"0.5\"} 7\nplain NaN\n";
    let ours = text(lines);
    let theirs = lenient::read(lines, Timestamp::from_milliseconds(1000));
    assert_eq!(theirs.skipped, 0);
    let theirs: Vec<(String, String, u64, i64)> = theirs
        .samples
        .iter()
        .map(|it| {
            (it.metric.clone(), it.labels.to_string(), it.value.to_bits(), it.at.milliseconds())
        })
        .collect();
    let ours: Vec<(String, String, u64, i64)> = ours
        .series
        .iter()
        .map(|((metric, labels), series)| {
            (metric.clone(), labels.to_string(), series.values[0].to_bits(), series.times[0])
        })
        .collect();
    assert_eq!(ours, theirs);
}

#[test]
fn a_damaged_dump_keeps_what_can_be_read_and_counts_the_rest() {
    let dump = lenient::read("a 1\nb{x=\"1\n<html>\nc 2", Timestamp::from_milliseconds(1000));
    assert_eq!(dump.samples.len(), 2);
    assert_eq!(dump.skipped, 2);
}
