//! The templates: embedded, and overridden by a folder of files of the same names.
//!
//! One door to tera. Every template escapes, whatever its name; the style sheet is not a template. Pages extend
//! `base.html`, which holds the document, its policy and its style.

use std::path::{Path, PathBuf};

use serde::Serialize;
use tera::{Context, Tera};

use crate::report::ReportError;
use crate::report::style_hash;

/// The name of the style sheet among the templates.
const STYLE: &str = "style.css";

/// Every embedded file: its name and its text.
const EMBEDDED: &[(&str, &str)] = &[
    ("base.html", include_str!("../../report-templates/base.html")),
    ("pieces.html", include_str!("../../report-templates/pieces.html")),
    ("compare.html", include_str!("../../report-templates/compare.html")),
    ("weekly.html", include_str!("../../report-templates/weekly.html")),
    ("report.html", include_str!("../../report-templates/report.html")),
    ("report/headline.html", include_str!("../../report-templates/report/headline.html")),
    ("postmortem.md", include_str!("../../report-templates/postmortem.md")),
    ("report/summary.html", include_str!("../../report-templates/report/summary.html")),
    ("report/impact.html", include_str!("../../report-templates/report/impact.html")),
    ("report/lessons.html", include_str!("../../report-templates/report/lessons.html")),
    ("report/claim.html", include_str!("../../report-templates/report/claim.html")),
    ("report/recovery.html", include_str!("../../report-templates/report/recovery.html")),
    ("report/census.html", include_str!("../../report-templates/report/census.html")),
    ("report/method.html", include_str!("../../report-templates/report/method.html")),
    (STYLE, include_str!("../../report-templates/style.css")),
];

/// The pages that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageKind {
    /// The report of one experiment.
    Report,
    /// The postmortem in Markdown; its texts come escaped.
    Postmortem,
    /// Two campaigns compared.
    Compare,
    /// What ran in a week.
    Weekly,
}

impl PageKind {
    /// The template of the page.
    const fn template(self) -> &'static str {
        match self {
            Self::Report => "report.html",
            Self::Postmortem => "postmortem.md",
            Self::Compare => "compare.html",
            Self::Weekly => "weekly.html",
        }
    }
}

/// Parsed templates and the style sheet.
#[derive(Debug, Clone)]
pub struct Templates {
    engine: Tera,
    style: String,
    style_source: String,
}

impl Templates {
    /// The templates that are part of the program.
    ///
    /// # Errors
    /// [`ReportError::Template`] if an embedded template does not parse, which a test rules out.
    pub fn embedded() -> Result<Self, ReportError> {
        Self::of(
            EMBEDDED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        )
    }

    /// The embedded templates, those replaced that stand in `folder` under the same name (also `report/claim.html`).
    ///
    /// Other files are refused, so that a misspelt name does not silently change nothing; names that begin with a
    /// dot are left alone.
    ///
    /// # Errors
    /// [`ReportError::TemplateRead`], [`ReportError::UnknownTemplate`], [`ReportError::Style`], or
    /// [`ReportError::Template`] with file and line.
    pub fn with_overrides(folder: &Path) -> Result<Self, ReportError> {
        let mut files: Vec<(String, String)> =
            EMBEDDED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        for path in files_below(folder)? {
            let name = name_of(folder, &path);
            let Some(file) = files.iter_mut().find(|(known, _)| *known == name) else {
                let accepted: Vec<&str> = EMBEDDED.iter().map(|(name, _)| *name).collect();
                return Err(ReportError::UnknownTemplate { path, accepted: accepted.join(", ") });
            };
            #[allow(
                clippy::disallowed_methods,
                reason = "the folder of templates is named by the user; this is the one place that reads it"
            )]
            let text = std::fs::read_to_string(&path);
            file.1 = text.map_err(|source| ReportError::TemplateRead { path, source })?;
        }
        Self::of(files)
    }

    /// Parses the files.
    fn of(files: Vec<(String, String)>) -> Result<Self, ReportError> {
        let (styles, pages): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|(name, _)| name == STYLE);
        // A browser reads CR LF as LF before it hashes; the W3C checker hashes without the outer white space.
        let style: String = styles.into_iter().map(|(_, text)| text).collect();
        let style = style.replace("\r\n", "\n").trim().to_owned();
        if style.contains('\0')
            || style.contains('\r')
            || style.to_ascii_lowercase().contains("</style")
        {
            return Err(ReportError::Style);
        }
        let mut engine = Tera::default();
        // Every name ends with nothing: every template escapes.
        engine.autoescape_on(vec![""]);
        engine.add_raw_templates(pages).map_err(failed)?;
        let style_source = style_hash::source(&style);
        Ok(Self { engine, style, style_source })
    }

    /// Renders a page from a context; the style sheet and its hash are added.
    ///
    /// # Errors
    /// [`ReportError::Template`] when a template asks for what the context does not hold.
    pub fn render(&self, kind: PageKind, context: &impl Serialize) -> Result<String, ReportError> {
        let mut context = Context::from_serialize(context).map_err(failed)?;
        context.insert("style", &self.style);
        context.insert("style_source", &self.style_source);
        self.engine.render(kind.template(), &context).map_err(failed)
    }
}

/// The engine's error with everything it knows.
fn failed(error: tera::Error) -> ReportError {
    ReportError::Template { message: error.to_string(), source: Box::new(error) }
}

/// All files below `folder`, hidden ones aside, in the order of their paths.
#[allow(
    clippy::disallowed_methods,
    reason = "the folder of templates is named by the user; this is the one place that lists it"
)]
fn files_below(folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let failed = |source| ReportError::TemplateRead { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let path = entry.path();
        if entry.file_type().map_err(failed)?.is_dir() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The path of a file below `folder` with slashes.
fn name_of(folder: &Path, path: &Path) -> String {
    let below = path.strip_prefix(folder).unwrap_or(path);
    below.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_templates_parse() {
        Templates::embedded().unwrap();
    }

    #[test]
    fn a_misspelt_override_is_refused_with_the_accepted_names() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("reprot.html"), "").unwrap();
        let error = Templates::with_overrides(folder.path()).unwrap_err().to_string();
        assert!(error.contains("reprot.html") && error.contains("report/claim.html"), "{error}");
    }

    #[test]
    fn a_broken_override_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("report")).unwrap();
        std::fs::write(folder.path().join("report/census.html"), "<p>\n{% if %}").unwrap();
        let error = Templates::with_overrides(folder.path()).unwrap_err().to_string();
        assert!(error.contains("report/census.html"), "{error}");
    }

    #[test]
    fn a_style_that_ends_its_element_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("style.css"), "a{}</STYLE>").unwrap();
        assert!(matches!(Templates::with_overrides(folder.path()), Err(ReportError::Style)));
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error =
            Templates::with_overrides(Path::new("/no/such/folder")).unwrap_err().to_string();
        assert!(error.contains("/no/such/folder"), "{error}");
    }
}
