//! Measured series and the rules by which they are read: resets, births, gaps, coverage.
//!
//! Owns what a counter's increase, a held gauge and a histogram's bucket share over a window are. Refuses to know
//! experiments and claims. Missing is never zero here: every function says how much of a window was covered.
//!
//! # Two forms of histograms
//!
//! A classic histogram is one counter per bucket, a native one a series whose every sample holds all buckets. They come
//! in by two doors ([`FrameSource::frame`] and [`FrameSource::native`]), and [`Histogram`] answers for both:
//!
//! | file | owns |
//! |---|---|
//! | `native_buckets` | the buckets of one moment: canonical form, coarser layouts, sums and differences |
//! | `native` | samples, series and frames; the reading of answers that show bounds instead of indices |
//! | `native_histogram` | gains over windows: births, restarts, changed layouts; shares and edges |
//! | `classic_histogram` | the same of counters that differ in `le` |
//! | `histogram` | what both answer alike |
//!
//! A share under a bound counts whole buckets: surely those that end at or below the bound, possibly those that begin
//! below it. Both edges are tried, whichever the form; interpolation is for display alone.

pub mod classic_histogram;
pub mod counter;
pub mod coverage;
pub mod gauge;
pub mod histogram;
pub mod matched;
pub mod native;
pub mod native_buckets;
pub mod native_histogram;
pub mod rule;
pub mod series;
pub mod source;
pub mod start;

pub use classic_histogram::ClassicHistogram;
pub use counter::{Counters, Gain, Increase};
pub use gauge::Gauge;
pub use histogram::{EdgesAround, Histogram, Observed, UnderBound};
pub use matched::Matched;
pub use native::{AnsweredHistogram, CounterStart, NativeFrame, NativeSample, NativeSeries};
pub use native_buckets::{
    BoundedBucket, CUSTOM_SCHEMA, NativeBuckets, NativeLayout, NativeProblem, ZeroBucket,
};
pub use native_histogram::NativeHistograms;
pub use series::{Frame, Rows, Series};
pub use source::{FrameSource, SourceFailure, Wanted};
pub use start::Starts;
