//! The way from another tool's result to a report, as the README tells it: `import`, `init --from`, `analyze`.
//!
//! Runs the commands literally for every import case. The samples are made here, around the times that were
//! imported: no case describes a real service.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use unfazed::run::RunRecord;
use unfazed::unit::Span;

/// What the made service does while a fault lasts.
#[derive(Clone, Copy)]
enum Service {
    /// Answers everything.
    Steady,
    /// Loses every tenth request from the fault on.
    Losing,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn unfazed(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_unfazed")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The document as a person fills it in.
fn fill_in(path: &Path) {
    let draft = fs::read_to_string(path).unwrap();
    assert!(draft.contains("REPLACE_ME"), "{draft}");
    fs::write(path, draft.replace("REPLACE_ME", "demo")).unwrap();
}

/// Samples every five seconds, with two steps of margin, in the order of the iterations.
fn write_samples(directory: &Path, service: Service) {
    let run = RunRecord::parse(&fs::read_to_string(directory.join("run.json")).unwrap()).unwrap();
    let step = Span::from_seconds(5);
    let mut csv = "metric,labels,timestamp,value\n".to_owned();
    let (mut good, mut bad) = (0_u64, 0_u64);
    for iteration in &run.iterations {
        let mut at = iteration.baseline.start.minus(Span::from_seconds(10));
        while at <= iteration.experiment.end.plus(Span::from_seconds(10)) {
            let is_losing = matches!(service, Service::Losing) && at >= iteration.reference();
            good += 90;
            if is_losing {
                bad += 10;
            } else {
                good += 10;
            }
            let slow = (good + bad) / 100;
            for (metric, labels, value) in [
                ("demo_requests_total", "{code=\"\"200\"\"}", good),
                ("demo_requests_total", "{code=\"\"500\"\"}", bad),
                ("demo_request_duration_seconds_bucket", "{le=\"\"0.1\"\"}", good + bad - slow),
                ("demo_request_duration_seconds_bucket", "{le=\"\"0.2\"\"}", good + bad),
                ("demo_request_duration_seconds_bucket", "{le=\"\"+Inf\"\"}", good + bad),
                ("demo_request_duration_seconds_count", "", good + bad),
            ] {
                writeln!(csv, "{metric},\"{labels}\",{at},{value}").unwrap();
            }
            at = at.plus(step);
        }
    }
    fs::write(directory.join("samples.csv"), csv).unwrap();
}

/// The three commands, from `inputs` to a report in a directory of their own. None if nothing was to be imported.
fn import_to_report(format: &str, input: &Path, service: Service) -> Option<tempfile::TempDir> {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let input = input.display().to_string();

    let import = unfazed(&["import", format, &input, "-o", &path("run.json")]);
    let said = text(&import.stderr);
    if import.status.code() == Some(2) {
        assert!(said.starts_with("unfazed: "), "{input}: {said}");
        assert!(!directory.path().join("run.json").exists(), "{input}");
        return None;
    }
    assert_eq!(import.status.code(), Some(0), "{input}: {said}");

    let rec = directory.path().display().to_string();
    let init = unfazed(&["init", "--from", &path("run.json"), &rec]);
    assert_eq!(init.status.code(), Some(0), "{input}: {}", text(&init.stderr));

    fill_in(&directory.path().join("experiment.yaml"));
    write_samples(directory.path(), service);
    let out = path("out");
    let markdown = path("out/summary.md");
    let analyze = unfazed(&["analyze", &rec, "-o", &out, "--markdown", &markdown, "--exit-zero"]);
    assert_eq!(analyze.status.code(), Some(0), "{input}: {}", text(&analyze.stderr));
    fs::write(path("out/summary.txt"), &analyze.stdout).unwrap();
    let report = fs::read_to_string(path("out/report.html")).unwrap();
    assert!(report.contains("</html>"), "{input}");
    Some(directory)
}

/// All cases of a format, each up to its report; those that hold no started run must say so.
fn every_case(format: &str) {
    let folder = root().join("tests/cases/import").join(format);
    let mut reports = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "expected") {
            continue;
        }
        let expected = fs::read_to_string(path.with_extension("expected")).unwrap();
        let reported = import_to_report(format, &path, Service::Steady).is_some();
        assert_eq!(reported, !expected.starts_with("error: "), "{}", path.display());
        reports += usize::from(reported);
    }
    assert!(reports > 0, "{format} has no case that comes to a report");
}

#[test]
fn chaostoolkit_journals_come_to_a_report() {
    every_case("chaostoolkit");
}

#[test]
fn litmus_results_come_to_a_report() {
    every_case("litmus");
}

#[test]
fn chaos_mesh_objects_come_to_a_report() {
    every_case("chaos-mesh");
}

#[test]
fn fis_answers_come_to_a_report() {
    every_case("aws-fis");
}

#[test]
fn krkn_telemetry_comes_to_a_report() {
    every_case("krkn");
}

#[test]
fn chaosblade_states_come_to_a_report() {
    every_case("chaosblade");
}

#[test]
fn lists_of_events_come_to_a_report() {
    every_case("events");
}

#[test]
fn a_tool_that_passed_what_the_claims_refute_is_contradicted_in_every_output() {
    let directory = tempfile::tempdir().unwrap();
    let kills = directory.path().join("kills.csv");
    let mut table = "time,name,verdict\n".to_owned();
    for hour in 0..12 {
        writeln!(table, "2026-11-23T{:02}:00:00Z,kill worker,pass", 8 + hour).unwrap();
    }
    fs::write(&kills, table).unwrap();
    let rec = import_to_report("events", &kills, Service::Losing).unwrap();
    let read = |name: &str| fs::read_to_string(rec.path().join("out").join(name)).unwrap();
    let result: serde_json::Value = serde_json::from_str(&read("result.json")).unwrap();
    assert_eq!(result["verdict"], "fail");
    assert_eq!(result["session_list"][0]["tool_verdict"], "pass");
    let warnings = result["warnings"].as_array().unwrap();
    let differs: Vec<_> =
        warnings.iter().filter(|warning| warning["code"] == "tool_verdict_differs").collect();
    assert_eq!(differs.len(), 1, "{warnings:?}");
    for output in ["report.html", "summary.md", "summary.txt"] {
        let shown = read(output);
        assert!(shown.contains("events says pass, this analysis says fail"), "{output}: {shown}");
    }
    // The same tool, the same verdict: nothing to say.
    let table = fs::read_to_string(&kills).unwrap().replace(",pass", ",fail");
    fs::write(&kills, table).unwrap();
    let rec = import_to_report("events", &kills, Service::Losing).unwrap();
    let result = fs::read_to_string(rec.path().join("out/result.json")).unwrap();
    assert!(!result.contains("tool_verdict_differs"), "{result}");
    // The tool failed what the analysis does not.
    let rec = import_to_report("events", &kills, Service::Steady).unwrap();
    let result = fs::read_to_string(rec.path().join("out/result.json")).unwrap();
    assert!(result.contains("events says fail, this analysis says "), "{result}");
}

#[test]
fn a_record_without_a_file_to_go_to_is_printed() {
    let case = root().join("tests/cases/import/events/kills.csv").display().to_string();
    let printed = unfazed(&["import", "events", &case]);
    assert_eq!(printed.status.code(), Some(0));
    RunRecord::parse(&text(&printed.stdout)).unwrap();
}

#[test]
fn mistakes_are_told_apart_by_their_exit_code() {
    let case = root().join("tests/cases/import/events/kills.csv").display().to_string();
    let directory = tempfile::tempdir().unwrap();
    let blocked = directory.path().join("file");
    fs::write(&blocked, "").unwrap();
    let unwritable = blocked.join("run.json").display().to_string();
    for (arguments, code, said) in [
        (vec!["import", "litmos", &case], 2, "did you mean 'litmus'"),
        (vec!["import", "krkn", &case], 2, "Try `unfazed import events`"),
        (vec!["import", "events", &case, "--windows", "5m"], 2, "has no '='"),
        (vec!["import", "events", &case, "--zone", "Berlin"], 2, "is not a time zone"),
        (vec!["import", "events", "/nowhere.csv"], 4, "failed to read /nowhere.csv"),
        (vec!["import", "events", &case, "-o", &unwritable], 4, "failed to"),
        (vec!["import", "events", &case, "-o", &case], 2, "would replace an input"),
        (vec!["init", "--from", "/nowhere.json"], 4, "/nowhere.json"),
    ] {
        let output = unfazed(&arguments);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(error.contains(said), "{arguments:?}: {error}");
    }
}

/// The folder of real samples, if it is there.
fn shared() -> Option<PathBuf> {
    let base = std::env::var_os("UNFAZED_SHARED_DATA")
        .map_or_else(|| root().join("../shared/data"), PathBuf::from);
    if !base.is_dir() {
        println!("real samples are absent: {} is not there; nothing was checked", base.display());
        return None;
    }
    Some(base)
}

#[test]
fn real_results_come_to_a_report() {
    let Some(base) = shared() else { return };
    for (format, file) in [
        ("chaostoolkit", "ctk-journals/mdrcs/journal.json"),
        ("chaostoolkit", "ctk-journals/kgruszka/chaos/journal.json"),
        ("chaostoolkit", "ctk-journals/ansible1/journal.json"),
        ("chaostoolkit", "ctk-journals/ansible1/chaostoolkit_ansible/json/journal.json"),
        ("chaostoolkit", "ctk-journals/ansible2/journal.json"),
        ("aws-fis", "aws-fis-examples/fis-get-experiment-004.json"),
        ("aws-fis", "aws-fis-examples/fis-stop-experiment-010.json"),
        ("krkn", "krkn-docs-telemetry/content/en/docs/krkn/telemetry.md"),
        ("events", "nezha/rca_data/2023-01-29/2023-01-29-fault_list.json"),
    ] {
        let path = base.join(file);
        assert!(import_to_report(format, &path, Service::Steady).is_some(), "{file}");
    }
}
