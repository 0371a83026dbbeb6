//! How fast a `/metrics` page is read, beside prometheus-parse on the same page.
//!
//! Run with `cargo bench --bench exposition`. The page holds a thousand series as exporters write them; `reader_alone` is
//! nearly what the collector does every second: the series texts are known already and only compared.

use std::fmt::Write as _;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use unfazed::source::metrics::exposition::{Dialect, Entry, Reader, Rules, lenient, read_dump};
use unfazed::unit::Timestamp;

const SERIES: usize = 1000;

fn main() {
    divan::main();
}

/// Counters, gauges and histograms with labels, a thousand samples.
fn page() -> String {
    let mut text = String::new();
    let mut written = 0;
    for family in 0.. {
        if written >= SERIES {
            break;
        }
        let _ = writeln!(
            text,
            "# HELP http_requests_{family}_total Requests that were answered.\n# TYPE http_requests_{family}_total counter"
        );
        for code in ["200", "404", "500", "503"] {
            for method in ["GET", "POST"] {
                let _ = writeln!(
                    text,
                    "http_requests_{family}_total{{code=\"{code}\",handler=\"/api/v1/payments\",method=\"{method}\"}} {}",
                    written * 7919 % 100_003
                );
                written += 1;
            }
        }
        let _ = writeln!(
            text,
            "# TYPE queue_{family}_seconds gauge\nqueue_{family}_seconds{{pool=\"canary\"}} {}.{written}e-3",
            family % 97
        );
        written += 1;
    }
    text
}

#[divan::bench]
fn reader_alone(bencher: Bencher) {
    let text = page();
    bencher.counter(BytesCount::of_str(&text)).counter(ItemsCount::new(SERIES)).bench_local(|| {
        let mut sum = 0.0;
        for entry in Reader::new(&text, Dialect::Text, Rules::Scrape) {
            if let Ok(Entry::Sample(sample)) = entry {
                sum += sample.value;
            }
        }
        sum
    });
}

#[divan::bench]
fn reader_with_names_and_labels(bencher: Bencher) {
    let text = page();
    bencher.counter(BytesCount::of_str(&text)).counter(ItemsCount::new(SERIES)).bench_local(|| {
        Reader::new(&text, Dialect::Text, Rules::Scrape)
            .filter_map(|entry| match entry {
                Ok(Entry::Sample(sample)) => sample.series.read().ok(),
                _ => None,
            })
            .count()
    });
}

#[divan::bench]
fn official_dump(bencher: Bencher) {
    let text = page();
    bencher.counter(BytesCount::of_str(&text)).counter(ItemsCount::new(SERIES)).bench_local(|| {
        read_dump(&text, Dialect::Text, Rules::Official, Timestamp::from_milliseconds(0)).is_ok()
    });
}

#[divan::bench]
fn prometheus_parse(bencher: Bencher) {
    let text = page();
    bencher
        .counter(BytesCount::of_str(&text))
        .counter(ItemsCount::new(SERIES))
        .bench_local(|| lenient::read(&text, Timestamp::from_milliseconds(0)).samples.len());
}
