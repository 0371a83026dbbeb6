//! The object of one run: its result and its run records, under the digest of their bytes.
//!
//! Written once and never changed. The same run judged the same way gives the same bytes and so the same object.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::history::{Circumstances, Remembered};
use crate::run::RunRecord;
use crate::store::{AtomicFile, StoreError};
use crate::verdict::result::AnalysisResult;

use super::digest::{PREFIX, digest, is_digest};
use super::error::HistoryError;
use super::points;

/// The schema name of objects.
const SCHEMA: &str = "unfazed.history.run/v1";

/// What an object holds.
#[derive(Serialize, Deserialize)]
struct Stored {
    schema: String,
    result: AnalysisResult,
    runs: Vec<RunRecord>,
    #[serde(default)]
    circumstances: Circumstances,
    /// Digest of the Parquet file with the points of the timelines; none if there are none.
    #[serde(default)]
    points: Option<String>,
}

/// An object and its points, ready to be written.
pub(super) struct Encoded {
    /// Digest of the object.
    pub(super) digest: String,
    object: Vec<u8>,
    points: Option<Vec<u8>>,
}

/// The run as bytes.
pub(super) fn encode(run: &Remembered, objects: &Path) -> Result<Encoded, StoreError> {
    let points = points::encode(&run.result.timeline)
        .map_err(|source| StoreError::new("encode points for", objects, source))?;
    let mut result = run.result.clone();
    for metric in &mut result.timeline.metrics {
        metric.points.clear();
    }
    let stored = Stored {
        schema: SCHEMA.to_owned(),
        result,
        runs: run.runs.clone(),
        circumstances: run.circumstances.clone(),
        points: points.as_deref().map(digest),
    };
    let mut object = serde_json::to_vec(&stored)
        .expect("a run has string keys only and its types never refuse to serialise");
    object.push(b'\n');
    Ok(Encoded { digest: digest(&object), object, points })
}

impl Encoded {
    /// Writes what is not there yet. The object comes last: whoever finds it, finds its points too.
    pub(super) fn write(&self, objects: &Path) -> Result<(), StoreError> {
        if let Some(points) = &self.points {
            write_once(&path_of(objects, &digest(points), "parquet"), points)?;
        }
        write_once(&path_of(objects, &self.digest, "json"), &self.object)
    }
}

/// Where an object lies. Its digest must be one.
pub(super) fn path_of(objects: &Path, digest: &str, extension: &str) -> PathBuf {
    let digits = digest.strip_prefix(PREFIX).unwrap_or(digest);
    let folder = digits.get(..2).unwrap_or(digits);
    objects.join(folder).join(format!("{digits}.{extension}"))
}

fn write_once(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    // What carries its digest as its name has the right contents, or is for `verify` to find.
    if path.exists() {
        return Ok(());
    }
    let failed = |source| StoreError::new("write", path, source);
    if let Some(folder) = path.parent() {
        #[expect(clippy::disallowed_methods, reason = "the store makes folders")]
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes).map_err(failed)?;
    file.commit()
}

/// What is wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It is not there.
    Missing(PathBuf),
    /// Its bytes are not those of its name.
    Edited(PathBuf),
    /// It cannot be read at all, or not as an object.
    Unreadable(PathBuf, String),
}

impl Flaw {
    fn into_error(self) -> HistoryError {
        match self {
            Self::Missing(path) => {
                HistoryError::read(&path, std::io::Error::from(std::io::ErrorKind::NotFound))
            }
            Self::Edited(path) => HistoryError::damaged(
                &path,
                "its contents are not those it was named by".to_owned(),
            ),
            Self::Unreadable(path, what) => HistoryError::damaged(&path, what),
        }
    }
}

/// A run as its object holds it, with the digest of its points.
pub(super) struct Decoded {
    pub(super) run: Remembered,
    points: Option<String>,
}

/// Reads an object and checks it against its name; timelines are still without points.
pub(super) fn check(objects: &Path, name: &str) -> Result<Decoded, Flaw> {
    let path = path_of(objects, name, "json");
    if !is_digest(name) {
        return Err(Flaw::Unreadable(path, format!("'{name}' is no digest")));
    }
    let bytes = checked_bytes(&path, name)?;
    let stored: Stored = serde_json::from_slice(&bytes)
        .map_err(|error| Flaw::Unreadable(path.clone(), error.to_string()))?;
    if stored.schema != SCHEMA {
        let found = stored.schema;
        return Err(Flaw::Unreadable(path, format!("schema is '{found}'; accepted is '{SCHEMA}'")));
    }
    let run = Remembered {
        result: stored.result,
        runs: stored.runs,
        circumstances: stored.circumstances,
    };
    Ok(Decoded { run, points: stored.points })
}

impl Decoded {
    /// Checks that the points are there and as they were written.
    pub(super) fn check_points(&self, objects: &Path) -> Result<(), Flaw> {
        self.point_bytes(objects).map(|_| ())
    }

    fn point_bytes(&self, objects: &Path) -> Result<Option<(PathBuf, Vec<u8>)>, Flaw> {
        let Some(name) = &self.points else { return Ok(None) };
        let path = path_of(objects, name, "parquet");
        if !is_digest(name) {
            return Err(Flaw::Unreadable(path, format!("'{name}' is no digest")));
        }
        let bytes = checked_bytes(&path, name)?;
        Ok(Some((path, bytes)))
    }

    /// Names of the files that belong to the object `name`, relative to the folder of objects.
    pub(super) fn points_name(&self) -> Option<&str> {
        self.points.as_deref()
    }
}

/// Reads a run whole.
pub(super) fn read(objects: &Path, name: &str) -> Result<Remembered, HistoryError> {
    let decoded = check(objects, name).map_err(Flaw::into_error)?;
    let points = decoded.point_bytes(objects).map_err(Flaw::into_error)?;
    let mut run = decoded.run;
    if let Some((path, bytes)) = points {
        points::restore(&mut run.result.timeline, &path, bytes)?;
    }
    Ok(run)
}

fn checked_bytes(path: &Path, name: &str) -> Result<Vec<u8>, Flaw> {
    #[expect(clippy::disallowed_methods, reason = "the store reads back what it wrote")]
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Flaw::Missing(path.to_owned()),
        _ => Flaw::Unreadable(path.to_owned(), error.to_string()),
    })?;
    if digest(&bytes) == name { Ok(bytes) } else { Err(Flaw::Edited(path.to_owned())) }
}
