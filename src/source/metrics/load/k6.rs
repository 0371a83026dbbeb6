//! k6: `--out json` and `--out csv`, one line per measurement; summaries as far as they go.

use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

use super::delimited::{Delimited, FirstRow, field};
use super::input::{LoadInput, LoadOptions};
use super::k6_metric::{Measurement, MetricKinds};
use super::k6_summary;
use super::load_error::LoadError;
use super::registry::LoadFormat;
use super::sample_set::SampleSet;
use crate::source::chaos::naive_time::TimeReader;
use crate::unit::Timestamp;

const NAME: &str = "k6";
const ACCEPTS: &str = "what k6 writes with `--out json=FILE` or `--out csv=FILE`, or a summary";

/// The registry's line.
pub const FORMAT: LoadFormat = LoadFormat { name: NAME, accepts: ACCEPTS, read };

/// A line of `--out json`.
#[derive(Deserialize)]
struct Line<'text> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'text, str>,
    #[serde(borrow)]
    metric: Cow<'text, str>,
    #[serde(borrow)]
    data: Data<'text>,
}

#[derive(Deserialize)]
struct Data<'text> {
    #[serde(borrow, default)]
    time: Option<Cow<'text, str>>,
    #[serde(default)]
    value: Option<f64>,
    #[serde(borrow, default)]
    tags: Option<BTreeMap<Cow<'text, str>, Cow<'text, str>>>,
    #[serde(rename = "type", borrow, default)]
    kind: Option<Cow<'text, str>>,
}

fn read(files: &[LoadInput], options: &LoadOptions) -> Result<SampleSet, LoadError> {
    let mut set = SampleSet::default();
    let mut kinds = MetricKinds::default();
    for input in files {
        let head = input.head(1 << 16)?;
        let first = head.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
        if first.starts_with('{') && serde_json::from_str::<Line<'_>>(first).is_ok() {
            read_json(input, &mut kinds, &mut set)?;
        } else if first.starts_with('{') {
            k6_summary::read(input, options, &mut set)?;
        } else if first.starts_with("metric_name") {
            read_csv(input, options, &mut kinds, &mut set)?;
        } else {
            let shown: String = first.chars().take(60).collect();
            return Err(LoadError::WrongKind {
                file: input.name(),
                format: NAME,
                found: format!("it begins with '{}'", shown.escape_debug()),
                accepts: ACCEPTS,
            });
        }
    }
    kinds.warn_of_guesses(&mut set);
    Ok(set)
}

fn read_json(
    input: &LoadInput,
    kinds: &mut MetricKinds,
    set: &mut SampleSet,
) -> Result<(), LoadError> {
    let accepted = "an object with type, metric and data, as `k6 run --out json=FILE` writes it";
    let mut lines = input.lines()?;
    let mut broken: Option<LoadError> = None;
    while let Some(text) = lines.next_line()? {
        // Only the last line may be broken: k6 was stopped while it wrote.
        if let Some(error) = broken {
            return Err(error);
        }
        let Ok(line) = serde_json::from_str::<Line<'_>>(text) else {
            let shown: String = text.chars().take(80).collect();
            broken = Some(lines.refuse(format!("'{}'", shown.escape_debug()), accepted));
            continue;
        };
        if line.kind == "Metric" {
            kinds.declare(&line.metric, line.data.kind.as_deref().unwrap_or_default());
            continue;
        }
        let (Some(time), Some(value)) = (&line.data.time, line.data.value) else { continue };
        let Ok(at) = Timestamp::parse(time) else {
            let found = format!("the time '{}'", time.escape_debug());
            return Err(lines.refuse(found, "RFC 3339 with a zone"));
        };
        let tags = line.data.tags.unwrap_or_default();
        let tag = |name: &str| tags.get(name).map_or("", |value| value.as_ref());
        kinds.add(
            &Measurement { metric: &line.metric, at, value, tag: &tag, tags: &tag_list(&tags) },
            set,
        );
    }
    if broken.is_some() {
        set.warn(
            "cut_line",
            format!("{}: the last line is cut off and was left out", input.name()),
        );
    }
    Ok(())
}

fn tag_list<'tags>(
    tags: &'tags BTreeMap<Cow<'_, str>, Cow<'_, str>>,
) -> Vec<(&'tags str, &'tags str)> {
    tags.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect()
}

fn read_csv(
    input: &LoadInput,
    options: &LoadOptions,
    kinds: &mut MetricKinds,
    set: &mut SampleSet,
) -> Result<(), LoadError> {
    let mut times = TimeReader::new(options.zone);
    let mut table = Delimited::open(input, |_| FirstRow::Header)?;
    let columns = table.header().to_vec();
    let (metric, time, value) = (
        table.position("metric_name"),
        table.position("timestamp"),
        table.position("metric_value"),
    );
    while let Some(row) = table.next_row()? {
        let (metric, time_text, value_text) = (
            field(row, metric).to_owned(),
            field(row, time).to_owned(),
            field(row, value).to_owned(),
        );
        let tags: Vec<(&str, &str)> = columns
            .iter()
            .zip(row.iter())
            .filter(|(name, _)| {
                !matches!(
                    name.as_str(),
                    "metric_name" | "timestamp" | "metric_value" | "extra_tags" | "metadata"
                )
            })
            .map(|(name, value)| (name.as_str(), value.trim()))
            .collect();
        let at = times.lenient(&input.name(), &serde_json::Value::String(time_text.clone()));
        let (Some(at), Ok(value)) = (at, value_text.parse::<f64>()) else {
            let found = format!("the time '{time_text}' and the value '{value_text}'");
            return Err(table.refuse(found, "seconds since 1970 (or RFC 3339) and a number"));
        };
        let tag =
            |name: &str| tags.iter().find(|(own, _)| *own == name).map_or("", |(_, value)| *value);
        kinds.add(&Measurement { metric: &metric, at, value, tag: &tag, tags: &tags }, set);
    }
    Ok(())
}
