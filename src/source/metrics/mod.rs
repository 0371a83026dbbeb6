//! Where samples come from. Every source ends in [`crate::frame::Frame`], one per metric name.

pub mod collector;
pub mod exposition;
pub mod load;
pub mod prometheus;
pub mod recording;

pub use recording::{
    Extent, NativeRowProblem, Recording, RecordingError, RecordingWarning, SamplesDigest,
};
