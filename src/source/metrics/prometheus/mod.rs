//! Numbers from a Prometheus server, or from anything that speaks its query API.
//!
//! Owns the conversation: secrets and certificates (`access`), requests, retries and the words of failures (`transport`,
//! `limits`, `body`, `failure`), what can be asked (`client`), and the decoding of answers as they arrive (`matrix`,
//! `export`, `json`, `number`). Refuses to know experiments, windows and recordings.
//!
//! Raw samples are asked for by instant queries of `selector[range]`, or by VictoriaMetrics' export: they come with their
//! true times, and nothing is shown that was not stored. Queries are asked for on a grid of times.

mod access;
mod body;
mod client;
mod decoded;
mod export;
mod failure;
mod json;
mod limits;
mod matrix;
mod number;
mod skew;
mod transport;

pub use client::{Client, Deadline, Grid, InstantSample, Stretch};
pub use decoded::{
    BucketEdges, Collected, DecodedBucket, DecodedHistogram, DecodedSeries, SeriesSink,
};
pub use export::decode_export;
pub use failure::{FailureKind, PrometheusError};
pub use json::JsonError;
pub use limits::Limits;
pub use matrix::{AnswerSummary, ScalarAnswer, ServerError, decode_answer};
pub use skew::ClockSkew;
