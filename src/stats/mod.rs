//! Kernels: pure functions on numbers.
//!
//! They know no metric names, no files and no clock. Each says its formula, its reference, its cost and
//! its edge cases. A number that does not exist is an [`Undefined`] with a reason, never NaN; limits
//! that do not exist are `None`. Randomness arrives as a named [`random::Stream`].

pub mod distribution;
pub mod random;

mod count;
mod incomplete_beta;
mod interval;
mod p_value;
mod tail;
mod undefined;

pub use count::{count_to_f64, wide_count_to_f64};
pub use interval::Interval;
pub use p_value::{P_VALUE_FLOOR, PValue};
pub use tail::Alternative;
pub use undefined::{Undefined, require_finite, require_level, require_ordered};
