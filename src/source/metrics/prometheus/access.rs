//! How a server is reached: its address, credentials, certificates.
//!
//! Owns every secret, from the environment or a file to the header of a request, and the scrubbing of texts that could
//! repeat one. No secret is in a `Debug` text, an error or a log.

use std::fmt;
use std::fs;
use std::path::Path;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Identity, Url};

use crate::source::metrics::prometheus::failure::{FailureKind, PrometheusError};
use crate::spec::experiment::PrometheusServer;

/// Shortest text that is taken for a secret when texts are scrubbed: a shorter one would cut words apart.
const SHORTEST_SECRET: usize = 3;

/// What stands in place of a secret.
const SCRUBBED: &str = "[secret]";

/// Words in the names of headers whose values are secrets.
const SECRET_HEADERS: [&str; 7] =
    ["auth", "token", "key", "secret", "password", "cookie", "credential"];

/// Address and credentials, with all secrets in hand.
pub(super) struct Access {
    /// Base address without user, password, query.
    pub(super) base: Url,
    /// Headers of every request.
    pub(super) headers: HeaderMap,
    /// Authorities to trust, instead of those of the system.
    pub(super) authorities: Vec<Certificate>,
    /// The client's own certificate.
    pub(super) identity: Option<Identity>,
    /// How the client says who it is, in words.
    pub(super) credentials: Credentials,
    pub(super) secrets: Secrets,
}

/// How a client says who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Credentials {
    /// Not at all.
    None,
    /// A bearer token.
    Bearer,
    /// A user and a password.
    Basic,
}

/// Texts that must not be shown.
#[derive(Clone, Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    fn add(&mut self, secret: &str) {
        if secret.len() >= SHORTEST_SECRET && !self.0.iter().any(|known| known == secret) {
            self.0.push(secret.to_owned());
            // A secret that holds another one goes first.
            self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        }
    }

    /// A text without secrets, on one line.
    pub(super) fn scrub(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), SCRUBBED);
            }
        }
        text
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} secrets", self.0.len())
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Access")
            .field("base", &self.base.as_str())
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

impl Access {
    /// Takes secrets from where the document says they are; paths are relative to `beside`.
    pub(super) fn open(server: &PrometheusServer, beside: &Path) -> Result<Self, PrometheusError> {
        let mut opening = Opening { shown: String::new(), secrets: Secrets::default() };
        let base = opening.base(&server.url)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &server.headers {
            opening.header(&mut headers, name, value)?;
        }
        let credentials = opening.credentials(server, beside, base.user.as_ref(), &mut headers)?;
        let authorities = match &server.ca_file {
            None => Vec::new(),
            Some(path) => {
                let pem = opening.file("the certificate authority", beside, path)?;
                let found = Certificate::from_pem_bundle(&pem).ok().filter(|all| !all.is_empty());
                found.ok_or_else(|| {
                    opening.error(
                        format!("{path} holds no certificate in PEM form"),
                        "name a PEM file with the authority's certificate as ca_file",
                    )
                })?
            }
        };
        let identity = match &server.client_certificate_file {
            None => None,
            Some(path) => {
                let pem = opening.file("the client certificate", beside, path)?;
                let identity = Identity::from_pem(&pem).map_err(|_| {
                    opening.error(
                        format!(
                            "{path} does not hold a certificate and its private key in PEM form"
                        ),
                        "put both into one file and name it as client_certificate_file",
                    )
                })?;
                Some(identity)
            }
        };
        Ok(Self {
            base: base.url,
            headers,
            authorities,
            identity,
            credentials,
            secrets: opening.secrets,
        })
    }

    /// The base address as it may be shown.
    pub(super) fn shown(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }
}

/// An address, and who it says that we are.
struct Base {
    url: Url,
    user: Option<User>,
}

/// A user with a password.
struct User {
    name: String,
    password: String,
}

/// Secrets found so far, and the address for messages.
struct Opening {
    shown: String,
    secrets: Secrets,
}

impl Opening {
    fn error(&self, found: impl Into<String>, advice: impl Into<String>) -> PrometheusError {
        let tried = format!("set up the source {}", self.shown);
        PrometheusError::new(FailureKind::Setup, tried.trim_end(), found, advice)
    }

    fn base(&mut self, text: &str) -> Result<Base, PrometheusError> {
        const ACCEPTED: &str =
            "write the address of the server as http://host:port or https://host/path";
        let parsed = Url::parse(text).ok();
        let mut url = parsed
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| self.error("its address is no http or https URL", ACCEPTED))?;
        let user = match (decoded(url.username()), url.password().map(decoded)) {
            (name, password) if !name.is_empty() || password.is_some() => {
                Some(User { name, password: password.unwrap_or_default() })
            }
            _ => None,
        };
        if let Some(user) = &user {
            self.secrets.add(&user.password);
            self.secrets.add(url.password().unwrap_or_default());
        }
        // Neither can fail: the address has a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        if url.query().is_some() || url.fragment().is_some() {
            url.set_query(None);
            url.set_fragment(None);
            self.shown = url.to_string();
            return Err(self.error("its address has a query or a fragment", ACCEPTED));
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        url.as_str().trim_end_matches('/').clone_into(&mut self.shown);
        Ok(Base { url, user })
    }

    fn header(
        &mut self,
        headers: &mut HeaderMap,
        name: &str,
        value: &str,
    ) -> Result<(), PrometheusError> {
        let lower = name.to_ascii_lowercase();
        let secret = SECRET_HEADERS.iter().any(|word| lower.contains(word));
        if secret {
            self.secrets.add(value);
            // `Bearer <token>`, `Basic <…>`: the part after the scheme is the secret.
            self.secrets.add(value.split_once(' ').map_or("", |(_, rest)| rest));
        }
        let parsed = HeaderName::from_bytes(name.as_bytes()).ok();
        let parsed = parsed.zip(HeaderValue::from_str(value).ok());
        let Some((name, mut value)) = parsed else {
            return Err(self.error(
                format!("the header '{}' cannot be sent", name.escape_debug()),
                "use letters, digits and hyphens in its name, and one line of visible characters as its value",
            ));
        };
        value.set_sensitive(secret);
        headers.insert(name, value);
        Ok(())
    }

    fn credentials(
        &mut self,
        server: &PrometheusServer,
        beside: &Path,
        in_address: Option<&User>,
        headers: &mut HeaderMap,
    ) -> Result<Credentials, PrometheusError> {
        let token = match (&server.bearer_token_env, &server.bearer_token_file) {
            (Some(name), _) => Some(self.variable("the bearer token", name)?),
            (None, Some(path)) => {
                let bytes = self.file("the bearer token", beside, path)?;
                let text = String::from_utf8_lossy(&bytes).trim().to_owned();
                if text.is_empty() {
                    return Err(self.error(
                        format!("the file of the bearer token, {path}, is empty"),
                        "put the token into it",
                    ));
                }
                Some(text)
            }
            (None, None) => None,
        };
        if let Some(token) = token {
            self.secrets.add(&token);
            self.authorize(headers, &format!("Bearer {token}"), "the bearer token")?;
            return Ok(Credentials::Bearer);
        }
        let user = match (&server.basic_user, &server.basic_password_env) {
            (Some(name), Some(variable)) => Some(User {
                name: name.clone(),
                password: self.variable("the password", variable)?,
            }),
            (Some(name), None) => Some(User { name: name.clone(), password: String::new() }),
            (None, _) => in_address
                .map(|user| User { name: user.name.clone(), password: user.password.clone() }),
        };
        let Some(user) = user else { return Ok(Credentials::None) };
        let pair = base64(format!("{}:{}", user.name, user.password).as_bytes());
        self.secrets.add(&user.password);
        self.secrets.add(&pair);
        self.authorize(headers, &format!("Basic {pair}"), "the password")?;
        Ok(Credentials::Basic)
    }

    fn authorize(
        &self,
        headers: &mut HeaderMap,
        value: &str,
        what: &str,
    ) -> Result<(), PrometheusError> {
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            self.error(
                format!("{what} holds characters that no header can carry"),
                "check that it is one line of visible characters",
            )
        })?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
        Ok(())
    }

    fn variable(&self, what: &str, name: &str) -> Result<String, PrometheusError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "secrets come from the environment, never from a document"
        )]
        let found = std::env::var(name).ok().map(|value| value.trim().to_owned());
        found.filter(|value| !value.is_empty()).ok_or_else(|| {
            self.error(
                format!(
                    "the environment variable {name}, which should hold {what}, is not set or empty"
                ),
                "set it and run again",
            )
        })
    }

    fn file(&self, what: &str, beside: &Path, path: &str) -> Result<Vec<u8>, PrometheusError> {
        #[expect(clippy::disallowed_methods, reason = "a source reads the files that it is named")]
        let read = fs::read(beside.join(path));
        read.map_err(|error| {
            self.error(
                format!("the file of {what}, {path}, cannot be read: {error}"),
                "name a file that you may read; paths are relative to the document",
            )
        })
    }
}

/// A part of an address without its percent signs.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// RFC 4648 with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let at = |index: usize| u32::from(group.get(index).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            if digit <= group.len() {
                let code = (bits >> (18 - 6 * digit)) & 63;
                text.push(char::from(ALPHABET[code as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn server(url: &str) -> PrometheusServer {
        PrometheusServer {
            url: url.to_owned(),
            step: None,
            bearer_token_env: None,
            bearer_token_file: None,
            basic_user: None,
            basic_password_env: None,
            headers: BTreeMap::new(),
            ca_file: None,
            client_certificate_file: None,
        }
    }

    #[test]
    fn a_password_in_the_address_is_used_and_never_shown() {
        let access =
            Access::open(&server("http://ann:p%40ss-word@localhost:9090/prom"), Path::new("."))
                .unwrap();
        assert_eq!(access.shown(), "http://localhost:9090/prom");
        assert_eq!(access.credentials, Credentials::Basic);
        assert_eq!(access.headers[AUTHORIZATION], "Basic YW5uOnBAc3Mtd29yZA==");
        assert!(!format!("{access:?}{:?}", access.headers).contains("ss-word"), "{access:?}");
        assert_eq!(
            access.secrets.scrub("got YW5uOnBAc3Mtd29yZA== and p@ss-word"),
            "got [secret] and [secret]"
        );
    }

    #[test]
    fn secret_headers_are_scrubbed_and_tenants_are_not() {
        let mut server = server("https://mimir.example/");
        server.headers.insert("X-Scope-OrgID".to_owned(), "payments".to_owned());
        server.headers.insert("X-Api-Key".to_owned(), "k-123456".to_owned());
        let access = Access::open(&server, Path::new(".")).unwrap();
        assert_eq!(access.secrets.scrub("payments k-123456"), "payments [secret]");
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut of_token = server("http://localhost:9090");
        of_token.bearer_token_env = Some("UNFAZED_NO_SUCH_VARIABLE".to_owned());
        let error = Access::open(&of_token, Path::new(".")).unwrap_err();
        assert_eq!(error.kind, FailureKind::Setup);
        assert!(error.to_string().contains("UNFAZED_NO_SUCH_VARIABLE"), "{error}");
        let mut of_file = server("http://localhost:9090");
        of_file.ca_file = Some("nowhere.pem".to_owned());
        let error = Access::open(&of_file, Path::new(".")).unwrap_err().to_string();
        assert!(error.contains("nowhere.pem"), "{error}");
        let error = Access::open(&server("ftp://x"), Path::new(".")).unwrap_err().to_string();
        assert!(error.contains("no http or https URL"), "{error}");
        let error = Access::open(&server("http://x/?token=abcdef"), Path::new("."))
            .unwrap_err()
            .to_string();
        assert!(!error.contains("abcdef"), "{error}");
    }

    #[test]
    fn base64_pads() {
        let cases =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
        for (plain, coded) in cases {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
