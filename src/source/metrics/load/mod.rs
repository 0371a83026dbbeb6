//! What load tools and hand-made tables left behind, read as samples.
//!
//! Owns one reader per format and the list of them ([`registry`]). Refuses to judge and to invent: a file without samples or
//! without times is refused with what to export instead, and what was left out is counted. Text comes in line by line, so
//! that only the samples themselves are held.
//!
//! # One vocabulary for all tools
//!
//! | metric | is | labels |
//! |---|---|---|
//! | `http_req_duration` | one row per request, in milliseconds, at the moment the request ended | `name`, `method`, `status`, `outcome` as far as the tool tells |
//! | `http_reqs_total` | counter of requests, once a second from the first to the last request | the same |
//! | `transaction_duration` | one row per transaction (`JMeter`), in milliseconds | `name`, `outcome` |
//! | `vus` | gauge: virtual users | |
//!
//! `outcome` is `ok` or `error`, so that `ratio: {bad: 'http_reqs_total{outcome="error"}', total: 'http_reqs_total'}` and
//! `samples: http_req_duration` with `unit: ms` mean the same whatever made the load. Metrics with names of their own
//! (k6, exposition, tables) keep them beside these.
//!
//! A counter holds a value for every second of the load, so that a second without a request is a measured zero and the
//! time before and after the load is a gap.

pub mod delimited;
pub mod event_files;
pub mod exposition_files;
pub mod input;
pub mod jmeter;
mod jmeter_rows;
mod jmeter_xml;
pub mod k6;
mod k6_metric;
mod k6_summary;
pub mod load_error;
pub mod locust;
pub mod offset_csv;
pub mod query_range;
pub mod registry;
pub mod sample_set;
pub mod table;
mod table_columns;
pub mod vegeta;

pub use input::{LoadInput, LoadOptions};
pub use load_error::LoadError;
pub use registry::{FORMATS, LoadFormat};
pub use sample_set::{Request, SampleSet};
pub use table_columns::{TableColumns, TableRows};
