//! Numbers as the reference vectors write them.
//!
//! Non-finite numbers are the strings "NaN", "Infinity" and "-Infinity"; a count may be written 3 or 3.0.

use crate::app::stat::Failure;
use crate::stats::{P_VALUE_FLOOR, PValue};
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// A number that may be non-finite, read and written with the strings of the vectors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Number(pub(crate) f64);

/// A list of numbers that may be non-finite.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Numbers(pub(crate) Vec<f64>);

/// A count: a non-negative whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) u64);

/// An upper limit; one that does not exist is written "Infinity".
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct UpperLimit(pub(crate) Option<f64>);

/// A lower limit; one that does not exist is written "-Infinity".
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LowerLimit(pub(crate) Option<f64>);

struct NumberVisitor;

impl Visitor<'_> for NumberVisitor {
    type Value = f64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number, \"NaN\", \"Infinity\" or \"-Infinity\"")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }

    #[expect(clippy::cast_precision_loss, reason = "JSON numbers are doubles")]
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "JSON numbers are doubles")]
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<f64, E> {
        match value {
            "NaN" | "nan" => Ok(f64::NAN),
            "Infinity" | "inf" | "+Inf" | "Inf" => Ok(f64::INFINITY),
            "-Infinity" | "-inf" | "-Inf" => Ok(f64::NEG_INFINITY),
            other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor).map(Number)
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor;
        impl<'de> Visitor<'de> for ListVisitor {
            type Value = Vec<f64>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of numbers")
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Vec<f64>, S::Error> {
                let mut values = Vec::with_capacity(list.size_hint().unwrap_or(16));
                while let Some(Number(value)) = list.next_element()? {
                    values.push(value);
                }
                Ok(values)
            }
        }
        deserializer.deserialize_seq(ListVisitor).map(Numbers)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = deserializer.deserialize_any(NumberVisitor)?;
        whole(value).map(Count).ok_or_else(|| {
            de::Error::invalid_value(
                de::Unexpected::Float(value),
                &"a whole number, 0 or more, below 2^53",
            )
        })
    }
}

/// The number as a count, if it is whole and its double is exact.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked whole, non-negative and below 2^53"
)]
fn whole(value: f64) -> Option<u64> {
    ((0.0..9_007_199_254_740_992.0).contains(&value) && value.fract().abs() < f64::MIN_POSITIVE)
        .then_some(value as u64)
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_nan() {
            serializer.serialize_str("NaN")
        } else if self.0.is_infinite() {
            serializer.serialize_str(if self.0 > 0.0 { "Infinity" } else { "-Infinity" })
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

impl Serialize for UpperLimit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(limit) => serializer.serialize_f64(limit),
            None => serializer.serialize_str("Infinity"),
        }
    }
}

impl Serialize for LowerLimit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(limit) => serializer.serialize_f64(limit),
            None => serializer.serialize_str("-Infinity"),
        }
    }
}

/// A p-value as other tools write it: one that underflowed is 0, which is how the vectors have it.
pub(crate) fn tail_probability(p: PValue) -> f64 {
    if p.get() > P_VALUE_FLOOR { p.get() } else { 0.0 }
}

/// The value of an argument that the method cannot do without.
pub(crate) fn required<T>(name: &str, value: Option<T>) -> Result<T, Failure> {
    value.ok_or_else(|| Failure::bad_request(format!("args.{name} is missing")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn non_finite_numbers_are_strings_both_ways() {
        let Numbers(values) =
            serde_json::from_str(r#"[1, -2.5, "NaN", "Infinity", "-Infinity"]"#).unwrap();
        assert!(
            values[2].is_nan() && values[3] > 0.0 && values[4] < 0.0 && values[4].is_infinite()
        );
        let written =
            serde_json::to_string(&[Number(f64::NAN), Number(f64::INFINITY), Number(1.0)]).unwrap();
        assert_eq!(written, r#"["NaN","Infinity",1.0]"#);
    }

    #[test]
    fn a_count_may_be_written_with_a_point_but_not_with_a_fraction() {
        assert_eq!(serde_json::from_str::<Count>("3.0").unwrap(), Count(3));
        assert!(serde_json::from_str::<Count>("3.5").is_err());
        assert!(serde_json::from_str::<Count>("-1").is_err());
        assert!(serde_json::from_str::<Count>(r#""NaN""#).is_err());
    }

    #[test]
    fn null_in_a_list_is_not_a_number() {
        assert!(serde_json::from_str::<Numbers>("[1, null]").is_err());
    }
}
