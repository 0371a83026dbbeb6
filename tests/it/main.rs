//! One binary for all integration tests, so that they link once.

#[cfg(feature = "analysis")]
mod import_fuzz;
#[cfg(feature = "analysis")]
mod import_path;
#[cfg(feature = "analysis")]
mod oracle;
