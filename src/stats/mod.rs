//! Kernels: pure functions on numbers.
//!
//! They know no metric names, no files and no clock. Each says its formula, its reference, its cost and
//! its edge cases. A number that does not exist is an [`Undefined`] with a reason, never NaN; limits
//! that do not exist are `None`. Randomness arrives as a named [`random::Stream`].

pub mod band;
pub mod block_bootstrap;
pub mod bootstrap;
pub mod brunner_munzel;
pub mod clustered_ratio;
pub mod confidence_sequence;
pub mod cusum;
pub mod descriptive;
pub mod distribution;
pub mod e_process;
pub mod effect_size;
pub mod fisher;
pub mod hodges_lehmann;
pub mod kaplan_meier;
pub mod log_rank;
pub mod mann_kendall;
pub mod mann_whitney;
pub mod multiplicity;
pub mod newcombe;
pub mod noncentral_t;
pub mod pelt;
pub mod permutation;
pub mod power;
pub mod prom_counter;
pub mod prom_histogram;
pub mod prom_native_histogram;
pub mod proportion;
pub mod quantile;
pub mod random;
pub mod ranks;
pub mod resample;
pub mod rmst;
pub mod sign_flip;
pub mod signed_rank;
pub mod student_t;
pub mod success_run;
pub mod theil_sen;
pub mod tost;
pub mod turnbull;

mod brent;
mod count;
mod exact_resamples;
mod incomplete_beta;
mod interval;
mod moments;
mod p_value;
mod pair_selection;
mod position;
mod statistic;
mod stirling;
mod tail;
mod undefined;

pub use count::{count_to_f64, wide_count_to_f64};
pub use interval::Interval;
pub use p_value::{P_VALUE_FLOOR, PValue};
pub use tail::Alternative;
pub use undefined::{Undefined, require_finite, require_level, require_ordered};
