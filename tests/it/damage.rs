//! Seeded damage to texts: the same for the same seed everywhere.
//!
//! `make fuzz` gives every reader a minute (`UNFAZED_FUZZ_SECONDS=60`); without it each gets a fixed number of damaged
//! inputs, so that `make test` stays quick and repeatable.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What stands in for values, keys and lines.
const ODDITIES: [&str; 18] = [
    "null",
    "0",
    "-1",
    "1e308",
    "[]",
    "{}",
    "\"\"",
    "true",
    "\"9999-99-99\"",
    "[[[[[[[[",
    "\n---\n",
    "{\"a\":",
    "\u{feff}",
    "\"0001-01-01T00:00:00Z\"",
    "99999999999999999999",
    "\"\\ud800\"",
    ",,,,",
    "\0",
];

/// Splitmix64 (Steele, Lea & Flood 2014): the same damage for the same seed everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }
}

/// Damages bytes in one to four ways.
pub(crate) fn damage(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(64)).min(bytes.len());
        match random.below(7) {
            0 => bytes.truncate(at),
            1 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.next().to_le_bytes()[0];
                }
            }
            2 => drop(bytes.drain(at..end)),
            3 => {
                let piece = bytes[at..end].to_vec();
                for _ in 0..random.below(200) {
                    bytes.splice(at..at, piece.iter().copied());
                }
            }
            4 => {
                let from = random.below(other.len() + 1);
                let piece = &other[from..(from + random.below(400)).min(other.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
            5 | 6 => {
                let word = ODDITIES[random.below(ODDITIES.len())];
                // After a colon or comma, where a value stands.
                let start = bytes[at..]
                    .iter()
                    .position(|byte| matches!(byte, b':' | b','))
                    .map_or(at, |offset| at + offset + 1);
                let end = bytes[start..]
                    .iter()
                    .position(|byte| matches!(byte, b',' | b'\n' | b'}'))
                    .map_or(bytes.len(), |offset| start + offset);
                bytes.splice(start..end, word.bytes());
            }
            _ => unreachable!("below seven"),
        }
    }
}

/// Calls `attempt` with seed after seed: so many of them, or as long as `UNFAZED_FUZZ_SECONDS` says.
pub(crate) fn seeds(few: u64, mut attempt: impl FnMut(u64)) {
    let Some(seconds) = std::env::var("UNFAZED_FUZZ_SECONDS").ok() else {
        (0..few).for_each(attempt);
        return;
    };
    let seconds: u64 = seconds.parse().expect("UNFAZED_FUZZ_SECONDS is a whole number of seconds");
    let start = Instant::now();
    // Other seeds every time; a failure names its own.
    let first =
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() << 24);
    let mut tried = 0;
    while start.elapsed() < Duration::from_secs(seconds) {
        attempt(first + tried);
        tried += 1;
    }
    println!("{tried} damaged inputs from seed {first}");
}
