//! Numbers from a Prometheus server, or from anything that speaks its query API.
//!
//! Owns the conversation: what is asked and how its answer is decoded as it arrives. Refuses to know experiments, windows
//! and recordings.

mod decoded;
mod export;
mod json;
mod matrix;
mod number;

pub use decoded::{
    BucketEdges, Collected, DecodedBucket, DecodedHistogram, DecodedSeries, SeriesSink,
};
pub use export::decode_export;
pub use json::JsonError;
pub use matrix::{AnswerSummary, ScalarAnswer, ServerError, decode_answer};
