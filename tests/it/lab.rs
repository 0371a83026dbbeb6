//! A service to experiment on: worker processes under a supervisor, and a page of metrics, all inside the test.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

static NAMES: AtomicU32 = AtomicU32::new(0);

/// The service; its processes end with it.
pub(crate) struct Lab {
    pub(crate) room: tempfile::TempDir,
    pub(crate) name: String,
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    program: PathBuf,
    workers: Mutex<Vec<Child>>,
    began: Instant,
    restarts: AtomicU32,
    /// Whether every request is answered with an error.
    broken: AtomicBool,
    /// Whether the first restart breaks it.
    fragile: AtomicBool,
    over: AtomicBool,
}

/// What an experiment of the lab differs in.
pub(crate) struct Setup<'a> {
    pub(crate) faults: u32,
    pub(crate) controls: u32,
    pub(crate) action: &'a str,
    pub(crate) wave: u32,
}

impl Lab {
    /// Starts so many workers.
    pub(crate) fn start(workers: usize) -> Self {
        let room = tempfile::tempdir().unwrap();
        let number = NAMES.fetch_add(1, Ordering::Relaxed);
        let name = format!("r{}x{number}", std::process::id());
        let program = room.path().join(&name);
        std::os::unix::fs::symlink("/bin/sleep", &program).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            workers: Mutex::new((0..workers).map(|_| worker(&program)).collect()),
            program,
            began: Instant::now(),
            restarts: AtomicU32::new(0),
            broken: AtomicBool::new(false),
            fragile: AtomicBool::new(false),
            over: AtomicBool::new(false),
        });
        let (page, supervised) = (Arc::clone(&shared), Arc::clone(&shared));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if page.over.load(Ordering::Relaxed) {
                    return;
                }
                answer(stream, &page);
            }
        });
        thread::spawn(move || supervise(&supervised));
        Self { room, name, port, shared }
    }

    pub(crate) fn path(&self) -> &Path {
        self.room.path()
    }

    /// From now on every request fails.
    pub(crate) fn break_now(&self) {
        self.shared.broken.store(true, Ordering::Relaxed);
    }

    /// From the next restart on every request fails.
    pub(crate) fn make_fragile(&self) {
        self.shared.fragile.store(true, Ordering::Relaxed);
    }

    /// How often a worker was started again.
    pub(crate) fn restarts(&self) -> u32 {
        self.shared.restarts.load(Ordering::Relaxed)
    }

    /// How many workers are stopped.
    pub(crate) fn stopped(&self) -> usize {
        let workers = self.shared.workers.lock().unwrap();
        workers.iter().filter(|worker| state(worker.id()) == Some('T')).count()
    }

    /// How many workers live.
    pub(crate) fn alive(&self) -> usize {
        let workers = self.shared.workers.lock().unwrap();
        let lives = |worker: &&Child| matches!(state(worker.id()), Some(state) if state != 'Z');
        workers.iter().filter(lives).count()
    }

    /// Writes experiment.yaml and policy.yaml.
    pub(crate) fn write(&self, setup: &Setup<'_>) {
        let Self { name, port, .. } = self;
        let Setup { faults, controls, action, wave } = setup;
        let source =
            format!("{{scrape: {{targets: [\"http://127.0.0.1:{port}/metrics\"], every: 200ms}}}}");
        let text = format!(
            r"apiVersion: unfazed/v1
kind: Experiment
metadata: {{name: lab-{name}, owner: lab, ticket: CHG-1}}
spec:
  hypothesis: Nobody notices.
  environment: lab
  iterations: {{fault: {faults}, control: {controls}}}
  windows: {{baseline: 800ms, experiment: 1500ms, cooldown: 300ms, jitter: 100ms}}
  source: {source}
  metrics:
    - name: queue-now
      gauge: queue_depth
      expect: {{at_most: 10, for: this_run}}
    - name: errors
      ratio: {{bad: errors_total, total: requests_total}}
      expect: {{at_most: 1%, for: this_run}}
    - name: queue
      gauge: queue_depth
  recovery: {{signal: queue, healthy: {{increase_at_most: 20%, or_by: 5}}, stable_for: 200ms}}
  safety:
    preconditions:
      - {{name: the queue is short, query: queue_depth, at_most: 10}}
    abort:
      - {{metric: errors, above: 50%, consecutive: 400ms}}
  fault:
    target: {{process: {{name: {name}}}}}
    {action}
    wave: {wave}
"
        );
        fs::write(self.path().join("experiment.yaml"), text).unwrap();
        let policy = "apiVersion: unfazed/v1\nkind: Policy\nmetadata: {name: lab, owner: lab}\nspec:\n  \
            environments: [{name: lab, highest_wave: 3}]\n  cooldown: 300ms\n";
        fs::write(self.path().join("policy.yaml"), policy).unwrap();
    }

    /// `unfazed run` in the lab's room, not started yet.
    pub(crate) fn run(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_unfazed"));
        command.args(["run", "experiment.yaml", "-o", "out", "--actor", "tester"]);
        command.args(["--injector", env!("CARGO_BIN_EXE_unfazed-inject")]).args(arguments);
        command.current_dir(self.path()).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        let _woken = TcpStream::connect(("127.0.0.1", self.port));
        for worker in self.shared.workers.lock().unwrap().iter_mut() {
            let _killed = worker.kill();
            let _awaited = worker.wait();
        }
    }
}

fn worker(program: &Path) -> Child {
    Command::new(program).arg("600").stdin(Stdio::null()).spawn().unwrap()
}

fn state(pid: u32) -> Option<char> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(") ")?.1.chars().next()
}

fn supervise(shared: &Shared) {
    while !shared.over.load(Ordering::Relaxed) {
        let mut workers = shared.workers.lock().unwrap();
        if shared.over.load(Ordering::Relaxed) {
            return;
        }
        for worker in workers.iter_mut() {
            if worker.try_wait().unwrap().is_some() {
                *worker = self::worker(&shared.program);
                shared.restarts.fetch_add(1, Ordering::Relaxed);
                if shared.fragile.load(Ordering::Relaxed) {
                    shared.broken.store(true, Ordering::Relaxed);
                }
            }
        }
        drop(workers);
        thread::sleep(Duration::from_millis(50));
    }
}

fn answer(mut stream: TcpStream, shared: &Shared) {
    let _asked = stream.read(&mut [0; 4096]);
    let requests = shared.began.elapsed().as_millis();
    let errors = if shared.broken.load(Ordering::Relaxed) { requests } else { 0 };
    let restarts = shared.restarts.load(Ordering::Relaxed);
    let body = format!(
        "# TYPE requests_total counter\nrequests_total {requests}\n# TYPE errors_total counter\nerrors_total {errors}\n\
         # TYPE queue_depth gauge\nqueue_depth 3\n# TYPE restarts_total counter\nrestarts_total {restarts}\n"
    );
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}
