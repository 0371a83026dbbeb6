//! Opens what others wrote.
//!
//! Foreign formats end here: what leaves this folder are our own words.

pub mod chaos;
