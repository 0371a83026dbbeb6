//! `unfazed analyze --batch`: one recording path per line in, one result per line out, in the same order.
//!
//! A bad recording answers with its error and stops nothing. Lines are taken in chunks, so that memory is bounded
//! by the chunk and not by the number of lines; the recordings of a chunk are analysed on all cores.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use rayon::prelude::*;
use serde::Serialize;

use crate::app::AppError;
use crate::app::analyze::{Inputs, analyze};
use crate::verdict::result::AnalysisResult;

/// Lines analysed before their answers are written.
const CHUNK: usize = 64;

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

/// Answers all lines of `input`.
///
/// # Errors
/// [`AppError::Stream`] if input or output breaks; a bad recording is an answer, not an error.
pub fn run(
    input: impl BufRead,
    mut output: impl Write,
    seed: u64,
) -> Result<BatchOutcome, AppError> {
    let broken = |what| move |source| AppError::Stream { what, source };
    let mut outcome = BatchOutcome::default();
    let mut lines = input.lines();
    loop {
        let mut chunk: Vec<String> = Vec::with_capacity(CHUNK);
        for line in lines.by_ref() {
            let line = line.map_err(broken("read the list of recordings"))?;
            if !line.trim().is_empty() {
                chunk.push(line);
            }
            if chunk.len() == CHUNK {
                break;
            }
        }
        if chunk.is_empty() {
            break;
        }
        let answers: Vec<(bool, String)> =
            chunk.par_iter().map(|line| answer(line, seed)).collect();
        for (is_result, text) in answers {
            if is_result {
                outcome.results += 1;
            } else {
                outcome.errors += 1;
            }
            writeln!(output, "{text}").map_err(broken("write a result"))?;
        }
        output.flush().map_err(broken("write a result"))?;
    }
    Ok(outcome)
}

/// The answer to one line, and whether it is a result.
fn answer(line: &str, seed: u64) -> (bool, String) {
    let path = line.trim_end_matches(['\r', '\n']);
    let inputs = Inputs { paths: vec![PathBuf::from(path)], run: None, seed };
    // One broken recording must not take the batch with it, not even through a bug of ours.
    let analysed = std::panic::catch_unwind(|| analyze(&inputs));
    let (is_result, answer) = match analysed {
        Ok(Ok(result)) => (true, Answer::Result { recording: path, result: Box::new(result) }),
        Ok(Err(error)) => {
            let failure = Failure { code: error.code(), message: error.to_string() };
            (false, Answer::Error { recording: path, error: failure })
        }
        Err(_) => {
            let failure = Failure {
                code: "internal",
                message: "a bug in unfazed: please report it with this recording".to_owned(),
            };
            (false, Answer::Error { recording: path, error: failure })
        }
    };
    let text = serde_json::to_string(&answer)
        .expect("results and errors have string keys and finite numbers only");
    (is_result, text)
}
