//! `unfazed audit verify`: finds any change, cut or swap in an audit log.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::app::AppError;
use crate::app::document::read;
use crate::safety::audit::{self, Break, Head, Noted, Trust, Verified};
use crate::safety::signature::PublicKey;

/// A log larger than this is not read into memory.
const LOG_BYTES: u64 = 4 << 30;

/// A file with a noted head is a result or a run record.
const NOTE_BYTES: u64 = 256 << 20;

/// A key is a line.
const KEY_BYTES: u64 = 64 << 10;

/// What a log is held against.
#[derive(Debug, Clone)]
pub struct VerifyArguments {
    /// The log.
    pub log: PathBuf,
    /// The hash of a line that was noted elsewhere.
    pub head: Option<String>,
    /// A JSON file that notes the head as `audit: {entries, head}`.
    pub anchor: Option<PathBuf>,
    /// The public key, or a file that holds it.
    pub key: Option<String>,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// The chain's end, or where it is broken.
    pub found: Result<Verified, Break>,
    /// What this could not have found.
    pub blind_to: Vec<&'static str>,
}

/// Verifies an audit log.
///
/// # Errors
/// [`AppError`] if a file cannot be read, or an argument is no hash or key.
pub fn verify(arguments: &VerifyArguments) -> Result<Outcome, AppError> {
    let bytes =
        read(&arguments.log, "the audit log", LOG_BYTES, "give the log that `unfazed run` wrote")?;
    let noted = noted(arguments)?;
    let key = arguments.key.as_deref().map(public_key).transpose()?;
    let found = audit::verify(&bytes, Trust { noted: noted.as_ref(), key: key.as_ref() });
    let mut blind_to = Vec::new();
    if noted.is_none() {
        blind_to.push(
            "lines missing at the end: note the head elsewhere and give it with --head or --anchor",
        );
    }
    if noted.is_none() && key.is_none() {
        blind_to.push("a log that was written anew from its first line: give a noted head, or sign and give --key");
    }
    Ok(Outcome { found, blind_to })
}

fn noted(arguments: &VerifyArguments) -> Result<Option<Noted>, AppError> {
    if let Some(path) = &arguments.anchor {
        return anchor(path).map(Some);
    }
    let Some(text) = &arguments.head else { return Ok(None) };
    let digits = text.strip_prefix("sha256:").unwrap_or("");
    if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(AppError::Usage(format!(
            "--head '{text}' is no hash; accepted is sha256: and 64 hexadecimal digits, as `unfazed audit verify` prints it"
        )));
    }
    Ok(Some(Noted::Hash(text.to_ascii_lowercase())))
}

/// The head that a run record, a result or the output of `audit verify --json` notes.
fn anchor(path: &Path) -> Result<Noted, AppError> {
    let bytes = read(path, "the noted head", NOTE_BYTES, "give a run.json or result.json")?;
    let value: Option<Value> = serde_json::from_slice(&bytes).ok();
    let note = value.as_ref().and_then(|value| value.get("audit").or(Some(value)));
    let head = note.and_then(|note| serde_json::from_value::<Head>(note.clone()).ok());
    head.map(Noted::Head).ok_or_else(|| {
        AppError::Usage(format!(
            "{}: it notes no head; accepted is JSON with \"audit\": {{\"entries\": 12, \"head\": \"sha256:…\"}}",
            path.display()
        ))
    })
}

/// A public key as written on the command line, or in a file.
pub(crate) fn public_key(text: &str) -> Result<PublicKey, AppError> {
    let written = if text.starts_with("ed25519:") {
        text.to_owned()
    } else {
        let bytes = read(
            Path::new(text),
            "the public key",
            KEY_BYTES,
            "give ed25519:<hex>, or a file that holds it",
        )?;
        String::from_utf8_lossy(&bytes).into_owned()
    };
    PublicKey::parse(&written).map_err(|error| AppError::Usage(format!("--key: {error}")))
}
