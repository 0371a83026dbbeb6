//! `unfazed analyze --batch`: one recording path per line in, one result per line out, in the same order.
//!
//! A bad recording answers with its error and stops nothing. Every core analyses a recording of its own, so memory is
//! bounded by the number of cores and by a window of answers that wait for an earlier one, never by the number of
//! lines. An answer is written as soon as all before it are: an engine that sends one line and waits is served.

use std::collections::BTreeMap;
use std::io::{self, BufRead, ErrorKind, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::app::AppError;
use crate::app::analyze::{Inputs, analyze};
use crate::verdict::result::AnalysisResult;

/// Answers for each core that may wait for an earlier one. A slow recording among fast ones leaves no core idle
/// until as many others are done; a result is some hundred kilobytes.
const WAITING_PER_CORE: usize = 32;

/// What some editors put in front of a list.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// How a batch went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BatchOutcome {
    /// Lines answered with a result.
    pub results: usize,
    /// Lines answered with an error.
    pub errors: usize,
}

/// One answer line.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer<'line> {
    Result {
        recording: &'line str,
        #[serde(flatten)]
        result: Box<AnalysisResult>,
    },
    Error {
        recording: &'line str,
        error: Failure,
    },
}

/// Why a line has no result.
#[derive(Serialize)]
struct Failure {
    code: &'static str,
    message: String,
}

/// An answer on its way to the output.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answered {
    Result(String),
    Error(String),
}

/// Answers all lines of `input`, as many at a time as there are threads.
///
/// # Errors
/// [`AppError::Stream`] if input or output breaks; a bad recording is an answer, not an error. A reader that goes
/// away ends the batch and is no error.
pub fn run(
    input: impl BufRead + Send,
    output: impl Write,
    seed: u64,
) -> Result<BatchOutcome, AppError> {
    let cores = rayon::current_num_threads().max(1);
    let intake = Intake::new(input, cores * WAITING_PER_CORE);
    let (sender, answers) = sync_channel(cores);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            let sender = sender.clone();
            let intake = &intake;
            scope.spawn(move || work(intake, &sender, seed));
        }
        drop(sender);
        let written = write_in_order(&answers, output, &intake);
        // Whoever still has an answer finds nobody to take it, and nobody takes another line.
        intake.close();
        drop(answers);
        written
    })
    .and_then(|outcome| intake.finish().map(|()| outcome))
}

/// Answers lines until there are no more.
fn work<R: BufRead>(intake: &Intake<R>, sender: &SyncSender<(usize, Answered)>, seed: u64) {
    // A recording is analysed on this thread alone. On a shared pool a thread that waits for a part of one recording
    // would begin others, each with its samples in memory.
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
    while let Some((number, line)) = intake.take() {
        let answered = match &alone {
            Ok(pool) => pool.install(|| answer(&line, seed)),
            // The system has no thread left: the shared pool still gives the same result.
            Err(_) => answer(&line, seed),
        };
        if sender.send((number, answered)).is_err() {
            break;
        }
    }
}

/// Writes answers in the order of their lines.
fn write_in_order<R>(
    answers: &Receiver<(usize, Answered)>,
    mut output: impl Write,
    intake: &Intake<R>,
) -> Result<BatchOutcome, AppError> {
    let mut outcome = BatchOutcome::default();
    let mut waiting: BTreeMap<usize, Answered> = BTreeMap::new();
    let mut next = 0;
    for (number, answered) in answers {
        waiting.insert(number, answered);
        while let Some(answered) = waiting.remove(&next) {
            let text = match &answered {
                Answered::Result(text) => {
                    outcome.results += 1;
                    text
                }
                Answered::Error(text) => {
                    outcome.errors += 1;
                    text
                }
            };
            match writeln!(output, "{text}").and_then(|()| output.flush()) {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(outcome),
                Err(source) => return Err(AppError::Stream { what: "write a result", source }),
                Ok(()) => {}
            }
            next += 1;
            intake.written(next);
        }
    }
    Ok(outcome)
}

/// Where lines come from, for all threads, held back while too many answers wait.
struct Intake<R> {
    lines: Mutex<Lines<R>>,
    written: Mutex<Written>,
    moved: Condvar,
    /// Lines that may be taken beyond the answers written.
    window: usize,
}

/// The lines not yet taken.
struct Lines<R> {
    input: R,
    /// Number of the next line that holds a path.
    next: usize,
    /// Why reading ended early.
    broken: Option<io::Error>,
}

/// How far the output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// So many answers are written.
    Answers(usize),
    /// Nobody reads any more.
    Closed,
}

/// The lock's value; another thread's panic has not torn it, because nothing between its parts can fail.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<R> Intake<R> {
    fn new(input: R, window: usize) -> Self {
        Self {
            lines: Mutex::new(Lines { input, next: 0, broken: None }),
            written: Mutex::new(Written::Answers(0)),
            moved: Condvar::new(),
            window,
        }
    }

    /// Tells that `count` answers are written.
    fn written(&self, count: usize) {
        *locked(&self.written) = Written::Answers(count);
        self.moved.notify_all();
    }

    /// Tells that no answer will be written any more.
    fn close(&self) {
        *locked(&self.written) = Written::Closed;
        self.moved.notify_all();
    }

    /// Why reading ended early, if it did.
    fn finish(self) -> Result<(), AppError> {
        let lines = self.lines.into_inner().unwrap_or_else(PoisonError::into_inner);
        lines.broken.map_or(Ok(()), |source| {
            Err(AppError::Stream { what: "read the list of recordings", source })
        })
    }

    /// Waits until line `number` may be taken; `false` if it never may.
    fn admits(&self, number: usize) -> bool {
        let mut written = locked(&self.written);
        loop {
            match *written {
                Written::Closed => return false,
                Written::Answers(count) if number < count + self.window => return true,
                Written::Answers(_) => {
                    written = self.moved.wait(written).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

impl<R: BufRead> Intake<R> {
    /// The next line that holds a path, with its number; line ends are taken off, blank lines skipped.
    fn take(&self) -> Option<(usize, Vec<u8>)> {
        let mut lines = locked(&self.lines);
        if lines.broken.is_some() || !self.admits(lines.next) {
            return None;
        }
        loop {
            let mut line = Vec::new();
            match lines.input.read_until(b'\n', &mut line) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => {
                    lines.broken = Some(error);
                    return None;
                }
            }
            if lines.next == 0 && line.starts_with(BYTE_ORDER_MARK) {
                line.drain(..BYTE_ORDER_MARK.len());
            }
            while line.last().is_some_and(|end| matches!(end, b'\n' | b'\r')) {
                line.pop();
            }
            if !line.trim_ascii().is_empty() {
                let number = lines.next;
                lines.next += 1;
                return Some((number, line));
            }
        }
    }
}

/// The answer to one line.
fn answer(line: &[u8], seed: u64) -> Answered {
    let shown = String::from_utf8_lossy(line);
    let Ok(path) = std::str::from_utf8(line) else {
        let message = "the line is no UTF-8; accepted is one path in UTF-8 a line".to_owned();
        return failed(&shown, Failure { code: "usage", message });
    };
    let inputs = Inputs { paths: vec![PathBuf::from(path)], run: None, events: Vec::new(), seed };
    // One broken recording must not take the batch with it, not even through a bug of ours.
    match std::panic::catch_unwind(|| analyze(&inputs)) {
        Ok(Ok(result)) => {
            let answer = Answer::Result { recording: path, result: Box::new(result) };
            Answered::Result(json(&answer))
        }
        Ok(Err(error)) => failed(path, Failure { code: error.code(), message: error.to_string() }),
        Err(_) => {
            let message = "a bug in unfazed: please report it with this recording".to_owned();
            failed(path, Failure { code: "internal", message })
        }
    }
}

fn failed(recording: &str, error: Failure) -> Answered {
    Answered::Error(json(&Answer::Error { recording, error }))
}

fn json(answer: &Answer<'_>) -> String {
    serde_json::to_string(answer)
        .expect("results and errors have string keys and finite numbers only")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(input: &[u8]) -> Vec<serde_json::Value> {
        let mut output = Vec::new();
        let outcome = run(input, &mut output, 0).unwrap();
        let lines: Vec<serde_json::Value> = String::from_utf8(output)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!((outcome.results, outcome.errors), (0, lines.len()));
        lines
    }

    #[test]
    fn every_line_is_answered_in_its_order() {
        let input: String = (0..500).map(|number| format!("/no/such/{number}\r\n\n  \n")).collect();
        let answers = answers(input.as_bytes());
        assert_eq!(answers.len(), 500);
        for (number, answer) in answers.iter().enumerate() {
            assert_eq!(answer["recording"], format!("/no/such/{number}"));
            assert_eq!(answer["error"]["code"], "unreadable_file");
        }
    }

    #[test]
    fn a_line_that_is_no_text_is_answered_too() {
        let answers = answers(b"/no/a\n\xff\xfe\n/no/b");
        assert_eq!(answers.len(), 3);
        assert_eq!(answers[1]["error"]["code"], "usage");
        assert_eq!(answers[2]["recording"], "/no/b");
    }

    #[test]
    fn a_reader_that_goes_away_ends_the_batch() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let input: String = (0..500).map(|number| format!("/no/such/{number}\n")).collect();
        run(input.as_bytes(), Gone, 0).unwrap();
    }

    #[test]
    fn a_list_that_breaks_off_is_an_error() {
        struct Broken;
        impl io::Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gone"))
            }
        }
        let error = run(io::BufReader::new(Broken), Vec::new(), 0).unwrap_err();
        assert_eq!(error.to_string(), "failed to read the list of recordings: gone");
    }
}
