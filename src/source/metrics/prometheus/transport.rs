//! One question to a server: sent, repeated where repeating helps, and its answer decoded or explained.
//!
//! Owns retries, waits, the limit of requests at a time, redirects, statuses and the words of failures. Refuses to know
//! what a question is about. Repeated are questions that met a busy server (429, 5xx) or a lost connection; everything
//! else would end the same way again.

use std::error::Error;
use std::io::{self, Read};
use std::sync::{Condvar, Mutex, Once, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reqwest::blocking::{Client as Http, Response};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderMap, LOCATION, RETRY_AFTER,
};
use reqwest::redirect::Policy;
use reqwest::{StatusCode, Url};

use crate::source::metrics::prometheus::access::{Access, Credentials};
use crate::source::metrics::prometheus::body::{Halt, Measured, Timed, Times, Unpacked, one_line};
use crate::source::metrics::prometheus::failure::{FailureKind, PrometheusError};
use crate::source::metrics::prometheus::json::JsonError;
use crate::source::metrics::prometheus::limits::{Limits, http_date, retry_after, wait_before};
use crate::source::metrics::prometheus::matrix::{AnswerSummary, ServerError, decode_answer};
use crate::source::metrics::prometheus::skew::ClockSkew;
use crate::stats::random::Stream;
use crate::unit::Seed;

/// Redirects that are followed for one question.
const REDIRECTS: usize = 5;

/// Questions longer than this are sent as a form: servers and proxies cut long addresses off.
const ADDRESS_BYTES: usize = 4096;

/// Bytes of an answer that explains an error.
const EXPLANATION_BYTES: u64 = 1 << 20;

/// Longest piece of a question or an explanation that a message repeats, in characters.
const SHOWN_CHARACTERS: usize = 300;

/// What is asked.
pub(super) struct Question<'text> {
    /// Path below the base address.
    pub(super) path: &'static str,
    /// Parameters, in order.
    pub(super) parameters: Vec<(&'static str, String)>,
    /// What messages call it.
    pub(super) about: &'text str,
    /// Whether it is repeated when the server is busy or the connection is lost.
    pub(super) persistence: Persistence,
}

/// Whether a question is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Persistence {
    /// As often as the limits allow.
    Retried,
    /// Never: what it asks can be had in another way.
    Once,
}

/// Decodes the body of an answer.
pub(super) type Decode<'decode> =
    dyn FnMut(&mut dyn Read) -> Result<AnswerSummary, JsonError> + 'decode;

/// The connection to one server.
pub(super) struct Transport {
    http: Http,
    access: Access,
    limits: Limits,
    slots: Slots,
    jitter: Mutex<Stream>,
    skew: Mutex<Option<ClockSkew>>,
}

/// How one attempt went wrong.
enum Miss {
    /// Trying again may help.
    Passing(Passing),
    /// Trying again would end the same way.
    Lasting(PrometheusError),
}

/// A failure that may pass.
struct Passing {
    kind: FailureKind,
    found: String,
    advice: String,
    wait: Option<Duration>,
}

impl Transport {
    /// Makes ready; nothing is sent yet.
    pub(super) fn new(access: Access, limits: Limits, seed: Seed) -> Result<Self, PrometheusError> {
        static PROVIDER: Once = Once::new();
        // Fails only if somebody in this process installed one before, which is as good.
        PROVIDER.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let mut builder = Http::builder()
            .user_agent(concat!("unfazed/", env!("CARGO_PKG_VERSION")))
            .default_headers(access.headers.clone())
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .no_gzip()
            .referer(false)
            .connect_timeout(limits.timeout)
            .pool_max_idle_per_host(limits.concurrency);
        // A server without TLS needs no authorities, and reading those of the system takes longer than a query.
        if !access.authorities.is_empty() || access.base.scheme() == "http" {
            builder = builder.tls_certs_only(access.authorities.clone());
        }
        if let Some(identity) = access.identity.clone() {
            builder = builder.identity(identity);
        }
        let http = builder.build().map_err(|error| {
            PrometheusError::new(
                FailureKind::Setup,
                format!("set up the source {}", access.shown()),
                access.secrets.scrub(&chain(&error.without_url())),
                "check ca_file, client_certificate_file and the proxy of the environment",
            )
        })?;
        Ok(Self {
            http,
            slots: Slots::new(limits.concurrency),
            jitter: Mutex::new(Stream::new(seed, access.shown(), "retry")),
            skew: Mutex::new(None),
            access,
            limits,
        })
    }

    pub(super) const fn access(&self) -> &Access {
        &self.access
    }

    pub(super) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The server's clock beside ours, once it has answered.
    pub(super) fn skew(&self) -> Option<ClockSkew> {
        *self.skew.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks, again if need be, until `deadline`. `decode` is called for every attempt.
    pub(super) fn ask(
        &self,
        question: &Question<'_>,
        deadline: Instant,
        decode: &mut Decode<'_>,
    ) -> Result<AnswerSummary, PrometheusError> {
        let tried = self.tried(question);
        let retries = match question.persistence {
            Persistence::Retried => self.limits.retries,
            Persistence::Once => 0,
        };
        let mut attempt = 0;
        loop {
            attempt += 1;
            let passing = match self.attempt(question, &tried, deadline, decode) {
                Ok(answer) => return Ok(answer),
                Err(Miss::Lasting(error)) => return Err(error),
                Err(Miss::Passing(passing)) => passing,
            };
            let often = if attempt == 1 { String::new() } else { format!(", {attempt} times") };
            let found = format!("{}{often}", passing.found);
            if attempt > retries {
                return Err(PrometheusError::new(passing.kind, tried, found, passing.advice));
            }
            let wait = passing.wait.unwrap_or_else(|| {
                wait_before(
                    attempt,
                    &mut self.jitter.lock().unwrap_or_else(PoisonError::into_inner),
                )
            });
            if now() + wait >= deadline {
                let asked = match passing.wait {
                    Some(asked) => format!(" and asks to wait {} s", asked.as_secs()),
                    None => String::new(),
                };
                return Err(PrometheusError::new(
                    FailureKind::Deadline,
                    tried,
                    format!(
                        "{found}{asked}, and the time for all of the work is over before a retry"
                    ),
                    "raise --deadline, or run again later: what was fetched is kept",
                ));
            }
            #[expect(clippy::disallowed_methods, reason = "a retry waits for a busy server")]
            std::thread::sleep(wait);
        }
    }

    /// What is tried, in words.
    fn tried(&self, question: &Question<'_>) -> String {
        let about = shortened(&one_line(question.about));
        self.access.secrets.scrub(&format!(
            "query {}/{} for '{about}'",
            self.access.shown(),
            question.path
        ))
    }

    fn attempt(
        &self,
        question: &Question<'_>,
        tried: &str,
        deadline: Instant,
        decode: &mut Decode<'_>,
    ) -> Result<AnswerSummary, Miss> {
        let _slot = self.slots.take();
        let begin = now();
        let times = Times { request: begin + self.limits.timeout, work: deadline };
        let response = self.send(question, tried, times)?;
        let status = response.status();
        let headers = response.headers().clone();
        let mut body = self.body(response, times, status);
        if status.is_success() {
            self.decode(tried, &headers, &mut body, decode)
        } else {
            Err(self.explain(tried, status, &headers, &mut body))
        }
    }

    /// Sends a question and follows redirects on the same server.
    fn send(&self, question: &Question<'_>, tried: &str, times: Times) -> Result<Response, Miss> {
        let mut url = self.access.base.join(question.path).map_err(|error| {
            let found = format!("its address cannot be joined with the path: {error}");
            self.lasting(FailureKind::Setup, tried, &found, "check the address in the document")
        })?;
        let first = url.clone();
        for _ in 0..=REDIRECTS {
            let response = self.send_to(&url, question, tried, times)?;
            if !response.status().is_redirection() {
                return Ok(response);
            }
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let Some(next) = location.and_then(|location| url.join(location).ok()) else {
                let found = format!("status {} that leads nowhere", response.status().as_u16());
                return Err(self.not_an_answer(tried, &found));
            };
            if next.origin() != first.origin() {
                let found = format!(
                    "status {} that leads to {}://{}",
                    response.status().as_u16(),
                    next.scheme(),
                    next.host_str().unwrap_or_default()
                );
                return Err(self.lasting(
                    FailureKind::NotAnAnswer,
                    tried,
                    &found,
                    "credentials are not sent to other places: write the address that answers queries itself, and if this is a login page, the credentials",
                ));
            }
            url = next;
            // The parameters are ours, whatever the server repeats of them.
            url.set_query(None);
        }
        Err(self.not_an_answer(tried, &format!("more than {REDIRECTS} redirects")))
    }

    fn send_to(
        &self,
        url: &Url,
        question: &Question<'_>,
        tried: &str,
        times: Times,
    ) -> Result<Response, Miss> {
        if let Some(halt) = times.over(now()) {
            return Err(self.halted(tried, halt));
        }
        let mut url = url.clone();
        let form = encoded(&question.parameters);
        let request = if form.len() > ADDRESS_BYTES {
            let kind = "application/x-www-form-urlencoded";
            self.http.post(url).header(CONTENT_TYPE, kind).body(form)
        } else {
            url.set_query(Some(&form));
            self.http.get(url)
        };
        // Packing costs the server more than a connection inside one machine.
        let packing = if self.is_local() { "identity" } else { "gzip" };
        let sent = unix_milliseconds();
        let begin = now();
        let left = times.request.min(times.work).saturating_duration_since(begin);
        let response = request
            .header(ACCEPT, "application/json")
            .header(ACCEPT_ENCODING, packing)
            .timeout(left.max(Duration::from_millis(1)))
            .send()
            .map_err(|error| self.unsent(tried, error, times))?;
        let date = response.headers().get(DATE).and_then(|value| value.to_str().ok());
        if let Some(server) = date.and_then(http_date) {
            let seen = ClockSkew::of_answer(server, sent, unix_milliseconds());
            let mut skew = self.skew.lock().unwrap_or_else(PoisonError::into_inner);
            *skew = Some(skew.map_or(seen, |before| before.and(seen)));
        }
        Ok(response)
    }

    fn is_local(&self) -> bool {
        let host = self.access.base.host_str().unwrap_or_default();
        host == "localhost" || host == "[::1]" || host.starts_with("127.")
    }

    /// Why a question was not answered at all.
    fn unsent(&self, tried: &str, error: reqwest::Error, times: Times) -> Miss {
        // A wait that was cut at the end of its time comes back a moment before it.
        if error.is_timeout() {
            let halt = times.over(now() + Duration::from_millis(5)).unwrap_or(Halt::Timeout);
            return self.halted(tried, halt);
        }
        let text = self.access.secrets.scrub(&one_line(&chain(&error.without_url())));
        if text.contains("certificate") || text.contains("tls") || text.contains("TLS") {
            return self.lasting(
                FailureKind::Unreachable,
                tried,
                &text,
                "if the server's certificate was signed by an authority of your own, name its PEM file as ca_file; if the server asks for a certificate, name one as client_certificate_file",
            );
        }
        Miss::Passing(Passing {
            kind: FailureKind::Unreachable,
            found: text,
            advice: "check the address, and that the server runs and can be reached from here"
                .to_owned(),
            wait: None,
        })
    }

    fn body(
        &self,
        response: Response,
        times: Times,
        status: StatusCode,
    ) -> Measured<Unpacked<Timed<Response>>> {
        let packed = response
            .headers()
            .get(CONTENT_ENCODING)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"gzip"));
        let timed = Timed { inner: response, times };
        let unpacked = if packed { Unpacked::gzip(timed) } else { Unpacked::Plain(timed) };
        let limit = if status.is_success() { self.limits.answer_bytes } else { EXPLANATION_BYTES };
        Measured::new(unpacked, limit)
    }

    /// Decodes an answer of status 200.
    fn decode(
        &self,
        tried: &str,
        headers: &HeaderMap,
        body: &mut Measured<impl Read>,
        decode: &mut Decode<'_>,
    ) -> Result<AnswerSummary, Miss> {
        let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if let Some(kind) = kind.filter(|kind| !kind.contains("json")) {
            // Only the beginning is wanted.
            let _ = io::copy(&mut Read::by_ref(body).take(EXPLANATION_BYTES), &mut io::sink());
            let found = format!(
                "an answer of type '{}' that begins '{}'",
                one_line(kind),
                body.beginning()
            );
            return Err(self.not_an_answer(tried, &found));
        }
        let answer =
            decode(body).map_err(|error| self.undecoded(tried, &error, &body.beginning()))?;
        match answer.error {
            Some(error) => Err(self.refused_query(tried, StatusCode::OK, &error)),
            None => Ok(answer),
        }
    }

    /// Why an answer could not be decoded.
    fn undecoded(&self, tried: &str, error: &JsonError, beginning: &str) -> Miss {
        match error {
            JsonError::Read(error) => match Halt::of(error) {
                Some(halt) => self.halted(tried, halt),
                None => self.cut_off(&one_line(&chain(error))),
            },
            JsonError::TooManySamples { .. } => self.lasting(
                FailureKind::TooLarge,
                tried,
                &error.to_string(),
                "narrow the selector",
            ),
            JsonError::Unexpected { found, .. }
                if found == "the end of the answer" && !beginning.is_empty() =>
            {
                self.cut_off(&error.to_string())
            }
            JsonError::Unexpected { .. } | JsonError::TooLong { .. } => {
                let begins = if beginning.is_empty() {
                    "an empty answer".to_owned()
                } else {
                    format!("an answer that begins '{beginning}'")
                };
                self.not_an_answer(tried, &format!("{begins} and cannot be read at {error}"))
            }
        }
    }

    fn cut_off(&self, reason: &str) -> Miss {
        Miss::Passing(Passing {
            kind: FailureKind::Unreachable,
            found: self.access.secrets.scrub(&format!("the answer broke off ({reason})")),
            advice: "check the connection and the server's log".to_owned(),
            wait: None,
        })
    }

    /// What a status other than 200 means.
    fn explain(
        &self,
        tried: &str,
        status: StatusCode,
        headers: &HeaderMap,
        body: &mut Measured<impl Read>,
    ) -> Miss {
        let explained =
            decode_answer(&mut *body, &mut |_| Ok(())).ok().and_then(|answer| answer.error);
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            let advice = match self.access.credentials {
                Credentials::None => {
                    "the document names no credentials: write bearer_token_env, bearer_token_file, or basic_user with basic_password_env"
                }
                Credentials::Bearer => "check that the bearer token is valid and may query",
                Credentials::Basic => "check the user and the password, and that they may query",
            };
            return self.lasting(FailureKind::Refused, tried, &self.status(status, body), advice);
        }
        if let Some(error) = &explained
            && (status != StatusCode::TOO_MANY_REQUESTS)
            && (status.is_client_error() || error.kind == "timeout")
        {
            return self.refused_query(tried, status, error);
        }
        let found = match &explained {
            Some(error) => self.server_words(status, error),
            None => self.status(status, body),
        };
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            let header = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            return Miss::Passing(Passing {
                kind: FailureKind::Status(status.as_u16()),
                found,
                advice: "the server is busy or broken: look at its log, or run again later"
                    .to_owned(),
                wait: header.and_then(|header| retry_after(header, unix_milliseconds())),
            });
        }
        self.lasting(
            FailureKind::Status(status.as_u16()),
            tried,
            &found,
            "check that the address is the one below which api/v1/query answers",
        )
    }

    /// A question that the server refuses in its own words.
    fn refused_query(&self, tried: &str, status: StatusCode, error: &ServerError) -> Miss {
        let words = self.server_words(status, error);
        if is_too_large(error) {
            return self.lasting(
                FailureKind::TooLarge,
                tried,
                &words,
                "narrow the selector, or raise the server's limit",
            );
        }
        self.lasting(FailureKind::Query, tried, &words, "correct the query in the document")
    }

    fn server_words(&self, status: StatusCode, error: &ServerError) -> String {
        let message = shortened(&one_line(&error.message));
        self.access.secrets.scrub(&format!(
            "status {}, {}: {message}",
            status.as_u16(),
            if error.kind.is_empty() { "error" } else { &error.kind }
        ))
    }

    fn status(&self, status: StatusCode, body: &Measured<impl Read>) -> String {
        let beginning = body.beginning();
        let text = if beginning.is_empty() {
            format!("status {status} without an explanation")
        } else {
            format!("status {status}, which begins '{beginning}'")
        };
        self.access.secrets.scrub(&text)
    }

    fn not_an_answer(&self, tried: &str, found: &str) -> Miss {
        self.lasting(
            FailureKind::NotAnAnswer,
            tried,
            found,
            "check that the address is the one below which api/v1/query answers in JSON",
        )
    }

    fn lasting(&self, kind: FailureKind, tried: &str, found: &str, advice: &str) -> Miss {
        let found = self.access.secrets.scrub(found);
        Miss::Lasting(PrometheusError::new(kind, tried, found, advice))
    }

    fn halted(&self, tried: &str, halt: Halt) -> Miss {
        match halt {
            Halt::Timeout => Miss::Passing(Passing {
                kind: FailureKind::Unreachable,
                found: format!("no whole answer within {} s", self.limits.timeout.as_secs_f64()),
                advice: "raise --timeout, or look at what keeps the server busy".to_owned(),
                wait: None,
            }),
            Halt::Deadline => self.lasting(
                FailureKind::Deadline,
                tried,
                &format!(
                    "the {} s for all of the work are over",
                    self.limits.deadline.as_secs_f64()
                ),
                "raise --deadline, or run again: what was fetched is kept",
            ),
            Halt::TooLarge => self.lasting(
                FailureKind::TooLarge,
                tried,
                &format!("an answer of more than {} bytes", self.limits.answer_bytes),
                "narrow the selector",
            ),
            Halt::NotKept => self.lasting(
                FailureKind::NotKept,
                tried,
                "what was fetched could not be kept",
                "free some space and run again",
            ),
        }
    }
}

/// Whether the server says that a smaller question would have been answered. Each server has its own words.
fn is_too_large(error: &ServerError) -> bool {
    let words = error.message.to_ascii_lowercase();
    let samples = ["sample", "point", "resolution", "chunk", "series", "bytes"];
    let many = ["too many", "exceed", "limit", "maxsamples", "cannot select more", "maximum"];
    error.kind == "timeout"
        || (samples.iter().any(|word| words.contains(word))
            && many.iter().any(|word| words.contains(word)))
}

/// An error with its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = inner.source();
    }
    text
}

/// The beginning of a long text.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Parameters as a form.
fn encoded(parameters: &[(&'static str, String)]) -> String {
    let mut text = String::new();
    for (name, value) in parameters {
        if !text.is_empty() {
            text.push('&');
        }
        for (at, part) in [name, value.as_str()].into_iter().enumerate() {
            if at == 1 {
                text.push('=');
            }
            for byte in part.bytes() {
                if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
                    text.push(char::from(byte));
                } else {
                    text.push_str(&format!("%{byte:02X}"));
                }
            }
        }
    }
    text
}

/// Our clock, for the times of messages.
pub(super) fn unix_milliseconds() -> i64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "the server's clock is compared with ours; no result depends on it"
    )]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or_default()
}

/// Our clock, for deadlines.
pub(super) fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "deadlines of the network need a clock")]
    Instant::now()
}

/// Requests at a time.
struct Slots {
    free: Mutex<usize>,
    freed: Condvar,
}

/// The right to one request.
struct Slot<'slots>(&'slots Slots);

impl Slots {
    fn new(count: usize) -> Self {
        Self { free: Mutex::new(count.max(1)), freed: Condvar::new() }
    }

    fn take(&self) -> Slot<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free =
            self.freed.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Slot(self)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_encoded_as_servers_read_them() {
        let parameters = [("query", "sum(x{a=~\"b|ü\"})+1".to_owned()), ("time", "1.5".to_owned())];
        assert_eq!(
            encoded(&parameters),
            "query=sum%28x%7Ba%3D~%22b%7C%C3%BC%22%7D%29%2B1&time=1.5"
        );
    }

    #[test]
    fn every_server_has_its_own_words_for_too_large() {
        for (kind, message) in [
            (
                "execution",
                "query processing would load too many samples into memory in query execution",
            ),
            (
                "bad_data",
                "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
            ),
            (
                "422",
                "cannot select more than -search.maxSamplesPerQuery=1000000000 samples; possible solutions: increase",
            ),
            (
                "422",
                "too many points for the given step=5000; cannot exceed -search.maxPointsPerTimeseries=30000",
            ),
            (
                "execution",
                "the query exceeded the maximum number of chunks (limit: 2000000 chunks) (err-mimir-max-chunks-per-query)",
            ),
            ("timeout", "query timed out in expression evaluation"),
        ] {
            let error = ServerError { kind: kind.to_owned(), message: message.to_owned() };
            assert!(is_too_large(&error), "{message}");
        }
        for message in [
            "1:3: parse error: unclosed left parenthesis",
            "found duplicate series for the match group",
        ] {
            let error = ServerError { kind: "bad_data".to_owned(), message: message.to_owned() };
            assert!(!is_too_large(&error), "{message}");
        }
    }
}
