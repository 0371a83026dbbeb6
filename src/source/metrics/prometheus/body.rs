//! The body of an answer on its way to a decoder: timed, unpacked, measured, its beginning remembered.
//!
//! What stops a body early says so by a [`Halt`], which travels through the decoders as an I/O error and is found again
//! with [`Halt::of`]; any other error is a lost connection.

use std::io::{self, BufReader, Read};
use std::time::{Duration, Instant};

use flate2::bufread::MultiGzDecoder;

/// Bytes of a body that messages show.
const BEGINNING_BYTES: usize = 200;

/// Why a body was not read to its end, besides a lost connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Halt {
    /// It took longer than one request may.
    #[error("the answer took longer than one request may take")]
    Timeout,
    /// All of the work takes longer than it may.
    #[error("the work takes longer than it may")]
    Deadline,
    /// It is larger than an answer may be.
    #[error("the answer is larger than an answer may be")]
    TooLarge,
    /// The place where series are kept failed.
    #[error("what was fetched could not be kept")]
    NotKept,
}

impl Halt {
    /// As an error of a reader.
    pub(super) fn error(self) -> io::Error {
        io::Error::other(self)
    }

    /// The reason inside an error of a reader.
    pub(super) fn of(error: &io::Error) -> Option<Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()).copied()
    }
}

/// Until when a request and the whole work may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// End of the request.
    pub(super) request: Instant,
    /// End of the work.
    pub(super) work: Instant,
}

impl Times {
    /// What is over at `now`, if anything.
    pub(super) fn over(self, now: Instant) -> Option<Halt> {
        if now >= self.work {
            Some(Halt::Deadline)
        } else if now >= self.request {
            Some(Halt::Timeout)
        } else {
            None
        }
    }
}

/// Reads only while there is time.
pub(super) struct Timed<R> {
    pub(super) inner: R,
    pub(super) times: Times,
}

impl<R: Read> Read for Timed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        #[expect(clippy::disallowed_methods, reason = "deadlines of the network need a clock")]
        let now = Instant::now();
        if let Some(halt) = self.times.over(now) {
            return Err(halt.error());
        }
        self.inner.read(into).map_err(|error| {
            #[expect(clippy::disallowed_methods, reason = "deadlines of the network need a clock")]
            let now = Instant::now();
            // A read that waited until the end of its time fails with an error of the transport.
            match self.times.over(now + Duration::from_millis(5)) {
                Some(halt) => halt.error(),
                None => error,
            }
        })
    }
}

/// A body as it is, or unpacked.
pub(super) enum Unpacked<R> {
    Plain(R),
    Gzip(Box<MultiGzDecoder<BufReader<R>>>),
}

impl<R: Read> Unpacked<R> {
    /// A body packed with gzip.
    pub(super) fn gzip(inner: R) -> Self {
        Self::Gzip(Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, inner))))
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(inner) => inner.read(into),
            Self::Gzip(inner) => inner.read(into),
        }
    }
}

/// Counts bytes up to a limit and remembers the first of them.
pub(super) struct Measured<R> {
    inner: R,
    left: u64,
    beginning: Vec<u8>,
}

impl<R: Read> Measured<R> {
    /// A body of which at most `limit` bytes are read.
    pub(super) fn new(inner: R, limit: u64) -> Self {
        Self { inner, left: limit, beginning: Vec::with_capacity(BEGINNING_BYTES) }
    }

    /// The beginning as a person would read it, on one line.
    pub(super) fn beginning(&self) -> String {
        one_line(&String::from_utf8_lossy(&self.beginning))
    }
}

impl<R: Read> Read for Measured<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        let Some(left) = self.left.checked_sub(read as u64) else {
            return Err(Halt::TooLarge.error());
        };
        self.left = left;
        let wanted = BEGINNING_BYTES.saturating_sub(self.beginning.len()).min(read);
        self.beginning.extend_from_slice(&into[..wanted]);
        Ok(read)
    }
}

/// A text with its white space made single blanks and its control characters made visible.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words
        .join(" ")
        .chars()
        .map(|character| if character.is_control() { '\u{fffd}' } else { character })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_over_its_limit_is_halted_and_one_at_it_is_not() {
        let mut text = String::new();
        Measured::new(&b"abc"[..], 3).read_to_string(&mut text).unwrap();
        assert_eq!(text, "abc");
        let error = Measured::new(&b"abcd"[..], 3).read_to_string(&mut text).unwrap_err();
        assert_eq!(Halt::of(&error), Some(Halt::TooLarge));
    }

    #[test]
    fn a_bomb_is_halted_before_it_is_unpacked() {
        use std::io::Write;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(&vec![b' '; 10 << 20]).unwrap();
        let packed = packed.finish().unwrap();
        assert!(packed.len() < 20_000);
        let mut body = Measured::new(Unpacked::gzip(&packed[..]), 1 << 20);
        let error = io::copy(&mut body, &mut io::sink()).unwrap_err();
        assert_eq!(Halt::of(&error), Some(Halt::TooLarge));
    }

    #[test]
    fn the_beginning_is_one_line() {
        let mut body = Measured::new(&b"<html>\n  <b>503\x07</b>"[..], 100);
        io::copy(&mut body, &mut io::sink()).unwrap();
        assert_eq!(body.beginning(), "<html> <b>503\u{fffd}</b>");
    }
}
