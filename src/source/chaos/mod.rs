//! Results of other chaos tools, read as our run record.
//!
//! Owns one importer per tool and the way from what they found to one [`crate::run::RunRecord`]. Refuses to know
//! metrics and to believe verdicts: a tool's own verdict is kept beside ours and decides nothing. No file is
//! opened and no clock is read here; bytes come in, a record or a reason goes out.
//!
//! The way of a file: bytes → [`document`] (JSON, YAML, `kubectl describe` text, table) → one importer of the
//! [`registry`] → [`found_run`]s → [`assembly`] (time order, joined faults, windows of the [`window_plan`]) → record.
//!
//! A new format is one file here, one line in the registry, one folder under `tests/cases/import` and one row in
//! the README.

pub mod assembly;
pub mod aws_fis;
#[cfg(test)]
mod cases;
pub mod chaos_mesh;
mod chaos_mesh_records;
pub mod chaosblade;
pub mod chaostoolkit;
mod chaostoolkit_activity;
pub mod describe_text;
pub mod detect;
pub mod document;
pub mod draft;
pub mod events;
pub mod field;
pub mod found_run;
pub mod import_error;
pub mod krkn;
mod krkn_affected;
pub mod kubernetes_event;
pub mod litmus;
mod litmus_center;
mod litmus_result;
pub mod litmus_time;
pub mod naive_time;
pub mod redact;
pub mod registry;
pub mod window_plan;
pub mod yaml_value;

pub use assembly::Imported;
pub use document::InputFile;
pub use draft::experiment_yaml;
pub use import_error::ImportError;
pub use naive_time::Zone;
pub use registry::{ImportOptions, Importer, REGISTRY, import, recognise, takes};
pub use window_plan::WindowPlan;
