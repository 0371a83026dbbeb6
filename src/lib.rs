//! unfazed judges process-kill experiments: did latency, errors, queue depth and recovery stay inside the
//! hypothesis, over repeated kills, at a stated confidence? It answers pass, fail or inconclusive, and writes the report.
//!
//! It is a batch tool. The binaries are thin: everything they do is here, and a program may call it as the command
//! line does, from [`app`] downwards.
//!
//! # The flow
//!
//! ```text
//! experiment.yaml ──► spec ──► run ──► frame ──► summary ──► verdict ──► report
//!                     claims   what    what was   one value   what we     result.json, report.html,
//!                              was     measured   a kill      conclude    text, JUnit, Markdown
//!                              done       │                      │
//!                          source reads ──┘             stats ───┘ what numbers say
//!                                                              store writes, whole files or none
//!                                                              history: runs over time, the week
//!                                                              runbook: what to change
//!
//! safety: whether a kill may happen        campaign: the order of things in a run, carried out by app
//! unit: the words all rooms share        app: one file a command, composes the stages        cli: the terminal
//! ```
//!
//! Each stage is a value handed to the next; nobody reaches back. A folder imports only from folders that stand before
//! it in this order: `unit`, `stats`, `spec`, `run`, `frame`, `summary`, `verdict`, `history`, `runbook`, `report`,
//! `safety`, `campaign`, `source`, `store`, `app`, `cli`. The test `tests/it/layers.rs` holds the code to that, and to
//! the doors through which foreign crates come in.
//!
//! # What each room refuses to know
//!
//! | room | owns | refuses to know |
//! |---|---|---|
//! | `unit` | time, spans, quantities, labels, seeds | experiments, metrics, files |
//! | `stats` | kernels: formula, reference, cost and edge cases of each | metric names, files, clocks, thresholds of policy |
//! | `spec` | the Experiment grammar, its checks and messages | recordings, verdicts |
//! | `run` | what was done, when and to whom | metrics, and how the service took it |
//! | `frame` | measured series: resets, births, gaps, coverage | experiments' claims |
//! | `summary` | one value per metric, window and kill; times with censoring; the census | bounds' verdicts: what lost data mean is not decided here |
//! | `verdict` | estimand, test, limits, reasons; every threshold, in `policy` | files, sources, pages |
//! | `history` | what a run leaves behind; runs over time, trends, the week | files; it never judges a run again |
//! | `runbook` | suggestions from findings, patches to runbooks, automation | files, pages; it never judges: what a result does not hold is no evidence |
//! | `report` | words, charts, pages | statistics and decisions: it says only what the result holds |
//! | `campaign` | the order of a run: phases, stops, resuming | clocks, files, children, metrics: the edge answers and obeys |
//! | `safety` | whether a kill may happen, and why; abort rules; approvals; the audit chain | clocks, files, servers: what it cannot know denies |
//! | `source` | foreign files and wire formats | judgement: it hands over what it found, oddities counted |
//! | `store` | whole files or none | what the contents mean |
//! | `app` | the composition, and the context: files, seed, threads | the terminal |
//! | `cli` | arguments, terminal, exit codes | statistics, files' contents |
//!
//! # Invariants
//!
//! - **The replicate is the kill.** A window becomes one value per metric and iteration before any test sees it; scrapes
//!   are never pooled as if they were independent.
//! - **Nothing found is not a pass.** Pass needs a confidence limit inside the bound; too little data is inconclusive,
//!   with the reason and the number of kills that would settle it.
//! - **Missing is not zero, undefined is not NaN, failed is not equal.** Each is a variant with its reason, up to `null` in
//!   the result.
//! - **What happens after a kill never excludes the kill.** Lost data and aborts count as the worst case both ways.
//! - **Same input, same bytes.** No clock, host name, map order or thread order reaches a result or a report; every
//!   random draw comes from a named stream of one seed; sums are taken in a fixed order.
//! - **Decide in the middle, act at the edge.** Only `source`, `store`, `app`, `cli` and the loader of templates touch a
//!   file or the environment; each place says so in an `#[expect(clippy::disallowed_methods)]`.
//! - **This library cannot kill.** No signal is sent from anywhere in it.
//!
//! # Glossary
//!
//! One word per idea, one idea per word.
//!
//! | word | means |
//! |---|---|
//! | experiment | the document: a hypothesis, its claims, the windows, the fault |
//! | hypothesis | the sentence that the claims make testable |
//! | claim | one metric with one bound and one estimand; falsifiable |
//! | primary, exploratory | a metric with a claim; one without, shown and never part of the verdict |
//! | bound | the number in the claim: 200 ms, 0.1 % |
//! | margin | how much worse than its baseline a metric may get |
//! | estimand | what the bound is about: the share of kills, all requests, the typical kill, this run |
//! | fault | what was done to the target: a kill, a termination, a pause, a hook |
//! | kill | a fault that was carried out, whatever the action |
//! | iteration | one baseline window, one fault (or none), one experiment window |
//! | arm | `fault` or `control`: the same schedule with and without the fault |
//! | control | an iteration without a fault: what the service does by itself |
//! | session | one recording: iterations made in one go |
//! | campaign | the sessions that are judged together |
//! | baseline | the window before the fault, the iteration's own yardstick |
//! | recording | a directory: the document, the run record, the samples |
//! | run record | `run.json`: what was done and when |
//! | series | one metric with one label set over time |
//! | step | the usual spacing of a series' samples |
//! | coverage | the share of a window that samples speak for |
//! | gap | a stretch they do not speak for |
//! | summary | one value per metric, window and iteration, or the reason why there is none |
//! | census | which iterations are usable, and why the others are not |
//! | onset | the first departure from the healthy band after the fault |
//! | excursion | a stretch outside the band too short to count as a departure |
//! | recovery | the return into the band that lasts |
//! | relapse | a later departure after a return |
//! | censored | the window ended before the event: its time is at least this long |
//! | effect | how the experiment window differs from the baseline, with limits |
//! | limit | a one-sided confidence limit |
//! | decision (of a claim) | the limit compared with the bound, and the method that made it |
//! | gate | one comparison of a value with a threshold, logged as it is made |
//! | policy | the document that says where, when and how much may be killed |
//! | decision (of a policy) | every gate with its finding, and whether a kill may happen |
//! | finding | what one gate compared, and what came out |
//! | wave | how wide a campaign may reach: 0 dry run, 1 one replica, 2 one canary, 3 more |
//! | approval | who agreed to which version of an experiment, until when |
//! | head | the number of lines of an audit log and the hash of its last |
//! | verdict | pass, fail or inconclusive |
//! | reason | why a verdict is not pass, as a code and a sentence |
//! | warning | what a reader should know and no verdict depends on |
//! | proven share | the share of kills that stay inside, at least, at the confidence |
//! | suggestion | a change to the runbook that the findings call for |
//! | digest | SHA-256 of a document or of the sorted samples |

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        clippy::float_cmp,
        reason = "tests read their cases, write to temporary folders, and mean exactly the number they say"
    )
)]

#[cfg(feature = "analysis")]
pub mod app;
#[cfg(feature = "analysis")]
pub mod campaign;
#[cfg(feature = "analysis")]
pub mod cli;
#[cfg(feature = "analysis")]
pub mod frame;
#[cfg(feature = "analysis")]
pub mod history;
pub mod inject;
#[cfg(feature = "analysis")]
pub mod report;
#[cfg(feature = "analysis")]
pub mod run;
#[cfg(feature = "analysis")]
pub mod runbook;
#[cfg(feature = "analysis")]
pub mod safety;
#[cfg(feature = "analysis")]
pub mod source;
#[cfg(feature = "analysis")]
pub mod spec;
#[cfg(feature = "analysis")]
pub mod stats;
#[cfg(feature = "analysis")]
pub mod store;
#[cfg(feature = "analysis")]
pub mod summary;
pub mod unit;
#[cfg(feature = "analysis")]
pub mod verdict;
