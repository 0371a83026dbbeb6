//! Simulated campaigns whose truth is known, judged by the product: how often is a verdict wrong?
//!
//! Owns the simulated worlds, the counting and the table. Everything is judged through `verdict::judge`, as a
//! recording would be, and beside it by the way such data are usually judged. Used by the reduced suite here and by
//! the example `calibrate`, which measures the published table.

pub(crate) mod clustered_limits;
pub(crate) mod control;
pub(crate) mod draw;
pub(crate) mod gauge;
pub(crate) mod kills;
pub(crate) mod measure;
pub(crate) mod ratio;
pub(crate) mod rows;
pub(crate) mod table;
pub(crate) mod world;

#[cfg(test)]
mod reduced;
