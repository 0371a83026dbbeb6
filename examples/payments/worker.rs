//! A worker process: takes one payment at a time from the broker, works on it, says that it is done.
//!
//! It keeps nothing: killed at any moment, it loses only the payment in its hands, and that one the broker
//! still has. It exits when its connection closes, so no worker outlives the broker.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use crate::options::WorkerOptions;
use crate::random::SplitMix64;

/// Works until the broker goes away.
pub(crate) fn work(options: &WorkerOptions) -> io::Result<()> {
    // Loading keys and opening the card network's line takes a while, and never quite the same.
    let mut random = SplitMix64::new(options.seed, u64::from(std::process::id()));
    thread::sleep(options.warm_up.mul_f64(0.5 + random.uniform()));

    let stream = TcpStream::connect(&options.connect)?;
    stream.set_nodelay(true)?;
    let mut from_broker = BufReader::new(stream.try_clone()?);
    let mut to_broker = stream;
    to_broker.write_all(format!("hello {} {}\n", options.name, std::process::id()).as_bytes())?;

    let mut line = String::new();
    loop {
        line.clear();
        if from_broker.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split_whitespace();
        let (Some("job"), Some(id), Some(Ok(micros))) =
            (words.next(), words.next(), words.next().map(str::parse))
        else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("expected `job ID MICROS`, found {line:?}"),
            ));
        };
        // The work of a payment is waiting for a card network: it takes time, not CPU.
        thread::sleep(Duration::from_micros(micros));
        to_broker.write_all(format!("done {id}\n").as_bytes())?;
    }
}
