//! The injector: it finds targets, refuses, and only then signals. Apart from everything else in the house.
//!
//! One plan comes in, one outcome goes out; [`injection::inject`] is the whole story in one function. What each file
//! knows:
//!
//! | file | noun |
//! |---|---|
//! | `document` | how a plan is written down; parsed strictly |
//! | `plan` | what was asked for |
//! | `clock` | the time, handed in |
//! | `process` | one process as the kernel tells it, and the identity that survives pid reuse |
//! | `host` | the machine: the only door to `/proc` and to signals |
//! | `user` | the number of a user's name |
//! | `selection` | which processes a selector means; exact, never a substring |
//! | `pid_file` | a pid file that can be believed |
//! | `candidate` | everything that the target of a plan means, before anybody is chosen |
//! | `guard` | every rule that refuses, in order |
//! | `choice` | which of the candidates are hit |
//! | `signal` | a process held by pidfd, and what may be sent to it |
//! | `guardian` | the child that undoes what must not last, whatever happens to the injector |
//! | `hook` | a command of the user's own, with a time limit |
//! | `journal` | intent before, outcome after, both synced |
//! | `outcome` | what came of it, and why |
//! | `injection` | the order of it all |
//! | `strike` | what is done to the chosen, and what of it was seen |
//! | `label_selector` | which labels a pod must carry |
//! | `container`, `pod`, `cluster`, `http` | Docker and Kubernetes, behind features |
//! | `arguments`, `command` | the command line of `unfazed-inject` |

#![allow(
    clippy::disallowed_methods,
    reason = "the injector is an edge of its own: it reads /proc, waits, journals and signals"
)]

pub mod arguments;
pub mod candidate;
pub mod choice;
pub mod clock;
#[cfg(feature = "kubernetes")]
pub mod cluster;
pub mod command;
#[cfg(feature = "docker")]
pub mod container;
pub mod document;
pub mod guard;
pub mod guardian;
pub mod hook;
pub mod host;
#[cfg(any(feature = "docker", feature = "kubernetes"))]
pub mod http;
pub mod injection;
pub mod journal;
pub mod label_selector;
pub mod outcome;
pub mod pid_file;
pub mod plan;
#[cfg(feature = "kubernetes")]
pub mod pod;
pub mod process;
pub mod selection;
pub mod signal;
mod strike;
pub mod user;
