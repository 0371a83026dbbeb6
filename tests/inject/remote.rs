//! Engines and clusters that answer well, badly and not at all. They are of paper: a thread that speaks HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

#[derive(Clone)]
struct Asked {
    what: String,
    body: String,
}

type Answer = Box<dyn Fn(&str) -> (u16, Value) + Send>;

/// Answers one request on a stream; `what` is the method and the path.
fn serve(stream: impl Read + Write, answer: &Answer, asked: &Mutex<Vec<Asked>>) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let what = line.trim().trim_end_matches(" HTTP/1.1").to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        if let Some(value) = header.strip_prefix("Content-Length: ") {
            length = value.trim().parse().unwrap();
        }
        if header.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    asked
        .lock()
        .unwrap()
        .push(Asked { what: what.clone(), body: String::from_utf8(body).unwrap() });
    let (status, answer) = answer(&what);
    let text = if status == 204 { String::new() } else { answer.to_string() };
    let mut stream = reader.into_inner();
    // Chunked, as the real ones answer.
    let chunk =
        if text.is_empty() { String::new() } else { format!("{:x}\r\n{text}\r\n", text.len()) };
    let _written =
        write!(stream, "HTTP/1.1 {status} X\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}0\r\n\r\n");
}

fn run(variable: &str, value: &str, plan: &Value) -> (Value, String, i32) {
    let mut child = crate::live::injector()
        .arg("--live")
        .env_remove("DOCKER_HOST")
        .env_remove("UNFAZED_KUBE_API")
        .env_remove("KUBERNETES_SERVICE_HOST")
        .env(variable, value)
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(plan.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    let code = outcome["reason"]["code"].as_str().unwrap_or("none").to_owned();
    (outcome, code, output.status.code().unwrap())
}

fn plan(target: Value) -> Value {
    let mut plan = crate::live::Workers::none().plan();
    plan["target"] = target;
    plan
}

#[cfg(feature = "docker")]
mod docker {
    use std::os::unix::net::UnixListener;

    use super::*;
    use crate::live::Workers;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde";

    fn id(place: usize) -> String {
        format!("{ID}{place}")
    }

    struct Engine {
        _directory: tempfile::TempDir,
        host: String,
        asked: Arc<Mutex<Vec<Asked>>>,
    }

    fn engine(answer: impl Fn(&str) -> (u16, Value) + Send + 'static) -> Engine {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("docker.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let answer: Answer = Box::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &answer, &log);
            }
        });
        Engine { host: format!("unix://{}", path.display()), _directory: directory, asked }
    }

    fn list(names: &[&str]) -> Value {
        let container = |(place, name): (usize, &&str)| json!({"Id": id(place), "Names": [format!("/{name}")], "Labels": {"chaos-target": "canary"}});
        names.iter().enumerate().map(container).collect()
    }

    fn inspected(what: &str, pid: u32, running: bool) -> Value {
        let id = what.split('/').nth(2).unwrap();
        json!({"Id": id, "Name": "/pay", "Config": {"Labels": {"chaos-target": "canary", "team": "payments"}},
            "State": {"Running": running, "Paused": false, "Restarting": false, "Pid": pid, "StartedAt": "2026-11-23T08:00:00.123456789Z"}})
    }

    fn by_label() -> Value {
        plan(json!({"container": {"label": "chaos-target=canary"}}))
    }

    #[test]
    fn pid_zero_of_a_container_that_does_not_run_is_never_hit() {
        let engine = engine(|what| match what {
            "GET /containers/json" => (200, list(&["a", "b"])),
            _ => (200, inspected(what, 0, true)),
        });
        let (outcome, code, exit) = run("DOCKER_HOST", &engine.host, &by_label());
        assert_eq!(
            (code.as_str(), exit, &outcome["considered"]),
            ("nothing_matched", 5, &json!(0))
        );
    }

    #[test]
    fn a_pid_that_the_kernel_does_not_see_in_the_container_is_not_hit() {
        let mut workers = Workers::start(1);
        let pid = workers.children[0].id();
        let engine = engine(move |what| match what {
            "GET /containers/json" => (200, list(&["a", "b"])),
            _ => (200, inspected(what, pid, true)),
        });
        let (_, code, exit) = run("DOCKER_HOST", &engine.host, &by_label());
        assert_eq!((code.as_str(), exit), ("pid_not_in_container", 5));
        assert_eq!(workers.alive(), 1);
    }

    #[test]
    fn a_container_whose_name_or_label_is_only_alike_is_not_asked_for() {
        let engine = engine(|_| (200, list(&["pay-2", "xpay"])));
        for target in [
            json!({"name": "pay"}),
            json!({"label": "chaos-target=can"}),
            json!({"label": "chaos=canary"}),
        ] {
            let (_, code, exit) =
                run("DOCKER_HOST", &engine.host, &plan(json!({"container": target})));
            assert_eq!((code.as_str(), exit), ("nothing_matched", 5));
        }
        assert!(
            engine.asked.lock().unwrap().iter().all(|asked| asked.what == "GET /containers/json")
        );
    }

    #[test]
    fn the_engine_kills_only_when_it_is_told_to() {
        let killed = Arc::new(Mutex::new(String::new()));
        let victim = Arc::clone(&killed);
        let engine = engine(move |what| {
            if what == "GET /containers/json" {
                return (200, list(&["a", "b"]));
            }
            let mut victim = victim.lock().unwrap();
            if what.starts_with("POST") {
                *victim = what.split('/').nth(2).unwrap().to_owned();
                return (204, Value::Null);
            }
            let running = victim.is_empty() || !what.contains(victim.as_str());
            (200, inspected(what, 4242, running))
        });
        let target = json!({"container": {"label": "chaos-target=canary", "via": "api"}});
        let (outcome, code, exit) = run("DOCKER_HOST", &engine.host, &plan(target));
        assert_eq!((code.as_str(), exit, &outcome["outcome"]), ("none", 0, &json!("killed")));
        assert_eq!(outcome["targets"][0]["kind"], "container");
        assert_eq!(outcome["targets"][0]["id"], killed.lock().unwrap().as_str());
        assert_eq!(outcome["targets"][0]["pid"], Value::Null);
        let asked = engine.asked.lock().unwrap();
        let kills: Vec<_> = asked.iter().filter(|asked| asked.what.starts_with("POST")).collect();
        assert_eq!(kills.len(), 1);
        assert!(kills[0].what.ends_with("/kill?signal=SIGKILL"));
    }

    #[test]
    fn a_container_that_ended_before_it_was_hit_is_no_success() {
        let engine = engine(|what| match what {
            "GET /containers/json" => (200, list(&["a", "b"])),
            _ if what.starts_with("POST") => (409, json!({"message": "is not running"})),
            _ => (200, inspected(what, 4242, true)),
        });
        let target = json!({"container": {"label": "chaos-target=canary", "via": "api"}});
        let (outcome, code, exit) = run("DOCKER_HOST", &engine.host, &plan(target));
        assert_eq!(
            (code.as_str(), exit, &outcome["outcome"]),
            ("target_gone", 5, &json!("no_target"))
        );
    }

    #[test]
    fn protected_labels_of_containers_protect_dry_or_live() {
        let engine = engine(|what| match what {
            "GET /containers/json" => (200, list(&["a", "b"])),
            _ => (200, inspected(what, 4242, true)),
        });
        let target = json!({"container": {"label": "chaos-target=canary", "via": "api"}});
        for label in ["team", "team=payments"] {
            let mut plan = plan(target.clone());
            plan["protected"]["labels"] = json!([label]);
            let (_, code, exit) = run("DOCKER_HOST", &engine.host, &plan);
            assert_eq!((code.as_str(), exit), ("protected_label", 5));
        }
        assert!(engine.asked.lock().unwrap().iter().all(|asked| asked.what.starts_with("GET")));
    }

    #[test]
    fn an_engine_that_errs_or_is_not_there_is_a_failure() {
        let errs = engine(|_| (500, json!({"message": "no"})));
        assert_eq!(run("DOCKER_HOST", &errs.host, &by_label()).1, "engine_refused");
        let odd = engine(|_| (200, json!({"not": "a list"})));
        assert_eq!(run("DOCKER_HOST", &odd.host, &by_label()).1, "engine_refused");
        let (_, code, exit) = run("DOCKER_HOST", "unix:///no/such/socket", &by_label());
        assert_eq!((code.as_str(), exit), ("engine_unreachable", 4));
        let (_, code, exit) = run("DOCKER_HOST", "tcp://127.0.0.1:1", &by_label());
        assert_eq!((code.as_str(), exit), ("unsupported_target", 5));
    }
}

#[cfg(feature = "kubernetes")]
mod kubernetes {
    use std::net::TcpListener;

    use super::*;

    struct Cluster {
        url: String,
        asked: Arc<Mutex<Vec<Asked>>>,
    }

    impl Cluster {
        fn run(&self, plan: &Value) -> (Value, String, i32) {
            run("UNFAZED_KUBE_API", &self.url, plan)
        }

        fn writes(&self) -> Vec<Asked> {
            let asked = self.asked.lock().unwrap();
            asked.iter().filter(|asked| !asked.what.starts_with("GET")).cloned().collect()
        }
    }

    fn cluster(answer: impl Fn(&str) -> (u16, Value) + Send + 'static) -> Cluster {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let answer: Answer = Box::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &answer, &log);
            }
        });
        Cluster { url, asked }
    }

    fn pod(name: &str) -> Value {
        json!({"metadata": {"name": name, "namespace": "canary", "uid": format!("uid-{name}"),
                "labels": {"chaos-target": "canary", "app": "pay"}, "creationTimestamp": "2026-11-23T08:00:00Z"},
            "status": {"phase": "Running", "containerStatuses": [{"containerID": format!("containerd://{}", "f".repeat(64))}]}})
    }

    fn pods() -> Value {
        json!({"kind": "PodList", "items": [pod("a"), pod("b")]})
    }

    fn target(via: &str) -> Value {
        plan(
            json!({"kubernetes": {"namespace": "canary", "selector": "chaos-target=canary", "via": via}}),
        )
    }

    fn lists(what: &str) -> bool {
        what == "GET /api/v1/namespaces/canary/pods?labelSelector=chaos-target%3Dcanary"
    }

    #[test]
    fn a_delete_holds_for_one_uid_and_is_seen_to_happen() {
        let cluster = cluster(|what| match what {
            _ if lists(what) => (200, pods()),
            _ if what.starts_with("DELETE") => (200, json!({})),
            _ => (404, json!({"message": "gone"})),
        });
        let (outcome, code, exit) = cluster.run(&target("delete"));
        assert_eq!((code.as_str(), exit, &outcome["outcome"]), ("none", 0, &json!("killed")));
        let target = &outcome["targets"][0];
        assert_eq!((&target["kind"], &target["namespace"]), (&json!("pod"), &json!("canary")));
        let writes = cluster.writes();
        assert_eq!(writes.len(), 1);
        let body: Value = serde_json::from_str(&writes[0].body).unwrap();
        assert_eq!(body["preconditions"]["uid"], target["id"]);
        assert_eq!(body["gracePeriodSeconds"], 0);
    }

    #[test]
    fn a_pod_replaced_under_the_same_name_is_not_deleted() {
        let cluster = cluster(|what| match what {
            _ if lists(what) => (200, pods()),
            _ => (409, json!({"message": "the UID in the precondition does not match"})),
        });
        let (outcome, code, exit) = cluster.run(&target("delete"));
        assert_eq!(
            (code.as_str(), exit, &outcome["outcome"]),
            ("target_changed", 5, &json!("refused"))
        );
    }

    #[test]
    fn the_disruption_budget_is_honoured() {
        let cluster = cluster(|what| match what {
            _ if lists(what) => (200, pods()),
            _ => (429, json!({"message": "would violate the pod's disruption budget"})),
        });
        let (outcome, code, exit) = cluster.run(&target("evict"));
        assert_eq!(
            (code.as_str(), exit, &outcome["outcome"]),
            ("disruption_budget", 5, &json!("refused"))
        );
        assert!(cluster.writes()[0].what.ends_with("/eviction"));
    }

    #[test]
    fn an_old_cluster_is_asked_in_its_own_version() {
        let calls = Mutex::new(0);
        let cluster = cluster(move |what| match what {
            _ if lists(what) => (200, pods()),
            _ if what.starts_with("POST") => {
                *calls.lock().unwrap() += 1;
                if *calls.lock().unwrap() == 1 {
                    (
                        400,
                        json!({"message": "no kind \"Eviction\" is registered for version \"policy/v1\""}),
                    )
                } else {
                    (201, json!({}))
                }
            }
            _ => (404, json!({})),
        });
        assert_eq!(cluster.run(&target("evict")).2, 0);
        let writes = cluster.writes();
        assert!(
            writes[0].body.contains("\"policy/v1\"")
                && writes[1].body.contains("\"policy/v1beta1\"")
        );
        assert!(writes[1].body.contains("uid-"));
    }

    #[test]
    fn a_pod_that_does_not_opt_in_is_refused() {
        for value in [json!(null), json!("false"), json!("never"), json!("")] {
            let cluster = cluster(move |_| {
                let mut pods = pods();
                for pod in pods["items"].as_array_mut().unwrap() {
                    let labels = pod["metadata"]["labels"].as_object_mut().unwrap();
                    labels.remove("chaos-target");
                    if value.is_string() {
                        labels.insert("chaos-target".into(), value.clone());
                    }
                }
                (200, pods)
            });
            let plan = plan(
                json!({"kubernetes": {"namespace": "canary", "selector": "app=pay", "via": "delete"}}),
            );
            let (_, code, exit) = cluster.run(&plan);
            assert_eq!((code.as_str(), exit), ("not_opted_in", 5));
            assert!(cluster.writes().is_empty());
        }
    }

    #[test]
    fn the_clusters_own_and_protected_namespaces_are_refused() {
        let cluster = cluster(|what| {
            let namespace = what.split('/').nth(4).unwrap().to_owned();
            let mut pods = pods();
            for pod in pods["items"].as_array_mut().unwrap() {
                pod["metadata"]["namespace"] = json!(namespace);
            }
            (200, pods)
        });
        for namespace in ["kube-system", "prod"] {
            let mut plan = target("delete");
            plan["target"]["kubernetes"]["namespace"] = json!(namespace);
            plan["protected"]["namespaces"] = json!(["prod"]);
            assert_eq!(cluster.run(&plan).1, "protected_namespace");
        }
        assert!(cluster.writes().is_empty());
    }

    #[test]
    fn an_answer_that_does_not_fit_the_question_is_not_believed() {
        let cluster = cluster(|_| {
            let mut pods = pods();
            pods["items"][0]["metadata"]["labels"]["chaos-target"] = json!("production");
            pods["items"][1]["metadata"]["namespace"] = json!("production");
            (200, pods)
        });
        assert_eq!(cluster.run(&target("delete")).1, "nothing_matched");
    }

    #[test]
    fn pods_that_end_or_do_not_run_yet_are_no_survivors() {
        let cluster = cluster(|_| {
            let mut pods = pods();
            pods["items"][0]["metadata"]["deletionTimestamp"] = json!("2026-11-23T08:00:00Z");
            let mut pending = pod("c");
            pending["status"] = json!({"phase": "Pending"});
            pods["items"].as_array_mut().unwrap().push(pending);
            (200, pods)
        });
        let (outcome, code, _) = cluster.run(&target("delete"));
        assert_eq!((code.as_str(), &outcome["considered"]), ("max_share", &json!(1)));
    }

    #[test]
    fn pods_on_other_nodes_cannot_be_signalled_from_here() {
        let cluster = cluster(|_| (200, pods()));
        let (outcome, code, exit) = cluster.run(&target("process"));
        assert_eq!(
            (code.as_str(), exit, &outcome["considered"]),
            ("nothing_matched", 5, &json!(2))
        );
        assert!(outcome["reason"]["message"].as_str().unwrap().contains("on this node"));
    }

    #[test]
    fn a_cluster_that_is_not_named_or_not_local_is_refused() {
        assert_eq!(run("DOCKER_HOST", "", &target("delete")).1, "unsupported_target");
        for url in
            ["http://10.0.0.1:8001", "https://127.0.0.1:8001", "http://localhost:8001", "127.0.0.1"]
        {
            let (_, code, exit) = run("UNFAZED_KUBE_API", url, &target("delete"));
            assert_eq!((code.as_str(), exit), ("unsupported_target", 5), "{url}");
        }
        let (_, code, exit) = run("UNFAZED_KUBE_API", "http://127.0.0.1:1", &target("delete"));
        assert_eq!((code.as_str(), exit), ("engine_unreachable", 4));
    }

    #[test]
    fn a_pod_cannot_be_paused_by_asking() {
        let cluster = cluster(|_| (200, pods()));
        let mut plan = target("delete");
        plan["action"] = json!("pause");
        plan["duration_s"] = json!(1);
        assert_eq!(cluster.run(&plan).1, "unsupported_action");
    }
}
