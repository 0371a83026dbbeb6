//! Arguments, terminal, exit codes: how a person or a CI job talks to the commands in `app`.

mod approve;
mod arguments;
mod audit;
mod check;
mod command;
mod compare;
mod exit_code;
mod history;
mod import_samples;
mod pull;
mod record;
mod run;
mod runbook;
mod terminal;
mod weekly;

pub use command::main;
pub use exit_code::ExitCode;
