//! The streaming reader: one entry per line, nothing copied, memory independent of the length of the text.
//!
//! A line is cut into its parts in one pass over its bytes. Names and labels are not taken apart here
//! ([`SeriesText::read`] does), because a scrape repeats them every time.

use super::dialect::{Dialect, Rules};
use super::error::ExpositionError;
use super::family::FamilyKind;
use super::number;
use super::series_text::{SeriesText, is_metric_name_byte};
use crate::unit::Timestamp;

/// Reads a text line by line.
#[derive(Debug, Clone)]
pub struct Reader<'text> {
    text: &'text str,
    /// First byte not yet read.
    at: usize,
    /// Lines read.
    line: usize,
    dialect: Dialect,
    rules: Rules,
    state: State,
}

/// How far the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Lines follow.
    Reading,
    /// `# EOF` was read: nothing may follow.
    Closed,
    /// Nothing more is given out.
    Done,
}

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry<'text> {
    /// A sample.
    Sample(SampleLine<'text>),
    /// `# TYPE`.
    Type {
        /// The line, from 1.
        line: usize,
        /// The family's name.
        family: String,
        /// Its kind.
        kind: FamilyKind,
    },
    /// `# HELP`.
    Help {
        /// The line, from 1.
        line: usize,
        /// The family's name.
        family: String,
    },
    /// `# UNIT` of OpenMetrics.
    Unit {
        /// The line, from 1.
        line: usize,
        /// The family's name.
        family: String,
        /// The unit, possibly empty.
        unit: &'text str,
    },
}

/// A sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleLine<'text> {
    /// Name and labels, not yet taken apart.
    pub series: SeriesText<'text>,
    /// The value.
    pub value: f64,
    /// When it was taken, in milliseconds since the epoch with their fraction, if the line says so.
    pub milliseconds: Option<f64>,
    /// An example of what was counted (OpenMetrics).
    pub exemplar: Option<Exemplar<'text>>,
}

/// An example of what was counted, usually with the id of a trace.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exemplar<'text> {
    /// Its labels, not yet taken apart.
    pub labels: SeriesText<'text>,
    /// The value that was observed.
    pub value: f64,
    /// When, in milliseconds since the epoch with their fraction.
    pub milliseconds: Option<f64>,
}

/// When a sample was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleTime {
    /// The line does not say: when the text was asked for.
    OfTheText,
    /// The line says it, to the millisecond.
    Own(Timestamp),
    /// The line says a moment that no calendar can write. The formats allow it; a recording cannot hold it.
    BeyondTheCalendar,
}

impl SampleLine<'_> {
    /// When the sample was taken.
    pub fn time(&self) -> SampleTime {
        self.milliseconds.map_or(SampleTime::OfTheText, |moment| {
            Timestamp::from_seconds(moment / 1000.0)
                .map_or(SampleTime::BeyondTheCalendar, SampleTime::Own)
        })
    }
}

impl Exemplar<'_> {
    /// When the example was seen, to the millisecond; `None` where the line does not say or no calendar can write it.
    pub fn time(&self) -> Option<Timestamp> {
        self.milliseconds.and_then(|moment| Timestamp::from_seconds(moment / 1000.0))
    }
}

impl<'text> Reader<'text> {
    /// A reader at the beginning of `text`.
    pub const fn new(text: &'text str, dialect: Dialect, rules: Rules) -> Self {
        Self { text, at: 0, line: 0, dialect, rules, state: State::Reading }
    }

    /// The next entry; `None` at the end.
    ///
    /// # Errors
    /// [`ExpositionError`] at the first line that breaks the grammar; nothing follows it.
    pub fn next_entry(&mut self) -> Result<Option<Entry<'text>>, ExpositionError> {
        let found = self.advance();
        if !matches!(found, Ok(Some(_))) {
            self.state = State::Done;
        }
        found
    }

    fn advance(&mut self) -> Result<Option<Entry<'text>>, ExpositionError> {
        if self.state == State::Done {
            return Ok(None);
        }
        while self.at < self.text.len() {
            if self.state == State::Closed {
                let rest = self.line_here();
                return Err(ExpositionError::of_text(self.line + 1, rest, "nothing behind # EOF"));
            }
            self.line += 1;
            let entry = match self.text.as_bytes()[self.at] {
                b'#' | b'\n' | b' ' | b'\t' => self.other_line()?,
                _ => Some(Entry::Sample(self.sample()?)),
            };
            if entry.is_some() {
                return Ok(entry);
            }
        }
        match (self.dialect, self.state) {
            (Dialect::OpenMetrics, State::Reading) => Err(ExpositionError::new(
                self.line + 1,
                "the end of the text",
                "# EOF as the last line; what ends without it was cut",
            )),
            _ => Ok(None),
        }
    }

    /// The rest of the line that begins at the current byte, without its line feed.
    fn line_here(&self) -> &'text str {
        let rest = &self.text[self.at..];
        rest.split_once('\n').map_or(rest, |(line, _)| line)
    }

    /// A line that does not begin with a sample.
    fn other_line(&mut self) -> Result<Option<Entry<'text>>, ExpositionError> {
        let line = self.line_here();
        if self.dialect == Dialect::OpenMetrics {
            self.pass(line)?;
            return self.open_metrics_comment(line);
        }
        let trimmed = line.trim_start_matches([' ', '\t']);
        if trimmed.is_empty() || trimmed.starts_with('#') {
            self.pass(line)?;
            return self.text_comment(trimmed);
        }
        self.at += line.len() - trimmed.len();
        Ok(Some(Entry::Sample(self.sample()?)))
    }

    /// Steps over a line and its line feed, which the last line may lack only where the rules say so.
    fn pass(&mut self, line: &str) -> Result<(), ExpositionError> {
        self.at += line.len();
        if self.at < self.text.len() {
            self.at += 1;
            return Ok(());
        }
        match (self.dialect, self.rules) {
            // A cut OpenMetrics text lacks its # EOF, and HTTP knows where an answer ends.
            (Dialect::OpenMetrics, _) | (_, Rules::Scrape) => Ok(()),
            (Dialect::Text, Rules::Official) => Err(ExpositionError::of_text(
                self.line,
                line,
                "a line feed at the end of the last line; what ends without it may be cut",
            )),
        }
    }

    /// `# HELP`, `# TYPE`, `# UNIT` or `# EOF`, by the letter.
    fn open_metrics_comment(
        &mut self,
        line: &'text str,
    ) -> Result<Option<Entry<'text>>, ExpositionError> {
        if line == "# EOF" {
            self.state = State::Closed;
            return Ok(None);
        }
        let refused = || {
            ExpositionError::of_text(
                self.line,
                line,
                "a sample, '# TYPE name kind', '# HELP name text', '# UNIT name unit' or '# EOF'; blank lines and other comments are not",
            )
        };
        let rest = line.strip_prefix("# ").ok_or_else(refused)?;
        let (keyword, rest) = rest.split_once(' ').ok_or_else(refused)?;
        let (family, rest) = self.family(rest).ok_or_else(refused)?;
        let rest = rest.strip_prefix(' ').ok_or_else(refused)?;
        match keyword {
            "TYPE" => self.typed(family, rest).map(Some),
            "HELP" => Ok(Some(Entry::Help { line: self.line, family })),
            "UNIT" => Ok(Some(Entry::Unit { line: self.line, family, unit: rest })),
            _ => Err(refused()),
        }
    }

    /// A comment of the text format, from its `#` on; most mean nothing.
    fn text_comment(&self, line: &'text str) -> Result<Option<Entry<'text>>, ExpositionError> {
        let blanks = [' ', '\t'];
        let Some(rest) = line.strip_prefix('#') else { return Ok(None) };
        let rest = rest.trim_start_matches(blanks);
        let (keyword, rest) = rest.split_once(blanks).unwrap_or((rest, ""));
        let rest = rest.trim_start_matches(blanks);
        // A keyword without a name is a comment like any other.
        if !matches!(keyword, "TYPE" | "HELP") || rest.is_empty() {
            return Ok(None);
        }
        let refused = |found| {
            ExpositionError::of_text(self.line, found, "a metric name and a blank in a comment")
        };
        let (family, behind) = self.family(rest).ok_or_else(|| refused(rest))?;
        let value = behind.trim_start_matches(blanks);
        if value.is_empty() {
            return Ok(None);
        }
        if value.len() == behind.len() {
            return Err(refused(rest));
        }
        match keyword {
            "TYPE" => self.typed(family, value.trim_end_matches(blanks)).map(Some),
            _ => Ok(Some(Entry::Help { line: self.line, family })),
        }
    }

    /// The family's name at the beginning of `rest`, bare or in quotes, and what follows it.
    fn family(&self, rest: &'text str) -> Option<(String, &'text str)> {
        if rest.starts_with('"') {
            let end = 1 + closing_quote(rest.as_bytes(), 1)?;
            let braced = format!("{{{}}}", &rest[..end]);
            let series = SeriesText {
                text: &braced,
                line: self.line,
                dialect: self.dialect,
                rules: self.rules,
            };
            return series.read().ok().map(|series| (series.name, &rest[end..]));
        }
        let length = rest.bytes().take_while(|byte| is_metric_name_byte(*byte)).count();
        let starts_well = length > 0 && !rest.as_bytes()[0].is_ascii_digit();
        starts_well.then(|| (rest[..length].to_owned(), &rest[length..]))
    }

    fn typed(&self, family: String, word: &str) -> Result<Entry<'text>, ExpositionError> {
        let kind = FamilyKind::of_word(word, self.dialect).ok_or_else(|| {
            let accepted = match self.dialect {
                Dialect::Text => "counter, gauge, histogram, summary or untyped",
                Dialect::OpenMetrics => {
                    "counter, gauge, histogram, gaugehistogram, summary, info, stateset or unknown"
                }
            };
            ExpositionError::of_text(self.line, word, accepted)
        })?;
        Ok(Entry::Type { line: self.line, family, kind })
    }

    /// The sample that begins at the current byte.
    fn sample(&mut self) -> Result<SampleLine<'text>, ExpositionError> {
        let start = self.at;
        let end = self.series_end()?;
        let series = SeriesText {
            text: &self.text[start..end],
            line: self.line,
            dialect: self.dialect,
            rules: self.rules,
        };
        self.at = end;
        self.gap(self.text.as_bytes()[end - 1] == b'}')?;
        let token = self.token();
        let value = number::value(token).ok_or_else(|| {
            ExpositionError::of_text(
                self.line,
                token,
                "a decimal number, NaN, +Inf or -Inf as the value",
            )
        })?;
        let mut sample = SampleLine { series, value, milliseconds: None, exemplar: None };
        self.rest_of_sample(&mut sample)?;
        Ok(sample)
    }

    /// Position behind the name and labels that begin at the current byte.
    fn series_end(&self) -> Result<usize, ExpositionError> {
        let bytes = self.text.as_bytes();
        let mut at = self.at;
        while bytes.get(at).is_some_and(|byte| is_metric_name_byte(*byte)) {
            at += 1;
        }
        let name_end = at;
        if self.dialect == Dialect::Text {
            while matches!(bytes.get(at), Some(b' ' | b'\t')) {
                at += 1;
            }
        }
        if bytes.get(at) == Some(&b'{') {
            return closing_brace(bytes, at + 1).map(|end| end + 1).ok_or_else(|| {
                ExpositionError::of_text(
                    self.line,
                    self.line_here(),
                    "a metric name and labels in braces, {name=\"value\",…}",
                )
            });
        }
        if name_end == self.at || bytes[self.at].is_ascii_digit() {
            return Err(ExpositionError::of_text(
                self.line,
                self.line_here(),
                "a line that begins with a metric name (a letter, '_' or ':' first, then also digits) or with '#'",
            ));
        }
        Ok(name_end)
    }

    /// What stands between the parts of a sample: one blank in OpenMetrics; any in the text format, none behind a brace.
    fn gap(&mut self, may_be_empty: bool) -> Result<(), ExpositionError> {
        let bytes = self.text.as_bytes();
        let mut at = self.at;
        match self.dialect {
            Dialect::OpenMetrics => at += usize::from(bytes.get(at) == Some(&b' ')),
            Dialect::Text => {
                while matches!(bytes.get(at), Some(b' ' | b'\t')) {
                    at += 1;
                }
            }
        }
        if at == self.at && !(may_be_empty && self.dialect == Dialect::Text) {
            return Err(ExpositionError::of_text(
                self.line,
                self.line_here(),
                "a blank and a value",
            ));
        }
        self.at = at;
        Ok(())
    }

    /// The bytes up to the next blank or the end of the line.
    fn token(&mut self) -> &'text str {
        let rest = &self.text.as_bytes()[self.at..];
        let length =
            rest.iter().position(|byte| matches!(byte, b' ' | b'\t' | b'\n')).unwrap_or(rest.len());
        let token = &self.text[self.at..self.at + length];
        self.at += length;
        token
    }

    /// Time and exemplar behind a value, and the end of the line.
    fn rest_of_sample(&mut self, sample: &mut SampleLine<'text>) -> Result<(), ExpositionError> {
        if self.text.as_bytes().get(self.at) == Some(&b'\n') {
            self.at += 1;
            return Ok(());
        }
        let line = self.line_here();
        if self.dialect == Dialect::Text {
            let mut parts = line.split([' ', '\t']).filter(|part| !part.is_empty());
            sample.milliseconds = parts.next().map(|part| self.moment(part)).transpose()?;
            if let Some(more) = parts.next() {
                return Err(ExpositionError::of_text(
                    self.line,
                    more,
                    "the end of the line behind the time",
                ));
            }
            return self.pass(line);
        }
        let (own, exemplar) = match line.find(" # ") {
            Some(at) => (&line[..at], Some(&line[at + " # ".len()..])),
            None => (line, None),
        };
        if !own.is_empty() {
            sample.milliseconds = Some(self.moment(self.after_blank(own)?)?);
        }
        sample.exemplar = exemplar.map(|text| self.exemplar(text)).transpose()?;
        self.pass(line)
    }

    fn after_blank<'a>(&self, text: &'a str) -> Result<&'a str, ExpositionError> {
        text.strip_prefix(' ').ok_or_else(|| {
            ExpositionError::of_text(
                self.line,
                text,
                "exactly one blank between the parts of a sample",
            )
        })
    }

    fn moment(&self, text: &str) -> Result<f64, ExpositionError> {
        let (read, accepted) = match self.dialect {
            Dialect::Text => {
                (number::milliseconds(text), "whole milliseconds since 1970 as the time")
            }
            Dialect::OpenMetrics => {
                (number::seconds_as_milliseconds(text), "finite seconds since 1970 as the time")
            }
        };
        read.ok_or_else(|| ExpositionError::of_text(self.line, text, accepted))
    }

    /// `{labels} value [time]`.
    fn exemplar(&self, text: &'text str) -> Result<Exemplar<'text>, ExpositionError> {
        let refused = |found| {
            ExpositionError::of_text(
                self.line,
                found,
                "an exemplar: ' # {labels} value' with an optional time",
            )
        };
        let end = text
            .starts_with('{')
            .then(|| closing_brace(text.as_bytes(), 1))
            .flatten()
            .ok_or_else(|| refused(text))?;
        let labels = SeriesText {
            text: &text[..=end],
            line: self.line,
            dialect: self.dialect,
            rules: self.rules,
        };
        let rest = self.after_blank(&text[end + 1..])?;
        let (value, time) = match rest.split_once(' ') {
            Some((value, time)) => (value, Some(time)),
            None => (rest, None),
        };
        Ok(Exemplar {
            labels,
            value: number::value(value).ok_or_else(|| refused(value))?,
            milliseconds: time.map(|time| self.moment(time)).transpose()?,
        })
    }
}

impl<'text> Iterator for Reader<'text> {
    type Item = Result<Entry<'text>, ExpositionError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_entry().transpose()
    }
}

/// Position of the brace that closes labels, from `at` on; quoted braces do not count, and neither do other lines'.
fn closing_brace(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match bytes.get(at)? {
            b'"' => at = closing_quote(bytes, at + 1)? + 1,
            b'}' => return Some(at),
            b'\n' => return None,
            _ => at += 1,
        }
    }
}

/// Position of the quote that closes a text, from `at` on, within the line.
fn closing_quote(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' if bytes.get(at + 1).is_some_and(|escaped| *escaped != b'\n') => at += 2,
            b'\\' | b'\n' => return None,
            _ => at += 1,
        }
    }
}
