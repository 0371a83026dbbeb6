//! The embedded collector: asks `/metrics` endpoints on a fixed schedule, so that no server is needed.
//!
//! Owns the schedule ([`schedule`]), the asking ([`fetch`]), the way from a page to samples with their targets' labels
//! ([`page`], [`target`]), what was measured lately ([`recent`]) and the threads that do it ([`collection`]). Refuses to
//! know experiments, verdicts and how samples are kept: they go into a [`SampleSink`], which the store implements.
//!
//! One thread a target, which sleeps nearly always, and one that writes. A target that hangs delays nobody else; a disk
//! that is slow fills a short queue and then costs scrapes, which are counted, never memory.
//!
//! What differs from a Prometheus that scrapes the same targets: nothing is held beyond its last sample (there are no
//! staleness markers: a failed scrape is a gap, and `up` says so), and all targets are asked at the same moments, so that
//! sums over instances need no interpolation.

pub mod batch;
pub mod collection;
pub mod fetch;
pub mod page;
pub mod recent;
pub mod schedule;
pub mod settings;
pub mod stop;
pub mod target;
#[cfg(test)]
mod tests;

pub use batch::{
    CollectedExemplar, CollectedSample, CollectedSeries, SampleSink, ScrapeBatch, SinkError,
};
pub use collection::{Collected, Collector, CollectorError, Progress, TargetProgress};
pub use fetch::ScrapeFailure;
pub use recent::Recent;
pub use settings::{CollectorSettings, Keep};
pub use target::{Target, TargetError};
