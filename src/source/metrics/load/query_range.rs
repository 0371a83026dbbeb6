//! Saved answers of the query API (`/api/v1/query_range`, `/api/v1/query`) and VictoriaMetrics' export.
//!
//! The answer to an expression has no metric name: such series get the one of `--metric`, which for a `query:` metric of an
//! experiment is the expression itself, else the name of the file, with a warning.

use super::input::{LoadInput, LoadOptions};
use super::load_error::LoadError;
use super::registry::LoadFormat;
use super::sample_set::SampleSet;
use crate::source::metrics::prometheus::{
    AnswerSummary, DecodedSeries, JsonError, decode_answer, decode_export,
};

const ACCEPTS: &str = "the saved answer of /api/v1/query_range or /api/v1/query, or of VictoriaMetrics' /api/v1/export";

/// The registry's line.
pub const FORMAT: LoadFormat = LoadFormat { name: "query-range", accepts: ACCEPTS, read };

fn read(files: &[LoadInput], options: &LoadOptions) -> Result<SampleSet, LoadError> {
    let mut set = SampleSet::default();
    for input in files {
        let head = input.head(64)?;
        let decode: Decode =
            if head.starts_with("{\"metric\"") { decode_export } else { decode_answer };
        read_one(input, options, decode, &mut set)?;
    }
    Ok(set)
}

/// One of the two decoders.
type Decode = fn(
    Box<dyn std::io::BufRead>,
    &mut dyn FnMut(DecodedSeries) -> std::io::Result<()>,
) -> Result<AnswerSummary, JsonError>;

fn read_one(
    input: &LoadInput,
    options: &LoadOptions,
    decode: Decode,
    set: &mut SampleSet,
) -> Result<(), LoadError> {
    let name = input.file_name();
    let stem = name.split_once('.').map_or(name.as_str(), |(stem, _)| stem);
    let given = options.metric.as_deref().unwrap_or(stem);
    let (mut unnamed, mut histograms) = (0_u64, 0_usize);
    let answer = decode(input.open()?, &mut |series| {
        unnamed += u64::from(series.name.is_none());
        histograms += series.histograms.len();
        set.series(
            series.name.as_deref().unwrap_or(given),
            &series.labels,
            series.times,
            series.values,
        );
        Ok(())
    });
    let answer = answer.map_err(|error| match error {
        JsonError::Read(source) => input.failed(source),
        other => LoadError::WrongKind {
            file: input.name(),
            format: FORMAT.name,
            found: other.to_string(),
            accepts: ACCEPTS,
        },
    })?;
    if let Some(error) = answer.error {
        return Err(LoadError::NoSamples {
            file: input.name(),
            found: format!("the server's refusal ({} {})", error.kind, error.message),
            instead: "ask again with a query that it can answer".to_owned(),
        });
    }
    for said in answer.warnings.iter().chain(&answer.infos) {
        set.warn("server_warning", format!("{}: {said}", input.name()));
    }
    if unnamed > 0 && options.metric.is_none() {
        set.warn(
            "metric_named_by_file",
            format!("{}: {unnamed} series have no metric name and were named {stem}, as the file is; give --metric", input.name()),
        );
    }
    if histograms > 0 {
        set.warn(
            "native_histograms_left_out",
            format!(
                "{}: {histograms} native histograms were left out; `unfazed pull` records them",
                input.name()
            ),
        );
    }
    Ok(())
}
