//! The samples of a recording directory: Parquet or CSV, one file or many, in any order.
//!
//! Owns the finding of the files (`layout`), their decoding (`parquet`, `columns`, `gather`, `csv`), the putting together of
//! series that are scattered over files and row groups (`part`), and the digest of what was read (`digest`).
//! Refuses to know experiments, windows and iterations; the measuring rules of `frame` work on what it returns.
//!
//! A recording is opened once (`Recording::open` reads footers and the column of metric names) and then read one
//! metric at a time; nothing of a metric that nobody asks for is decoded.
//!
//! Native histograms lie beside the samples, or alone, in `samples-native.parquet` (`native` tells its columns) and are
//! read by [`Recording::native_frame`].

mod columns;
mod csv;
mod digest;
mod error;
mod gather;
mod labels;
mod layout;
mod native;
mod parquet;
mod part;
mod reading;

pub use digest::SamplesDigest;
pub use error::{ColumnProblem, NativeRowProblem, RecordingError};
pub use reading::{Extent, Recording, RecordingWarning};

#[cfg(test)]
mod native_tests;
#[cfg(test)]
mod tests;
