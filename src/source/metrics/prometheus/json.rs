//! A pull parser for JSON over any reader.
//!
//! Owns a buffer of fixed size, and the limits that keep a hostile or broken document from growing in memory. Refuses to
//! build a tree: whoever reads says what is wanted, and everything else is skipped without being kept. Numbers may also be
//! written as `NaN`, `+Inf` or `-Inf`, which VictoriaMetrics does.

use std::io::{self, Read};

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 128 * 1024;

/// Longest text that is kept; longer ones are refused. Prometheus itself advises against labels over some hundred bytes.
const TEXT_BYTES: usize = 1 << 20;

/// Deepest nesting that is skipped.
const SKIPPED_DEPTH: usize = 64;

/// Longest number or word outside quotes.
const WORD_BYTES: usize = 400;

/// Bytes of the document that a message shows around a mistake.
const SHOWN_BYTES: usize = 40;

/// Why a document cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The reader failed; deadlines and limits of the transport arrive here too.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// Something else stands there.
    #[error("byte {offset}: found {found}, expected {expected}")]
    Unexpected {
        /// Position in the document, from 0.
        offset: u64,
        /// What stands there.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A text is too long to be kept.
    #[error("byte {offset}: a text is longer than {limit} bytes")]
    TooLong {
        /// Where it began.
        offset: u64,
        /// How long it may be.
        limit: usize,
    },
    /// One series holds more samples than are kept at once.
    #[error("one series has more than {limit} samples")]
    TooManySamples {
        /// How many are kept.
        limit: usize,
    },
}

/// A position in a document.
#[derive(Debug)]
pub(crate) struct JsonReader<R> {
    inner: R,
    buffer: Box<[u8]>,
    at: usize,
    end: usize,
    /// Bytes before the buffer.
    before: u64,
    word: String,
}

impl<R: Read> JsonReader<R> {
    /// At the start of a document.
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            buffer: vec![0; BUFFER_BYTES].into_boxed_slice(),
            at: 0,
            end: 0,
            before: 0,
            word: String::new(),
        }
    }

    /// Position from the start of the document.
    pub(crate) fn offset(&self) -> u64 {
        self.before + self.at as u64
    }

    /// What has been read and not yet been taken.
    pub(crate) fn ahead(&self) -> &[u8] {
        &self.buffer[self.at..self.end]
    }

    /// Takes bytes that [`Self::ahead`] showed.
    pub(crate) fn take_ahead(&mut self, count: usize) {
        self.at = (self.at + count).min(self.end);
    }

    /// Tries to have at least `count` bytes ahead; at the end of the document there are fewer.
    pub(crate) fn fill(&mut self, count: usize) -> Result<(), JsonError> {
        if self.end - self.at >= count {
            return Ok(());
        }
        self.buffer.copy_within(self.at..self.end, 0);
        self.before += self.at as u64;
        self.end -= self.at;
        self.at = 0;
        while self.end < count {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The next byte, which stays.
    #[inline]
    fn peek(&mut self) -> Result<Option<u8>, JsonError> {
        if self.at == self.end {
            self.fill(1)?;
        }
        Ok(self.ahead().first().copied())
    }

    /// The next byte that is no white space, which stays; `None` at the end.
    pub(crate) fn peek_token(&mut self) -> Result<Option<u8>, JsonError> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return Ok(other),
            }
        }
    }

    /// Takes `wanted` if it is the next token.
    pub(crate) fn take(&mut self, wanted: u8) -> Result<bool, JsonError> {
        let found = self.peek_token()? == Some(wanted);
        if found {
            self.at += 1;
        }
        Ok(found)
    }

    /// Takes `wanted`, which must be the next token.
    pub(crate) fn expect(&mut self, wanted: u8, expected: &'static str) -> Result<(), JsonError> {
        if self.take(wanted)? { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    /// An error at this place.
    pub(crate) fn unexpected(&mut self, expected: &'static str) -> JsonError {
        let offset = self.offset();
        // What cannot be read is not shown: the message is about the place before it.
        let _ = self.fill(SHOWN_BYTES);
        let ahead = self.ahead();
        let found = if ahead.is_empty() {
            "the end of the answer".to_owned()
        } else {
            let shown = String::from_utf8_lossy(&ahead[..ahead.len().min(SHOWN_BYTES)]);
            format!("'{}'", shown.escape_debug())
        };
        JsonError::Unexpected { offset, found, expected }
    }

    /// Goes to the next member of an object that was opened with `{`: its name stands in `name` and its value comes
    /// next. `false` after the last one.
    pub(crate) fn member(
        &mut self,
        first: &mut bool,
        name: &mut String,
    ) -> Result<bool, JsonError> {
        if !self.next_item(b'}', first, "',' or '}'")? {
            return Ok(false);
        }
        self.text(name)?;
        self.expect(b':', "':'")?;
        Ok(true)
    }

    /// Goes to the next element of a list that was opened with `[`. `false` after the last one.
    pub(crate) fn element(&mut self, first: &mut bool) -> Result<bool, JsonError> {
        self.next_item(b']', first, "',' or ']'")
    }

    fn next_item(
        &mut self,
        close: u8,
        first: &mut bool,
        expected: &'static str,
    ) -> Result<bool, JsonError> {
        if std::mem::replace(first, false) {
            return Ok(!self.take(close)?);
        }
        if self.take(b',')? {
            return Ok(true);
        }
        self.expect(close, expected)?;
        Ok(false)
    }

    /// Reads a text into `into`, which is emptied first.
    pub(crate) fn text(&mut self, into: &mut String) -> Result<(), JsonError> {
        let start = self.offset();
        self.expect(b'"', "a text")?;
        let mut bytes = std::mem::take(into).into_bytes();
        bytes.clear();
        loop {
            if self.at == self.end {
                self.fill(1)?;
            }
            let ahead = self.ahead();
            let plain =
                ahead.iter().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(ahead.len());
            bytes.extend_from_slice(&ahead[..plain]);
            let stop = ahead.get(plain).copied();
            self.at += plain;
            if bytes.len() > TEXT_BYTES {
                return Err(JsonError::TooLong { offset: start, limit: TEXT_BYTES });
            }
            match stop {
                Some(b'"') => {
                    self.at += 1;
                    break;
                }
                Some(_) => {
                    self.at += 1;
                    self.escape(&mut bytes)?;
                }
                None if plain == 0 => return Err(self.unexpected("the end of a text")),
                None => {}
            }
        }
        *into = match String::from_utf8(bytes) {
            Ok(text) => text,
            // Label values are bytes to some exporters; what is no UTF-8 is shown as such and not refused.
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        Ok(())
    }

    /// Reads what follows a backslash.
    fn escape(&mut self, into: &mut Vec<u8>) -> Result<(), JsonError> {
        const EXPECTED: &str = "one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX";
        let Some(byte) = self.peek()? else { return Err(self.unexpected(EXPECTED)) };
        let plain = match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                self.at += 1;
                let character = self.code_point()?;
                into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return Err(self.unexpected(EXPECTED)),
        };
        self.at += 1;
        into.push(plain);
        Ok(())
    }

    /// Reads the digits after `\u`, and the second half of a pair; a half alone becomes the replacement character.
    fn code_point(&mut self) -> Result<char, JsonError> {
        let first = self.four_digits()?;
        if !(0xD800..0xDC00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        self.fill(6)?;
        if !self.ahead().starts_with(b"\\u") {
            return Ok(char::REPLACEMENT_CHARACTER);
        }
        self.at += 2;
        let second = self.four_digits()?;
        let pair = second
            .checked_sub(0xDC00)
            .filter(|low| *low < 0x400)
            .and_then(|low| char::from_u32(0x10000 + ((first - 0xD800) << 10) + low));
        Ok(pair.unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn four_digits(&mut self) -> Result<u32, JsonError> {
        self.fill(4)?;
        let digits = self.ahead().get(..4).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = digits
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let Some(code) = code else { return Err(self.unexpected("four hexadecimal digits")) };
        self.at += 4;
        Ok(code)
    }

    /// Reads a number or a word outside quotes: `12.5`, `null`, `true`, `NaN`, `+Inf`.
    pub(crate) fn word(&mut self) -> Result<&str, JsonError> {
        self.peek_token()?;
        self.word.clear();
        while let Some(byte) = self.peek()? {
            let part = byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
            if !part || self.word.len() == WORD_BYTES {
                break;
            }
            self.word.push(char::from(byte));
            self.at += 1;
        }
        if self.word.is_empty() {
            return Err(self.unexpected("a value"));
        }
        Ok(&self.word)
    }

    /// Passes over a value of any kind.
    pub(crate) fn skip(&mut self) -> Result<(), JsonError> {
        let mut depth = 0_usize;
        loop {
            match self.peek_token()? {
                Some(b'"') => self.skip_text()?,
                Some(b'{' | b'[') => {
                    self.at += 1;
                    depth += 1;
                    if depth > SKIPPED_DEPTH {
                        return Err(self.unexpected("a document that is less deeply nested"));
                    }
                    continue;
                }
                Some(b'}' | b']') if depth > 0 => {
                    self.at += 1;
                    depth -= 1;
                }
                // Inside a nested value separators are all alike: what is skipped is not checked.
                Some(b',' | b':') if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                _ => {
                    self.word()?;
                }
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    fn skip_text(&mut self) -> Result<(), JsonError> {
        self.expect(b'"', "a text")?;
        loop {
            match self.peek()? {
                None => return Err(self.unexpected("the end of a text")),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    if self.peek()?.is_some() {
                        self.at += 1;
                    }
                }
                Some(_) => {
                    let ahead = self.ahead();
                    let plain = ahead.iter().position(|byte| matches!(byte, b'"' | b'\\'));
                    self.at += plain.unwrap_or(ahead.len());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Hands out a few bytes at a time, as a network does.
    struct Dripping<'bytes>(&'bytes [u8], usize);

    impl Read for Dripping<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(into.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn text_of(json: &str, drip: usize) -> String {
        let mut text = String::new();
        JsonReader::new(Dripping(json.as_bytes(), drip)).text(&mut text).unwrap();
        text
    }

    proptest! {
        #[test]
        fn texts_are_what_serde_says(text in any::<String>(), drip in 1_usize..9) {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(text_of(&json, drip), text.clone());
            let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            prop_assert_eq!(text_of(&format!("\"{escaped}\""), drip), text);
        }

        #[test]
        fn whatever_is_valid_is_skipped_to_its_last_byte(depth in 0_usize..5, drip in 1_usize..9) {
            let value = (0..depth).fold(serde_json::json!("a]\"}"), |inner, at| {
                serde_json::json!({"k": [inner, 1.5e3, null, {}], "l": at})
            });
            let json = format!("{value} 7");
            let mut reader = JsonReader::new(Dripping(json.as_bytes(), drip));
            reader.skip().unwrap();
            prop_assert_eq!(reader.word().unwrap(), "7");
        }
    }

    #[test]
    fn a_label_that_never_ends_is_refused_before_it_fills_the_memory() {
        let endless = Read::chain(&b"\""[..], io::repeat(b'x'));
        let error = JsonReader::new(endless).text(&mut String::new()).unwrap_err();
        assert!(matches!(error, JsonError::TooLong { .. }), "{error}");
    }

    #[test]
    fn a_document_that_nests_for_ever_is_refused() {
        let error = JsonReader::new(io::repeat(b'[')).skip().unwrap_err();
        assert!(error.to_string().contains("less deeply nested"), "{error}");
    }

    #[test]
    fn the_message_names_the_place_and_what_stands_there() {
        let mut reader = JsonReader::new(&b"  <html>"[..]);
        let error = reader.expect(b'{', "'{'").unwrap_err().to_string();
        assert_eq!(error, "byte 2: found '<html>', expected '{'");
        let error = JsonReader::new(&b""[..]).expect(b'{', "'{'").unwrap_err().to_string();
        assert_eq!(error, "byte 0: found the end of the answer, expected '{'");
    }
}
