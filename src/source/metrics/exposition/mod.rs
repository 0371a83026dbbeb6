//! What `/metrics` endpoints answer: the Prometheus text format 0.0.4 and OpenMetrics 1.0.
//!
//! Owns both grammars ([`reader`], [`series_text`], [`number`]), the choice between them ([`dialect`]), the rules that the
//! formats lay down beyond their grammar ([`conformance`], [`bucket_rules`]) and whole files as frames ([`dump`]). Refuses
//! to know networks, clocks and experiments: text goes in, samples come out, one at a time and without copies.
//!
//! # Two strictnesses
//!
//! A file that somebody hands over is read as the formats' own tests demand ([`Rules::Official`]): a broken rule refuses
//! it, with the line. An endpoint is read as Prometheus scrapes it ([`Rules::Scrape`]), because an exporter that a
//! Prometheus accepts must not be a gap here. What a scrape may do beyond the official rules:
//!
//! | difference | official | scrape |
//! |---|---|---|
//! | last line of the text format without a line feed | refused: the file may be cut | read: HTTP has told the length |
//! | `\t` and other unknown escapes in label values of the text format | refused | kept as written |
//! | `HELP` or `TYPE` twice, or behind the family's samples | refused | the first counts |
//! | rules of a type (bucket order, `NaN` counters, exemplars where none belong, …) | refused | read |
//! | `# EOF` missing in OpenMetrics | refused | refused: the answer is cut |
//!
//! # prometheus-parse
//!
//! The crate is the second opinion: the tests hold this reader to it wherever it applies, and [`lenient`] hands a damaged
//! dump to it, which skips what it cannot read. It is not the reader itself because it skips silently, splits label
//! values at commas, equal signs and closing braces, leaves escapes as they are, knows no OpenMetrics, and takes about
//! twenty times as long a sample (`benches/README.md`).

pub mod bucket_rules;
pub mod conformance;
pub mod dialect;
pub mod dump;
pub mod error;
pub mod family;
pub mod lenient;
pub mod number;
pub mod reader;
pub mod series_text;
#[cfg(test)]
mod tests;

pub use dialect::{ACCEPT, Dialect, Rules};
pub use dump::{Dump, ExemplarSample, read_dump};
pub use error::ExpositionError;
pub use family::FamilyKind;
pub use reader::{Entry, Exemplar, Reader, SampleLine, SampleTime};
pub use series_text::{NamedSeries, SeriesText};
