//! Opens what others wrote: measurements, and the records of other chaos tools.
//!
//! Owns file formats and wire formats. Refuses to judge: a source hands over frames and run records as they are,
//! with what was wrong about them counted. Everything after it in the flow works on those values alone.

pub mod chaos;
pub mod events;
pub mod metrics;
