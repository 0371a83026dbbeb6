//! A process held by pidfd, and what may be sent to it.
//!
//! Owns the words for signals and the hold: as long as a pidfd is open it means one process, whatever becomes of the
//! number. Refuses to know why anything is sent.

use std::io;
use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal as KernelSignal, pidfd_open, pidfd_send_signal};

use crate::unit::Span;

/// What may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGKILL.
    Kill,
    /// SIGTERM.
    Terminate,
    /// SIGSTOP.
    Stop,
    /// SIGCONT.
    Continue,
}

impl Signal {
    /// The name of the signal.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "SIGKILL",
            Self::Terminate => "SIGTERM",
            Self::Stop => "SIGSTOP",
            Self::Continue => "SIGCONT",
        }
    }

    const fn of_the_kernel(self) -> KernelSignal {
        match self {
            Self::Kill => KernelSignal::KILL,
            Self::Terminate => KernelSignal::TERM,
            Self::Stop => KernelSignal::STOP,
            Self::Continue => KernelSignal::CONT,
        }
    }
}

/// What became of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The kernel took it.
    Sent,
    /// The process had ended before.
    Gone,
}

/// Whether a process has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// It has.
    Exited,
    /// Not within the time given.
    Running,
}

/// One process that cannot be confused with another one any more.
pub trait Held {
    /// Sends a signal to exactly this process.
    ///
    /// # Errors
    /// What the kernel says, except that the process has ended.
    fn signal(&self, signal: Signal) -> io::Result<Delivery>;

    /// Waits until it has ended, at most `span`.
    ///
    /// # Errors
    /// What the kernel says.
    fn watch(&self, span: Span) -> io::Result<Watch>;
}

/// A pidfd.
#[derive(Debug)]
pub struct PidFd(OwnedFd);

impl PidFd {
    /// Holds the process that now has this pid; `None` if none has.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn open(pid: i32) -> io::Result<Option<Self>> {
        // pidfd_open knows no special numbers, but 0 and below must not even reach it.
        let Some(pid) = Pid::from_raw(pid).filter(|pid| pid.as_raw_pid() > 1) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a pid of 1 or below"));
        };
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(fd) => Ok(Some(Self(fd))),
            Err(Errno::SRCH) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Held for PidFd {
    fn signal(&self, signal: Signal) -> io::Result<Delivery> {
        match pidfd_send_signal(&self.0, signal.of_the_kernel()) {
            Ok(()) => Ok(Delivery::Sent),
            Err(Errno::SRCH) => Ok(Delivery::Gone),
            Err(error) => Err(error.into()),
        }
    }

    fn watch(&self, span: Span) -> io::Result<Watch> {
        let milliseconds = span.milliseconds().max(0);
        let timeout =
            Timespec { tv_sec: milliseconds / 1000, tv_nsec: (milliseconds % 1000) * 1_000_000 };
        // The kernel marks a pidfd readable when the process has ended, reaped or not.
        let mut polled = [PollFd::new(&self.0, PollFlags::IN)];
        loop {
            match poll(&mut polled, Some(&timeout)) {
                Ok(0) => return Ok(Watch::Running),
                Ok(_) => return Ok(Watch::Exited),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
