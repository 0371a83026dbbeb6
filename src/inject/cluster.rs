//! The API of a Kubernetes cluster.
//!
//! Owns the way there. Inside a pod: the service account that is mounted, over TLS, believing the mounted authority
//! alone. Elsewhere: `UNFAZED_KUBE_API=http://127.0.0.1:8001`, where `kubectl proxy` listens, which knows every way to
//! log in there is; plain HTTP leaves this host under no circumstances. Refuses to know what is asked.

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::http::{Request, Response, exchange};
use super::outcome::{Code, Stop};

const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// A cluster that does not answer within this is in no state for an experiment.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A way to the API.
#[derive(Clone)]
pub struct Cluster {
    host: String,
    port: u16,
    token: Option<String>,
    tls: Option<Arc<ClientConfig>>,
}

impl Cluster {
    /// The cluster that the environment names.
    ///
    /// # Errors
    /// That it names none, or one that is not accepted.
    pub fn from_environment() -> Result<Self, Stop> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(url) = variable("UNFAZED_KUBE_API") {
            return Self::proxy(&url);
        }
        let (Some(host), Some(port)) =
            (variable("KUBERNETES_SERVICE_HOST"), variable("KUBERNETES_SERVICE_PORT"))
        else {
            return Err(Stop::refused(
                Code::UnsupportedTarget,
                "no cluster is named; run in a pod with a service account, or start `kubectl proxy` and set UNFAZED_KUBE_API=http://127.0.0.1:8001",
            ));
        };
        let unreachable = |what: String| Stop::failed(Code::EngineUnreachable, what);
        let port = port
            .parse()
            .map_err(|_| unreachable(format!("KUBERNETES_SERVICE_PORT is '{port}', no port")))?;
        let token = fs::read_to_string(format!("{ACCOUNT}/token"))
            .map_err(|error| unreachable(format!("the service account has no token: {error}")))?;
        let tls = trust(&format!("{ACCOUNT}/ca.crt"))
            .map_err(|what| unreachable(format!("the service account's authority: {what}")))?;
        Ok(Self { host, port, token: Some(token.trim().to_owned()), tls: Some(tls) })
    }

    fn proxy(url: &str) -> Result<Self, Stop> {
        let wrong = || {
            Stop::refused(
                Code::UnsupportedTarget,
                format!(
                    "UNFAZED_KUBE_API is '{url}'; accepted is http://127.0.0.1:PORT, where kubectl proxy listens"
                ),
            )
        };
        let authority = url.strip_prefix("http://").ok_or_else(wrong)?.trim_end_matches('/');
        let address: SocketAddr = authority.parse().map_err(|_| wrong())?;
        if !address.ip().is_loopback() {
            return Err(wrong());
        }
        let host = address.ip().to_string();
        Ok(Self { host, port: address.port(), token: None, tls: None })
    }

    /// Asks.
    ///
    /// # Errors
    /// That there is no answer.
    pub fn ask(
        &self,
        method: &'static str,
        path: &str,
        body: Option<&str>,
    ) -> Result<Response, Stop> {
        self.exchange(method, path, body).map_err(|error| {
            Stop::failed(
                Code::EngineUnreachable,
                format!(
                    "the cluster at {}:{} does not answer {method} {path}: {error}",
                    self.host, self.port
                ),
            )
        })
    }

    fn exchange(
        &self,
        method: &'static str,
        path: &str,
        body: Option<&str>,
    ) -> io::Result<Response> {
        let stream = self.connect()?;
        let host = match self.host.parse() {
            Ok(IpAddr::V6(address)) => format!("[{address}]:{}", self.port),
            Ok(IpAddr::V4(_)) | Err(_) => format!("{}:{}", self.host, self.port),
        };
        let request = Request { method, path, host: &host, token: self.token.as_deref(), body };
        match &self.tls {
            None => exchange(&mut { stream }, &request),
            Some(trusted) => {
                let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
                let connection =
                    ClientConnection::new(Arc::clone(trusted), name).map_err(io::Error::other)?;
                exchange(&mut StreamOwned::new(connection, stream), &request)
            }
        }
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, ANSWER_WITHIN) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
                    stream.set_write_timeout(Some(ANSWER_WITHIN))?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Believes the authorities in one file and no others.
fn trust(path: &str) -> Result<Arc<ClientConfig>, String> {
    let mut authorities = RootCertStore::empty();
    let certificates =
        CertificateDer::pem_file_iter(path).map_err(|error| format!("{path}: {error}"))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| format!("{path}: {error}"))?;
        authorities.add(certificate).map_err(|error| format!("{path}: {error}"))?;
    }
    if authorities.is_empty() {
        return Err(format!("{path} holds no certificate"));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(authorities)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
