//! vegeta: `vegeta encode` as JSON lines or CSV, one line per request.
//!
//! vegeta's times are when a request was sent; a row stands at its end.

use serde::Deserialize;

use super::input::{LoadInput, LoadOptions};
use super::load_error::LoadError;
use super::registry::LoadFormat;
use super::sample_set::{Request, SampleSet};
use crate::unit::{Span, Timestamp};

const NAME: &str = "vegeta";
const ACCEPTS: &str = "what `vegeta encode --to json` or `--to csv` makes of vegeta's results";

/// The registry's line.
pub const FORMAT: LoadFormat = LoadFormat { name: NAME, accepts: ACCEPTS, read };

/// A result as JSON.
#[derive(Debug, Deserialize)]
struct Hit {
    code: u16,
    timestamp: String,
    /// Nanoseconds.
    latency: i64,
    #[serde(default)]
    error: String,
    #[serde(default)]
    method: String,
    #[serde(default)]
    url: String,
}

fn read(files: &[LoadInput], _: &LoadOptions) -> Result<SampleSet, LoadError> {
    let mut set = SampleSet::default();
    for input in files {
        let head = input.head(1 << 12)?;
        let first = head.trim_start();
        if first.starts_with("{\"latencies\"") || first.starts_with("Requests ") {
            return Err(LoadError::NoSamples {
                file: input.name(),
                found: "what `vegeta report` prints, a summary".to_owned(),
                instead: "give the results themselves: vegeta encode --to json results.bin > results.json".to_owned(),
            });
        }
        let is_text = head.chars().all(|it| !it.is_control() || it.is_whitespace());
        if !is_text {
            return Err(LoadError::NoSamples {
                file: input.name(),
                found: "vegeta's binary results".to_owned(),
                instead: "turn them into text: vegeta encode --to json results.bin > results.json"
                    .to_owned(),
            });
        }
        let mut lines = input.lines()?;
        while let Some(line) = lines.next_line()? {
            let hit =
                if line.starts_with('{') { serde_json::from_str(line).ok() } else { of_csv(line) };
            let read = hit.and_then(|hit| add(&hit, &mut set));
            if read.is_none() {
                let shown: String = line.chars().take(80).collect();
                return Err(lines.refuse(format!("'{}'", shown.escape_debug()), ACCEPTS));
            }
        }
    }
    Ok(set)
}

/// Columns: nanoseconds, code, latency, bytes out, bytes in, error, body, attack, sequence, method, url, headers.
fn of_csv(line: &str) -> Option<Hit> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line.as_bytes());
    let row = reader.records().next()?.ok()?;
    let nanoseconds: i64 = row.get(0)?.parse().ok()?;
    let text = |at: usize| row.get(at).unwrap_or_default().to_owned();
    Some(Hit {
        code: row.get(1)?.parse().ok()?,
        timestamp: Timestamp::from_milliseconds(nanoseconds.div_euclid(1_000_000)).to_string(),
        latency: row.get(2)?.parse().ok()?,
        error: text(5),
        method: text(9),
        url: text(10),
    })
}

fn add(hit: &Hit, set: &mut SampleSet) -> Option<()> {
    let sent = Timestamp::parse(&hit.timestamp).ok()?;
    let ended_at = sent.plus(Span::from_milliseconds(hit.latency.div_euclid(1_000_000)));
    // The address without its query, which may differ from request to request and may hold secrets.
    let name = hit.url.split(['?', '#']).next().unwrap_or_default();
    let status = if hit.code == 0 { String::new() } else { hit.code.to_string() };
    #[expect(clippy::cast_precision_loss, reason = "a latency below a hundred days is exact")]
    let milliseconds = hit.latency as f64 / 1e6;
    set.worked_at(sent);
    set.request(&Request {
        ended_at,
        milliseconds: Some(milliseconds),
        failed: !hit.error.is_empty() || !(200..400).contains(&hit.code),
        name,
        method: &hit.method,
        status: &status,
    });
    Some(())
}
