//! Runs the verdict cases of `tests/cases/verdict/*.case`.
//!
//! A case is a document in parts, the numbers of its windows, and what has to be concluded, in lines:
//!
//! ```text
//! case a name, as a fact              starts a case; `#` starts a comment
//! confidence 0.9
//! metric p95                          further indented lines are the metric's part of the document
//!   gauge: p95_seconds
//!   expect: {at_most: 200ms}
//! baseline 0.1*14                     one cell per kill; `*14` repeats; left out: 0, or no bad request of 1000
//! experiment 0.1*13 lost              a number | 3/1000 (bad of all) | 0.94..0.96@1000 (share under the bound, of so
//!                                     many; `=0.2` behind it gives the quantile) | lost | no_traffic | aborted |
//!                                     excluded:not_injected, excluded:baseline_missing, excluded:no_traffic
//! control baseline 0.1*5              the same for the control iterations, which follow the kills
//! control experiment 0.1*5
//! sessions 1*5 2*5                    session of every iteration
//! matched_nothing SELECTOR            the metric's selector matches nothing
//! measured_on_target
//! edges 0.1 0.2 0.5                   bucket edge below, bound, bucket edge above
//! recovery                            further indented lines are the recovery section
//!   signal: p95
//! times 10..15*12 never               seen between | never (departed) | censored:300 | lost:30 | aborted:40 |
//!                                     excluded:baseline_missing; `!120` behind it: last seen unhealthy at 120 s;
//!                                     `~2` behind it: two relapses
//! expect verdict pass                 a field of the result, as a path into result.json
//! expect p95 decision.lower 0.807 ~0.001      a field of a metric or of `recovery`; `~` gives a tolerance (1e-9)
//! expect p95 reasons too_few_iterations       all codes in order, or none; `warnings` likewise, sorted
//! expect p95 warns survivorship               one of them; `quiet` for not one of them
//! expect headline says some words             or `silent` for words that must not occur
//! expect refused some words                   the document is refused with these words
//! ```

use std::path::Path;

use serde_json::Value;
use unfazed::run::Arm;
use unfazed::summary::{EdgeRemedy, Loss, MissingEdge, PreKillLoss, Timing};

use crate::campaign::{Cell, Measured, Numbers, Recovered, Seen};

/// One expectation with the line it stands on.
struct Expectation {
    line: usize,
    words: String,
}

/// What the lines of a case have said so far.
struct Case {
    line: usize,
    name: String,
    numbers: Numbers,
    cells: Vec<Cells>,
    expectations: Vec<Expectation>,
}

/// The cells of one metric, as written.
#[derive(Default)]
struct Cells {
    baseline: Vec<String>,
    experiment: Vec<String>,
    control_baseline: Vec<String>,
    control_experiment: Vec<String>,
}

/// Which section indented lines belong to.
enum Section {
    Nothing,
    Metric,
    Recovery,
}

#[test]
fn every_verdict_is_the_one_its_case_expects() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/verdict");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder of cases can be read")
        .map(|entry| entry.expect("its entries can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "case"))
        .collect();
    files.sort();
    let (mut failures, mut count) = (Vec::new(), 0);
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a case file can be read");
        let shown =
            file.file_name().expect("a case file has a name").to_string_lossy().into_owned();
        for case in cases(&text, &shown) {
            count += 1;
            failures.extend(run(case).into_iter().map(|failure| format!("{shown}:{failure}")));
        }
    }
    assert!(count > 0, "there are no cases in {}", folder.display());
    assert!(
        failures.is_empty(),
        "{} expectations of {count} cases do not hold:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// The cases of a file.
fn cases(text: &str, file: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut section = Section::Nothing;
    for (at, raw) in (1..).zip(text.lines()) {
        let line = raw.split(" #").next().unwrap_or_default().trim_end();
        if line.trim_start().starts_with('#') || line.is_empty() {
            continue;
        }
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        if word == "case" {
            cases.push(Case::new(at, rest));
            section = Section::Nothing;
            continue;
        }
        let case = cases.last_mut().unwrap_or_else(|| panic!("{file}:{at}: no case yet"));
        if line.starts_with(' ') {
            let part = match section {
                Section::Metric => &mut case.metric().document,
                Section::Recovery => {
                    &mut case.numbers.recovery.as_mut().expect("the section is open").0
                }
                Section::Nothing => panic!("{file}:{at}: an indented line belongs to nothing"),
            };
            part.push_str(line.strip_prefix("  ").unwrap_or(line));
            part.push('\n');
            continue;
        }
        section = case
            .read(word, rest, at)
            .unwrap_or_else(|| panic!("{file}:{at}: cannot read '{line}'"));
    }
    cases
}

impl Case {
    fn new(line: usize, name: &str) -> Self {
        Self {
            line,
            name: name.to_owned(),
            numbers: Numbers {
                confidence: 0.95,
                metrics: Vec::new(),
                recovery: None,
                sessions: vec![1],
            },
            cells: Vec::new(),
            expectations: Vec::new(),
        }
    }

    fn metric(&mut self) -> &mut Measured {
        self.numbers.metrics.last_mut().expect("a metric has been named")
    }

    /// Reads one line that is not indented; `None` if it cannot be read.
    fn read(&mut self, word: &str, rest: &str, line: usize) -> Option<Section> {
        match word {
            "confidence" => self.numbers.confidence = rest.parse().ok()?,
            "metric" => {
                self.numbers.metrics.push(Measured::new(rest, "", Vec::new()));
                self.cells.push(Cells::default());
                return Some(Section::Metric);
            }
            "recovery" => {
                self.numbers.recovery = Some((String::new(), Vec::new()));
                return Some(Section::Recovery);
            }
            "baseline" => self.cells.last_mut()?.baseline = repeated(rest)?,
            "experiment" => self.cells.last_mut()?.experiment = repeated(rest)?,
            "control" => {
                let (which, rest) = rest.split_once(' ')?;
                let cells = self.cells.last_mut()?;
                match which {
                    "baseline" => cells.control_baseline = repeated(rest)?,
                    "experiment" => cells.control_experiment = repeated(rest)?,
                    _ => return None,
                }
            }
            "sessions" => {
                let numbers: Option<Vec<u32>> =
                    repeated(rest)?.iter().map(|word| word.parse().ok()).collect();
                self.numbers.sessions = numbers?;
            }
            "matched_nothing" => self.metric().matched_nothing = Some(rest.to_owned()),
            "measured_on_target" => self.metric().on_target = true,
            "edges" => {
                let numbers: Option<Vec<f64>> =
                    rest.split_whitespace().map(|word| word.parse().ok()).collect();
                let [below, bound, above] = numbers?.try_into().ok()?;
                self.metric().missing_edge = Some(MissingEdge {
                    bound,
                    below: Some(below),
                    above,
                    remedy: EdgeRemedy::AddEdge,
                });
            }
            "times" => {
                let times: Option<Vec<Recovered>> =
                    repeated(rest)?.iter().map(|word| recovered(word)).collect();
                self.numbers.recovery.as_mut()?.1 = times?;
            }
            "expect" => self.expectations.push(Expectation { line, words: rest.to_owned() }),
            _ => return None,
        }
        Some(Section::Nothing)
    }

    /// Fills in the iterations of every metric.
    fn fill(&mut self) -> Option<()> {
        let filled: Option<Vec<Vec<Seen>>> = self
            .cells
            .iter()
            .map(|cells| {
                let mut seen = arm(Arm::Fault, &cells.baseline, &cells.experiment)?;
                seen.extend(arm(Arm::Control, &cells.control_baseline, &cells.control_experiment)?);
                Some(seen)
            })
            .collect();
        for (metric, seen) in self.numbers.metrics.iter_mut().zip(filled?) {
            metric.seen = seen;
        }
        // A metric whose numbers do not matter was measured like the others.
        let longest = self
            .numbers
            .metrics
            .iter()
            .map(|metric| metric.seen.len())
            .chain(self.numbers.recovery.iter().map(|(_, times)| times.len()))
            .max()?;
        for metric in self.numbers.metrics.iter_mut().filter(|metric| metric.seen.is_empty()) {
            metric.seen = vec![Seen::kill(Cell::Value(0.0), Cell::Value(0.0)); longest];
        }
        Some(())
    }
}

/// Words with `*n` behind those that repeat.
fn repeated(words: &str) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for word in words.split_whitespace() {
        let (word, times) = match word.rsplit_once('*') {
            Some((word, times)) => (word, times.parse().ok()?),
            None => (word, 1),
        };
        all.extend(std::iter::repeat_n(word.to_owned(), times));
    }
    Some(all)
}

/// The iterations of one arm.
fn arm(arm: Arm, baseline: &[String], experiment: &[String]) -> Option<Vec<Seen>> {
    experiment
        .iter()
        .enumerate()
        .map(|(at, word)| {
            let counted = experiment.iter().any(|word| word.contains('/') || word.contains('@'));
            let ordinary =
                if counted { Cell::Counts { bad: 0.0, total: 1000.0 } } else { Cell::Value(0.0) };
            let baseline = match baseline.get(at) {
                Some(word) => cell(word)?,
                None => ordinary,
            };
            let mut seen = Seen { arm, ..Seen::kill(baseline, Cell::Value(0.0)) };
            if let Some(cause) = word.strip_prefix("excluded:") {
                seen.excluded = Some(excluded(cause)?);
                return Some(seen);
            }
            seen.aborted = word == "aborted";
            seen.experiment = if seen.aborted { ordinary } else { cell(word)? };
            Some(seen)
        })
        .collect()
}

fn excluded(word: &str) -> Option<PreKillLoss> {
    [PreKillLoss::NotInjected, PreKillLoss::BaselineMissing, PreKillLoss::NoTraffic]
        .into_iter()
        .find(|cause| cause.code() == word)
}

/// One cell.
fn cell(word: &str) -> Option<Cell> {
    if word == "lost" {
        return Some(Cell::Lost(Loss::MissingData));
    }
    if word == "no_traffic" {
        return Some(Cell::Lost(Loss::NoTraffic));
    }
    if let Some((bad, total)) = word.split_once('/') {
        return Some(Cell::Counts { bad: bad.parse().ok()?, total: total.parse().ok()? });
    }
    let Some((share, rest)) = word.split_once('@') else {
        return word.parse().ok().map(Cell::Value);
    };
    let (total, quantile) = match rest.split_once('=') {
        Some((total, quantile)) => (total.parse().ok()?, quantile.parse().ok()?),
        None => (rest.parse().ok()?, 1.0),
    };
    let (lower, upper) = match share.split_once("..") {
        Some((lower, upper)) => (lower.parse().ok()?, upper.parse().ok()?),
        None => (share.parse().ok()?, share.parse().ok()?),
    };
    Some(Cell::Share { lower, upper, total, quantile })
}

/// One recovery time.
fn recovered(word: &str) -> Option<Recovered> {
    let (word, relapses) = match word.split_once('~') {
        Some((word, relapses)) => (word, relapses.parse().ok()?),
        None => (word, 0),
    };
    let (word, last_unhealthy) = match word.split_once('!') {
        Some((word, last)) => (word, Some(last.parse().ok()?)),
        None => (word, None),
    };
    let mut recovered = Recovered {
        timing: Timing::Lost { from: 0.0 },
        never_departed: word == "never",
        last_unhealthy,
        relapses,
        excluded: None,
        aborted: false,
    };
    if word == "never" {
        recovered.timing = Timing::Seen { after: 0.0, at: 0.0 };
        return Some(recovered);
    }
    if let Some((after, at)) = word.split_once("..") {
        recovered.timing = Timing::Seen { after: after.parse().ok()?, at: at.parse().ok()? };
        return Some(recovered);
    }
    let (kind, rest) = word.split_once(':')?;
    match kind {
        "censored" => recovered.timing = Timing::Censored { at: rest.parse().ok()? },
        "lost" => recovered.timing = Timing::Lost { from: rest.parse().ok()? },
        "aborted" => {
            recovered.timing = Timing::Censored { at: rest.parse().ok()? };
            recovered.aborted = true;
        }
        "excluded" => recovered.excluded = Some(excluded(rest)?),
        _ => return None,
    }
    Some(recovered)
}

/// Judges a case and returns the expectations that do not hold.
fn run(mut case: Case) -> Vec<String> {
    let name = case.name.clone();
    if case.fill().is_none() {
        return vec![format!("{}: {name}: a cell cannot be read", case.line)];
    }
    let judged = case.numbers.judge();
    let refused = case.expectations.iter().find_map(|one| one.words.strip_prefix("refused "));
    let result = match (judged, refused) {
        (Ok(result), None) => result,
        (Ok(_), Some(words)) => {
            return vec![format!("{}: {name}: expected a refusal with '{words}'", case.line)];
        }
        (Err(problems), Some(words)) if problems.contains(words) => return Vec::new(),
        (Err(problems), _) => {
            return vec![format!("{}: {name}: the document is refused:\n{problems}", case.line)];
        }
    };
    let result = serde_json::to_value(&result).expect("a result can be written");
    case.expectations
        .iter()
        .filter_map(|one| {
            let problem = check(&result, &one.words)?;
            Some(format!("{}: {name}: {problem}", one.line))
        })
        .collect()
}

/// What is wrong with an expectation, if anything.
fn check(result: &Value, words: &str) -> Option<String> {
    let (first, rest) = words.split_once(' ')?;
    let metrics = result["metrics"].as_array().expect("metrics are a list");
    let metric = metrics.iter().find(|metric| metric["name"] == first);
    let (subject, rest) = match (metric, first) {
        (Some(metric), _) => (metric, rest),
        (None, "recovery") => (&result["recovery"], rest),
        (None, _) => (result, words),
    };
    let (path, expected) = rest.split_once(' ')?;
    match path {
        "reasons" | "warnings" => {
            let mut found = codes(&subject[path]);
            if path == "warnings" {
                found.sort();
            }
            let expected: Vec<&str> =
                expected.split_whitespace().filter(|word| *word != "none").collect();
            (found != expected).then(|| {
                format!("{first} {path}: expected {expected:?}, found {found:?}: {}", subject[path])
            })
        }
        "warns" | "quiet" => {
            let found = codes(&subject["warnings"]);
            let warned = found.iter().any(|code| code == expected);
            (warned != (path == "warns"))
                .then(|| format!("expected {path} {expected}, found warnings {found:?}"))
        }
        _ => check_field(at(subject, path), &format!("{first} {path}"), expected, subject),
    }
}

fn codes(list: &Value) -> Vec<String> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|entry| entry["code"].as_str()).map(str::to_owned).collect()
}

/// The field at a dotted path; positions of lists are numbers from 0.
fn at<'value>(subject: &'value Value, path: &str) -> &'value Value {
    path.split('.').fold(subject, |value, key| match key.parse::<usize>() {
        Ok(position) => &value[position],
        Err(_) => &value[key],
    })
}

fn check_field(found: &Value, name: &str, expected: &str, subject: &Value) -> Option<String> {
    let text = found.as_str().unwrap_or_default();
    if let Some(words) = expected.strip_prefix("says ") {
        return (!text.contains(words))
            .then(|| format!("{name}: expected to say '{words}', found {found}"));
    }
    if let Some(words) = expected.strip_prefix("silent ") {
        return text
            .contains(words)
            .then(|| format!("{name}: expected not to say '{words}', found {found}"));
    }
    let (value, tolerance) = match expected.split_once(" ~") {
        Some((value, tolerance)) => (value, tolerance.parse().expect("a tolerance is a number")),
        None => (expected, 1e-9),
    };
    let holds = match (value, value.parse::<f64>()) {
        ("null", _) => found.is_null(),
        (_, Ok(number)) => found.as_f64().is_some_and(|found| {
            (found - number).abs()
                <= tolerance * if expected.contains('~') { 1.0 } else { number.abs().max(1e-300) }
        }),
        (word, Err(_)) => match found {
            Value::Bool(flag) => word == flag.to_string(),
            _ => text == word,
        },
    };
    (!holds).then(|| {
        let why = if name.ends_with("verdict") {
            format!("; reasons {}, decision {}", subject["reasons"], subject["decision"])
        } else {
            String::new()
        };
        format!("{name}: expected {expected}, found {found}{why}")
    })
}
