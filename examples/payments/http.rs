//! The HTTP side: owns three pages and nothing that they show.
//!
//! `/metrics` is the Prometheus text format, `/healthz` a probe, `/workers` a JSON list for whoever picks a
//! victim. One connection, one request, one answer.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::broker::Broker;
use crate::metrics;
use crate::processes::rfc3339;
use crate::supervisor::{Roster, Slot};

/// A client that says nothing for this long is dropped.
const PATIENCE_WITH_CLIENTS: Duration = Duration::from_secs(2);

struct Answer {
    status: &'static str,
    content_type: &'static str,
    body: String,
}

/// Answers requests for ever.
pub(crate) fn serve(
    listener: &TcpListener,
    broker: &Arc<Broker>,
    roster: &Arc<Roster>,
) -> io::Result<()> {
    for stream in listener.incoming() {
        let stream = stream?;
        let (broker, roster) = (Arc::clone(broker), Arc::clone(roster));
        thread::spawn(move || {
            // A client that hangs up early is its own affair.
            let _ = respond(stream, &broker, &roster);
        });
    }
    Ok(())
}

fn respond(stream: TcpStream, broker: &Broker, roster: &Roster) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE_WITH_CLIENTS))?;
    stream.set_write_timeout(Some(PATIENCE_WITH_CLIENTS))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 0 && !header.trim_end().is_empty() {
        header.clear();
    }
    let answer = answer(&request, broker, roster);
    let mut writer = stream;
    writer.write_all(
        format!(
            "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
            answer.status,
            answer.content_type,
            answer.body.len(),
            answer.body
        )
        .as_bytes(),
    )
}

fn answer(request: &str, broker: &Broker, roster: &Roster) -> Answer {
    let mut words = request.split_whitespace();
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let path = target.split('?').next().unwrap_or("");
    match (method, path) {
        ("GET", "/metrics") => Answer {
            status: "200 OK",
            content_type: "text/plain; version=0.0.4; charset=utf-8",
            body: metrics::exposition(&broker.figures(), &roster.slots()),
        },
        ("GET", "/healthz") => health(&roster.slots()),
        ("GET", "/workers") => Answer {
            status: "200 OK",
            content_type: "application/json",
            body: workers_json(&roster.slots()),
        },
        ("GET", _) => plain("404 Not Found", "pages: /metrics /healthz /workers\n"),
        _ => plain("405 Method Not Allowed", "only GET is answered here\n"),
    }
}

fn plain(status: &'static str, body: &str) -> Answer {
    Answer { status, content_type: "text/plain; charset=utf-8", body: body.to_owned() }
}

/// Healthy means that somebody takes payments; a missing worker of several is for the metrics to tell.
fn health(slots: &[Slot]) -> Answer {
    if slots.iter().any(|slot| slot.state.serves()) {
        plain("200 OK", "ok\n")
    } else {
        plain("503 Service Unavailable", "no worker takes payments\n")
    }
}

fn workers_json(slots: &[Slot]) -> String {
    let mut json = String::from("[");
    for (index, slot) in slots.iter().enumerate() {
        let separator = if index == 0 { "" } else { "," };
        let pid = slot.pid.map_or_else(|| "null".to_owned(), |pid| pid.to_string());
        let started_at =
            slot.started_at.map_or_else(|| "null".to_owned(), |at| format!("\"{}\"", rfc3339(at)));
        write!(
            json,
            "{separator}\n  {{\"name\": \"{}\", \"pool\": \"{}\", \"pid\": {pid}, \"state\": \"{}\", \
             \"started_at\": {started_at}, \"restarts\": {}}}",
            slot.name,
            slot.pool,
            slot.state.word(),
            slot.restarts
        )
        .expect("writing to a String cannot fail");
    }
    json.push_str("\n]\n");
    json
}
