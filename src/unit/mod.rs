//! The words that all rooms share: time and spans, quantities with units, label sets, seeds.
//! The words that all rooms share: time and spans, quantities with units, seeds, digests.
//!
//! Nothing here knows an experiment, a metric or a file. Everything here is a small value with one meaning.

pub mod labels;
pub mod markdown;
pub mod quantity;
mod seed;
pub mod show;
pub mod time;
mod week;
#[cfg(feature = "analysis")]
pub mod zone;

pub use labels::Labels;
pub use quantity::{Dimension, Quantity, Unit};
pub use seed::Seed;
pub use time::{Span, Timestamp, Window};
pub use week::{IsoWeek, WEEK, WeekError, parse_end, parse_start};
#[cfg(feature = "analysis")]
pub use zone::{Date, LocalTime, Nearer, Weekday, Zone};
