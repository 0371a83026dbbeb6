//! Proof of remediation: the same experiment before and after a change, claim by claim.
//!
//! `pairing` says what can be compared with what, `contest` compares one quantity of two campaigns with limits,
//! `quantity` builds the contests of a claim from two results, `judge` weighs all of them together, `result` is what
//! comes out. Works from results alone, so that a result kept for years can still be compared.
//!
//! # The rule
//!
//! Each claim is compared in its own terms: the share of kills inside and the values themselves, all requests, the
//! typical effect, the time to recover. For each, with one-sided limits L and U of how much *worse* the campaign after
//! is, and a margin M of how much worse still counts as equal:
//!
//! - **not worse** iff U ≤ M, for every quantity of the claim (intersection–union, no adjustment);
//! - **better** iff moreover U < 0 for one of them, after Holm over all quantities compared;
//! - **worse** iff L > M for one of them, after Holm;
//! - **cannot tell** otherwise.
//!
//! Lost data and cut-off times enter as the worst case against the answer: the campaign after as bad as can be and the
//! one before as good as can be for *better* and *not worse*, the other way round for *worse*.

mod contest;
mod judge;
mod pairing;
mod quantity;
pub mod result;

pub use judge::{Margin, Request, compare};
pub use pairing::{Names, PairingError};
