//! One file or folder per command: composes the stages and owns their context.

pub mod import;
