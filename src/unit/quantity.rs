//! Quantities as people write them (`200ms`, `40%`, `2pp`, `1.5GiB`, `20`) and the units that metrics are in.
//!
//! Owns the list of accepted unit words and their factors. Refuses to know metrics and claims: whether a share is
//! relative to a baseline is for the claim to say. Stands below `spec`, which turns quantities into bounds.

use std::fmt;

use crate::unit::time::Span;

/// What kind of thing a quantity measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// A time, held in seconds.
    Time,
    /// An amount of data, held in bytes.
    Data,
    /// A share written with `%`, held as a fraction.
    Percent,
    /// Percentage points written with `pp`, held as a fraction.
    PercentagePoints,
    /// A number without a unit.
    Plain,
}

/// A number with its unit, as written in a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// The number in the dimension's base unit: seconds, bytes, a fraction, or as it stands.
    pub value: f64,
    /// What it measures.
    pub dimension: Dimension,
    /// The text as written.
    pub text: String,
}

/// Why a text is no quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Not a number with one of the known units.
    #[error(
        "'{0}' is not a quantity: write a number, alone or with a unit (%, pp, us, ms, s, m, h, d, B, kB, KiB, MB, MiB, GB, GiB, TB, TiB)"
    )]
    NotAQuantity(String),
    /// NaN or infinite.
    #[error("'{0}' is not a finite number")]
    NotFinite(String),
}

/// Unit words, the dimension they belong to and the factor to its base unit.
const UNITS: [(&str, Dimension, f64); 19] = [
    ("%", Dimension::Percent, 0.01),
    ("pp", Dimension::PercentagePoints, 0.01),
    ("us", Dimension::Time, 1e-6),
    ("µs", Dimension::Time, 1e-6),
    ("ms", Dimension::Time, 1e-3),
    ("s", Dimension::Time, 1.0),
    ("m", Dimension::Time, 60.0),
    ("min", Dimension::Time, 60.0),
    ("h", Dimension::Time, 3600.0),
    ("d", Dimension::Time, 86_400.0),
    ("B", Dimension::Data, 1.0),
    ("kB", Dimension::Data, 1e3),
    ("KiB", Dimension::Data, 1024.0),
    ("MB", Dimension::Data, 1e6),
    ("MiB", Dimension::Data, 1_048_576.0),
    ("GB", Dimension::Data, 1e9),
    ("GiB", Dimension::Data, 1_073_741_824.0),
    ("TB", Dimension::Data, 1e12),
    ("TiB", Dimension::Data, 1_099_511_627_776.0),
];

impl Quantity {
    /// Every accepted unit word.
    pub fn unit_words() -> impl Iterator<Item = &'static str> {
        UNITS.iter().map(|(word, _, _)| *word)
    }

    /// Reads a quantity.
    ///
    /// # Errors
    /// [`QuantityError`] names the text and lists the accepted units.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let trimmed = text.trim();
        let wrong = || QuantityError::NotAQuantity(text.to_owned());
        let split = trimmed
            .char_indices()
            .find(|(at, c)| {
                let exponent = (*c == 'e' || *c == 'E')
                    && trimmed[at + 1..]
                        .starts_with(|d: char| d.is_ascii_digit() || d == '-' || d == '+');
                !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+') || exponent)
            })
            .map_or(trimmed.len(), |(at, _)| at);
        if matches!(
            trimmed.trim_start_matches(['.', '-', '+']).to_ascii_lowercase().as_str(),
            "nan" | "inf" | "infinity"
        ) {
            return Err(QuantityError::NotFinite(text.to_owned()));
        }
        let number: f64 = trimmed[..split].parse().map_err(|_| wrong())?;
        let unit = trimmed[split..].trim();
        let (dimension, factor) = if unit.is_empty() {
            (Dimension::Plain, 1.0)
        } else {
            match UNITS.iter().find(|(name, _, _)| *name == unit) {
                Some((_, dimension, factor)) => (*dimension, *factor),
                None => match Span::parse(trimmed) {
                    Ok(span) => {
                        return Ok(Self {
                            value: span.seconds(),
                            dimension: Dimension::Time,
                            text: trimmed.to_owned(),
                        });
                    }
                    Err(_) => return Err(wrong()),
                },
            }
        };
        // Dividing by the inverse keeps `0.1%` at exactly 0.001, the nearest double, where `0.1 * 0.01` is not.
        let value = if factor < 1.0 { number / (1.0 / factor).round() } else { number * factor };
        if value.is_finite() {
            Ok(Self { value, dimension, text: trimmed.to_owned() })
        } else {
            Err(QuantityError::NotFinite(text.to_owned()))
        }
    }
}

/// The unit in which a metric's numbers are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// A fraction of one.
    Ratio,
    /// Another unit by its name, with the factor to the base unit of its dimension if it is a known one.
    Named(String),
    /// A bare number.
    None,
}

impl Unit {
    /// The unit named by a document (`unit: ms`) or by a metric's suffix.
    pub fn named(name: &str) -> Self {
        match name {
            "s" | "seconds" => Self::Seconds,
            "B" | "bytes" => Self::Bytes,
            "ratio" => Self::Ratio,
            "" => Self::None,
            other => Self::Named(other.to_owned()),
        }
    }

    /// The unit that the Prometheus naming rules read from a metric's name, if any.
    pub fn from_metric_name(name: &str) -> Option<Self> {
        let name = name.strip_suffix("_total").unwrap_or(name);
        if name.ends_with("_seconds") {
            Some(Self::Seconds)
        } else if name.ends_with("_bytes") {
            Some(Self::Bytes)
        } else if name.ends_with("_ratio") {
            Some(Self::Ratio)
        } else if name.ends_with("_milliseconds") || name.ends_with("_ms") {
            Some(Self::Named("ms".to_owned()))
        } else {
            None
        }
    }

    /// What the unit measures.
    pub fn dimension(&self) -> Dimension {
        match self {
            Self::Seconds => Dimension::Time,
            Self::Bytes => Dimension::Data,
            Self::Ratio => Dimension::Percent,
            Self::None => Dimension::Plain,
            Self::Named(name) => known_unit(name).map_or(Dimension::Plain, |known| known.0),
        }
    }

    /// How many base units (seconds, bytes, a fraction) one of this unit is.
    pub fn in_base_units(&self) -> f64 {
        match self {
            Self::Named(name) => known_unit(name).map_or(1.0, |known| known.1),
            Self::Seconds | Self::Bytes | Self::Ratio | Self::None => 1.0,
        }
    }

    /// The word that results use; `None` for a bare number.
    pub fn word(&self) -> Option<&str> {
        match self {
            Self::Seconds => Some("seconds"),
            Self::Bytes => Some("bytes"),
            Self::Ratio => Some("ratio"),
            Self::Named(name) => Some(name),
            Self::None => None,
        }
    }
}

/// Dimension and factor of a unit word.
fn known_unit(name: &str) -> Option<(Dimension, f64)> {
    let name = match name {
        "milliseconds" => "ms",
        "microseconds" => "us",
        "minutes" => "m",
        "percent" => "%",
        other => other,
    };
    UNITS
        .iter()
        .find(|(word, _, _)| *word == name)
        .map(|(_, dimension, factor)| (*dimension, *factor))
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_keep_their_dimension_and_nearest_double() {
        for (text, value, dimension) in [
            ("200ms", 0.2, Dimension::Time),
            ("2m", 120.0, Dimension::Time),
            ("1h30m", 5400.0, Dimension::Time),
            ("0.1%", 0.001, Dimension::Percent),
            ("0.1 %", 0.001, Dimension::Percent),
            ("2pp", 0.02, Dimension::PercentagePoints),
            ("1.5GiB", 1_610_612_736.0, Dimension::Data),
            ("2TB", 2e12, Dimension::Data),
            ("20", 20.0, Dimension::Plain),
            ("-3.5", -3.5, Dimension::Plain),
            ("1e3", 1000.0, Dimension::Plain),
        ] {
            let quantity = Quantity::parse(text).unwrap();
            assert_eq!(quantity.value.to_bits(), f64::to_bits(value), "{text}");
            assert_eq!(quantity.dimension, dimension, "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", "fast", "12 parsecs", "NaN", "inf", "-inf", "1e999", "%", "1..2"] {
            assert!(Quantity::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn suffixes_name_units() {
        assert_eq!(Unit::from_metric_name("payment_duration_seconds"), Some(Unit::Seconds));
        assert_eq!(Unit::from_metric_name("process_cpu_seconds_total"), Some(Unit::Seconds));
        assert_eq!(Unit::from_metric_name("payment_queue_depth"), None);
    }
}
