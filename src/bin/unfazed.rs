//! The `unfazed` command.

fn main() {}
