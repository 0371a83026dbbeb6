//! Which processes a selector means.
//!
//! Owns the comparisons, all of them exact. A name is that of a process if it equals
//! - the file name of argument 0, unless that holds white space (then it is a title, not a path), or
//! - the file name of the program that runs, or
//! - the name that the kernel keeps, if the name is shorter than 15 bytes: at 15 the kernel cuts, and
//!   `payment-worker-` may be the head of another name.
//!
//! Arguments are words: the selector's text and the process's own list are compared word by word, the words must follow
//! each other, and one that only begins like another one is another one. Refuses to know what is allowed: that is the
//! guard's.

use super::process::{COMM_BYTES, Process};

/// A process selector, checked, with the user resolved to a number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// The exact name.
    pub name: Option<String>,
    /// Words that follow each other in the command line.
    pub arguments: Option<String>,
    /// All words of the command line.
    pub command_line: Option<String>,
    /// The exact control group.
    pub cgroup: Option<String>,
    /// The pid that a pid file holds.
    pub pid: Option<i32>,
    /// The user, real and effective.
    pub user: Option<u32>,
}

impl Selection {
    /// Whether every given key holds. A dead process is nobody.
    pub fn means(&self, process: &Process) -> bool {
        if process.state == super::process::State::Dead {
            return false;
        }
        let name = self.name.as_deref().is_none_or(|name| bears(process, name.as_bytes()));
        let arguments = self.arguments.as_deref().is_none_or(|text| contains(process, text));
        let command_line = self.command_line.as_deref().is_none_or(|text| is_whole(process, text));
        let cgroup = self.cgroup.as_ref().is_none_or(|path| process.cgroups.contains(path));
        let pid = self.pid.is_none_or(|pid| process.identity.pid == pid);
        let user = self
            .user
            .is_none_or(|user| process.users.real == user && process.users.effective == user);
        name && arguments && command_line && cgroup && pid && user
    }
}

/// Whether `name` is the name of the process.
pub fn bears(process: &Process, name: &[u8]) -> bool {
    process.first_word() == Some(name)
        || process.program.as_deref() == Some(name)
        || (process.comm == name && name.len() < COMM_BYTES)
}

/// Whether `name` could be the name of the process: for protection, where doubt protects.
///
/// Beyond [`bears`], a long name is compared with what the kernel keeps of it, and the first word of a title counts
/// (`sshd: root@pts/0`).
pub fn could_bear(process: &Process, name: &[u8]) -> bool {
    let cut = &name[..name.len().min(COMM_BYTES)];
    let title = process.arguments.first().map(|first| {
        let end = first.iter().position(|byte| b": \t".contains(byte)).unwrap_or(first.len());
        first[..end].rsplit(|byte| *byte == b'/').next().unwrap_or(&[])
    });
    bears(process, name) || process.comm == cut || title == Some(name)
}

fn contains(process: &Process, text: &str) -> bool {
    let words: Vec<&[u8]> = text.split_whitespace().map(str::as_bytes).collect();
    let width = words.len();
    width > 0 && process.arguments.windows(width).any(|found| found.iter().eq(words.iter()))
}

fn is_whole(process: &Process, text: &str) -> bool {
    let words = text.split_whitespace().map(str::as_bytes);
    !process.arguments.is_empty() && process.arguments.iter().map(Vec::as_slice).eq(words)
}
