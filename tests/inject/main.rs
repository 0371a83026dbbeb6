//! The injector under attack. Races and clocks are played on a host of paper; signals hit only processes that the test
//! itself has started, under names that nobody else uses.

#![allow(
    clippy::disallowed_methods,
    reason = "tests start processes of their own and look at them"
)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

#[cfg(feature = "docker")]
mod engine;
mod fake;
mod guard;
mod live;
mod pause;
mod pid_file;
mod plan;
mod race;
#[cfg(any(feature = "docker", feature = "kubernetes"))]
mod remote;
mod reuse;
mod selection;
