//! The metrics page: turns figures into the Prometheus text format. It counts nothing itself, apart from
//! the histogram, whose buckets live here because their edges are part of the page.

use std::fmt::Write as _;
use std::time::Duration;

use crate::broker::Figures;
use crate::processes::{cpu_seconds, cpu_seconds_of_thread, resident_bytes};
use crate::supervisor::{Slot, WorkerState};

/// Upper edges in milliseconds. 200 ms is the promise to customers, so it is an edge, with neighbours close
/// by: a claim is decided exactly at an edge and only guessed at between two.
const EDGES_MS: [u64; 18] =
    [5, 10, 15, 25, 50, 75, 100, 150, 200, 250, 300, 400, 500, 750, 1_000, 2_000, 3_000, 5_000];

/// A classic histogram of durations.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    /// Observations at or under each edge and over the one before; the last place is over every edge.
    counts: [u64; EDGES_MS.len() + 1],
    sum: Duration,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self { counts: [0; EDGES_MS.len() + 1], sum: Duration::ZERO }
    }

    pub(crate) fn observe(&mut self, duration: Duration) {
        let place = EDGES_MS.partition_point(|&edge| Duration::from_millis(edge) < duration);
        self.counts[place] += 1;
        self.sum += duration;
    }
}

/// The whole page.
pub(crate) fn exposition(figures: &Figures, slots: &[Slot]) -> String {
    let mut page = Page { text: String::with_capacity(8_192) };
    payments(&mut page, figures);
    page.histogram(
        "payment_duration_seconds",
        "From acceptance to outcome, waiting included.",
        &figures.duration,
    );
    workers(&mut page, slots);
    processes(&mut page, slots);
    page.text
}

fn payments(page: &mut Page, figures: &Figures) {
    page.family("payments_total", "counter", "Payments that reached an outcome.");
    page.sample("payments_total", "outcome=\"ok\"", figures.settled_ok);
    page.sample("payments_total", "outcome=\"error\"", figures.settled_error);
    page.family("payments_accepted_total", "counter", "Payments taken on.");
    page.sample("payments_accepted_total", "", figures.accepted);
    page.family(
        "payments_settled_total",
        "counter",
        "Payments that reached an outcome, whatever it was.",
    );
    page.sample("payments_settled_total", "", figures.settled_ok + figures.settled_error);
    page.family(
        "payments_put_back_total",
        "counter",
        "Payments put back because their worker went away.",
    );
    page.sample("payments_put_back_total", "", figures.put_back);
    page.family("payment_queue_depth", "gauge", "Payments that wait for a worker.");
    page.sample("payment_queue_depth", "", figures.queue_depth);
    page.family("payments_in_flight", "gauge", "Payments in the hands of a worker.");
    page.sample("payments_in_flight", "", figures.in_flight);
    page.family(
        "payments_unaccounted",
        "gauge",
        "Payments accepted, not settled, not waiting, not in flight: lost.",
    );
    page.sample("payments_unaccounted", "", figures.unaccounted);
    page.family("checkouts_total", "counter", "Checkouts by how they ended for the shop.");
    page.sample("checkouts_total", "outcome=\"paid\"", figures.checkouts_paid);
    page.sample("checkouts_total", "outcome=\"abandoned\"", figures.checkouts_abandoned);
}

fn workers(page: &mut Page, slots: &[Slot]) {
    let in_pool = |pool: &str, counts: &dyn Fn(WorkerState) -> bool| {
        slots.iter().filter(|slot| slot.pool == pool && counts(slot.state)).count()
    };
    let mut pools: Vec<&str> = slots.iter().map(|slot| slot.pool).collect();
    pools.dedup();
    page.family("payment_workers_running", "gauge", "Workers that take payments.");
    for pool in &pools {
        page.sample(
            "payment_workers_running",
            &format!("pool=\"{pool}\""),
            in_pool(pool, &WorkerState::serves),
        );
    }
    page.family(
        "payment_workers_missing",
        "gauge",
        "Workers that should take payments and do not.",
    );
    for pool in &pools {
        let missing = in_pool(pool, &|state: WorkerState| !state.serves());
        page.sample("payment_workers_missing", &format!("pool=\"{pool}\""), missing);
    }
    page.family(
        "process_restarts_total",
        "counter",
        "Worker processes started in place of one that ended.",
    );
    for slot in slots {
        page.sample("process_restarts_total", &worker_labels(slot), slot.restarts);
    }
}

fn processes(page: &mut Page, slots: &[Slot]) {
    let broker = std::process::id();
    page.family(
        "process_cpu_seconds_total",
        "counter",
        "CPU time of the process that holds the place now.",
    );
    if let Some(seconds) = cpu_seconds(broker) {
        page.sample("process_cpu_seconds_total", "process=\"broker\"", seconds);
    }
    for slot in slots {
        if let Some(seconds) = slot.pid.and_then(cpu_seconds_of_thread) {
            page.sample("process_cpu_seconds_total", &process_labels(slot), seconds);
        }
    }
    page.family(
        "process_resident_memory_bytes",
        "gauge",
        "Resident memory of the process that holds the place now.",
    );
    if let Some(bytes) = resident_bytes(broker) {
        page.sample("process_resident_memory_bytes", "process=\"broker\"", bytes);
    }
    for slot in slots {
        if let Some(bytes) = slot.pid.and_then(resident_bytes) {
            page.sample("process_resident_memory_bytes", &process_labels(slot), bytes);
        }
    }
}

fn worker_labels(slot: &Slot) -> String {
    format!("pool=\"{}\",worker=\"{}\"", slot.pool, slot.name)
}

fn process_labels(slot: &Slot) -> String {
    format!("pool=\"{}\",process=\"worker\",worker=\"{}\"", slot.pool, slot.name)
}

struct Page {
    text: String,
}

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}")
            .expect("writing to a String cannot fail");
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let written = if labels.is_empty() {
            writeln!(self.text, "{name} {value}")
        } else {
            writeln!(self.text, "{name}{{{labels}}} {value}")
        };
        written.expect("writing to a String cannot fail");
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.family(name, "histogram", help);
        let bucket = format!("{name}_bucket");
        let mut cumulative = 0;
        for (&edge, &count) in EDGES_MS.iter().zip(&histogram.counts) {
            cumulative += count;
            self.sample(
                &bucket,
                &format!("le=\"{}\"", Duration::from_millis(edge).as_secs_f64()),
                cumulative,
            );
        }
        let total: u64 = histogram.counts.iter().sum();
        self.sample(&bucket, "le=\"+Inf\"", total);
        self.sample(&format!("{name}_sum"), "", histogram.sum.as_secs_f64());
        self.sample(&format!("{name}_count"), "", total);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_observation_on_an_edge_belongs_under_it() {
        let mut histogram = Histogram::new();
        histogram.observe(Duration::from_millis(200));
        histogram.observe(Duration::from_micros(200_001));
        let mut page = Page { text: String::new() };
        page.histogram("d", "help", &histogram);
        assert!(page.text.contains("d_bucket{le=\"0.2\"} 1\n"), "{}", page.text);
        assert!(page.text.contains("d_bucket{le=\"0.25\"} 2\n"), "{}", page.text);
        assert!(page.text.contains("d_bucket{le=\"+Inf\"} 2\n"), "{}", page.text);
    }
}
