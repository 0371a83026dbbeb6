//! One question to one endpoint, and its answer as text, within a time and a size.

use std::io::Read;
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, Response};
use reqwest::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use reqwest::redirect::Policy;

use super::target::Target;
use crate::source::metrics::exposition::{self, Dialect, ExpositionError};

/// Most redirects that are followed.
const REDIRECTS: usize = 5;

/// Bytes that are read at once, between two looks at the clock.
const PIECE: usize = 256 << 10;

/// Why a scrape brought nothing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ScrapeFailure {
    /// No connection, or it broke.
    #[error("failed to ask {url}: {reason}; is the process up, and is this its address?")]
    Connection {
        /// The address, without secrets.
        url: String,
        /// What the system said.
        reason: String,
    },
    /// The answer took too long.
    #[error(
        "failed to read {url} within {seconds} s: the answer took longer; raise `every`, or expose less"
    )]
    Timeout {
        /// The address, without secrets.
        url: String,
        /// The time that it had.
        seconds: f64,
    },
    /// The endpoint refused.
    #[error("failed to read {url}: it answered {status}; accepted is 200")]
    Status {
        /// The address, without secrets.
        url: String,
        /// The status code.
        status: u16,
    },
    /// No text format.
    #[error(
        "failed to read {url}: it answered with '{content_type}'; accepted are the Prometheus text format and OpenMetrics, so give the address of the metrics page"
    )]
    ContentType {
        /// The address, without secrets.
        url: String,
        /// What it says to be.
        content_type: String,
    },
    /// The answer is too large.
    #[error(
        "failed to read {url}: the answer is larger than {bytes} bytes; expose less, or record with a Prometheus server"
    )]
    TooLarge {
        /// The address, without secrets.
        url: String,
        /// The most that is read.
        bytes: usize,
    },
    /// The answer is no text.
    #[error("failed to read {url}: byte {offset} is no UTF-8; accepted is text")]
    NotText {
        /// The address, without secrets.
        url: String,
        /// Position of the first byte that does not fit, from 0.
        offset: usize,
    },
    /// The answer breaks its format.
    #[error("failed to read {url}: {problem}")]
    Malformed {
        /// The address, without secrets.
        url: String,
        /// The line and what is wrong with it.
        problem: ExpositionError,
    },
}

impl ScrapeFailure {
    /// A word for the kind of failure.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Connection { .. } => "connection",
            Self::Timeout { .. } => "timeout",
            Self::Status { .. } => "status",
            Self::ContentType { .. } => "content_type",
            Self::TooLarge { .. } => "too_large",
            Self::NotText { .. } => "not_text",
            Self::Malformed { .. } => "malformed",
        }
    }
}

/// How long and how much.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) timeout: Duration,
    pub(super) body_bytes: usize,
}

/// A client that all targets share. Proxies of the environment are left out, as Prometheus does: endpoints are near.
pub(super) fn client() -> Result<Client, String> {
    // Fails only if somebody chose a provider before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(Policy::limited(REDIRECTS))
        .no_proxy()
        .pool_max_idle_per_host(1)
        .build()
        .map_err(|error| innermost(&error))
}

/// Asks a target. The body is left in `body`, which keeps its memory from scrape to scrape.
pub(super) fn fetch(
    client: &Client,
    target: &Target,
    limits: Limits,
    body: &mut Vec<u8>,
) -> Result<Dialect, ScrapeFailure> {
    #[expect(clippy::disallowed_methods, reason = "an answer has a deadline")]
    let begin = Instant::now();
    let url = || target.shown();
    let failed = |error: &reqwest::Error| {
        if error.is_timeout() {
            timeout(target, limits)
        } else {
            ScrapeFailure::Connection { url: url(), reason: innermost(error) }
        }
    };
    let response = client
        .get(target.url())
        .timeout(limits.timeout)
        .header(ACCEPT, exposition::ACCEPT)
        .header(USER_AGENT, concat!("unfazed/", env!("CARGO_PKG_VERSION")))
        .header("X-Prometheus-Scrape-Timeout-Seconds", limits.timeout.as_secs_f64().to_string())
        .send()
        .map_err(|error| failed(&error))?;
    if response.status().as_u16() != 200 {
        return Err(ScrapeFailure::Status { url: url(), status: response.status().as_u16() });
    }
    let content_type = response
        .headers()
        .get(CONTENT_TYPE)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let dialect = Dialect::of_content_type(content_type.as_deref()).ok_or_else(|| {
        ScrapeFailure::ContentType { url: url(), content_type: content_type.unwrap_or_default() }
    })?;
    read_body(response, target, limits, begin, body)?;
    Ok(dialect)
}

/// Reads the body piece by piece, so that neither a slow nor a swelling answer goes on for ever.
fn read_body(
    response: Response,
    target: &Target,
    limits: Limits,
    begin: Instant,
    body: &mut Vec<u8>,
) -> Result<(), ScrapeFailure> {
    body.clear();
    let mut limited = response.take(limits.body_bytes as u64 + 1);
    loop {
        let read = (&mut limited).take(PIECE as u64).read_to_end(body).map_err(|error| {
            if error.kind() == std::io::ErrorKind::TimedOut || begin.elapsed() >= limits.timeout {
                return timeout(target, limits);
            }
            ScrapeFailure::Connection { url: target.shown(), reason: innermost(&error) }
        })?;
        if body.len() > limits.body_bytes {
            return Err(ScrapeFailure::TooLarge { url: target.shown(), bytes: limits.body_bytes });
        }
        if read == 0 {
            return Ok(());
        }
        if begin.elapsed() >= limits.timeout {
            return Err(timeout(target, limits));
        }
    }
}

fn timeout(target: &Target, limits: Limits) -> ScrapeFailure {
    ScrapeFailure::Timeout { url: target.shown(), seconds: limits.timeout.as_secs_f64() }
}

/// The innermost reason of an error: the outer ones repeat the address with its secrets.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut reason = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    reason.to_string()
}
