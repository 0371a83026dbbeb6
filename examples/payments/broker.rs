//! The broker: owns the queue, the payments in flight and the ledger of what was accepted and settled.
//!
//! It does not start workers and does not know why a connection closes: a closed socket with a payment in
//! flight means that the payment goes back to the head of the queue. Delivery is therefore at least once;
//! the payment's id is its idempotency key.

use std::collections::{BTreeSet, VecDeque};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::metrics::Histogram;
use crate::supervisor::{Roster, WorkerState};

/// What the card network will say to a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CardAnswer {
    /// It answers in time.
    Approved,
    /// It never answers; the worker gives up and the payment ends in an error.
    NoAnswer,
}

/// What the customer does while the payment is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Customer {
    /// Waits, as long as patience lasts.
    Waits,
    /// Leaves for reasons of their own; every shop has some.
    WalksAway,
}

/// One payment.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) id: u64,
    pub(crate) accepted_at: Instant,
    pub(crate) service_time: Duration,
    pub(crate) card: CardAnswer,
    pub(crate) customer: Customer,
}

/// Everything that is counted, read in one piece: the figures of one scrape belong together.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    pub(crate) accepted: u64,
    pub(crate) settled_ok: u64,
    pub(crate) settled_error: u64,
    pub(crate) put_back: u64,
    pub(crate) checkouts_paid: u64,
    pub(crate) checkouts_abandoned: u64,
    pub(crate) queue_depth: usize,
    pub(crate) in_flight: usize,
    /// Payments accepted, not settled, and neither waiting nor in flight: lost. Must be 0.
    pub(crate) unaccounted: usize,
    pub(crate) duration: Histogram,
}

#[derive(Debug)]
struct Ledger {
    waiting: VecDeque<Job>,
    in_flight: BTreeSet<u64>,
    /// Ids accepted and not yet settled, kept apart from the queue so that a lost payment can be seen.
    open: BTreeSet<u64>,
    accepted: u64,
    settled_ok: u64,
    settled_error: u64,
    put_back: u64,
    checkouts_paid: u64,
    checkouts_abandoned: u64,
    duration: Histogram,
}

/// The queue and its ledger, shared by the producer, the connections and the metrics page.
#[derive(Debug)]
pub(crate) struct Broker {
    ledger: Mutex<Ledger>,
    work_waits: Condvar,
    patience: Duration,
}

impl Broker {
    /// An empty broker whose customers give up after `patience`.
    pub(crate) fn new(patience: Duration) -> Self {
        let ledger = Ledger {
            waiting: VecDeque::new(),
            in_flight: BTreeSet::new(),
            open: BTreeSet::new(),
            accepted: 0,
            settled_ok: 0,
            settled_error: 0,
            put_back: 0,
            checkouts_paid: 0,
            checkouts_abandoned: 0,
            duration: Histogram::new(),
        };
        Self { ledger: Mutex::new(ledger), work_waits: Condvar::new(), patience }
    }

    /// Takes a payment on: from here on it is owed an outcome.
    pub(crate) fn accept(&self, job: Job) {
        let mut ledger = self.lock();
        ledger.accepted += 1;
        ledger.open.insert(job.id);
        ledger.waiting.push_back(job);
        drop(ledger);
        self.work_waits.notify_one();
    }

    /// The next payment; blocks until there is one.
    fn take(&self) -> Job {
        let mut ledger = self.lock();
        loop {
            if let Some(job) = ledger.waiting.pop_front() {
                ledger.in_flight.insert(job.id);
                return job;
            }
            ledger = self.work_waits.wait(ledger).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The worker died or its connection broke: the payment is the next to be taken again.
    fn put_back(&self, job: Job) {
        let mut ledger = self.lock();
        ledger.in_flight.remove(&job.id);
        ledger.put_back += 1;
        ledger.waiting.push_front(job);
        drop(ledger);
        self.work_waits.notify_one();
    }

    /// The payment has its outcome. The checkout is counted here too: a customer whose patience ended
    /// earlier is counted when the payment ends, because only then is the waiting time known.
    fn settle(&self, job: &Job) {
        let took = job.accepted_at.elapsed();
        let mut ledger = self.lock();
        ledger.in_flight.remove(&job.id);
        ledger.open.remove(&job.id);
        match job.card {
            CardAnswer::Approved => ledger.settled_ok += 1,
            CardAnswer::NoAnswer => ledger.settled_error += 1,
        }
        let paid = job.card == CardAnswer::Approved
            && job.customer == Customer::Waits
            && took <= self.patience;
        if paid {
            ledger.checkouts_paid += 1;
        } else {
            ledger.checkouts_abandoned += 1;
        }
        ledger.duration.observe(took);
    }

    /// All figures at one moment.
    pub(crate) fn figures(&self) -> Figures {
        let ledger = self.lock();
        let accounted = ledger.waiting.len() + ledger.in_flight.len();
        Figures {
            accepted: ledger.accepted,
            settled_ok: ledger.settled_ok,
            settled_error: ledger.settled_error,
            put_back: ledger.put_back,
            checkouts_paid: ledger.checkouts_paid,
            checkouts_abandoned: ledger.checkouts_abandoned,
            queue_depth: ledger.waiting.len(),
            in_flight: ledger.in_flight.len(),
            unaccounted: ledger.open.len().saturating_sub(accounted),
            duration: ledger.duration.clone(),
        }
    }

    /// A thread that panicked while it held the ledger left whole numbers behind: carry on with them.
    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Accepts worker connections for ever, one thread each.
pub(crate) fn serve_workers(listener: &TcpListener, broker: &Arc<Broker>, roster: &Arc<Roster>) {
    for stream in listener.incoming().flatten() {
        let (broker, roster) = (Arc::clone(broker), Arc::clone(roster));
        thread::spawn(move || {
            // An error here is a worker that went away; the supervisor reports how it ended.
            let _ = feed(stream, &broker, &roster);
        });
    }
}

/// Feeds one worker: `hello NAME PID` comes in, then `job ID MICROSECONDS` goes out and `done ID` comes back.
fn feed(stream: TcpStream, broker: &Broker, roster: &Roster) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut from_worker = BufReader::new(stream.try_clone()?);
    let mut to_worker = stream;
    let mut line = String::new();
    from_worker.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (Some("hello"), Some(name), Some(Ok(pid))) =
        (words.next(), words.next(), words.next().map(str::parse))
    else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("expected `hello NAME PID`, found {line:?}"),
        ));
    };
    let name = name.to_owned();
    loop {
        roster.mark(&name, pid, WorkerState::Idle);
        let job = broker.take();
        roster.mark(&name, pid, WorkerState::Busy);
        match deliver(&job, &mut to_worker, &mut from_worker) {
            Ok(()) => broker.settle(&job),
            Err(error) => {
                broker.put_back(job);
                return Err(error);
            }
        }
    }
}

fn deliver(job: &Job, to_worker: &mut TcpStream, from_worker: &mut impl BufRead) -> io::Result<()> {
    to_worker.write_all(format!("job {} {}\n", job.id, job.service_time.as_micros()).as_bytes())?;
    let mut answer = String::new();
    from_worker.read_line(&mut answer)?;
    if answer.trim_end() == format!("done {}", job.id) {
        Ok(())
    } else {
        Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("payment {} got no answer", job.id),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(id: u64) -> Job {
        Job {
            id,
            accepted_at: Instant::now(),
            service_time: Duration::ZERO,
            card: CardAnswer::Approved,
            customer: Customer::Waits,
        }
    }

    #[test]
    fn a_payment_put_back_is_the_next_to_be_taken_and_is_never_lost() {
        let broker = Broker::new(Duration::from_secs(1));
        broker.accept(job(1));
        broker.accept(job(2));
        let taken = broker.take();
        broker.put_back(taken);
        assert_eq!(broker.figures().unaccounted, 0);
        let again = broker.take();
        assert_eq!(again.id, 1);
        broker.settle(&again);
        let figures = broker.figures();
        assert_eq!((figures.accepted, figures.settled_ok, figures.put_back), (2, 1, 1));
        assert_eq!((figures.queue_depth, figures.in_flight, figures.unaccounted), (1, 0, 0));
    }
}
