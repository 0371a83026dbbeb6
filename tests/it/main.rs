//! One binary for all integration tests, so that they link once.

#[cfg(feature = "analysis")]
mod oracle;
#[cfg(feature = "analysis")]
mod request_rows;
#[cfg(feature = "analysis")]
mod single_kill;
