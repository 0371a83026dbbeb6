//! The importers, and the one way through any of them.
//!
//! Owns the list of formats: a new one is one line in [`REGISTRY`]. Refuses to know what is inside a format. The
//! command line and the application call [`import`]; nothing else here is needed to import.

use crate::source::chaos::assembly::{Assembly, Imported};
use crate::source::chaos::document::{Document, InputFile, documents};
use crate::source::chaos::found_run::Finding;
use crate::source::chaos::import_error::ImportError;
use crate::source::chaos::naive_time::{TimeReader, Zone};
use crate::source::chaos::window_plan::WindowPlan;
use crate::source::chaos::{
    aws_fis, chaos_mesh, chaosblade, chaostoolkit, detect, events, krkn, litmus,
};

/// One format that can be imported.
#[derive(Debug, Clone, Copy)]
pub struct Importer {
    /// Its word on the command line, and `origin.tool` of the record.
    pub name: &'static str,
    /// What it reads and where that comes from, for help and errors.
    pub accepts: &'static str,
    /// What a document is, if it belongs to this tool.
    pub looks_like: fn(&Document) -> Option<&'static str>,
    /// Whether a document of somebody else helps: Kubernetes events, exporter metrics.
    pub joins: fn(&Document) -> bool,
    /// Reads documents of all files together.
    pub import: fn(&[Document], &mut TimeReader) -> Result<Vec<Finding>, ImportError>,
}

/// All formats, in the order of the help text.
pub static REGISTRY: [Importer; 7] = [
    chaostoolkit::IMPORTER,
    litmus::IMPORTER,
    chaos_mesh::IMPORTER,
    aws_fis::IMPORTER,
    krkn::IMPORTER,
    chaosblade::IMPORTER,
    events::IMPORTER,
];

/// What the caller may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImportOptions {
    /// Lengths of the windows.
    pub windows: WindowPlan,
    /// The zone of times that carry none; without it UTC is taken and a warning says so.
    pub zone: Option<Zone>,
}

impl Importer {
    /// The importer of that name.
    ///
    /// # Errors
    /// [`ImportError::UnknownFormat`] lists the names there are and the nearest.
    pub fn named(name: &str) -> Result<&'static Self, ImportError> {
        let wanted = name.trim().to_ascii_lowercase();
        REGISTRY.iter().find(|importer| importer.name == wanted).ok_or_else(|| {
            let nearest = REGISTRY
                .iter()
                .map(|importer| {
                    (strsim::damerau_levenshtein(importer.name, &wanted), importer.name)
                })
                .min()
                .filter(|(distance, _)| *distance <= 4)
                .map(|(_, name)| format!("; did you mean '{name}'?"));
            ImportError::UnknownFormat {
                given: name.to_owned(),
                known: REGISTRY.map(|importer| importer.name).join(", "),
                hint: nearest.unwrap_or_default(),
            }
        })
    }
}

/// The importer whose tool wrote a file.
///
/// # Errors
/// [`ImportError::Unreadable`] for no document, [`ImportError::UnknownFormat`] for a document of no known tool.
pub fn recognise(file: &InputFile) -> Result<&'static Importer, ImportError> {
    let documents = documents(file)?;
    let known = documents.iter().find_map(|document| {
        REGISTRY.iter().find(|importer| (importer.looks_like)(document).is_some())
    });
    known.ok_or_else(|| ImportError::UnknownFormat {
        given: file.name.clone(),
        known: REGISTRY.map(|importer| importer.name).join(", "),
        hint: documents.first().map_or_else(String::new, |document| {
            format!("; the file looks like {}", detect::looks(document).what)
        }),
    })
}

/// Whether an importer can take a file: all of its documents are the tool's own or join them.
///
/// # Errors
/// [`ImportError`] as [`import`] would give it.
pub fn takes(importer: &Importer, file: &InputFile) -> Result<(), ImportError> {
    for document in documents(file)? {
        if (importer.looks_like)(&document).is_none() && !(importer.joins)(&document) {
            return Err(detect::wrong_kind(importer, &document));
        }
    }
    Ok(())
}

/// Reads files of one tool as one run record.
///
/// Many files, files with many experiments, and both together become one record whose iterations stand in time
/// order; every event names the file it came from. The order of the files does not matter.
///
/// Cost: linear in the bytes, and n·log n in the runs found.
///
/// ```
/// use unfazed::source::chaos::{ImportOptions, Importer, InputFile, import};
/// let file = InputFile {
///     name: "kills.csv".to_owned(),
///     bytes: b"time,name\n2026-11-23T08:00:00Z,kill worker\n".to_vec(),
/// };
/// let imported = import(Importer::named("events")?, &[file], &ImportOptions::default())?;
/// assert_eq!(imported.record.iterations[0].experiment.start.to_string(), "2026-11-23T08:00:00Z");
/// # Ok::<(), unfazed::source::chaos::ImportError>(())
/// ```
///
/// # Errors
/// [`ImportError`] when a file is no document, is of another tool, or when no run started.
pub fn import(
    importer: &Importer,
    files: &[InputFile],
    options: &ImportOptions,
) -> Result<Imported, ImportError> {
    if files.is_empty() {
        return Err(ImportError::NoFile);
    }
    let mut all = Vec::new();
    for file in files {
        let documents = documents(file)?;
        // A file that mixes kinds is taken for what it holds first.
        for document in documents {
            if (importer.looks_like)(&document).is_none() && !(importer.joins)(&document) {
                return Err(detect::wrong_kind(importer, &document));
            }
            all.push(document);
        }
    }
    let mut times = TimeReader::new(options.zone);
    let findings = (importer.import)(&all, &mut times)?;
    let assembly = Assembly { tool: importer.name, findings, windows: options.windows };
    assembly.record(times.warnings())
}
