//! One process as the kernel tells it.
//!
//! Owns the parsing of the files in `/proc/PID` and the identity of a process: pid and start time, which together with
//! the boot id name one process for ever, where a pid alone is handed on (`pid_max` is 32 768 on many hosts: reuse is
//! quick). Refuses to open anything: bytes come in.

use std::fmt;

/// The longest name that the kernel keeps (`TASK_COMM_LEN` less its NUL); longer ones are cut.
pub const COMM_BYTES: usize = 15;

/// `PF_KTHREAD` in field 9 of `/proc/PID/stat`.
const KERNEL_THREAD_FLAG: u64 = 0x0020_0000;

/// What tells one process from every other one of this boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// The pid.
    pub pid: i32,
    /// Start time in clock ticks since boot: field 22 of `/proc/PID/stat`.
    pub start_ticks: u64,
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "pid {} started at tick {}", self.pid, self.start_ticks)
    }
}

/// Whether a process is alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Running, sleeping or waiting.
    Alive,
    /// Stopped by a signal or a debugger.
    Stopped,
    /// Ended; only its number is left.
    Dead,
}

/// One process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Who it is.
    pub identity: Identity,
    /// The pid of its parent.
    pub parent: i32,
    /// The pid of its first thread: its own, unless the number read is that of another thread.
    pub thread_group: i32,
    /// Whether it is alive.
    pub state: State,
    /// Whether the kernel itself runs it.
    pub kernel_thread: bool,
    /// The name that the kernel keeps, cut at [`COMM_BYTES`].
    pub comm: Vec<u8>,
    /// Program and arguments; empty for kernel threads and the dead.
    pub arguments: Vec<Vec<u8>>,
    /// The file name of the program; `None` if it may not be read.
    pub program: Option<Vec<u8>>,
    /// Real and effective user.
    pub users: Users,
    /// Paths of its control groups, one per hierarchy, without duplicates.
    pub cgroups: Vec<String>,
    /// Its pids from the outermost namespace to its own; empty if the kernel does not tell.
    pub namespace_pids: Vec<i32>,
}

/// The users of a process. They differ in programs that change their user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Users {
    /// Who started it.
    pub real: u32,
    /// With whose rights it runs.
    pub effective: u32,
}

/// The bytes of one process's files.
#[derive(Debug, Clone, Default)]
pub struct RawProcess {
    /// `stat`.
    pub stat: Vec<u8>,
    /// `status`.
    pub status: Vec<u8>,
    /// `comm`.
    pub comm: Vec<u8>,
    /// `cmdline`.
    pub cmdline: Vec<u8>,
    /// `cgroup`.
    pub cgroup: Vec<u8>,
    /// What `exe` points to.
    pub exe: Option<Vec<u8>>,
}

impl Process {
    /// Reads the files of one process.
    ///
    /// # Errors
    /// What is missing; a process that cannot be read wholly is never a target.
    pub fn parse(raw: &RawProcess) -> Result<Self, String> {
        let stat = Stat::parse(&raw.stat)?;
        let status = String::from_utf8_lossy(&raw.status);
        let numbers = |key: &str| -> Option<Vec<i64>> {
            let line = status.lines().find_map(|line| line.strip_prefix(key))?;
            line.split_whitespace().map(|word| word.parse().ok()).collect()
        };
        let uids = numbers("Uid:").filter(|uids| uids.len() == 4).ok_or("status has no Uid")?;
        let user = |index: usize| u32::try_from(uids[index]).map_err(|_| "status has a bad Uid");
        let thread_group = numbers("Tgid:")
            .and_then(|tgid| i32::try_from(*tgid.first()?).ok())
            .ok_or("status has no Tgid")?;
        let namespace_pids = numbers("NSpid:")
            .unwrap_or_default()
            .into_iter()
            .filter_map(|pid| i32::try_from(pid).ok())
            .collect();
        let mut arguments: Vec<Vec<u8>> =
            raw.cmdline.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
        // The list ends with a NUL; a program that writes its own title pads it with more of them.
        while arguments.last().is_some_and(Vec::is_empty) {
            arguments.pop();
        }
        Ok(Self {
            identity: Identity { pid: stat.pid, start_ticks: stat.start_ticks },
            parent: stat.parent,
            thread_group,
            state: stat.state,
            kernel_thread: stat.flags & KERNEL_THREAD_FLAG != 0,
            comm: raw.comm.strip_suffix(b"\n").unwrap_or(&raw.comm).to_vec(),
            arguments,
            program: raw.exe.as_deref().map(|path| file_name(program_path(path)).to_vec()),
            users: Users { real: user(0)?, effective: user(1)? },
            cgroups: cgroups(&raw.cgroup),
            namespace_pids,
        })
    }

    /// The name for people.
    pub fn name(&self) -> String {
        String::from_utf8_lossy(&self.comm).into_owned()
    }

    /// The file name of argument 0, if that is a path and not a title.
    ///
    /// Programs that describe themselves (`nginx: worker process`, `php-fpm: pool /www`) put spaces there; what
    /// stands behind the last slash of a description names nothing.
    pub fn first_word(&self) -> Option<&[u8]> {
        let first = self.arguments.first()?;
        if first.iter().any(u8::is_ascii_whitespace) {
            return None;
        }
        Some(file_name(first))
    }

    /// The id of the container it lives in: the last 64 hexadecimal digits in a row in its control groups.
    pub fn container_id(&self) -> Option<String> {
        self.cgroups.iter().find_map(|path| container_id(path))
    }
}

struct Stat {
    pid: i32,
    parent: i32,
    state: State,
    flags: u64,
    start_ticks: u64,
}

impl Stat {
    /// Field 2 is the name in parentheses and may itself hold spaces and parentheses: the last one closes it.
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let wrong = |what: &str| format!("stat has no {what}");
        let text = String::from_utf8_lossy(bytes);
        let (head, tail) = text.rsplit_once(')').ok_or_else(|| wrong("name"))?;
        let pid = head.split_once(' ').and_then(|(pid, _)| pid.parse().ok());
        let fields: Vec<&str> = tail.split_whitespace().collect();
        // `fields[0]` is field 3 of proc(5).
        let field = |number: usize| fields.get(number - 3).copied();
        let state = match field(3).ok_or_else(|| wrong("state"))? {
            "Z" | "X" | "x" => State::Dead,
            "T" | "t" => State::Stopped,
            _ => State::Alive,
        };
        let parse = |number| field(number).and_then(|text| text.parse::<u64>().ok());
        Ok(Self {
            pid: pid.ok_or_else(|| wrong("pid"))?,
            parent: field(4).and_then(|text| text.parse().ok()).ok_or_else(|| wrong("parent"))?,
            state,
            flags: parse(9).ok_or_else(|| wrong("flags"))?,
            start_ticks: parse(22).ok_or_else(|| wrong("start time"))?,
        })
    }
}

/// Each line is `number:controllers:path`; the path may hold colons.
fn cgroups(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut paths: Vec<String> =
        text.lines().filter_map(|line| line.splitn(3, ':').nth(2)).map(str::to_owned).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// The kernel marks a program whose file is gone, as every upgraded one is.
fn program_path(path: &[u8]) -> &[u8] {
    path.strip_suffix(b" (deleted)").unwrap_or(path)
}

fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// `/docker/<id>`, `/system.slice/docker-<id>.scope`, `/kubepods/…/pod<uid>/<id>`, `cri-containerd-<id>.scope`.
fn container_id(path: &str) -> Option<String> {
    path.split(|c: char| !c.is_ascii_hexdigit()).rfind(|word| word.len() == 64).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(stat: &str) -> RawProcess {
        RawProcess {
            stat: stat.as_bytes().to_vec(),
            status: b"Name:\tx\nTgid:\t42\nUid:\t1000\t0\t0\t0\nNSpid:\t42\t1\n".to_vec(),
            comm: b"a) R 1 (b\n".to_vec(),
            cmdline: b"/bin/x\0--a\0\0\0".to_vec(),
            cgroup:
                b"0::/docker/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
                    .to_vec(),
            exe: Some(b"/usr/bin/x (deleted)".to_vec()),
        }
    }

    const STAT: &str = "42 (a) R 1 (b) S 7 42 42 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 987654 0 0";

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let process = Process::parse(&raw(STAT)).unwrap();
        assert_eq!(process.identity, Identity { pid: 42, start_ticks: 987_654 });
        assert_eq!(process.parent, 7);
        assert_eq!(process.state, State::Alive);
        assert_eq!(process.name(), "a) R 1 (b");
        assert_eq!(process.users, Users { real: 1000, effective: 0 });
        assert_eq!(process.arguments, [b"/bin/x".to_vec(), b"--a".to_vec()]);
        assert_eq!(process.program.as_deref(), Some(b"x".as_slice()));
        assert_eq!(process.namespace_pids, [42, 1]);
        assert!(process.container_id().unwrap().starts_with("0123456789abcdef"));
    }

    #[test]
    fn a_cut_stat_is_an_error_and_not_a_zero() {
        for cut in ["", "42", "42 (a", "42 (a) S 7", "42 (a) S 7 42 42 0 -1 4194560 0"] {
            assert!(Process::parse(&raw(cut)).is_err(), "{cut}");
        }
    }

    #[test]
    fn kernel_threads_zombies_and_stopped_processes_are_told_apart() {
        let kernel = STAT.replace("4194560", "2129984");
        assert!(Process::parse(&raw(&kernel)).unwrap().kernel_thread);
        let zombie = STAT.replace(") S ", ") Z ");
        assert_eq!(Process::parse(&raw(&zombie)).unwrap().state, State::Dead);
        let stopped = STAT.replace(") S ", ") T ");
        assert_eq!(Process::parse(&raw(&stopped)).unwrap().state, State::Stopped);
    }

    #[test]
    fn a_title_is_not_a_path() {
        let mut raw = raw(STAT);
        raw.cmdline = b"php-fpm: pool /www\0".to_vec();
        assert_eq!(Process::parse(&raw).unwrap().first_word(), None);
    }
}
