//! The machine: the only door to `/proc` and to signals.
//!
//! Owns the reading of processes. All files of one process are read through one open directory, which the kernel ties
//! to that process and not to its number: what is read never mixes two of them. Refuses to judge what it reads.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, open, openat, readlinkat};
use rustix::io::Errno;

use super::process::{Process, RawProcess};
use super::signal::{Held, PidFd};
use crate::unit::{Span, Timestamp};

/// No file of a process that we read is longer in a sane world, and we do not read further.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// The machine as the injector sees it. Tests put their own in its place to make races happen on purpose.
pub trait Host {
    /// The injector's own pid.
    fn own_pid(&self) -> i32;

    /// The user with whose rights the injector runs.
    fn own_user(&self) -> u32;

    /// What tells this boot from every other one.
    ///
    /// # Errors
    /// What the kernel says.
    fn boot_id(&self) -> io::Result<String>;

    /// The pids of all processes, ascending.
    ///
    /// # Errors
    /// What the kernel says.
    fn pids(&self) -> io::Result<Vec<i32>>;

    /// The process that now has this pid; `None` if none has.
    ///
    /// # Errors
    /// What the kernel says, or what is missing in it.
    fn process(&self, pid: i32) -> io::Result<Option<Process>>;

    /// Holds the process that now has this pid; `None` if none has.
    ///
    /// # Errors
    /// What the kernel says.
    fn hold(&self, pid: i32) -> io::Result<Option<Box<dyn Held>>>;

    /// When a start tick was, as well as the host knows (to a second or so); `None` if it does not.
    fn time_of_tick(&self, tick: u64) -> Option<Timestamp>;
}

/// This Linux machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct LinuxHost;

impl Host for LinuxHost {
    fn own_pid(&self) -> i32 {
        rustix::process::getpid().as_raw_pid()
    }

    fn own_user(&self) -> u32 {
        rustix::process::geteuid().as_raw()
    }

    fn boot_id(&self) -> io::Result<String> {
        Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
    }

    fn pids(&self) -> io::Result<Vec<i32>> {
        let mut pids = Vec::new();
        for entry in fs::read_dir("/proc")? {
            if let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) {
                pids.push(pid);
            }
        }
        pids.sort_unstable();
        Ok(pids)
    }

    fn process(&self, pid: i32) -> io::Result<Option<Process>> {
        match read_process(pid) {
            Ok(raw) => Process::parse(&raw)
                .map(Some)
                .map_err(|what| io::Error::new(io::ErrorKind::InvalidData, what)),
            Err(Errno::NOENT | Errno::SRCH) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn hold(&self, pid: i32) -> io::Result<Option<Box<dyn Held>>> {
        Ok(PidFd::open(pid)?.map(|held| Box::new(held) as Box<dyn Held>))
    }

    fn time_of_tick(&self, tick: u64) -> Option<Timestamp> {
        let stat = fs::read_to_string("/proc/stat").ok()?;
        let booted: i64 =
            stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
        let ticks_per_second = rustix::param::clock_ticks_per_second();
        let milliseconds = tick.checked_mul(1000)?.checked_div(ticks_per_second)?;
        let since_boot = Span::from_milliseconds(i64::try_from(milliseconds).ok()?);
        Some(Timestamp::from_milliseconds(booted.checked_mul(1000)?).plus(since_boot))
    }
}

fn read_process(pid: i32) -> Result<RawProcess, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = open(format!("/proc/{pid}"), flags, Mode::empty())?;
    Ok(RawProcess {
        stat: read(&directory, "stat")?,
        status: read(&directory, "status")?,
        comm: read(&directory, "comm")?,
        cmdline: read(&directory, "cmdline")?,
        cgroup: read(&directory, "cgroup")?,
        // Kernel threads have none, and that of other users may be closed to us: then the program is unknown.
        exe: readlinkat(&directory, "exe", Vec::new()).ok().map(std::ffi::CString::into_bytes),
    })
}

fn read(directory: &OwnedFd, name: &str) -> Result<Vec<u8>, Errno> {
    let file = openat(directory, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let mut bytes = Vec::new();
    File::from(file)
        .take(MOST_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    Ok(bytes)
}
