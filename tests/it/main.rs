//! One binary for all integration tests, so that they link once.

#[cfg(feature = "analysis")]
mod cmd;
#[cfg(feature = "analysis")]
mod determinism;
#[cfg(feature = "analysis")]
mod oracle;
#[cfg(feature = "analysis")]
mod stack;
#[cfg(feature = "analysis")]
mod talk;
