//! `source`: where the numbers are.
//!
//! Secrets are named (an environment variable, a file), never held: a document is committed and digested.

use crate::spec::experiment::{PrometheusServer, Scrape, Source};
use crate::spec::grammar::{Choice, Key, Kind, Presence, Rule, Shape, SpanRule, TextRule};
use crate::spec::problem::Findings;
use crate::spec::walk::fields::Fields;
use crate::unit::Span;

/// How often the embedded collector asks where the document says nothing.
const DEFAULT_EVERY: Span = Span::from_seconds(1);

pub(crate) const SOURCE: Shape = Shape {
    name: "source",
    doc: "Where the numbers are; left out, the recording beside the document.",
    keys: &[
        Key::optional("prometheus", Kind::Mapping(&PROMETHEUS), "a Prometheus-compatible server"),
        Key::optional("scrape", Kind::Mapping(&SCRAPE), "the embedded collector, no server needed"),
        Key::optional(
            "recording",
            Kind::Text(TextRule::Any),
            "the path of a recording, relative to the document",
        ),
    ],
    choices: &[Choice {
        rule: Rule::ExactlyOne,
        keys: &["prometheus", "scrape", "recording"],
        noun: "source",
    }],
};

const PROMETHEUS: Shape = Shape {
    name: "prometheus",
    doc: "How to reach a Prometheus-compatible server.",
    keys: &[
        Key::required("url", Kind::Text(TextRule::Url), "the base address of the server"),
        Key::optional("step", Kind::Span(SpanRule::AboveZero), "the step of range queries"),
        Key::optional(
            "bearer_token_env",
            Kind::Text(TextRule::EnvironmentVariable),
            "the environment variable that holds a bearer token",
        ),
        Key::optional(
            "bearer_token_file",
            Kind::Text(TextRule::Any),
            "the path of a file that holds a bearer token",
        ),
        Key::optional(
            "basic_user",
            Kind::Text(TextRule::Any),
            "the user name of basic authentication",
        ),
        Key::optional(
            "basic_password_env",
            Kind::Text(TextRule::EnvironmentVariable),
            "the environment variable that holds the password",
        )
        .with(Presence::RequiredBeside(&["basic_user"])),
        Key::optional("headers", Kind::TextMap, "further request headers, for example a tenant"),
        Key::optional(
            "ca_file",
            Kind::Text(TextRule::Any),
            "the path of a PEM file with the certificate authority to trust",
        ),
        Key::optional(
            "client_certificate_file",
            Kind::Text(TextRule::Any),
            "the path of a PEM file with the client certificate and its key",
        ),
    ],
    choices: &[Choice {
        rule: Rule::AtMostOne,
        keys: &["bearer_token_env", "bearer_token_file", "basic_user"],
        noun: "way to authenticate",
    }],
};

const SCRAPE: Shape = Shape {
    name: "scrape",
    doc: "What the embedded collector asks.",
    keys: &[
        Key::required(
            "targets",
            Kind::List { of: &Kind::Text(TextRule::Url), least: 1 },
            "the addresses of the /metrics endpoints",
        ),
        Key::optional(
            "every",
            Kind::Span(SpanRule::AboveZero),
            "the interval between scrapes (default 1s)",
        ),
    ],
    choices: &[],
};

/// Reads `source`.
pub(crate) fn read(fields: &Fields<'_>, findings: &mut Findings) -> Option<Source> {
    let prometheus = fields.open("prometheus", findings);
    let prometheus = prometheus.and_then(|fields| read_prometheus(&fields, findings));
    let scrape = fields.open("scrape", findings);
    let scrape = scrape.and_then(|fields| read_scrape(&fields, findings));
    let recording = fields.text("recording", findings);
    let prometheus = prometheus.map(Source::Prometheus);
    let scrape = scrape.map(Source::Scrape);
    prometheus.or(scrape).or(recording.map(|path| Source::Recording(Some(path))))
}

fn read_prometheus(fields: &Fields<'_>, findings: &mut Findings) -> Option<PrometheusServer> {
    let url = fields.text("url", findings);
    let step = fields.span("step", findings);
    let bearer_token_env = fields.text("bearer_token_env", findings);
    let bearer_token_file = fields.text("bearer_token_file", findings);
    let basic_user = fields.text("basic_user", findings);
    let basic_password_env = fields.text("basic_password_env", findings);
    let headers = fields.text_map("headers", findings);
    let ca_file = fields.text("ca_file", findings);
    let client_certificate_file = fields.text("client_certificate_file", findings);
    if let (Some(place), Some(url)) = (fields.at("url"), &url)
        && authority(url).contains('@')
    {
        place.warn(
            "the address holds a user or a password, which ends up wherever the document goes; accepted for it are basic_user with basic_password_env, or bearer_token_env",
            findings,
        );
    }
    if let Some(place) = fields.at("headers")
        && headers.keys().any(|name| name.eq_ignore_ascii_case("authorization"))
    {
        place.warn(
            "the header Authorization holds a secret, which ends up wherever the document goes; accepted for it are bearer_token_env, bearer_token_file, or basic_user with basic_password_env",
            findings,
        );
    }
    Some(PrometheusServer {
        url: url?,
        step,
        bearer_token_env,
        bearer_token_file,
        basic_user,
        basic_password_env,
        headers,
        ca_file,
        client_certificate_file,
    })
}

/// The part of an address between the scheme and the path.
fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

fn read_scrape(fields: &Fields<'_>, findings: &mut Findings) -> Option<Scrape> {
    let targets = fields.texts("targets", findings);
    let every = fields.span("every", findings).unwrap_or(DEFAULT_EVERY);
    Some(Scrape { targets: targets?, every })
}
