//! Containers of the local Docker engine.
//!
//! Owns what is asked of the engine and what is believed of its answers: a container is hit through the host pid that
//! the engine tells only if the kernel agrees that this pid lives in that container. (The engine tells pid 0 of one that
//! does not run, and signals to 0 hit one's own process group.) A kill through the engine itself counts as the wish of a
//! person, so that its restart policy does not act: only with `via: api`. Refuses remote engines.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde::Deserialize;

use super::candidate::{self, Body, Candidate, Found, Remote};
use super::clock::{Clock, SystemClock};
use super::host::Host;
use super::http::{Request, Response, exchange};
use super::outcome::{Code, Kind, Stop};
use super::plan::{ContainerMeans, ContainerTarget};
use super::process::State;
use super::signal::{Signal, Watch};
use crate::unit::{Span, Timestamp};

const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// An engine that does not answer within this is in no state for an experiment.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

const LOOK_EVERY: Span = Span::from_milliseconds(20);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: String,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    id: String,
    name: String,
    state: ContainerState,
    config: Config,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContainerState {
    running: bool,
    paused: bool,
    restarting: bool,
    pid: i32,
    started_at: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
}

/// The engine behind a Unix socket.
#[derive(Debug, Clone)]
struct Engine {
    socket: String,
}

/// Finds the running containers that the target means.
///
/// # Errors
/// That the engine cannot be asked, or that the kernel contradicts it.
pub fn find(target: &ContainerTarget, host: &dyn Host) -> Result<Found, Stop> {
    let engine = Engine::from_environment()?;
    let listed: Vec<Listed> = parse(&engine.get("/containers/json")?)?;
    let mut candidates = Vec::new();
    for container in listed.iter().filter(|container| means(target, container)) {
        let path = format!("/containers/{}/json", encode(&container.id));
        let Some(response) = found(engine.get(&path)?) else { continue };
        let container: Inspected = parse(&response)?;
        let state = &container.state;
        if !state.running || state.paused || state.restarting || state.pid <= 1 {
            continue;
        }
        candidates.extend(candidate(&engine, target.via, container, host)?);
    }
    candidates.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(Found { candidates, selection: None, elsewhere: 0 })
}

/// The engine's own filters match names as patterns: ours are whole.
fn means(target: &ContainerTarget, container: &Listed) -> bool {
    let label = target.label.as_deref().and_then(|label| label.split_once('='));
    let by_label = label.is_none_or(|(key, value)| {
        let found = container.labels.as_ref().and_then(|labels| labels.get(key));
        found.is_some_and(|found| found == value)
    });
    let by_name = target.name.as_deref().is_none_or(|name| {
        container.names.iter().any(|found| found.strip_prefix('/').unwrap_or(found) == name)
    });
    by_label && by_name
}

fn candidate(
    engine: &Engine,
    via: ContainerMeans,
    container: Inspected,
    host: &dyn Host,
) -> Result<Option<Candidate>, Stop> {
    let name = container.name.strip_prefix('/').unwrap_or(&container.name).to_owned();
    let pid = container.state.pid;
    let (body, started_at) = match via {
        ContainerMeans::Api => {
            let started_at = container.state.started_at;
            let remote = RemoteContainer {
                engine: engine.clone(),
                id: container.id.clone(),
                started_at: started_at.clone(),
            };
            (Body::Remote(Box::new(remote)), Timestamp::parse(&started_at).ok())
        }
        ContainerMeans::Process => {
            let process = host
                .process(pid)
                .map_err(|error| candidate::unreadable(&format!("process {pid}"), &error))?;
            // It has ended since the engine told of it.
            let alive = process.filter(|process| process.state != State::Dead);
            let Some(process) = alive else { return Ok(None) };
            if process.container_id().as_deref() != Some(container.id.as_str()) {
                return Err(Stop::refused(
                    Code::PidNotInContainer,
                    format!(
                        "the engine tells pid {pid} of container '{name}', and the kernel does not see it there"
                    ),
                ));
            }
            let started_at = host.time_of_tick(process.identity.start_ticks);
            (Body::Process(Box::new(process)), started_at)
        }
    };
    Ok(Some(Candidate {
        kind: Kind::Container,
        name,
        id: container.id,
        namespace: None,
        labels: Some(container.config.labels.unwrap_or_default()),
        started_at,
        body,
    }))
}

/// A container that the engine is asked to kill.
struct RemoteContainer {
    engine: Engine,
    id: String,
    started_at: String,
}

impl RemoteContainer {
    fn inspect(&self) -> Result<Option<Inspected>, Stop> {
        let path = format!("/containers/{}/json", encode(&self.id));
        found(self.engine.get(&path)?).map(|response| parse(&response)).transpose()
    }

    /// Whether it runs and has not been started anew.
    fn is_running(&self) -> Result<bool, Stop> {
        Ok(self.inspect()?.is_some_and(|container| {
            container.state.running && container.state.started_at == self.started_at
        }))
    }
}

impl Remote for RemoteContainer {
    fn ask(&self, signal: Signal) -> Result<(), Stop> {
        let gone = || Stop::no_target(Code::TargetGone, "the container ended before it was hit");
        if !self.is_running()? {
            return Err(gone());
        }
        let path = format!("/containers/{}/kill?signal={}", encode(&self.id), signal.name());
        let response = self.engine.ask("POST", &path)?;
        match response.status {
            204 => Ok(()),
            404 | 409 => Err(gone()),
            _ => Err(Stop::failed(Code::EngineRefused, response.message())),
        }
    }

    fn watch(&self, span: Span) -> Result<Watch, Stop> {
        let clock = SystemClock::start();
        loop {
            if !self.is_running()? {
                return Ok(Watch::Exited);
            }
            if clock.elapsed() >= span {
                return Ok(Watch::Running);
            }
            clock.wait(LOOK_EVERY);
        }
    }
}

impl Engine {
    fn from_environment() -> Result<Self, Stop> {
        let host = std::env::var("DOCKER_HOST").unwrap_or_default();
        let socket = match host.strip_prefix("unix://") {
            Some(socket) => socket.to_owned(),
            None if host.is_empty() => DEFAULT_SOCKET.to_owned(),
            None => {
                return Err(Stop::refused(
                    Code::UnsupportedTarget,
                    format!(
                        "DOCKER_HOST is '{host}'; accepted is unix:///path, an engine of this host"
                    ),
                ));
            }
        };
        Ok(Self { socket })
    }

    fn get(&self, path: &str) -> Result<Response, Stop> {
        let response = self.ask("GET", path)?;
        match response.status {
            200 | 404 => Ok(response),
            _ => Err(Stop::failed(Code::EngineRefused, format!("{path}: {}", response.message()))),
        }
    }

    fn ask(&self, method: &'static str, path: &str) -> Result<Response, Stop> {
        let exchange = || -> io::Result<Response> {
            let mut stream = UnixStream::connect(&self.socket)?;
            stream.set_read_timeout(Some(ANSWER_WITHIN))?;
            stream.set_write_timeout(Some(ANSWER_WITHIN))?;
            let request = Request { method, path, host: "docker", token: None, body: None };
            exchange(&mut stream, &request)
        };
        exchange().map_err(|error| {
            Stop::failed(
                Code::EngineUnreachable,
                format!(
                    "the container engine at '{}' does not answer {method} {path}: {error}",
                    self.socket
                ),
            )
        })
    }
}

fn found(response: Response) -> Option<Response> {
    (response.status == 200).then_some(response)
}

fn parse<'a, T: Deserialize<'a>>(response: &'a Response) -> Result<T, Stop> {
    serde_json::from_slice(&response.body).map_err(|error| {
        Stop::failed(
            Code::EngineRefused,
            format!("the container engine's answer cannot be read: {error}"),
        )
    })
}

/// Ids are hexadecimal; anything else is kept from meaning something in a path.
fn encode(id: &str) -> String {
    id.chars().filter(char::is_ascii_alphanumeric).collect()
}
