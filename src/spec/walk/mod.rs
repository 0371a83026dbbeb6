//! The walk through a document's tree: every part has a file with its table of keys and its reader.
//!
//! Readers report every problem and go on, so that one run shows all of them. The tables are printed by the schema.

pub(crate) mod bound;
pub(crate) mod calendar;
pub(crate) mod claim;
pub(crate) mod document;
pub(crate) mod fault;
pub(crate) mod fields;
pub(crate) mod measure;
pub(crate) mod metric;
pub(crate) mod place;
pub(crate) mod policy;
pub(crate) mod recovery;
pub(crate) mod safety;
pub(crate) mod source;
pub(crate) mod windows;
