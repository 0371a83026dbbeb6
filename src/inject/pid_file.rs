//! A pid file that can be believed.
//!
//! Owns the reading of a pid file. Whoever can write it chooses who is hit, so that a file that others could have
//! written is refused, as is a symbolic link, as is anything but one number. Refuses to know the process: whether it
//! is older than the file is for the caller to compare.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::outcome::{Code, Stop};
use crate::unit::Timestamp;

/// A pid with its newline is at most eight bytes; a page of text is no pid file.
const MOST_BYTES: u64 = 64;

/// The largest pid that Linux can give (2^22).
const LARGEST_PID: i32 = 4_194_304;

/// What a pid file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PidFile {
    /// The pid in it.
    pub pid: i32,
    /// When it was written last.
    pub written_at: Timestamp,
}

impl PidFile {
    /// Reads the file at `path`, which must belong to root or to `user` and be writable by its owner alone.
    ///
    /// # Errors
    /// No target if there is no such file, refused if it cannot be believed.
    pub fn read(path: &str, user: u32) -> Result<Self, Stop> {
        let unsafe_ =
            |what: &str| Stop::refused(Code::PidFileUnsafe, format!("pid file '{path}' {what}"));
        // Non-blocking: a FIFO must not hold us.
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
        let flags = i32::try_from(flags).expect("open flags fit the int that open(2) takes");
        let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Stop::no_target(
                    Code::PidFileMissing,
                    format!("there is no pid file '{path}'"),
                ));
            }
            Err(error) if Errno::from_io_error(&error) == Some(Errno::LOOP) => {
                return Err(unsafe_("is a symbolic link; name the file itself"));
            }
            Err(error) => return Err(unsafe_(&format!("cannot be opened: {error}"))),
        };
        let metadata = file.metadata().map_err(|error| unsafe_(&error.to_string()))?;
        if !metadata.is_file() {
            return Err(unsafe_("is not a regular file"));
        }
        if metadata.mode() & 0o022 != 0 {
            return Err(unsafe_("is writable by others than its owner; chmod go-w it"));
        }
        if metadata.uid() != 0 && metadata.uid() != user {
            return Err(unsafe_("belongs to another user; root or the injector's own is accepted"));
        }
        let milliseconds =
            metadata.mtime().saturating_mul(1000).saturating_add(metadata.mtime_nsec() / 1_000_000);
        Ok(Self { pid: pid(path, file)?, written_at: Timestamp::from_milliseconds(milliseconds) })
    }
}

fn pid(path: &str, file: File) -> Result<i32, Stop> {
    let garbage = |what: String| {
        Stop::refused(
            Code::PidFileGarbage,
            format!("pid file '{path}' {what}; accepted is one pid"),
        )
    };
    let mut text = String::new();
    file.take(MOST_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|error| garbage(format!("cannot be read: {error}")))?;
    if text.len() as u64 > MOST_BYTES {
        return Err(garbage(format!("is longer than {MOST_BYTES} bytes")));
    }
    let text = text.trim_end();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let pid: i32 = match text.parse() {
        Ok(pid) if digits && pid <= LARGEST_PID => pid,
        _ => return Err(garbage(format!("holds '{}'", text.escape_debug()))),
    };
    if pid <= 1 {
        return Err(Stop::refused(Code::PidTooLow, format!("pid file '{path}' holds {pid}")));
    }
    Ok(pid)
}
