//! One folder or file per command: composes the stages and owns their context.

pub mod stat;
