//! Measures how often verdicts are wrong and writes the published table.
//!
//! `cargo run --release --example calibrate` writes `datasets/calibration.csv` and `src/verdict/calibration.md`;
//! with `--readme README.md` it also replaces the block between the calibration markers of that file. With
//! `--look NAME` it measures the rows whose name contains NAME, prints them and writes nothing.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal that measures how long it takes and writes a table"
)]

#[path = "../tests/it/calibration/mod.rs"]
mod calibration;

use std::path::Path;
use std::process::ExitCode;

use calibration::rows::rows;
use calibration::table::{self, Effort, Line};

const BEGIN: &str = "<!-- calibration:begin -->";
const END: &str = "<!-- calibration:end -->";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => publish(None),
        ["--readme", readme] => publish(Some(readme)),
        ["--look", name] => {
            look(name);
            Ok(())
        }
        _ => Err("usage: calibrate [--readme FILE | --look NAME]".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("calibrate: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Measures the rows of a name and prints them.
fn look(name: &str) {
    let lines: Vec<Line> = rows()
        .into_iter()
        .filter(|row| row.name.contains(name))
        .map(|row| measured(row, &Effort::FULL))
        .collect();
    print!("{}\n{}", table::verdicts(&lines), table::csv(&lines));
    if name == "limits" {
        print!("{}", table::limits(Effort::FULL.middle));
    }
}

fn measured(row: calibration::rows::Row, effort: &Effort) -> Line {
    let started = std::time::Instant::now();
    let line = Line::measure(row, effort);
    let kept = if line.keeps_its_promise() { "" } else { ": WRONG MORE OFTEN THAN PROMISED" };
    eprintln!("{:6.1} s  {}{kept}", started.elapsed().as_secs_f64(), line.row.name);
    line
}

/// Measures everything and writes it.
fn publish(readme: Option<&str>) -> Result<(), String> {
    let lines: Vec<Line> = rows().into_iter().map(|row| measured(row, &Effort::FULL)).collect();
    let started = std::time::Instant::now();
    let limits = table::limits(Effort::FULL.middle);
    eprintln!("{:6.1} s  limits for clustered ratios", started.elapsed().as_secs_f64());
    let page = table::page(&lines, &limits, &Effort::FULL);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    write(&root.join("datasets/calibration.csv"), &table::csv(&lines))?;
    write(&root.join("src/verdict/calibration.md"), &page)?;
    if let Some(readme) = readme {
        let path = Path::new(readme);
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("failed to read {readme}: {error}"))?;
        write(
            path,
            &with_block(&text, &page).ok_or_else(|| {
                format!("{readme} has no lines {BEGIN} and {END}: put them where the table belongs")
            })?,
        )?;
    }
    Ok(())
}

/// The text with the page between its markers.
fn with_block(text: &str, page: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{page}{END}{after}"))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text)
        .map_err(|error| format!("failed to write {}: {error}", path.display()))?;
    eprintln!("written: {}", path.display());
    Ok(())
}
