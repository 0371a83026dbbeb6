//! Kernels: pure functions on numbers.
//!
//! They know no metric names, no files and no clock. Each says its formula, its reference, its cost and
//! its edge cases. A number that does not exist is an [`Undefined`] with a reason, never NaN; limits
//! that do not exist are `None`. Randomness arrives as a named [`random::Stream`].

pub mod brunner_munzel;
pub mod clustered_ratio;
pub mod distribution;
pub mod fisher;
pub mod hodges_lehmann;
pub mod mann_whitney;
pub mod newcombe;
pub mod permutation;
pub mod proportion;
pub mod random;
pub mod ranks;
pub mod sign_flip;
pub mod signed_rank;
pub mod student_t;
pub mod tost;

mod brent;
mod count;
mod incomplete_beta;
mod interval;
mod moments;
mod p_value;
mod pair_selection;
mod tail;
mod undefined;

pub use count::{count_to_f64, wide_count_to_f64};
pub use interval::Interval;
pub use p_value::{P_VALUE_FLOOR, PValue};
pub use tail::Alternative;
pub use undefined::{Undefined, require_finite, require_level, require_ordered};
