//! The stream of request lines.
//!
//! Owns reading, spreading over the cores, and the order of the answers. All complete lines that are at
//! hand form a batch, so a slow writer gets each answer at once and a file is read in large batches;
//! memory holds one batch (or one line, if a line is longer than the buffer of the reader).

use crate::app::stat::{Failure, Request, registry};
use rayon::prelude::*;
use serde_json::Value;
use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Lines per piece of work: large enough that the hand-over costs nothing, small enough to share out.
const LINES_PER_PIECE: usize = 32;

/// Answers every request line of the input, in order. Blank lines are skipped.
///
/// ```
/// let requests = br#"{"id": 1, "method": "no_such", "inputs": {}}"#;
/// let mut answers = Vec::new();
/// unfazed::app::stat::answer_lines(&requests[..], &mut answers).unwrap();
/// assert!(String::from_utf8(answers).unwrap().starts_with(r#"{"id":1,"error":{"code":"unknown_method""#));
/// ```
pub fn answer_lines(mut input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let mut pending: Vec<u8> = Vec::new();
    loop {
        let available = match input.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() {
            answer_batch(&pending, &mut output)?;
            return output.flush();
        }
        let last_newline = available.iter().rposition(|&byte| byte == b'\n');
        let seen_before = pending.len();
        pending.extend_from_slice(available);
        let taken = available.len();
        input.consume(taken);
        if let Some(position) = last_newline {
            let end = seen_before + position + 1;
            answer_batch(&pending[..end], &mut output)?;
            output.flush()?;
            pending.drain(..end);
        }
    }
}

fn answer_batch(batch: &[u8], output: &mut impl Write) -> io::Result<()> {
    let lines: Vec<&[u8]> =
        batch.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).collect();
    let pieces: Vec<Vec<u8>> = lines
        .par_chunks(LINES_PER_PIECE)
        .map(|piece| {
            let mut text = Vec::with_capacity(128 * piece.len());
            for line in piece {
                write_answer(line, &mut text);
            }
            text
        })
        .collect();
    pieces.iter().try_for_each(|piece| output.write_all(piece))
}

/// Answers one line, without a line end.
///
/// ```
/// let answer = unfazed::app::stat::answer_line(b"not json");
/// assert!(answer.starts_with(r#"{"id":null,"error":{"code":"bad_request""#));
/// ```
pub fn answer_line(line: &[u8]) -> String {
    let mut text = Vec::new();
    write_answer(line, &mut text);
    String::from_utf8_lossy(text.trim_ascii_end()).into_owned()
}

fn write_answer(line: &[u8], text: &mut Vec<u8>) {
    match Request::parse(line) {
        Ok(request) => {
            // A panic is our own mistake; the caller's other requests must not pay for it.
            let outcome = catch_unwind(AssertUnwindSafe(|| registry::answer(&request)))
                .unwrap_or_else(|_| {
                    Err(Failure::new(
                        "internal",
                        format!("{} met a defect of this program", request.method()),
                    ))
                });
            match outcome {
                Ok(answer) => {
                    write_object(text, request.id(), "result", answer.as_json().as_bytes());
                }
                Err(failure) => write_failure(text, request.id(), &failure),
            }
        }
        Err((id, failure)) => write_failure(text, &id, &failure),
    }
}

fn write_failure(text: &mut Vec<u8>, id: &Value, failure: &Failure) {
    let json = serde_json::to_vec(failure).expect("a failure is two strings");
    write_object(text, id, "error", &json);
}

fn write_object(text: &mut Vec<u8>, id: &Value, field: &str, json: &[u8]) {
    text.extend_from_slice(b"{\"id\":");
    serde_json::to_writer(&mut *text, id).expect("a parsed value is written to memory");
    text.extend_from_slice(b",\"");
    text.extend_from_slice(field.as_bytes());
    text.extend_from_slice(b"\":");
    text.extend_from_slice(json);
    text.extend_from_slice(b"}\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    fn answers(requests: &str, capacity: usize) -> Vec<Value> {
        let mut output = Vec::new();
        answer_lines(BufReader::with_capacity(capacity, requests.as_bytes()), &mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn answers_keep_the_order_of_the_requests_whatever_the_buffer() {
        let requests: String = (0..500)
            .map(|id| {
                format!(
                    "{{\"id\":{id},\"method\":\"wilson\",\"inputs\":{{\"x\":1,\"n\":{}}}}}\n",
                    id + 1
                )
            })
            .collect();
        for capacity in [1, 50, 1 << 20] {
            let found = answers(&requests, capacity);
            assert_eq!(found.len(), 500);
            for (id, answer) in found.iter().enumerate() {
                assert_eq!(answer["id"], id);
                assert!(answer["result"]["ci_high"].is_number());
            }
        }
    }

    #[test]
    fn a_bad_line_gets_an_error_and_the_rest_goes_on() {
        let found = answers(
            "{\"id\": 1\n\n{\"id\":\"b\",\"method\":\"wilson\",\"inputs\":{\"x\":1,\"n\":2}}",
            16,
        );
        assert_eq!(found[0]["id"], Value::Null);
        assert_eq!(found[0]["error"]["code"], "bad_request");
        assert_eq!(found[1]["id"], "b");
        assert!(found[1]["result"].is_object());
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn bytes_that_are_no_text_are_a_bad_line() {
        let answer = answer_line(b"{\"id\":1,\"method\":\"\xff\"}");
        assert!(answer.contains("bad_request"), "{answer}");
    }

    #[test]
    fn wrong_inputs_keep_the_id() {
        let answer = answer_line(br#"{"id":[1],"method":"wilson","inputs":{"x":"many","n":2}}"#);
        assert!(answer.starts_with("{\"id\":[1],\"error\":{\"code\":\"bad_request\""), "{answer}");
    }

    #[test]
    fn no_input_is_no_output() {
        assert!(answers("", 16).is_empty());
        assert!(answers("\n \n", 16).is_empty());
    }
}
