//! One HTTP/1.1 exchange over a stream that is already open.
//!
//! Owns just enough of RFC 9112 for the answers of container engines and clusters: a status, and a body that is chunked,
//! counted or ended by the end of the stream. One request a connection. Refuses bodies over 16 MiB, and to know what
//! carries the stream.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};

/// A list of thousands of pods is a few megabytes.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// Longest line of a head.
const MOST_LINE: u64 = 64 * 1024;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// GET, POST or DELETE.
    pub method: &'static str,
    /// Path and query, already encoded.
    pub path: &'a str,
    /// The host header.
    pub host: &'a str,
    /// The bearer token.
    pub token: Option<&'a str>,
    /// A JSON body.
    pub body: Option<&'a str>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The `message` that engines and clusters put into their errors.
    pub fn message(&self) -> String {
        #[derive(serde::Deserialize)]
        struct Answer {
            message: String,
        }
        serde_json::from_slice::<Answer>(&self.body)
            .map_or_else(|_| format!("status {}", self.status), |answer| answer.message)
    }
}

/// Asks and reads the whole answer.
///
/// # Errors
/// What the stream says, or what is no HTTP in it.
pub fn exchange(stream: &mut (impl Read + Write), request: &Request<'_>) -> io::Result<Response> {
    let Request { method, path, host, token, body } = request;
    if [*path, *host, token.unwrap_or("")].iter().any(|text| text.contains(['\r', '\n'])) {
        return Err(wrong("a line break in the request"));
    }
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: unfazed-inject/{}\r\nAccept: application/json\r\nConnection: close\r\n",
        env!("CARGO_PKG_VERSION")
    );
    if let Some(token) = token {
        let _infallible = write!(head, "Authorization: Bearer {token}\r\n");
    }
    let body = body.unwrap_or("");
    if *method != "GET" {
        let _infallible =
            write!(head, "Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    }
    head.push_str("\r\n");
    head.push_str(body);
    stream.write_all(head.as_bytes())?;
    stream.flush()?;
    answer(&mut BufReader::new(stream))
}

/// How long the body is.
enum Length {
    Chunked,
    Counted(u64),
    UntilTheEnd,
}

fn answer(reader: &mut impl BufRead) -> io::Result<Response> {
    let status = line(reader)?;
    let status = status
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.get(2..5))
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| wrong("no HTTP status"))?;
    let mut length = Length::UntilTheEnd;
    loop {
        let header = line(reader)?;
        if header.is_empty() {
            break;
        }
        let Some((name, value)) = header.split_once(':') else { return Err(wrong("a bad header")) };
        let value = value.trim();
        if name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked") {
            length = Length::Chunked;
        } else if name.eq_ignore_ascii_case("content-length") && !matches!(length, Length::Chunked)
        {
            length = Length::Counted(value.parse().map_err(|_| wrong("a bad length"))?);
        }
    }
    // No body follows these.
    if status == 204 || status == 304 {
        return Ok(Response { status, body: Vec::new() });
    }
    let body = match length {
        Length::Chunked => chunks(reader)?,
        Length::Counted(bytes) => exactly(reader, bytes)?,
        Length::UntilTheEnd => {
            let mut body = Vec::new();
            reader.take(MOST_BYTES + 1).read_to_end(&mut body)?;
            if body.len() as u64 > MOST_BYTES {
                return Err(wrong("a body that is too long"));
            }
            body
        }
    };
    Ok(Response { status, body })
}

fn chunks(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = line(reader)?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(|_| wrong("a bad chunk"))?;
        if size == 0 {
            return Ok(body);
        }
        if size > MOST_BYTES - body.len() as u64 {
            return Err(wrong("a body that is too long"));
        }
        body.extend(exactly(reader, size)?);
        if !line(reader)?.is_empty() {
            return Err(wrong("a chunk without its end"));
        }
    }
}

fn exactly(reader: &mut impl BufRead, bytes: u64) -> io::Result<Vec<u8>> {
    if bytes > MOST_BYTES {
        return Err(wrong("a body that is too long"));
    }
    let mut body = Vec::new();
    reader.take(bytes).read_to_end(&mut body)?;
    if (body.len() as u64) < bytes {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(body)
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut bytes = Vec::new();
    reader.take(MOST_LINE).read_until(b'\n', &mut bytes)?;
    if bytes.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    String::from_utf8(bytes).map_err(|_| wrong("a head that is no text"))
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> io::Result<Response> {
        answer(&mut text.as_bytes())
    }

    #[test]
    fn the_three_kinds_of_body_are_read_whole() {
        for text in [
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwor\n\r\n2;x=y\r\nk!\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nwor\nk!and more",
            "HTTP/1.0 200 OK\r\n\r\nwor\nk!",
        ] {
            assert_eq!(read(text).unwrap().body, b"wor\nk!", "{text}");
        }
    }

    #[test]
    fn half_an_answer_is_an_error() {
        for text in [
            "",
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 20",
            "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nwork",
            "HTTP/1.1 200 OK\r\nContent-Length: -6\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwor",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
            "SSH-2.0-OpenSSH\r\n\r\n",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
