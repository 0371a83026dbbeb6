//! Decoding answers of the query API: `cargo bench --bench query_json`.
//!
//! With `UNFAZED_ANSWERS` the files that `query_json.py make` wrote, else answers of the same form made here.

use std::fmt::Write as _;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use unfazed::source::metrics::prometheus::decode_answer;

const SERIES: u64 = 50;
const SAMPLES: u64 = 20_000;

fn main() {
    divan::main();
}

/// An answer of a kind.
fn answer(kind: &str) -> Vec<u8> {
    #[expect(clippy::disallowed_methods, reason = "a bench reads what it compares with")]
    if let Ok(directory) = std::env::var("UNFAZED_ANSWERS") {
        return std::fs::read(format!("{directory}/{kind}.json"))
            .unwrap_or_else(|error| panic!("{directory}/{kind}.json: {error}"));
    }
    let mut state = 1_u64;
    let mut chance = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 11
    };
    let mut text = r#"{"status":"success","data":{"resultType":"matrix","result":["#.to_owned();
    for series in 0..SERIES {
        let comma = if series == 0 { "" } else { "," };
        let labels =
            format!(r#"{{"__name__":"x_total","instance":"host-{series}:9100","job":"payments"}}"#);
        write!(text, r#"{comma}{{"metric":{labels},"values":["#).expect("a text takes all");
        let mut count = 0;
        for tick in 0..SAMPLES {
            count += chance() % 40;
            let value = match kind {
                "counter" => count.to_string(),
                "gauge" => format!("{}.{:02}", chance() % 1000, chance() % 100),
                _ => format!("{}.{:015}", chance() % 100, chance() % 1_000_000_000_000_000),
            };
            let comma = if tick == 0 { "" } else { "," };
            let (second, rest) = (1_700_000_000 + tick * 5, series * 137 % 1000);
            write!(text, r#"{comma}[{second}.{rest:03},"{value}"]"#).expect("a text takes all");
        }
        text.push_str("]}");
    }
    text.push_str("]}}");
    text.into_bytes()
}

/// One pass over an answer, its columns given up as they come.
#[divan::bench(args = ["counter", "gauge", "float"])]
fn decode(bencher: Bencher<'_, '_>, kind: &str) {
    let bytes = answer(kind);
    bencher
        .counter(BytesCount::new(bytes.len()))
        .counter(ItemsCount::new(SERIES * SAMPLES))
        .bench_local(|| {
            let mut sum = 0.0;
            let decoded = decode_answer(&bytes[..], &mut |series| {
                sum += series.values.last().copied().unwrap_or(f64::NAN);
                Ok(())
            });
            decoded.map(|answer| (answer.samples, sum))
        });
}
