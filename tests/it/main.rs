//! One binary for all integration tests, so that they link once.

#[cfg(feature = "analysis")]
mod calibration;
#[cfg(feature = "analysis")]
mod oracle;
#[cfg(feature = "analysis")]
mod plan;
