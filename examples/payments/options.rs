//! The command line: owns the words a user writes and turns them into checked values once.

use std::time::Duration;

use crate::producer::Arrivals;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
A small payment service to practise process kills on: a queue, a producer, a
supervisor and N real worker processes. Standard library only, loopback only.

Usage: payments [OPTIONS]
       payments worker ...          what the supervisor starts; not for people

Options (durations are written 250ms, 2s or 1m; shares 0.01% or 2%):
  --listen ADDRESS        where /metrics, /healthz and /workers answer [127.0.0.1:9101]
  --workers N             worker processes [4]
  --canary-workers N      how many of them belong to pool canary, the rest to main [2]
  --rate R                payments a second, Poisson arrivals [400]
  --service-time D        mean time a worker needs for a payment, log-normal [8ms]
  --service-variation V   its coefficient of variation [0.35]
  --restart-delay D       how long the supervisor waits before it starts a dead worker again [1s]
  --warm-up D             mean time a new worker needs before it takes payments [300ms]
  --patience D            a customer whose payment takes longer gives up [1.5s]
  --error-share S         share of payments whose card network never answers [0.01%]
  --card-timeout D        how long a worker waits for such a network [250ms]
  --walk-away-share S     share of customers who leave whatever the service does [2%]
  --seed N                seed of arrivals and service times (SplitMix64) [1]
  --help                  this text

Pages:
  /metrics   Prometheus text format: payments_total{outcome}, payments_accepted_total,
             payments_settled_total, payments_put_back_total, payment_duration_seconds,
             payment_queue_depth, payments_in_flight, payments_unaccounted,
             checkouts_total{outcome}, payment_workers_running{pool},
             payment_workers_missing{pool}, process_restarts_total{pool,worker},
             process_cpu_seconds_total, process_resident_memory_bytes
  /workers   JSON: name, pool, pid, state (starting, idle, busy, down), started_at, restarts
  /healthz   200 while at least one worker takes payments, else 503

All workers take payments from the same queue. A worker's process is called `payments`
and its arguments hold `--queue canary` or `--queue main`, the name of its pool, so that an
injector can find it; the broker's arguments never do. Kill one and watch:

  payments --restart-delay 1s &
  kill -9 $(pgrep -f 'payments worker --queue canary' | head -n 1)
  curl -s http://127.0.0.1:9101/metrics | grep -E 'queue_depth|restarts_total'

Ctrl-C or SIGTERM ends the service; its workers exit when their connection closes.
";

/// What the user asked for.
#[derive(Debug)]
pub(crate) enum Request {
    Help,
    Serve(ServiceOptions),
    Work(WorkerOptions),
}

/// Options of the service.
#[derive(Debug)]
pub(crate) struct ServiceOptions {
    pub(crate) listen: String,
    pub(crate) workers: usize,
    pub(crate) canary_workers: usize,
    pub(crate) rate: f64,
    pub(crate) service_time: Duration,
    pub(crate) service_variation: f64,
    pub(crate) restart_delay: Duration,
    pub(crate) warm_up: Duration,
    pub(crate) patience: Duration,
    pub(crate) error_share: f64,
    pub(crate) card_timeout: Duration,
    pub(crate) walk_away_share: f64,
    pub(crate) seed: u64,
}

impl ServiceOptions {
    fn preset() -> Self {
        Self {
            listen: "127.0.0.1:9101".to_owned(),
            workers: 4,
            canary_workers: 2,
            rate: 400.0,
            service_time: Duration::from_millis(8),
            service_variation: 0.35,
            restart_delay: Duration::from_secs(1),
            warm_up: Duration::from_millis(300),
            patience: Duration::from_millis(1_500),
            error_share: 0.000_1,
            card_timeout: Duration::from_millis(250),
            walk_away_share: 0.02,
            seed: 1,
        }
    }

    /// The part of the options that the producer draws from.
    pub(crate) fn arrivals(&self) -> Arrivals {
        Arrivals {
            rate: self.rate,
            service_time: self.service_time,
            service_variation: self.service_variation,
            error_share: self.error_share,
            card_timeout: self.card_timeout,
            walk_away_share: self.walk_away_share,
            seed: self.seed,
        }
    }

    fn set(&mut self, flag: &str, value: &str) -> Result<(), String> {
        match flag {
            "--listen" => value.clone_into(&mut self.listen),
            "--workers" => self.workers = count(flag, value)?,
            "--canary-workers" => self.canary_workers = count(flag, value)?,
            "--rate" => self.rate = positive(flag, value)?,
            "--service-time" => self.service_time = duration(flag, value)?,
            "--service-variation" => self.service_variation = positive(flag, value)?,
            "--restart-delay" => self.restart_delay = duration(flag, value)?,
            "--warm-up" => self.warm_up = duration(flag, value)?,
            "--patience" => self.patience = duration(flag, value)?,
            "--error-share" => self.error_share = share(flag, value)?,
            "--card-timeout" => self.card_timeout = duration(flag, value)?,
            "--walk-away-share" => self.walk_away_share = share(flag, value)?,
            "--seed" => self.seed = seed(flag, value)?,
            _ => return Err(format!("unknown option {flag}")),
        }
        Ok(())
    }
}

/// Options of one worker process.
#[derive(Debug)]
pub(crate) struct WorkerOptions {
    pub(crate) name: String,
    pub(crate) connect: String,
    pub(crate) warm_up: Duration,
    pub(crate) seed: u64,
}

impl WorkerOptions {
    fn set(&mut self, flag: &str, value: &str) -> Result<(), String> {
        match flag {
            // Read by whoever looks for this process from outside; the worker itself has no use for it.
            "--queue" => {}
            "--name" => value.clone_into(&mut self.name),
            "--connect" => value.clone_into(&mut self.connect),
            "--warm-up" => self.warm_up = duration(flag, value)?,
            "--seed" => self.seed = seed(flag, value)?,
            _ => return Err(format!("unknown option {flag}")),
        }
        Ok(())
    }
}

/// Reads the arguments after the program's name.
pub(crate) fn parse(arguments: &[String]) -> Result<Request, String> {
    if arguments.iter().any(|word| word == "--help" || word == "-h") {
        return Ok(Request::Help);
    }
    match arguments.split_first() {
        Some((first, rest)) if first == "worker" => {
            let mut options = WorkerOptions {
                name: String::new(),
                connect: String::new(),
                warm_up: Duration::ZERO,
                seed: 0,
            };
            for_each_option(rest, |flag, value| options.set(flag, value))?;
            if options.name.is_empty() || options.connect.is_empty() {
                return Err("a worker needs --name and --connect".to_owned());
            }
            Ok(Request::Work(options))
        }
        _ => {
            let mut options = ServiceOptions::preset();
            for_each_option(arguments, |flag, value| options.set(flag, value))?;
            if options.canary_workers > options.workers {
                return Err(format!(
                    "--canary-workers {} is more than --workers {}",
                    options.canary_workers, options.workers
                ));
            }
            Ok(Request::Serve(options))
        }
    }
}

fn for_each_option(
    words: &[String],
    mut set: impl FnMut(&str, &str) -> Result<(), String>,
) -> Result<(), String> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.split_once('=') {
            Some((flag, value)) => set(flag, value)?,
            None => set(word, words.next().ok_or_else(|| format!("{word} needs a value"))?)?,
        }
    }
    Ok(())
}

fn refuse(flag: &str, value: &str, accepted: &str) -> String {
    format!("{flag} {value:?}: expected {accepted}")
}

fn count(flag: &str, value: &str) -> Result<usize, String> {
    let count = value.parse().map_err(|_| refuse(flag, value, "a whole number"))?;
    if count > 64 { Err(refuse(flag, value, "at most 64")) } else { Ok(count) }
}

fn seed(flag: &str, value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| refuse(flag, value, "a whole number from 0"))
}

fn positive(flag: &str, value: &str) -> Result<f64, String> {
    match value.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err(refuse(flag, value, "a number above 0")),
    }
}

fn share(flag: &str, value: &str) -> Result<f64, String> {
    let accepted = "a share such as 0.01% or 2%";
    let percent = value.strip_suffix('%').ok_or_else(|| refuse(flag, value, accepted))?;
    match percent.parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err(refuse(flag, value, accepted)),
    }
}

fn duration(flag: &str, value: &str) -> Result<Duration, String> {
    let accepted = "a duration such as 250ms, 2s or 1m";
    let digits = value.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(value.len());
    let (number, unit) = value.split_at(digits);
    let seconds_per_unit = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        _ => return Err(refuse(flag, value, accepted)),
    };
    match number.parse::<f64>() {
        Ok(number) if (0.0..=86_400.0).contains(&(number * seconds_per_unit)) => {
            Ok(Duration::from_secs_f64(number * seconds_per_unit))
        }
        _ => Err(refuse(flag, value, accepted)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_shares_need_their_unit() {
        assert_eq!(duration("--warm-up", "16.5ms"), Ok(Duration::from_micros(16_500)));
        assert_eq!(duration("--warm-up", "2m"), Ok(Duration::from_mins(2)));
        assert!(duration("--warm-up", "3").is_err());
        assert!(duration("--warm-up", "-1s").is_err());
        assert!(share("--error-share", "0.01").is_err());
        assert!(share("--error-share", "101%").is_err());
    }

    #[test]
    fn more_canaries_than_workers_are_refused() {
        let words = ["--workers", "2", "--canary-workers=3"].map(str::to_owned);
        assert!(parse(&words).is_err());
    }
}
