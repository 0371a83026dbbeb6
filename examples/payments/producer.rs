//! The producer: owns the arrivals. It draws each payment (when it comes, how long its card network takes,
//! whether its customer stays) and hands it to the broker; what happens to it later is not its business.

use std::thread;
use std::time::{Duration, Instant};

use crate::broker::{Broker, CardAnswer, Customer, Job};
use crate::random::SplitMix64;

/// What the producer draws from.
#[derive(Debug, Clone)]
pub(crate) struct Arrivals {
    /// Payments a second, on average; arrivals are a Poisson process.
    pub(crate) rate: f64,
    /// Mean time a worker needs for a payment (log-normal).
    pub(crate) service_time: Duration,
    /// Coefficient of variation of the service time.
    pub(crate) service_variation: f64,
    /// Share of payments whose card network never answers: they end in an error, whoever works on them.
    pub(crate) error_share: f64,
    /// How long a worker waits for a card network that never answers.
    pub(crate) card_timeout: Duration,
    /// Share of customers who leave the checkout whatever the service does.
    pub(crate) walk_away_share: f64,
    /// Seed of the sequence.
    pub(crate) seed: u64,
}

/// Hands payments to the broker for ever.
///
/// Arrival times are laid out on an absolute line, not as pauses between sleeps: a late wake-up delays
/// single payments but never lowers the rate.
pub(crate) fn produce(arrivals: &Arrivals, broker: &Broker) {
    let mut gaps = SplitMix64::new(arrivals.seed, 1);
    let mut natures = SplitMix64::new(arrivals.seed, 2);
    let mut due = Instant::now();
    for id in 1.. {
        due += gaps.exponential(arrivals.rate);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        broker.accept(draw(id, arrivals, &mut natures));
    }
}

fn draw(id: u64, arrivals: &Arrivals, random: &mut SplitMix64) -> Job {
    // Every payment uses the same number of draws, so one option never shifts the sequence of another.
    let usual = random.log_normal(arrivals.service_time, arrivals.service_variation);
    let silent = random.uniform() < arrivals.error_share;
    let leaves = random.uniform() < arrivals.walk_away_share;
    Job {
        id,
        accepted_at: Instant::now(),
        service_time: if silent { arrivals.card_timeout } else { usual },
        card: if silent { CardAnswer::NoAnswer } else { CardAnswer::Approved },
        customer: if leaves { Customer::WalksAway } else { Customer::Waits },
    }
}
