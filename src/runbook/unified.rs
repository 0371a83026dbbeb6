//! A change as a unified diff that `git apply` and `patch -p1` read.
//!
//! Lines end with LF and keep whatever stands before it: a carriage return is part of its line. There is no `diff --git`
//! line, so that the path is taken from the directory in which the patch is applied.

use std::fmt::Write as _;

use similar::{Algorithm, DiffOp, capture_diff_slices, group_diff_ops};

/// Unchanged lines around a change.
const CONTEXT: usize = 3;

/// The diff from `old` (none: no file) to `new`; empty if they are the same.
pub(crate) fn diff(path: &str, old: Option<&str>, new: &str) -> String {
    let old_lines: Vec<&str> = old.unwrap_or_default().split_inclusive('\n').collect();
    let new_lines: Vec<&str> = new.split_inclusive('\n').collect();
    let groups =
        group_diff_ops(capture_diff_slices(Algorithm::Myers, &old_lines, &new_lines), CONTEXT);
    let mut out = String::new();
    if groups.iter().all(|group| group.iter().all(|op| matches!(op, DiffOp::Equal { .. }))) {
        return out;
    }
    match old {
        Some(_) => out.push_str(&format!("--- {}\n", named("a", path))),
        None => out.push_str("--- /dev/null\n"),
    }
    out.push_str(&format!("+++ {}\n", named("b", path)));
    for group in &groups {
        hunk(&mut out, group, &old_lines, &new_lines);
    }
    out
}

/// One stretch of changes with its context.
fn hunk(out: &mut String, group: &[DiffOp], old: &[&str], new: &[&str]) {
    let (Some(first), Some(last)) = (group.first(), group.last()) else { return };
    let (old_from, old_to) = (first.old_range().start, last.old_range().end);
    let (new_from, new_to) = (first.new_range().start, last.new_range().end);
    // Writing into a String cannot fail; the result of `write!` is dropped for that reason.
    let _ = writeln!(
        out,
        "@@ -{} +{} @@",
        position(old_from, old_to - old_from),
        position(new_from, new_to - new_from)
    );
    for op in group {
        match op {
            DiffOp::Equal { .. } => lines(out, ' ', &old[op.old_range()]),
            DiffOp::Delete { .. } => lines(out, '-', &old[op.old_range()]),
            DiffOp::Insert { .. } => lines(out, '+', &new[op.new_range()]),
            DiffOp::Replace { .. } => {
                lines(out, '-', &old[op.old_range()]);
                lines(out, '+', &new[op.new_range()]);
            }
        }
    }
}

fn lines(out: &mut String, sign: char, lines: &[&str]) {
    for line in lines {
        out.push(sign);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}

/// A range of lines; an empty one names the line before it.
fn position(from: usize, count: usize) -> String {
    match count {
        0 => format!("{from},0"),
        1 => (from + 1).to_string(),
        count => format!("{},{count}", from + 1),
    }
}

/// A path as git writes it: quoted where it holds what would end it, with a tab behind it where it holds a space.
fn named(side: &str, path: &str) -> String {
    let needs_quotes = path.chars().any(|c| c.is_control() || c == '"' || c == '\\');
    if !needs_quotes {
        let tab = if path.contains(' ') { "\t" } else { "" };
        return format!("{side}/{path}{tab}");
    }
    let mut out = format!("\"{side}/");
    for byte in path.bytes() {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            0x20..=0x7e => out.push(char::from(byte)),
            other => out.push_str(&format!("\\{other:03o}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_insertion_reads_as_git_writes_it() {
        let found = diff("a/x.md", Some("1\n2\n3\n4\n5\n"), "1\n2\n3\nnew\n4\n5\n");
        assert_eq!(
            found,
            "--- a/a/x.md\n+++ b/a/x.md\n@@ -1,5 +1,6 @@\n 1\n 2\n 3\n+new\n 4\n 5\n"
        );
        assert_eq!(diff("x", Some("1\n"), "1\n"), "");
    }

    #[test]
    fn a_missing_last_line_end_and_a_missing_file_are_told() {
        assert_eq!(
            diff("x", Some("1"), "1\n2"),
            "--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n-1\n\\ No newline at end of file\n+1\n+2\n\\ No newline at end of file\n"
        );
        assert_eq!(diff("x", None, "1\n"), "--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+1\n");
    }

    #[test]
    fn odd_paths_are_quoted() {
        assert_eq!(named("a", "my run.md"), "a/my run.md\t");
        assert_eq!(named("a", "a\"\n.md"), "\"a/a\\\"\\012.md\"");
    }
}
