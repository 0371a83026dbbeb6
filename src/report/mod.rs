//! What people read: HTML, a terminal summary, Markdown for a pull request, `JUnit` for CI, and `result.json` itself.
//!
//! Reports never compute a statistic and never decide: everything they say stands in the
//! [`AnalysisResult`](crate::verdict::result::AnalysisResult). All outputs tell the same story in the same order:
//! verdict, the sentence that explains it, the claims, recovery, what was not judged, how. Nothing here reads a
//! clock, the environment or the terminal; the same result gives the same bytes.

mod badge;
pub mod chart;
mod compare;
mod error;
mod history_text;
mod html;
mod json;
mod junit;
mod markdown;
pub mod number;
mod plan_text;
mod postmortem;
mod shown;
mod style_hash;
mod templates;
mod text;
pub mod view;
mod weekly;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod sample;

pub use badge::badge;
pub use compare::{comparison_html, comparison_text};
pub use error::ReportError;
pub use history_text::{Listed, history_text};
pub use html::{render_html, render_html_linked};
pub use json::{from_json, plan_json, to_json};
pub use junit::junit;
pub use markdown::markdown;
pub use plan_text::plan_text;
pub use postmortem::{
    Merged, PostmortemProgress, merge_postmortem, postmortem, postmortem_progress,
};
pub use shown::shown;
pub use templates::{PageKind, Templates};
pub use text::{Style, text};
pub use view::EventLink;
pub use weekly::{weekly_html, weekly_text};
