//! One binary for all integration tests, so that they link once.

#[cfg(feature = "analysis")]
mod campaign;
#[cfg(feature = "analysis")]
mod oracle;
#[cfg(feature = "analysis")]
mod verdict_cases;
#[cfg(feature = "analysis")]
mod verdict_properties;
