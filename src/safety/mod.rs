//! Whether a kill may happen: gates over a policy, an experiment and what is known at the moment.
//!
//! Owns the decisions and their reasons, the rules that stop an iteration, the records of approvals, and the chain of
//! the audit log. Refuses to know clocks, files and servers: everything that has to be looked up arrives as a
//! [`Fact`], and what could not be found out denies. The same decision is made before a campaign, before every kill,
//! and once more right before the signal.
//!
//! | file | noun |
//! |---|---|
//! | `fact` | something that was looked up, or the reason why it is not known |
//! | `situation` | everything a decision needs beside the documents |
//! | `finding` | one gate: value, threshold, outcome, sentence |
//! | `decision` | the gates in order, and what follows from them |
//! | `scope` | gates on what may be hit: environment, wave, protected, regulated |
//! | `calendar` | gates on when: windows and blackouts |
//! | `amount` | gates on how much: limits, share, survivors |
//! | `measured` | gates on what was measured: preconditions, canary, abort rules |
//! | `past` | gates on what happened before: wave order, cooldown, circuit breaker |
//! | `approval` | who agreed to what, until when, and the gate on it |
//! | `abort` | the rules that stop an iteration |
//! | `audit` | the chain of the audit log |
//! | `signature` | Ed25519 keys, and what they sign |

pub mod abort;
mod amount;
pub mod approval;
pub mod audit;
mod calendar;
pub mod decision;
pub mod fact;
pub mod finding;
mod measured;
mod past;
mod scope;
pub mod signature;
pub mod situation;

pub use decision::{Bounds, Decision, decide};
pub use fact::Fact;
pub use finding::{Finding, Outcome};
pub use situation::{Begun, Failures, History, MetricFacts, Mode, Moment, Situation, WaveBefore};
