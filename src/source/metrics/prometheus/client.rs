//! What can be asked of a server: a value now, raw samples of a window, a query on a grid of times.
//!
//! Owns the cutting of questions that are too large: by time when the server says too many samples, under its limit of
//! points, which is learned from its answer. The series that arrive are the same whatever the pieces were.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::source::metrics::prometheus::access::Access;
use crate::source::metrics::prometheus::body::Halt;
use crate::source::metrics::prometheus::decoded::{Collected, DecodedSeries, SeriesSink};
use crate::source::metrics::prometheus::export::decode_export;
use crate::source::metrics::prometheus::failure::{FailureKind, PrometheusError};
use crate::source::metrics::prometheus::json::JsonError;
use crate::source::metrics::prometheus::limits::Limits;
use crate::source::metrics::prometheus::matrix::{AnswerSummary, decode_answer};
use crate::source::metrics::prometheus::skew::ClockSkew;
use crate::source::metrics::prometheus::transport::{Persistence, Question, Transport, now};
use crate::spec::experiment::PrometheusServer;
use crate::unit::{Labels, Seed, Span, Timestamp};

/// Points of a series that we ask for until the server says how many it gives: the greatest limit that is known.
const POINTS: i64 = 30_000;

/// A piece of raw samples is not cut any further below this length.
const SHORTEST_PIECE: i64 = 1000;

/// How often a question is halved because its answer was too large. What is too large after that is too large for
/// another reason than its length.
const CUTS: u32 = 10;

/// A conversation with a server that speaks Prometheus' query API.
///
/// May be shared by threads; it holds back requests beyond its limit of requests at a time.
pub struct Client {
    transport: Transport,
    notes: Mutex<BTreeSet<String>>,
    points: AtomicI64,
    export: Mutex<Option<Export>>,
    /// Lengths of pieces that were small enough, by selector.
    pieces: Mutex<BTreeMap<String, i64>>,
}

/// Whether the server exports raw samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Export {
    Offered,
    Absent,
}

/// The end of a piece of work, retries included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

/// A span of time with both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Its first moment.
    pub first: Timestamp,
    /// Its last moment.
    pub last: Timestamp,
}

/// One value of an instant query.
#[derive(Debug, Clone, PartialEq)]
pub struct InstantSample {
    /// The metric's name, where the answer has one.
    pub name: Option<String>,
    /// Its labels; none for a scalar.
    pub labels: Labels,
    /// The moment of the query.
    pub time: Timestamp,
    /// The value.
    pub value: f64,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("access", self.transport.access())
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Makes ready to ask: takes secrets from the environment and from files, whose paths are relative to `beside`.
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// [`FailureKind::Setup`] names what is missing or wrong.
    pub fn open(
        server: &PrometheusServer,
        beside: &Path,
        limits: Limits,
        seed: Seed,
    ) -> Result<Self, PrometheusError> {
        let access = Access::open(server, beside)?;
        Ok(Self {
            transport: Transport::new(access, limits, seed)?,
            notes: Mutex::default(),
            points: AtomicI64::new(POINTS),
            export: Mutex::new(None),
            pieces: Mutex::default(),
        })
    }

    /// The address of the server, without secrets.
    pub fn address(&self) -> &str {
        self.transport.access().shown()
    }

    /// The end of a piece of work that begins now.
    pub fn deadline(&self) -> Deadline {
        Deadline(now() + self.transport.limits().deadline)
    }

    /// What the server warned about and noted so far, each once.
    pub fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// The server's clock beside ours, once it has answered.
    pub fn clock_skew(&self) -> Option<ClockSkew> {
        self.transport.skew()
    }

    /// How the server is asked for raw samples, in words. Asks it, if it is not known yet.
    pub fn way(&self, deadline: Deadline) -> &'static str {
        match self.export(deadline) {
            Export::Offered => "raw samples by export",
            Export::Absent => "raw samples by instant queries",
        }
    }

    /// The values of an expression at a moment; a scalar is one value without labels. Histograms are left out.
    ///
    /// # Errors
    /// [`PrometheusError`] after all retries.
    pub fn instant(
        &self,
        expression: &str,
        at: Timestamp,
    ) -> Result<Vec<InstantSample>, PrometheusError> {
        let parameters =
            vec![("query", expression.to_owned()), ("time", seconds(at.milliseconds()))];
        let question = Question {
            path: "api/v1/query",
            parameters,
            about: expression,
            persistence: Persistence::Retried,
        };
        let mut found = Collected::default();
        let answer = self.ask(&question, self.deadline(), &mut found, decode_answer_of)?;
        let scalar = answer.scalar.map(|scalar| InstantSample {
            name: None,
            labels: Labels::default(),
            time: Timestamp::from_milliseconds(scalar.time),
            value: scalar.value,
        });
        let series = found.series.into_iter().flat_map(|series| {
            let DecodedSeries { name, labels, times, values, .. } = series;
            times.into_iter().zip(values).map(move |(time, value)| InstantSample {
                name: name.clone(),
                labels: labels.clone(),
                time: Timestamp::from_milliseconds(time),
                value,
            })
        });
        Ok(scalar.into_iter().chain(series).collect())
    }

    /// All raw samples of a selector in a stretch of time, as they were stored: true times, no step, no tail behind the
    /// last sample. A series may come in several pieces.
    ///
    /// # Errors
    /// [`PrometheusError`] after all retries, or if even the shortest piece is too large.
    pub fn raw(
        &self,
        selector: &str,
        stretch: Stretch,
        deadline: Deadline,
        sink: &mut dyn SeriesSink,
    ) -> Result<(), PrometheusError> {
        let (mut first, last) = (stretch.first.milliseconds(), stretch.last.milliseconds());
        while first <= last {
            let known = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
            let longest = known.get(selector).copied().unwrap_or(i64::MAX);
            drop(known);
            let end = last.min(first.saturating_add(longest.saturating_sub(1)));
            first =
                self.raw_piece(selector, Piece { first, last: end, cuts: 0 }, deadline, sink)?;
        }
        Ok(())
    }

    /// The samples of a piece, or of its first part if all of it is too large. Returns where to go on.
    fn raw_piece(
        &self,
        selector: &str,
        mut piece: Piece,
        deadline: Deadline,
        sink: &mut dyn SeriesSink,
    ) -> Result<i64, PrometheusError> {
        loop {
            let asked = self.raw_once(selector, piece, deadline, sink);
            match asked {
                Ok(()) => return Ok(piece.last + 1),
                Err(error) if error.kind == FailureKind::TooLarge => {
                    let length = piece.last - piece.first + 1;
                    if length <= SHORTEST_PIECE || piece.cuts == CUTS {
                        return Err(error);
                    }
                    let half = length / 2;
                    piece = Piece {
                        first: piece.first,
                        last: piece.first + half - 1,
                        cuts: piece.cuts + 1,
                    };
                    let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
                    let known = pieces.entry(selector.to_owned()).or_insert(half);
                    *known = half.min(*known);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn raw_once(
        &self,
        selector: &str,
        piece: Piece,
        deadline: Deadline,
        sink: &mut dyn SeriesSink,
    ) -> Result<(), PrometheusError> {
        let mut inside = Inside { first: piece.first, last: piece.last, sink };
        match self.export(deadline) {
            Export::Offered => {
                let parameters = vec![
                    ("match[]", selector.to_owned()),
                    ("start", seconds(piece.first)),
                    ("end", seconds(piece.last)),
                ];
                let question = Question {
                    path: "api/v1/export",
                    parameters,
                    about: selector,
                    persistence: Persistence::Retried,
                };
                self.ask(&question, deadline, &mut inside, decode_export_of)?;
            }
            Export::Absent => {
                // A range is open at its start on newer servers: one millisecond more makes all of them agree.
                let range = piece.last - piece.first + 1;
                let expression = format!("{selector}[{range}ms]");
                let parameters = vec![("query", expression.clone()), ("time", seconds(piece.last))];
                let question = Question {
                    path: "api/v1/query",
                    parameters,
                    about: &expression,
                    persistence: Persistence::Retried,
                };
                self.ask(&question, deadline, &mut inside, decode_answer_of)?;
            }
        }
        Ok(())
    }

    /// An expression at every `step` of a stretch, on moments that are whole multiples of the step, so that every piece
    /// and every repetition asks for the same moments. A value is shown for at most `lookback` after its sample by servers
    /// that can be told so; the others show it for five minutes.
    ///
    /// # Errors
    /// [`PrometheusError`] after all retries, or if even a single point is too much.
    pub fn range(
        &self,
        expression: &str,
        grid: Grid,
        deadline: Deadline,
        sink: &mut dyn SeriesSink,
    ) -> Result<(), PrometheusError> {
        let step = grid.step.milliseconds().max(1);
        let last = grid.stretch.last.milliseconds().div_euclid(step) * step;
        let mut first = -(-grid.stretch.first.milliseconds()).div_euclid(step) * step;
        let mut most = i64::MAX;
        let mut cuts = 0;
        while first <= last {
            let allowed = self.points.load(Ordering::Relaxed);
            let points = most.min(allowed).min((last - first) / step + 1);
            let end = first + (points - 1) * step;
            match self.range_once(
                expression,
                grid,
                Piece { first, last: end, cuts },
                deadline,
                sink,
            ) {
                Ok(()) => first = end + step,
                Err(error) if error.kind == FailureKind::TooLarge && points > 1 && cuts < CUTS => {
                    let told = points_allowed(error.found()).filter(|limit| *limit < allowed);
                    if let Some(limit) = told {
                        self.points.store(limit, Ordering::Relaxed);
                    } else {
                        most = points / 2;
                        cuts += 1;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn range_once(
        &self,
        expression: &str,
        grid: Grid,
        piece: Piece,
        deadline: Deadline,
        sink: &mut dyn SeriesSink,
    ) -> Result<(), PrometheusError> {
        let lookback = format!("{}ms", grid.lookback.milliseconds().max(1));
        let parameters = vec![
            ("query", expression.to_owned()),
            ("start", seconds(piece.first)),
            ("end", seconds(piece.last)),
            ("step", seconds(grid.step.milliseconds().max(1))),
            // Prometheus' word and VictoriaMetrics' word; each ignores the other's.
            ("lookback_delta", lookback.clone()),
            ("max_lookback", lookback),
            // VictoriaMetrics moves the grid to suit its cache.
            ("nocache", "1".to_owned()),
        ];
        let question = Question {
            path: "api/v1/query_range",
            parameters,
            about: expression,
            persistence: Persistence::Retried,
        };
        self.ask(&question, deadline, sink, decode_answer_of)?;
        Ok(())
    }

    /// The failure to keep what was fetched.
    pub fn unkept(&self, cause: &io::Error) -> PrometheusError {
        let tried = format!("keep the answer of {}", self.address());
        let advice = "free some space and run again";
        PrometheusError::new(FailureKind::NotKept, tried, cause.to_string(), advice)
    }

    /// Whether the server exports raw samples, as VictoriaMetrics does. Asked once.
    fn export(&self, deadline: Deadline) -> Export {
        let mut known = self.export.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(export) = *known {
            return export;
        }
        let parameters = vec![
            ("match[]", "{__name__=\"unfazed_asks_whether_this_is_offered\"}".to_owned()),
            ("start", "1".to_owned()),
            ("end", "2".to_owned()),
        ];
        let question = Question {
            path: "api/v1/export",
            parameters,
            about: "whether raw samples are exported",
            persistence: Persistence::Once,
        };
        let asked = self.ask(&question, deadline, &mut Collected::default(), decode_export_of);
        let export = match asked {
            Ok(_) => Export::Offered,
            // What stands in the way of this question stands in the way of the next one, which says so.
            Err(_) => Export::Absent,
        };
        *known = Some(export);
        export
    }

    fn ask(
        &self,
        question: &Question<'_>,
        deadline: Deadline,
        sink: &mut dyn SeriesSink,
        decode: fn(&mut dyn Read, &mut Take<'_>) -> Result<AnswerSummary, JsonError>,
    ) -> Result<AnswerSummary, PrometheusError> {
        let mut unkept: Option<io::Error> = None;
        let answer = self.transport.ask(question, deadline.0, &mut |body| {
            keep(sink.begin(), &mut unkept)?;
            decode(body, &mut |series| keep(sink.series(series), &mut unkept))
        });
        let answer = answer.map_err(|error| match &unkept {
            Some(cause) => self.unkept(cause),
            None => error,
        })?;
        sink.accept();
        let said = answer.warnings.iter().chain(&answer.infos);
        let secrets = &self.transport.access().secrets;
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.extend(said.map(|note| secrets.scrub(note)));
        drop(notes);
        Ok(answer)
    }
}

/// Takes a series.
type Take<'take> = dyn FnMut(DecodedSeries) -> io::Result<()> + 'take;

fn decode_answer_of(body: &mut dyn Read, take: &mut Take<'_>) -> Result<AnswerSummary, JsonError> {
    decode_answer(body, take)
}

fn decode_export_of(body: &mut dyn Read, take: &mut Take<'_>) -> Result<AnswerSummary, JsonError> {
    decode_export(body, take)
}

/// Notes why a series could not be kept; for the transport it is a halt.
fn keep(kept: io::Result<()>, unkept: &mut Option<io::Error>) -> io::Result<()> {
    kept.map_err(|error| {
        *unkept = Some(error);
        Halt::NotKept.error()
    })
}

/// A part of a question, both ends in milliseconds.
#[derive(Debug, Clone, Copy)]
struct Piece {
    first: i64,
    last: i64,
    cuts: u32,
}

/// Where a query is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// From when until when.
    pub stretch: Stretch,
    /// Distance of two moments.
    pub step: Span,
    /// How long a value is shown after its sample.
    pub lookback: Span,
}

/// Leaves out what lies outside a piece, so that no sample comes twice.
struct Inside<'sink> {
    first: i64,
    last: i64,
    sink: &'sink mut dyn SeriesSink,
}

impl SeriesSink for Inside<'_> {
    fn begin(&mut self) -> io::Result<()> {
        self.sink.begin()
    }

    fn series(&mut self, mut series: DecodedSeries) -> io::Result<()> {
        let inside = |time: i64| (self.first..=self.last).contains(&time);
        if !series.times.iter().all(|time| inside(*time)) {
            let kept = series.times.iter().map(|time| inside(*time));
            let mut of_values = kept.clone().collect::<Vec<bool>>().into_iter();
            series.values.retain(|_| of_values.next().unwrap_or_default());
            series.times.retain(|time| inside(*time));
        }
        series.histograms.retain(|histogram| inside(histogram.time));
        if series.times.is_empty() && series.histograms.is_empty() {
            return Ok(());
        }
        self.sink.series(series)
    }

    fn accept(&mut self) {
        self.sink.accept();
    }
}

/// The limit of points that a refusal names: `exceeded maximum resolution of 11,000 points` or
/// `cannot exceed -search.maxPointsPerTimeseries=30000`.
fn points_allowed(words: &str) -> Option<i64> {
    let after = ["maximum resolution of ", "maxPointsPerTimeseries="]
        .iter()
        .find_map(|mark| words.split_once(mark))?
        .1;
    let digits: String = after
        .chars()
        .take_while(|character| character.is_ascii_digit() || *character == ',')
        .filter(char::is_ascii_digit)
        .collect();
    digits.parse().ok().filter(|limit| *limit > 0)
}

/// Milliseconds as a server reads moments and steps: seconds with a fraction.
fn seconds(milliseconds: i64) -> String {
    let sign = if milliseconds < 0 { "-" } else { "" };
    let (whole, rest) = (milliseconds.unsigned_abs() / 1000, milliseconds.unsigned_abs() % 1000);
    if rest == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest:03}") }
}

impl Deadline {
    /// The end of a piece of work that begins now and may take `length`.
    pub fn within(length: Duration) -> Self {
        Self(now() + length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_points_are_read_from_refusals() {
        assert_eq!(
            points_allowed("exceeded maximum resolution of 11,000 points per timeseries."),
            Some(11_000)
        );
        assert_eq!(
            points_allowed("20000021; cannot exceed -search.maxPointsPerTimeseries=30000"),
            Some(30_000)
        );
        assert_eq!(points_allowed("too many samples"), None);
    }

    #[test]
    fn moments_are_written_in_seconds() {
        assert_eq!(seconds(1_700_000_000_120), "1700000000.120");
        assert_eq!(seconds(5000), "5");
        assert_eq!(seconds(-1500), "-1.500");
    }

    #[test]
    fn pieces_do_not_overlap() {
        let mut found = Collected::default();
        let mut inside = Inside { first: 10, last: 20, sink: &mut found };
        inside.begin().unwrap();
        let series = DecodedSeries {
            name: None,
            labels: Labels::default(),
            times: vec![9, 10, 20, 21],
            values: vec![1.0, 2.0, 3.0, 4.0],
            histograms: Vec::new(),
        };
        inside.series(series.clone()).unwrap();
        inside.series(DecodedSeries { times: vec![9], values: vec![1.0], ..series }).unwrap();
        assert_eq!(found.series.len(), 1);
        assert_eq!(
            (&found.series[0].times[..], &found.series[0].values[..]),
            (&[10, 20][..], &[2.0, 3.0][..])
        );
    }
}
