//! Answers of the query API, decoded as they arrive: `query`, `query_range`, and files that hold such answers.
//!
//! Owns the shapes matrix, vector, scalar and string in any order of members, the envelope with its warnings, and bare
//! lists of series as vmalert's datasource writes them. Refuses to know the transport. One pass, no tree: an answer costs
//! the memory of its longest series.
//!
//! Samples go a short way where they are written as servers write them (`[1700000000.123,"4.5"]`, no white space) and the
//! long way everywhere else; both give the same bits.

use std::io::{self, Read};

use crate::source::metrics::prometheus::decoded::{
    BucketEdges, DecodedBucket, DecodedHistogram, DecodedSeries,
};
use crate::source::metrics::prometheus::json::{JsonError, JsonReader};
use crate::source::metrics::prometheus::number::{any_moment, any_value, decimal, moment};
use crate::unit::Labels;

/// Most samples of one series that are kept at once (64 MiB); an answer with more is asked for in smaller pieces.
const SERIES_SAMPLES: usize = 4 << 20;

/// Most buckets of one native histogram; servers limit them to some hundred.
const HISTOGRAM_BUCKETS: usize = 1 << 16;

/// Most bytes of labels of one series.
const LABEL_BYTES: usize = 1 << 20;

/// Longest sample that the short way looks at: `[`, a moment, `,"`, a value, `"]`.
const SHORT_SAMPLE_BYTES: usize = 64;

/// Most warnings that are kept of an answer.
const WARNINGS: usize = 100;

/// What an answer said besides its series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AnswerSummary {
    /// The server's own error.
    pub error: Option<ServerError>,
    /// What the server warned about; a partial answer of a cluster is among them.
    pub warnings: Vec<String>,
    /// What the server noted.
    pub infos: Vec<String>,
    /// Series handed over.
    pub series: u64,
    /// Samples and histograms in them.
    pub samples: u64,
    /// The value of a scalar answer.
    pub scalar: Option<ScalarAnswer>,
}

/// A query that the server could not answer, in its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerError {
    /// `errorType`: `bad_data`, `execution`, `timeout`, …
    pub kind: String,
    /// `error`.
    pub message: String,
}

/// One number at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScalarAnswer {
    /// Milliseconds since the epoch.
    pub time: i64,
    /// The value.
    pub value: f64,
}

/// Decodes one answer, and hands over its series as they come.
///
/// ```
/// use unfazed::source::metrics::prometheus::decode_answer;
/// let json = r#"{"status":"success","data":{"resultType":"matrix","result":[
///     {"metric":{"__name__":"up","job":"a"},"values":[[1.5,"1"],[2,"NaN"]]}]}}"#;
/// let mut found = Vec::new();
/// let answer = decode_answer(json.as_bytes(), &mut |series| Ok(found.push(series))).unwrap();
/// assert_eq!((answer.series, answer.samples), (1, 2));
/// assert_eq!(found[0].name.as_deref(), Some("up"));
/// assert_eq!(found[0].times, [1500, 2000]);
/// ```
///
/// # Errors
/// [`JsonError`] if the answer is no JSON, breaks off, has another shape, or a text or a series in it is too large; an
/// error of `take` comes back as [`JsonError::Read`].
pub fn decode_answer(
    input: impl Read,
    take: &mut dyn FnMut(DecodedSeries) -> io::Result<()>,
) -> Result<AnswerSummary, JsonError> {
    let mut decoder = Decoder {
        reader: JsonReader::new(input),
        take,
        answer: AnswerSummary::default(),
        name: String::new(),
        text: String::new(),
        status: String::new(),
    };
    if decoder.reader.peek_token()? == Some(b'[') {
        decoder.result()?;
    } else {
        decoder.envelope()?;
    }
    if decoder.reader.peek_token()?.is_some() {
        return Err(decoder.reader.unexpected("nothing after the answer"));
    }
    let mut answer = decoder.answer;
    if answer.error.is_none() && decoder.status == "error" {
        answer.error = Some(ServerError { kind: String::new(), message: String::new() });
    }
    Ok(answer)
}

/// What is decoded, and where it goes.
struct Decoder<'take, R> {
    reader: JsonReader<R>,
    take: &'take mut dyn FnMut(DecodedSeries) -> io::Result<()>,
    answer: AnswerSummary,
    name: String,
    text: String,
    status: String,
}

impl<R: Read> Decoder<'_, R> {
    /// `{"status":…,"data":{…},"warnings":[…]}`, or the data alone.
    fn envelope(&mut self) -> Result<(), JsonError> {
        self.reader.expect(b'{', "a JSON object with \"status\" and \"data\"")?;
        let mut first = true;
        let mut known = false;
        while self.reader.member(&mut first, &mut self.name)? {
            match self.name.as_str() {
                "status" => {
                    known = true;
                    self.reader.text(&mut self.status)?;
                }
                "errorType" => {
                    self.reader.text(&mut self.text)?;
                    let said = self.text.clone();
                    self.error().kind = said;
                }
                "error" => {
                    self.reader.text(&mut self.text)?;
                    let said = self.text.clone();
                    self.error().message = said;
                }
                "data" if self.reader.peek_token()? == Some(b'{') => {
                    known = true;
                    self.data()?;
                }
                "result" => {
                    known = true;
                    self.result()?;
                }
                "warnings" => {
                    let said = self.texts()?;
                    self.answer.warnings.extend(said);
                }
                "infos" => {
                    let said = self.texts()?;
                    self.answer.infos.extend(said);
                }
                "isPartial" => {
                    if self.reader.word()? == "true" {
                        self.answer.warnings.push(
                            "the answer is partial: some storage nodes did not answer".to_owned(),
                        );
                    }
                }
                _ => self.reader.skip()?,
            }
        }
        if known {
            return Ok(());
        }
        Err(self.reader.unexpected("an object with \"status\" and \"data\" before it"))
    }

    fn error(&mut self) -> &mut ServerError {
        self.answer
            .error
            .get_or_insert_with(|| ServerError { kind: String::new(), message: String::new() })
    }

    /// `{"resultType":…,"result":…}`. The type is not asked: each result shows what it is.
    fn data(&mut self) -> Result<(), JsonError> {
        self.reader.expect(b'{', "'{'")?;
        let mut first = true;
        while self.reader.member(&mut first, &mut self.name)? {
            if self.name == "result" { self.result()? } else { self.reader.skip()? }
        }
        Ok(())
    }

    /// A list of series, or one scalar or string `[time, "value"]`.
    fn result(&mut self) -> Result<(), JsonError> {
        if self.reader.peek_token()? == Some(b'n') {
            return self.reader.skip();
        }
        self.reader.expect(b'[', "a list of series")?;
        let mut first = true;
        while self.reader.element(&mut first)? {
            if self.reader.peek_token()? == Some(b'{') {
                self.series()?;
                continue;
            }
            let time = self.moment()?;
            self.reader.expect(b',', "','")?;
            // A string is an answer without a number.
            if let Some(value) = self.quoted()? {
                self.answer.scalar = Some(ScalarAnswer { time, value });
            }
            return self.reader.expect(b']', "']'");
        }
        Ok(())
    }

    fn series(&mut self) -> Result<(), JsonError> {
        let mut series = DecodedSeries::default();
        self.reader.expect(b'{', "'{'")?;
        let mut first = true;
        while self.reader.member(&mut first, &mut self.name)? {
            match self.name.as_str() {
                "metric" => self.labels(&mut series)?,
                "values" => self.samples(&mut series)?,
                "value" => self.sample(&mut series)?,
                "histograms" => {
                    self.reader.expect(b'[', "a list of histograms")?;
                    let mut first = true;
                    while self.reader.element(&mut first)? {
                        let histogram = self.histogram()?;
                        series.histograms.push(histogram);
                        if series.histograms.len() > SERIES_SAMPLES / 64 {
                            return Err(JsonError::TooManySamples { limit: SERIES_SAMPLES / 64 });
                        }
                    }
                }
                "histogram" => {
                    let histogram = self.histogram()?;
                    series.histograms.push(histogram);
                }
                _ => self.reader.skip()?,
            }
        }
        self.answer.series += 1;
        self.answer.samples += (series.times.len() + series.histograms.len()) as u64;
        (self.take)(series)?;
        Ok(())
    }

    fn labels(&mut self, series: &mut DecodedSeries) -> Result<(), JsonError> {
        let start = self.reader.offset();
        let (name, labels) =
            read_labels(&mut self.reader, &mut self.name, &mut self.text, start)?.into_parts();
        series.name = name;
        series.labels = labels;
        Ok(())
    }

    /// `[[time,"value"],…]`.
    fn samples(&mut self, series: &mut DecodedSeries) -> Result<(), JsonError> {
        self.reader.expect(b'[', "a list of samples")?;
        let mut first = true;
        while self.reader.element(&mut first)? {
            self.short_samples(series)?;
            self.sample(series)?;
            if series.times.len() > SERIES_SAMPLES {
                return Err(JsonError::TooManySamples { limit: SERIES_SAMPLES });
            }
        }
        Ok(())
    }

    /// Samples in the form that servers write, as many as lie ahead whole and are followed by another one.
    fn short_samples(&mut self, series: &mut DecodedSeries) -> Result<(), JsonError> {
        loop {
            self.reader.fill(SHORT_SAMPLE_BYTES)?;
            let ahead = self.reader.ahead();
            let mut at = 0;
            while ahead.len() - at >= SHORT_SAMPLE_BYTES {
                let Some(taken) = short_sample(&ahead[at..]) else { break };
                series.times.push(taken.time);
                series.values.push(taken.value);
                at += taken.bytes;
            }
            if series.times.len() > SERIES_SAMPLES {
                return Err(JsonError::TooManySamples { limit: SERIES_SAMPLES });
            }
            let ended = ahead.len() - at >= SHORT_SAMPLE_BYTES || ahead.len() < SHORT_SAMPLE_BYTES;
            self.reader.take_ahead(at);
            if ended {
                return Ok(());
            }
        }
    }

    /// `[time,"value"]`.
    fn sample(&mut self, series: &mut DecodedSeries) -> Result<(), JsonError> {
        self.reader.expect(b'[', "a sample [time, \"value\"]")?;
        let time = self.moment()?;
        self.reader.expect(b',', "','")?;
        let Some(value) = self.quoted()? else {
            return Err(self.reader.unexpected("a number in the text before it"));
        };
        self.reader.expect(b']', "']'")?;
        series.times.push(time);
        series.values.push(value);
        Ok(())
    }

    /// `[time,{"count":"…","sum":"…","buckets":[[edges,"lower","upper","count"],…]}]`.
    fn histogram(&mut self) -> Result<DecodedHistogram, JsonError> {
        self.reader.expect(b'[', "a histogram [time, {…}]")?;
        let mut histogram =
            DecodedHistogram { time: self.moment()?, count: 0.0, sum: 0.0, buckets: Vec::new() };
        self.reader.expect(b',', "','")?;
        self.reader.expect(b'{', "'{'")?;
        let mut first = true;
        while self.reader.member(&mut first, &mut self.name)? {
            match self.name.as_str() {
                "count" => histogram.count = self.value()?,
                "sum" => histogram.sum = self.value()?,
                "buckets" => self.buckets(&mut histogram)?,
                _ => self.reader.skip()?,
            }
        }
        self.reader.expect(b']', "']'")?;
        Ok(histogram)
    }

    fn buckets(&mut self, histogram: &mut DecodedHistogram) -> Result<(), JsonError> {
        if self.reader.peek_token()? == Some(b'n') {
            return self.reader.skip();
        }
        self.reader.expect(b'[', "a list of buckets")?;
        let mut first = true;
        while self.reader.element(&mut first)? {
            self.reader.expect(b'[', "a bucket")?;
            let number = self.reader.word()?.parse::<usize>().ok();
            let Some(edges) = number.and_then(|number| BucketEdges::ALL.get(number).copied())
            else {
                return Err(self.reader.unexpected("a bucket rule from 0 to 3 before it"));
            };
            self.reader.expect(b',', "','")?;
            let lower = self.value()?;
            self.reader.expect(b',', "','")?;
            let upper = self.value()?;
            self.reader.expect(b',', "','")?;
            let count = self.value()?;
            self.reader.expect(b']', "']'")?;
            if histogram.buckets.len() == HISTOGRAM_BUCKETS {
                return Err(JsonError::TooManySamples { limit: HISTOGRAM_BUCKETS });
            }
            histogram.buckets.push(DecodedBucket { edges, lower, upper, count });
        }
        Ok(())
    }

    fn moment(&mut self) -> Result<i64, JsonError> {
        let text = if self.reader.peek_token()? == Some(b'"') {
            self.reader.text(&mut self.text)?;
            any_moment(&self.text)
        } else {
            any_moment(self.reader.word()?)
        };
        text.ok_or_else(|| self.reader.unexpected("a time in seconds before it"))
    }

    /// A number in quotes or without; `None` if the text in the quotes is none.
    fn quoted(&mut self) -> Result<Option<f64>, JsonError> {
        if self.reader.peek_token()? == Some(b'"') {
            self.reader.text(&mut self.text)?;
            return Ok(any_value(&self.text));
        }
        Ok(any_value(self.reader.word()?))
    }

    fn value(&mut self) -> Result<f64, JsonError> {
        self.quoted()?.ok_or_else(|| self.reader.unexpected("a number before it"))
    }

    fn texts(&mut self) -> Result<Vec<String>, JsonError> {
        let mut texts = Vec::new();
        if self.reader.peek_token()? == Some(b'n') {
            self.reader.skip()?;
            return Ok(texts);
        }
        self.reader.expect(b'[', "a list of texts")?;
        let mut first = true;
        while self.reader.element(&mut first)? {
            self.reader.text(&mut self.text)?;
            if texts.len() < WARNINGS {
                texts.push(self.text.clone());
            }
        }
        Ok(texts)
    }
}

/// The labels of a series, the name apart.
pub(super) struct NamedLabels {
    pairs: Vec<(String, String)>,
}

impl NamedLabels {
    /// The name and the other labels.
    pub(super) fn into_parts(self) -> (Option<String>, Labels) {
        let mut name = None;
        let mut rest = Vec::with_capacity(self.pairs.len());
        for (label, value) in self.pairs {
            if label == "__name__" { name = Some(value) } else { rest.push((label, value)) }
        }
        (name, Labels::from_pairs(rest))
    }
}

/// `{"__name__":"up","job":"a"}`.
pub(super) fn read_labels<R: Read>(
    reader: &mut JsonReader<R>,
    name: &mut String,
    value: &mut String,
    start: u64,
) -> Result<NamedLabels, JsonError> {
    let mut pairs = Vec::new();
    let mut bytes = 0;
    reader.expect(b'{', "a set of labels")?;
    let mut first = true;
    while reader.member(&mut first, name)? {
        reader.text(value)?;
        bytes += name.len() + value.len();
        if bytes > LABEL_BYTES {
            return Err(JsonError::TooLong { offset: start, limit: LABEL_BYTES });
        }
        pairs.push((name.clone(), value.clone()));
    }
    Ok(NamedLabels { pairs })
}

/// A sample of the short way, with the bytes up to the next one.
struct ShortSample {
    time: i64,
    value: f64,
    bytes: usize,
}

/// Reads `[1700000000.123,"4.5"],[`, and leaves the last bracket.
#[inline]
fn short_sample(bytes: &[u8]) -> Option<ShortSample> {
    if *bytes.first()? != b'[' {
        return None;
    }
    let time = moment(bytes.get(1..)?, b',')?;
    let at = 1 + time.bytes;
    if *bytes.get(at + 1)? != b'"' {
        return None;
    }
    let value = decimal(bytes.get(at + 2..)?, b'"')?;
    let at = at + 2 + value.bytes;
    if bytes.get(at..at + 4)? != b"\"],[" {
        return None;
    }
    Some(ShortSample { time: time.number, value: value.number, bytes: at + 3 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(text: &str) -> Result<(AnswerSummary, Vec<DecodedSeries>), JsonError> {
        let mut found = Vec::new();
        let answer = decode_answer(text.as_bytes(), &mut |series| {
            found.push(series);
            Ok(())
        })?;
        Ok((answer, found))
    }

    proptest! {
        #[test]
        fn samples_are_what_a_tree_of_the_same_text_holds(
            samples in prop::collection::vec((0_i64..253_402_300_800_000, any::<f64>()), 0..300),
            pretty in any::<bool>()
        ) {
            let values: Vec<serde_json::Value> = samples
                .iter()
                .map(|(time, value)| {
                    let text = if value.is_nan() { "NaN".to_owned() } else { value.to_string() };
                    #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
                    let seconds = *time as f64 / 1000.0;
                    serde_json::json!([seconds, text])
                })
                .collect();
            let tree = serde_json::json!({"status": "success", "data": {"resultType": "matrix",
                "result": [{"metric": {"__name__": "x", "a": "\"\n"}, "values": values}]}});
            let text = if pretty { format!("{tree:#}") } else { tree.to_string() };
            let (answer, found) = decoded(&text).unwrap();
            prop_assert_eq!(answer.samples, samples.len() as u64);
            prop_assert_eq!(found[0].labels.get("a"), "\"\n");
            prop_assert_eq!(&found[0].times, &samples.iter().map(|one| one.0).collect::<Vec<_>>());
            for (left, right) in found[0].values.iter().zip(&samples) {
                prop_assert!(left.to_bits() == right.1.to_bits() || (left.is_nan() && right.1.is_nan()));
            }
        }

        #[test]
        fn an_answer_that_breaks_off_is_never_taken_for_a_whole_one(cut in 0_usize..100) {
            let text = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"2"],[3,"4"]]}]}}"#;
            let cut = cut.min(text.len() - 1);
            prop_assert!(decoded(&text[..cut]).is_err());
        }

        #[test]
        fn any_bytes_end_in_an_answer_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode_answer(&bytes[..], &mut |_| Ok(()));
        }
    }

    #[test]
    fn every_shape_of_answer_is_read() {
        let (answer, found) =
            decoded(r#"{"status":"success","data":{"resultType":"scalar","result":[1.5,"2"]}}"#)
                .unwrap();
        assert_eq!(answer.scalar, Some(ScalarAnswer { time: 1500, value: 2.0 }));
        assert!(found.is_empty());
        let (answer, _) =
            decoded(r#"{"status":"success","data":{"resultType":"string","result":[1.5,"two"]}}"#)
                .unwrap();
        assert_eq!(answer.scalar, None);
        let (_, found) = decoded(r#"{"isPartial":false,"data":{"result":[{"value":[1,"+Inf"],"metric":{}}],"resultType":"vector"},"status":"success"}"#).unwrap();
        assert_eq!(found[0].values, [f64::INFINITY]);
        let (_, found) =
            decoded(r#"[{"metric":{"__name__":"up"},"value":[1715686833.987,"0"]}]"#).unwrap();
        assert_eq!(found[0].times, [1_715_686_833_987]);
        let (answer, found) =
            decoded(r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#).unwrap();
        assert_eq!((answer.series, found.len()), (0, 0));
        decoded(r#"{"status":"success","data":{"resultType":"matrix","result":null}}"#).unwrap();
    }

    #[test]
    fn what_the_server_says_besides_is_kept() {
        let (answer, _) = decoded(
            r#"{"status":"error","errorType":"bad_data","error":"1:3: parse error","warnings":["w"],"infos":["i"],"isPartial":true}"#,
        )
        .unwrap();
        let error = answer.error.unwrap();
        assert_eq!((error.kind.as_str(), error.message.as_str()), ("bad_data", "1:3: parse error"));
        assert_eq!((answer.warnings.len(), answer.infos.len()), (2, 1));
        assert!(decoded(r#"{"message":"hello"}"#).is_err(), "some other service's JSON");
        assert!(decoded("{}").is_err());
        assert!(decoded(r#"{"status":"error"}"#).unwrap().0.error.is_some());
    }

    #[test]
    fn native_histograms_are_read() {
        let (answer, found) = decoded(
            r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"h"},"histograms":[[1,{"count":"5","sum":"12.5","buckets":[[3,"-0.001","0.001","1"],[0,"1","2","4"]]}]]}]}}"#,
        )
        .unwrap();
        assert_eq!(answer.samples, 1);
        let histogram = &found[0].histograms[0];
        assert_eq!((histogram.time, histogram.count, histogram.sum), (1000, 5.0, 12.5));
        assert_eq!(histogram.buckets[0].edges, BucketEdges::Both);
        assert_eq!(histogram.buckets[1].upper, 2.0);
    }

    #[test]
    fn values_that_are_no_numbers_are_refused() {
        assert!(decoded(r#"[{"metric":{},"values":[[1,"one"]]}]"#).is_err());
        assert!(decoded(r#"[{"metric":{},"values":[["x","1"]]}]"#).is_err());
        assert!(decoded(r#"[{"metric":{"a":1},"values":[]}]"#).is_err());
        assert!(decoded("[] trailing").is_err());
    }
}
