//! A real Docker engine, started for the test: what is hit, what is not, and that the restart policy acts.
//!
//! The engine needs root. Where there is none, `UNFAZED_WITHOUT_DOCKER=1` leaves these tests out, and says so.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::live::Workers;

/// An engine with a folder of its own; everything in it ends with it.
struct Engine {
    directory: tempfile::TempDir,
    daemon: Child,
}

impl Engine {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| directory.path().join(name).display().to_string();
        let log = std::fs::File::create(directory.path().join("log")).unwrap();
        let daemon = Command::new("dockerd")
            .args(["--host", &format!("unix://{}", place("docker.sock"))])
            .args(["--data-root", &place("data"), "--exec-root", &place("exec")])
            .args(["--pidfile", &place("pid"), "--storage-driver=vfs", "--bridge=none"])
            .args(["--iptables=false", "--ip6tables=false", "--ip-forward=false"])
            .args(["--ip-masq=false", "--userland-proxy=false"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("dockerd: {error}; `make setup` installs docker.io"));
        let engine = Self { directory, daemon };
        engine.wait_for(|| engine.docker(&["version"]).status.success(), "the engine answers");
        engine.import();
        engine
    }

    fn host(&self) -> String {
        format!("unix://{}", self.directory.path().join("docker.sock").display())
    }

    fn docker(&self, arguments: &[&str]) -> Output {
        Command::new("docker").args(["--host", &self.host()]).args(arguments).output().unwrap()
    }

    fn ask(&self, arguments: &[&str]) -> String {
        let output = self.docker(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// An image with nothing but busybox, linked statically.
    fn import(&self) {
        let root: PathBuf = self.directory.path().join("root");
        std::fs::create_dir_all(root.join("bin")).unwrap();
        std::fs::copy("/bin/busybox", root.join("bin/busybox")).unwrap_or_else(|error| {
            panic!("busybox: {error}; `make setup` installs busybox-static")
        });
        let image = self.directory.path().join("image.tar");
        let packed =
            Command::new("tar").arg("-C").arg(&root).arg("-cf").arg(&image).arg(".").status();
        assert!(packed.unwrap().success());
        self.ask(&["import", image.to_str().unwrap(), "demo:root"]);
    }

    fn container(&self, name: &str, label: &str) {
        self.ask(&[
            "run",
            "-d",
            "--network",
            "none",
            "--restart",
            "always",
            "--name",
            name,
            "--label",
            label,
            "demo:root",
            "/bin/busybox",
            "sleep",
            "1000",
        ]);
    }

    fn inspect(&self, name: &str, what: &str) -> String {
        self.ask(&["inspect", "--format", &format!("{{{{{what}}}}}"), name])
    }

    fn pid(&self, name: &str) -> String {
        self.inspect(name, ".State.Pid")
    }

    fn wait_for(&self, holds: impl Fn() -> bool, what: &str) {
        let begin = Instant::now();
        while !holds() {
            let log = || std::fs::read_to_string(self.directory.path().join("log"));
            assert!(begin.elapsed() < Duration::from_mins(1), "not so: {what}\n{:?}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn inject(&self, target: Value, change: impl FnOnce(&mut Value)) -> (Value, i32) {
        let mut plan = Workers::none().plan();
        plan["target"] = target;
        change(&mut plan);
        let mut child =
            crate::live::injector().arg("--live").env("DOCKER_HOST", self.host()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), plan.to_string().as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        (serde_json::from_slice(&output.stdout).unwrap(), output.status.code().unwrap())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let names = self.docker(&["ps", "-aq"]);
        for name in String::from_utf8_lossy(&names.stdout).lines() {
            let _removed = self.docker(&["rm", "-f", name]);
        }
        let pid = rustix::process::Pid::from_child(&self.daemon);
        let _asked = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ended = self.daemon.wait();
    }
}

fn is_left_out() -> bool {
    let out = std::env::var_os("UNFAZED_WITHOUT_DOCKER").is_some();
    if out {
        #[expect(clippy::print_stderr, reason = "nothing is left out in silence")]
        {
            eprintln!("left out: UNFAZED_WITHOUT_DOCKER is set, no real engine was asked");
        }
    }
    out
}

/// A change of a plan.
type Change<'a> = &'a dyn Fn(&mut Value);

#[test]
fn a_real_engine_restarts_what_was_hit_and_nobody_else_is_hit() {
    if is_left_out() {
        return;
    }
    let engine = Engine::start();
    for name in ["pay-1", "pay-2", "pay-3"] {
        engine.container(name, "chaos-target=canary");
    }
    engine.container("other", "chaos-target=canary-2");
    engine.container("vault", "chaos-target=vault");
    // It stopped: its State.Pid is 0, which to kill(2) is one's own process group.
    engine.container("stopped", "chaos-target=canary");
    engine.ask(&["stop", "-t", "0", "stopped"]);
    assert_eq!(engine.pid("stopped"), "0");
    let all = ["pay-1", "pay-2", "pay-3", "other", "vault"];
    let before: Vec<String> = all.iter().map(|name| engine.pid(name)).collect();

    let by_label = || json!({"container": {"label": "chaos-target=canary"}});
    let (outcome, exit) = engine.inject(by_label(), |_| {});
    assert_eq!(
        (exit, &outcome["outcome"], &outcome["considered"]),
        (0, &json!("killed"), &json!(3))
    );
    let hit = outcome["targets"][0]["name"].as_str().unwrap().to_owned();
    assert!(hit.starts_with("pay-"), "{outcome}");
    engine.wait_for(
        || engine.inspect(&hit, ".RestartCount") == "1" && engine.pid(&hit) != "0",
        "the restart policy acts",
    );
    for (name, pid) in all.iter().zip(&before).filter(|(name, _)| **name != hit) {
        assert_eq!(
            (&engine.pid(name), engine.inspect(name, ".RestartCount")),
            (pid, "0".to_owned())
        );
    }
    assert_eq!(engine.inspect("stopped", ".State.Running"), "false");

    let refusals: [(Value, Change<'_>, &str); 6] = [
        (json!({"container": {"name": "pay"}}), &|_| {}, "nothing_matched"),
        (json!({"container": {"label": "chaos-target=can"}}), &|_| {}, "nothing_matched"),
        (json!({"container": {"name": "stopped"}}), &|_| {}, "nothing_matched"),
        (
            json!({"container": {"label": "chaos-target=vault"}}),
            &|plan| plan["protected"]["labels"] = json!(["chaos-target=vault"]),
            "protected_label",
        ),
        (
            json!({"container": {"name": "vault"}}),
            &|plan| plan["protected"]["processes"] = json!(["vault"]),
            "protected_process",
        ),
        (json!({"container": {"name": "pay-1"}}), &|_| {}, "max_share"),
    ];
    let now = |names: &[&str]| names.iter().map(|name| engine.pid(name)).collect::<Vec<_>>();
    let before = now(&all);
    for (target, change, code) in refusals {
        let (outcome, exit) = engine.inject(target.clone(), change);
        assert_eq!((outcome["reason"]["code"].as_str(), exit), (Some(code), 5), "{target}");
    }
    assert_eq!(now(&all), before, "a refusal hit somebody");
}
