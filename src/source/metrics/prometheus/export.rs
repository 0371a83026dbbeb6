//! Raw samples as VictoriaMetrics exports them: one JSON object a line, times in milliseconds.
//!
//! Owns that form and its words for values that JSON does not know. A `null` is the mark of a series that ended: the server
//! stores no other value that is no number, so that nulls are left out as a query would leave them out.

use std::io::{self, Read};

use crate::source::metrics::prometheus::decoded::DecodedSeries;
use crate::source::metrics::prometheus::json::{JsonError, JsonReader};
use crate::source::metrics::prometheus::matrix::{AnswerSummary, read_labels};
use crate::source::metrics::prometheus::number::{any_value, decimal};

/// Most samples of one line that are kept at once (64 MiB).
const LINE_SAMPLES: usize = 4 << 20;

/// Longest number that the short way looks at.
const SHORT_NUMBER_BYTES: usize = 32;

/// Decodes an export, and hands over each line as it comes. A series may have several lines.
///
/// # Errors
/// As [`super::decode_answer`].
pub fn decode_export(
    input: impl Read,
    take: &mut dyn FnMut(DecodedSeries) -> io::Result<()>,
) -> Result<AnswerSummary, JsonError> {
    let mut reader = JsonReader::new(input);
    let mut answer = AnswerSummary::default();
    let mut name = String::new();
    let mut text = String::new();
    while reader.peek_token()?.is_some() {
        let series = line(&mut reader, &mut name, &mut text)?;
        answer.series += 1;
        answer.samples += series.times.len() as u64;
        take(series)?;
    }
    Ok(answer)
}

fn line<R: Read>(
    reader: &mut JsonReader<R>,
    name: &mut String,
    text: &mut String,
) -> Result<DecodedSeries, JsonError> {
    let mut series = DecodedSeries::default();
    let mut values: Vec<Option<f64>> = Vec::new();
    reader.expect(b'{', "an object with \"metric\", \"values\" and \"timestamps\"")?;
    let mut first = true;
    while reader.member(&mut first, name)? {
        match name.as_str() {
            "metric" => {
                let start = reader.offset();
                let (metric, labels) = read_labels(reader, name, text, start)?.into_parts();
                series.name = metric;
                series.labels = labels;
            }
            "values" => numbers(reader, text, &mut |value| values.push(value))?,
            "timestamps" => {
                let mut odd = false;
                numbers(reader, text, &mut |time| match time {
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "whole milliseconds, checked to be below 2^53"
                    )]
                    Some(time) if time.abs() < 9e15 => series.times.push(time as i64),
                    _ => odd = true,
                })?;
                if odd {
                    return Err(reader.unexpected("only times in milliseconds before it"));
                }
            }
            _ => reader.skip()?,
        }
    }
    if series.times.len() != values.len() {
        return Err(reader.unexpected("as many timestamps as values before it"));
    }
    let mut present = values.iter().map(Option::is_some);
    series.times.retain(|_| present.next().unwrap_or_default());
    series.values = values.into_iter().flatten().collect();
    Ok(series)
}

/// `[1,2.5,null,+Inf]`.
fn numbers<R: Read>(
    reader: &mut JsonReader<R>,
    text: &mut String,
    take: &mut dyn FnMut(Option<f64>),
) -> Result<(), JsonError> {
    reader.expect(b'[', "a list of numbers")?;
    let mut first = true;
    let mut count = 0_usize;
    while reader.element(&mut first)? {
        loop {
            reader.fill(SHORT_NUMBER_BYTES)?;
            let ahead = reader.ahead();
            let Some(taken) = decimal(ahead, b',') else { break };
            take(Some(taken.number));
            count += 1;
            reader.take_ahead(taken.bytes + 1);
            if count > LINE_SAMPLES {
                return Err(JsonError::TooManySamples { limit: LINE_SAMPLES });
            }
        }
        let value = if reader.peek_token()? == Some(b'"') {
            reader.text(text)?;
            any_value(text)
        } else {
            match reader.word()? {
                "null" => {
                    take(None);
                    count += 1;
                    continue;
                }
                word => any_value(word),
            }
        };
        let Some(value) = value else { return Err(reader.unexpected("a number before it")) };
        take(Some(value));
        count += 1;
        if count > LINE_SAMPLES {
            return Err(JsonError::TooManySamples { limit: LINE_SAMPLES });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Result<Vec<DecodedSeries>, JsonError> {
        let mut found = Vec::new();
        decode_export(text.as_bytes(), &mut |series| {
            found.push(series);
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn lines_are_series_and_the_mark_of_an_ended_series_is_no_sample() {
        let text = "{\"metric\":{\"__name__\":\"q\",\"a\":\"b\"},\"values\":[1,-2.5,null,+Inf,\"-Infinity\",3e2],\"timestamps\":[1,2,3,4,5,6]}\n\
            {\"metric\":{\"__name__\":\"q\"},\"values\":[7],\"timestamps\":[1700000000123]}\n";
        let found = decoded(text).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].labels.get("a"), "b");
        assert_eq!(found[0].times, [1, 2, 4, 5, 6]);
        assert_eq!(found[0].values, [1.0, -2.5, f64::INFINITY, f64::NEG_INFINITY, 300.0]);
        assert_eq!(found[1].times, [1_700_000_000_123]);
    }

    #[test]
    fn columns_of_different_length_are_refused() {
        let error = decoded("{\"metric\":{},\"values\":[1,2],\"timestamps\":[1]}").unwrap_err();
        assert!(error.to_string().contains("as many timestamps as values"), "{error}");
        assert!(decoded("{\"metric\":{},\"values\":[1],\"timestamps\":[null]}").is_err());
        assert!(decoded("{\"metric\":{},\"values\":[1").is_err());
    }
}
