//! JTL as XML: samples nested in samples.
//!
//! The outermost sample is the request; what is nested in it are its redirects and resources. Only a transaction is taken
//! apart, because its parts are the requests.

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::input::LoadInput;
use super::jmeter::{ACCEPTS, NAME, is_transaction};
use super::jmeter_rows::{JmeterRow, Requests};
use super::load_error::LoadError;

/// Deepest nesting that is followed.
const DEEPEST: usize = 64;

/// What an open element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// The document, or something that is no sample.
    Other,
    /// A transaction: its children are requests.
    Transaction,
    /// A request: its children are parts.
    Request,
}

pub(super) fn read(input: &LoadInput, rows: &mut Requests) -> Result<(), LoadError> {
    let mut reader = Reader::from_reader(input.open()?);
    let mut buffer = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut is_results = false;
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer);
        match event.map_err(|error| refused(input, &error.to_string()))? {
            Event::Eof if open.is_empty() || is_results => return ended(input, is_results),
            Event::Eof => return Err(refused(input, "the end inside an element")),
            Event::Start(element) => {
                is_results |= element.name().as_ref() == b"testResults";
                let within = within(&open);
                open.push(sample(input, &reader, &element, within, rows)?);
                if open.len() > DEEPEST {
                    return Err(refused(input, "elements nested too deep"));
                }
            }
            Event::Empty(element) => {
                sample(input, &reader, &element, within(&open), rows)?;
            }
            Event::End(_) => {
                open.pop();
            }
            _ => {}
        }
    }
}

/// A test that was stopped leaves its results without an end; what is there counts.
fn ended(input: &LoadInput, is_results: bool) -> Result<(), LoadError> {
    if is_results {
        return Ok(());
    }
    Err(LoadError::WrongKind {
        file: input.name(),
        format: NAME,
        found: "XML without <testResults>".to_owned(),
        accepts: ACCEPTS,
    })
}

/// What the innermost sample around the current place is.
fn within(open: &[Open]) -> Open {
    open.iter().rev().copied().find(|it| *it != Open::Other).unwrap_or(Open::Other)
}

/// Takes a sample, unless it is a part of a request.
fn sample<R: BufRead>(
    input: &LoadInput,
    reader: &Reader<R>,
    element: &BytesStart<'_>,
    within: Open,
    rows: &mut Requests,
) -> Result<Open, LoadError> {
    if !matches!(element.name().as_ref(), b"sample" | b"httpSample") {
        return Ok(Open::Other);
    }
    if within == Open::Request {
        return Ok(Open::Request);
    }
    let mut row = JmeterRow {
        started: 0,
        elapsed: 0,
        label: String::new(),
        code: String::new(),
        thread: String::new(),
        is_transaction: false,
        failed: false,
    };
    let (mut has_time, mut has_elapsed) = (false, false);
    for attribute in element.attributes() {
        let attribute = attribute.map_err(|error| refused(input, &error.to_string()))?;
        let value = attribute
            .decode_and_unescape_value(reader.decoder())
            .map_err(|error| refused(input, &error.to_string()))?;
        match attribute.key.as_ref() {
            b"ts" => {
                has_time = value.parse().map(|read| row.started = read).is_ok();
            }
            b"t" => has_elapsed = value.parse().map(|read| row.elapsed = read).is_ok(),
            b"lb" => row.label = value.into_owned(),
            b"rc" => row.code = value.into_owned(),
            b"tn" => row.thread = value.into_owned(),
            b"rm" => row.is_transaction = is_transaction(&value),
            b"s" => row.failed = value != "true",
            _ => {}
        }
    }
    // No load of the next million years: sums of two such times stay far from the end of the numbers.
    if !has_time || !has_elapsed || row.started.unsigned_abs() > 1 << 55 {
        return Err(refused(
            input,
            "a sample without ts (milliseconds since 1970) and t (milliseconds)",
        ));
    }
    let found = if row.is_transaction { Open::Transaction } else { Open::Request };
    rows.add(row);
    Ok(found)
}

fn refused(input: &LoadInput, found: &str) -> LoadError {
    LoadError::WrongKind {
        file: input.name(),
        format: NAME,
        found: found.to_owned(),
        accepts: ACCEPTS,
    }
}
