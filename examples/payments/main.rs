//! A small payment service to practise on: one broker process, real worker processes, one page of metrics.
//!
//! It owns a queue of payments and nothing else of the world: money, cards and customers are drawn from a
//! seeded generator. It knows nothing of experiments, claims or verdicts; it is what they are about.
//! It needs the standard library only, so that it builds in seconds and runs wherever Rust does (CPU and
//! memory figures come from `/proc` and are left out elsewhere).
//!
//! ```text
//! producer ──accept──► broker ──job──► worker process w1 (pool canary)
//!  Poisson             queue  ◄─done── worker process w2 (pool canary)
//!  arrivals            ledger          worker process w3 (pool main) …
//!                        ▲                      ▲
//!    /metrics /healthz /workers             supervisor: starts them, waits, starts them again
//! ```
//!
//! Kill a worker with SIGKILL and the broker sees its socket close, puts the payment in flight back at the
//! head of the queue, and the supervisor starts the worker again after `--restart-delay`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal: help on stdout, what happens to its workers on stderr"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "a service lives in real time, reads its own /proc and starts its own workers"
)]

mod broker;
mod http;
mod metrics;
mod options;
mod processes;
mod producer;
mod random;
mod supervisor;
mod worker;

use std::io;
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use crate::broker::Broker;
use crate::options::{Request, ServiceOptions};
use crate::supervisor::Roster;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let ended = match options::parse(&arguments) {
        Ok(Request::Help) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Ok(Request::Serve(service)) => serve(&service),
        Ok(Request::Work(work)) => worker::work(&work),
        Err(problem) => {
            eprintln!("payments: {problem}\nTry `payments --help`.");
            return ExitCode::from(2);
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("payments: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the service until the process is ended from outside.
///
/// There is no shutdown code on purpose: when this process ends, however it ends, its sockets close, and a
/// worker whose socket closes exits.
fn serve(options: &ServiceOptions) -> io::Result<()> {
    let http_listener = TcpListener::bind(&options.listen).map_err(|error| {
        io::Error::new(error.kind(), format!("listening on {}: {error}", options.listen))
    })?;
    let worker_listener = TcpListener::bind("127.0.0.1:0")?;
    let broker_address = worker_listener.local_addr()?.to_string();

    let broker = Arc::new(Broker::new(options.patience));
    let roster = Arc::new(Roster::new(options.workers, options.canary_workers));

    {
        let (broker, roster) = (Arc::clone(&broker), Arc::clone(&roster));
        thread::spawn(move || broker::serve_workers(&worker_listener, &broker, &roster));
    }
    supervisor::start(options, &broker_address, &roster)?;
    {
        let (broker, plan) = (Arc::clone(&broker), options.arrivals());
        thread::spawn(move || producer::produce(&plan, &broker));
    }
    eprintln!(
        "payments: {} workers ({} in pool canary), {} payments/s, metrics on http://{}/metrics",
        options.workers,
        options.canary_workers,
        options.rate,
        http_listener.local_addr()?
    );
    http::serve(&http_listener, &broker, &roster)
}
