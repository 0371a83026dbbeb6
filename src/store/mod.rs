//! Keeps what we write: recordings, results and history. Whole files or none.
//!
//! Owns atomicity: a file is written under a temporary name, synced and renamed, so that nothing half-written is ever
//! found under its final name. Refuses to know what the contents mean.

pub mod atomic_file;
pub mod audit_log;
pub mod collected_samples;
pub mod error;
pub mod event_file;
pub mod history;
pub mod imported_samples;
pub mod journal;
pub mod log_file;
pub mod native_writer;
pub mod partial;
pub mod recording_writer;
pub mod text_file;

pub use atomic_file::AtomicFile;
pub use audit_log::{AuditError, AuditLog};
pub use collected_samples::CollectedSamples;
pub use error::StoreError;
pub use event_file::append_events;
pub use history::{Appended, History, HistoryError, RunEntry};
pub use imported_samples::write_imported_samples;
pub use journal::{JournalFile, OpenedJournal};
pub use log_file::LogFile;
pub use native_writer::write_native_samples;
pub use partial::{
    Block, PartialFetch, Resumed, TimedHistogram, UnitReader, UnitWriter, write_whole,
};
pub use recording_writer::{WrittenSamples, write_samples};
pub use text_file::{TextFile, write_text, write_texts};
