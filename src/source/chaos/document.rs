//! The bytes of a file as documents: trees, or plain text.
//!
//! Owns what every format needs before it is a format: byte order marks and UTF-16, archives named for what they
//! are, several JSON texts in one file, Kubernetes lists, YAML, `kubectl describe`, Python's spelling of JSON.
//! Refuses to know chaos tools. First step of an import.

use serde_json::Value;

use crate::source::chaos::describe_text;
use crate::source::chaos::field::Field;
use crate::source::chaos::import_error::ImportError;
use crate::source::chaos::yaml_value;

/// Greatest file that is read. Journals with whole web pages in them have tens of megabytes; beyond this a file is
/// a log or a metric dump, not a result.
pub const GREATEST_BYTES: usize = 64 << 20;

/// Most objects that are looked for in one log.
const MOST_EMBEDDED: usize = 10_000;

/// Most braces in one log that turn out to begin no object.
const MOST_ATTEMPTS_IN_VAIN: usize = 1_000;

/// A file as the caller read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// Its name as given; messages and the record repeat it.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// One document of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The file it came from.
    pub file: String,
    /// What it holds.
    pub content: Content,
}

/// What a document holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// JSON, YAML or described Kubernetes objects.
    Tree(Value),
    /// Anything else that is text: tables, logs, expositions.
    Text(String),
}

impl Document {
    /// The tree, or `null` for plain text.
    pub fn tree(&self) -> &Value {
        match &self.content {
            Content::Tree(value) => value,
            Content::Text(_) => &Value::Null,
        }
    }

    /// The text, or nothing for a tree.
    pub fn plain_text(&self) -> &str {
        match &self.content {
            Content::Tree(_) => "",
            Content::Text(text) => text,
        }
    }
}

/// Reads a file as its documents; at least one comes out.
///
/// Cost: linear in the bytes.
///
/// # Errors
/// [`ImportError::Unreadable`] says what the bytes are instead, or where the text breaks off.
pub fn documents(file: &InputFile) -> Result<Vec<Document>, ImportError> {
    let unreadable = |problem: String| ImportError::Unreadable { file: file.name.clone(), problem };
    let text = decoded(&file.bytes).map_err(unreadable)?;
    let start = text.trim_start();
    let contents = if start.is_empty() {
        return Err(unreadable("the file is empty".to_owned()));
    } else if start.starts_with('{') || start.starts_with('[') {
        match json_texts(&text) {
            Ok(values) => trees(values),
            // A log line may begin with a bracket: `[INFO] …`.
            Err(problem) if start.starts_with('[') && problem.line == 1 => {
                vec![Content::Text(text)]
            }
            Err(problem) => return Err(unreadable(problem.message)),
        }
    } else if describe_text::looks_like(&text) {
        trees(describe_text::parse(&text))
    } else if yaml_value::looks_like(&text) {
        match yaml_value::parse(&text) {
            Ok(values) if !values.is_empty() => trees(values),
            Err(problem) if text.contains("apiVersion:") => {
                return Err(unreadable(format!("the YAML is malformed: {problem}")));
            }
            // A page with front matter, or a text that merely begins like YAML.
            Ok(_) | Err(_) => vec![Content::Text(text)],
        }
    } else {
        vec![Content::Text(text)]
    };
    Ok(contents.into_iter().map(|content| Document { file: file.name.clone(), content }).collect())
}

/// The JSON objects that stand in a log or a page between other text, in order. Only objects that begin a line, or
/// follow a `NAME:` at its start, are looked at.
///
/// Cost: linear in the text. What is read in vain is bounded by its length and by a thousand attempts, what is found
/// by ten thousand objects: a text beyond that is no log with a result in it, and the search stops.
pub fn embedded_objects(text: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let (mut attempts_in_vain, mut bytes_in_vain) = (0, 0);
    let mut position = 0;
    while position < text.len()
        && attempts_in_vain < MOST_ATTEMPTS_IN_VAIN
        && bytes_in_vain <= text.len()
        && found.len() < MOST_EMBEDDED
    {
        let rest = &text[position..];
        let line_end = rest.find('\n').map_or(rest.len(), |at| at + 1);
        let line = &rest[..line_end];
        let brace = line.find('{').filter(|at| {
            let before = line[..*at].trim_end();
            before.is_empty() || before.ends_with(':')
        });
        position += line_end;
        let Some(brace) = brace else { continue };
        let object = &rest[brace..];
        let mut stream = serde_json::Deserializer::from_str(object).into_iter::<Value>();
        match stream.next() {
            Some(Ok(value)) => {
                position = text.len() - object.len() + stream.byte_offset().max(1);
                found.push(value);
            }
            Some(Err(error)) => {
                let lines = object.split_inclusive('\n').take(error.line().max(1));
                bytes_in_vain += lines.map(str::len).sum::<usize>();
                attempts_in_vain += 1;
            }
            None => {}
        }
    }
    found
}

/// The bytes as text.
fn decoded(bytes: &[u8]) -> Result<String, String> {
    if bytes.len() > GREATEST_BYTES {
        return Err(format!(
            "the file has {} MiB; accepted are at most {} MiB of one tool's result. Split it, or give the result file instead of a log",
            bytes.len() >> 20,
            GREATEST_BYTES >> 20
        ));
    }
    for (magic, name, advice) in [
        (&b"\x1f\x8b"[..], "a gzip archive", "unpack it first (gunzip)"),
        (b"PK\x03\x04", "a ZIP archive", "unpack it first (unzip)"),
        (b"BZh", "a bzip2 archive", "unpack it first (bunzip2)"),
        (b"\x28\xb5\x2f\xfd", "a zstd archive", "unpack it first (unzstd)"),
        (b"PAR1", "a Parquet file", "samples need no import: put it into the recording"),
        (b"%PDF", "a PDF", "give the tool's own result file"),
        (
            b"SQLite format 3",
            "an SQLite database",
            "print its rows with the tool, e.g. `blade status --type create`",
        ),
    ] {
        if bytes.starts_with(magic) {
            return Err(format!("it looks like {name}; {advice}"));
        }
    }
    // PowerShell's `>` writes UTF-16.
    if let Some(body) = bytes.strip_prefix(b"\xff\xfe") {
        return utf16(body, u16::from_le_bytes);
    }
    if let Some(body) = bytes.strip_prefix(b"\xfe\xff") {
        return utf16(body, u16::from_be_bytes);
    }
    let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(body).map(str::to_owned).map_err(|error| {
        format!("it is not text: byte {} is not UTF-8; save it as UTF-8", error.valid_up_to() + 1)
    })
}

/// UTF-16 in the byte order of `unit`.
fn utf16(body: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, String> {
    let units: Vec<u16> = body.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    String::from_utf16(&units).map_err(|_| "it is broken UTF-16; save it as UTF-8".to_owned())
}

/// Why a JSON text cannot be read.
struct JsonProblem {
    line: usize,
    message: String,
}

/// One or several JSON texts.
fn json_texts(text: &str) -> Result<Vec<Value>, JsonProblem> {
    let read = |text: &str| -> Result<Vec<Value>, serde_json::Error> {
        serde_json::Deserializer::from_str(text).into_iter::<Value>().collect()
    };
    read(text).or_else(|error| {
        // Python prints `True`, `False` and `None` where JSON has small letters.
        let is_python = PYTHON_WORDS.iter().any(|(python, _)| text.contains(python));
        let again = if is_python { read(&python_words_replaced(text)).ok() } else { None };
        again.ok_or_else(|| JsonProblem {
            line: error.line(),
            message: if error.is_eof() {
                format!(
                    "the JSON breaks off at line {}, column {}: the file is truncated; copy it again, or wait until the tool has finished",
                    error.line(),
                    error.column()
                )
            } else {
                format!("the JSON is malformed: {error}")
            },
        })
    })
}

/// Python's constants, and what JSON has for them.
const PYTHON_WORDS: [(&str, &str); 4] =
    [("True", "true"), ("False", "false"), ("None", "null"), ("NaN", "null")];

/// The text with Python's constants outside strings written as JSON.
fn python_words_replaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_string = false;
    let mut rest = text;
    // Whole stretches are copied: only quotes, backslashes and the first letters of the words matter.
    while let Some(at) = rest.find(['"', '\\', 'T', 'F', 'N']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let word = PYTHON_WORDS.into_iter().find(|(python, _)| rest.starts_with(python));
        if let Some((python, json)) = word.filter(|_| !in_string) {
            out.push_str(json);
            rest = &rest[python.len()..];
            continue;
        }
        let escaped = in_string && rest.starts_with('\\');
        if rest.starts_with('"') {
            in_string = !in_string;
        }
        let taken: usize = rest.chars().take(if escaped { 2 } else { 1 }).map(char::len_utf8).sum();
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out.push_str(rest);
    out
}

/// Lists of objects (`[{…}, …]`, a Kubernetes `List`) as one tree per object.
fn trees(values: Vec<Value>) -> Vec<Content> {
    values.into_iter().flat_map(unlisted).map(Content::Tree).collect()
}

fn unlisted(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_object) => items,
        Value::Object(ref fields)
            if value.text("kind").is_some_and(|kind| kind.ends_with("List"))
                && fields.get("items").is_some_and(Value::is_array) =>
        {
            value.items("items").into_iter().cloned().collect()
        }
        other => vec![other],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<Document>, ImportError> {
        documents(&InputFile { name: "f".to_owned(), bytes: bytes.to_vec() })
    }

    #[test]
    fn a_file_may_hold_many_documents() {
        assert_eq!(read(b"{\"a\":1}\n{\"a\":2}\n").unwrap().len(), 2);
        assert_eq!(read(b"[{\"a\":1},{\"a\":2}]").unwrap().len(), 2);
        assert_eq!(
            read(b"{\"kind\":\"List\",\"items\":[{\"a\":1},{\"a\":2},{\"a\":3}]}").unwrap().len(),
            3
        );
    }

    #[test]
    fn python_spelling_and_utf16_are_read() {
        let python = read(b"{\"status\": True, \"x\": None, \"s\": \"True \\\" None\"}").unwrap();
        assert_eq!(python[0].tree().field("status"), &Value::Bool(true));
        assert_eq!(python[0].tree().text("s"), Some("True \" None"));
        let utf16: Vec<u8> = std::iter::once(0xfeff_u16)
            .chain("{\"a\":1}".encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(read(&utf16).unwrap()[0].tree().field("a"), &Value::from(1));
    }

    #[test]
    fn what_is_no_document_is_named() {
        for (bytes, expected) in [
            (&b""[..], "empty"),
            (b" \n", "empty"),
            (b"\x1f\x8b\x08", "gzip"),
            (b"PK\x03\x04", "ZIP"),
            (b"{\"a\": [1, 2", "truncated"),
            (b"{\"a\": oops}", "malformed"),
            (b"\xff\x00\xfe", "not UTF-8"),
        ] {
            let error = read(bytes).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn objects_are_found_between_other_text() {
        let log = "2025 [INFO] x {not}\nREPORT_JSON:{\"a\":1}\ntext\n{\n \"b\": 2\n}\nend {";
        assert_eq!(embedded_objects(log).len(), 2);
    }
}
