//! Pods of a Kubernetes cluster.
//!
//! Owns what is asked of the cluster and how a pod is hit: a process of it on this node (the kubelet restarts the
//! container), a delete that holds only for the uid that was examined, or an eviction that the disruption budget may
//! forbid. Pods on other nodes are counted as survivors and cannot be hit by signal from here. Refuses pods that do not
//! opt in; that rule is the guard's.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use super::candidate::{self, Body, Candidate, Found, Remote};
use super::clock::{Clock, SystemClock};
use super::cluster::Cluster;
use super::host::Host;
use super::http::Response;
use super::label_selector::LabelSelector;
use super::outcome::{Code, Kind, Stop};
use super::plan::{PodMeans, PodTarget};
use super::process::{Process, State};
use super::selection::bears;
use super::signal::{Signal, Watch};
use crate::unit::{Span, Timestamp};

const LOOK_EVERY: Span = Span::from_milliseconds(100);

#[derive(Deserialize)]
struct PodList {
    items: Vec<Pod>,
}

#[derive(Clone, Deserialize)]
struct Pod {
    metadata: Metadata,
    #[serde(default)]
    status: Status,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    namespace: String,
    uid: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    creation_timestamp: Option<Timestamp>,
    #[serde(default)]
    deletion_timestamp: Option<Timestamp>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    phase: String,
    #[serde(default)]
    container_statuses: Vec<ContainerStatus>,
}

#[derive(Clone, Deserialize)]
struct ContainerStatus {
    #[serde(default, rename = "containerID")]
    container_id: Option<String>,
}

/// Finds the running pods that the target means.
///
/// # Errors
/// That the cluster cannot be asked, or that it is not clear which process of a pod is meant.
pub fn find(target: &PodTarget, host: &dyn Host) -> Result<Found, Stop> {
    let selector = LabelSelector::parse(&target.selector)
        .map_err(|what| Stop::refused(Code::MalformedPlan, what))?;
    let cluster = Cluster::from_environment()?;
    let path = format!(
        "/api/v1/namespaces/{}/pods?labelSelector={}",
        target.namespace,
        encode(&target.selector)
    );
    let pods: PodList = parse(&expect_ok(cluster.ask("GET", &path, None)?)?)?;
    let meant = pods.items.into_iter().filter(|pod| {
        let metadata = &pod.metadata;
        // The cluster is believed only as far as its answer fits the question.
        metadata.namespace == target.namespace
            && selector.means(&metadata.labels)
            && metadata.deletion_timestamp.is_none()
            && pod.status.phase == "Running"
    });
    let here = match target.via {
        PodMeans::Process => by_container(host)?,
        PodMeans::Delete | PodMeans::Evict => BTreeMap::new(),
    };
    let mut candidates = Vec::new();
    let mut elsewhere = 0;
    for pod in meant {
        let body = match target.via {
            PodMeans::Process => {
                let Some(process) = process(target, &pod, &here)? else {
                    elsewhere += 1;
                    continue;
                };
                Body::Process(Box::new(process))
            }
            PodMeans::Delete | PodMeans::Evict => {
                let pod = pod.clone();
                Body::Remote(Box::new(RemotePod { cluster: cluster.clone(), pod, via: target.via }))
            }
        };
        candidates.push(candidate(pod, body, host));
    }
    candidates.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(Found { candidates, selection: None, elsewhere })
}

fn candidate(pod: Pod, body: Body, host: &dyn Host) -> Candidate {
    let started_at = match &body {
        Body::Process(process) => host.time_of_tick(process.identity.start_ticks),
        Body::Remote(_) => pod.metadata.creation_timestamp,
    };
    Candidate {
        kind: Kind::Pod,
        name: pod.metadata.name,
        id: pod.metadata.uid,
        namespace: Some(pod.metadata.namespace),
        labels: Some(pod.metadata.labels),
        started_at,
        body,
    }
}

/// The live processes of this host by the container they live in, oldest first.
fn by_container(host: &dyn Host) -> Result<BTreeMap<String, Vec<Process>>, Stop> {
    let mut here: BTreeMap<String, Vec<Process>> = BTreeMap::new();
    let pids =
        host.pids().map_err(|error| candidate::unreadable("the list of processes", &error))?;
    for pid in pids {
        let process = host
            .process(pid)
            .map_err(|error| candidate::unreadable(&format!("process {pid}"), &error))?;
        let Some(process) = process.filter(|process| process.state != State::Dead) else {
            continue;
        };
        if let Some(container) = process.container_id() {
            here.entry(container).or_default().push(process);
        }
    }
    for processes in here.values_mut() {
        processes.sort_by_key(|process| (process.identity.start_ticks, process.identity.pid));
    }
    Ok(here)
}

/// The process of a pod that is hit: of those with the name the oldest, which is the parent of the others; without
/// a name the first process of the only container. `None` if the pod runs on another node.
fn process(
    target: &PodTarget,
    pod: &Pod,
    here: &BTreeMap<String, Vec<Process>>,
) -> Result<Option<Process>, Stop> {
    let containers: Vec<&str> = pod
        .status
        .container_statuses
        .iter()
        .filter_map(|status| status.container_id.as_deref()?.split_once("://"))
        .map(|(_runtime, id)| id)
        .collect();
    if target.process.is_none() && containers.len() > 1 {
        return Err(Stop::refused(
            Code::AmbiguousProcess,
            format!(
                "pod '{}' has {} containers; name the process",
                pod.metadata.name,
                containers.len()
            ),
        ));
    }
    let processes = containers.iter().filter_map(|id| here.get(*id)).flatten();
    let oldest = processes
        .filter(|process| match &target.process {
            Some(name) => bears(process, name.as_bytes()),
            None => process.namespace_pids.last() == Some(&1),
        })
        .min_by_key(|process| (process.identity.start_ticks, process.identity.pid));
    Ok(oldest.cloned())
}

/// A pod that the cluster is asked to delete or evict.
struct RemotePod {
    cluster: Cluster,
    pod: Pod,
    via: PodMeans,
}

impl RemotePod {
    fn path(&self) -> String {
        let metadata = &self.pod.metadata;
        format!(
            "/api/v1/namespaces/{}/pods/{}",
            encode(&metadata.namespace),
            encode(&metadata.name)
        )
    }

    /// SIGKILL's counterpart is no grace at all; SIGTERM's is the pod's own.
    fn delete(&self, signal: Signal) -> Result<Response, Stop> {
        let mut options = serde_json::json!({
            "apiVersion": "v1", "kind": "DeleteOptions",
            "preconditions": {"uid": self.pod.metadata.uid},
        });
        if signal == Signal::Kill {
            options["gracePeriodSeconds"] = 0.into();
        }
        self.cluster.ask("DELETE", &self.path(), Some(&options.to_string()))
    }

    /// policy/v1 exists from Kubernetes 1.22, policy/v1beta1 until 1.24.
    fn evict(&self, signal: Signal) -> Result<Response, Stop> {
        let metadata = &self.pod.metadata;
        let path = format!("{}/eviction", self.path());
        let mut options = serde_json::json!({"preconditions": {"uid": metadata.uid}});
        if signal == Signal::Kill {
            options["gracePeriodSeconds"] = 0.into();
        }
        let body = |version: &str| {
            serde_json::json!({
                "apiVersion": version, "kind": "Eviction",
                "metadata": {"name": metadata.name, "namespace": metadata.namespace},
                "deleteOptions": options,
            })
            .to_string()
        };
        let response = self.cluster.ask("POST", &path, Some(&body("policy/v1")))?;
        if response.status == 400 && response.message().contains("no kind \"Eviction\"") {
            return self.cluster.ask("POST", &path, Some(&body("policy/v1beta1")));
        }
        Ok(response)
    }
}

impl Remote for RemotePod {
    fn ask(&self, signal: Signal) -> Result<(), Stop> {
        let response = match self.via {
            PodMeans::Evict => self.evict(signal)?,
            PodMeans::Delete | PodMeans::Process => self.delete(signal)?,
        };
        match response.status {
            200..=202 => Ok(()),
            404 => Err(Stop::no_target(Code::TargetGone, "the pod ended before it was hit")),
            409 => Err(Stop::refused(Code::TargetChanged, response.message())),
            429 => Err(Stop::refused(Code::DisruptionBudget, response.message())),
            _ => Err(Stop::failed(Code::EngineRefused, response.message())),
        }
    }

    fn watch(&self, span: Span) -> Result<Watch, Stop> {
        let clock = SystemClock::start();
        loop {
            let response = self.cluster.ask("GET", &self.path(), None)?;
            // A stateful set gives the next pod the same name.
            if response.status == 404
                || parse::<Pod>(&expect_ok(response)?)?.metadata.uid != self.pod.metadata.uid
            {
                return Ok(Watch::Exited);
            }
            if clock.elapsed() >= span {
                return Ok(Watch::Running);
            }
            clock.wait(LOOK_EVERY);
        }
    }
}

fn expect_ok(response: Response) -> Result<Response, Stop> {
    if response.status == 200 {
        return Ok(response);
    }
    Err(Stop::failed(Code::EngineRefused, format!("the cluster: {}", response.message())))
}

fn parse<'a, T: Deserialize<'a>>(response: &'a Response) -> Result<T, Stop> {
    serde_json::from_slice(&response.body).map_err(|error| {
        Stop::failed(Code::EngineRefused, format!("the cluster's answer cannot be read: {error}"))
    })
}

/// Percent-encodes everything that could mean something in a URL (RFC 3986, section 2.3).
fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _infallible = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
