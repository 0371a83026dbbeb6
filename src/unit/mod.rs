//! The words that all rooms share: time, quantities, seeds.
