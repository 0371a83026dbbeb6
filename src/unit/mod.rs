//! The words that all rooms share: time, quantities, seeds.

mod seed;

pub use seed::Seed;
