//! A document that has passed all checks, with what is worth knowing about it.
//!
//! The entrance to the walk: bytes in, [`Checked`] or [`Problems`] out.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::spec::experiment::Experiment;
use crate::spec::problem::{Findings, Problem, Problems};
use crate::spec::walk::document;
use crate::spec::yaml;

/// A checked Experiment with the warnings of its document.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The experiment.
    pub experiment: Experiment,
    /// What should be known but refuses nothing, sorted by place.
    pub warnings: Vec<Problem>,
}

impl Experiment {
    /// Reads an Experiment document, YAML or JSON, and checks everything that can be wrong with it.
    ///
    /// `file_name` only stands before the problems. Warnings are dropped; [`Experiment::check`] keeps them.
    ///
    /// # Errors
    /// [`Problems`] holds every problem of the document at once.
    ///
    /// ```
    /// use unfazed::spec::Experiment;
    /// let problems = Experiment::parse("e.yaml", b"kind: Experimnt").unwrap_err();
    /// let first = problems.problems().iter().find(|problem| problem.path == "kind").unwrap();
    /// assert!(first.message.ends_with("did you mean 'Experiment'?"));
    /// ```
    pub fn parse(file_name: &str, bytes: &[u8]) -> Result<Self, Problems> {
        Self::check(file_name, bytes).map(|checked| checked.experiment)
    }

    /// Reads an Experiment document like [`Experiment::parse`] and keeps the warnings.
    ///
    /// # Errors
    /// [`Problems`] holds every problem of the document at once, and the warnings found beside them.
    pub fn check(file_name: &str, bytes: &[u8]) -> Result<Checked, Problems> {
        let refused = |text: &str, problem: Problem| {
            let mut findings = Findings::default();
            findings.refuse(problem);
            Problems::new(file_name, text.to_owned(), findings)
        };
        let text = yaml::text_of(bytes).map_err(|problem| refused("", problem))?;
        let document = yaml::parse(text).map_err(|problem| refused(text, problem))?;
        let mut findings = Findings { problems: document.problems, warnings: Vec::new() };
        match document::read(&document.root, digest(bytes), &mut findings) {
            Some(experiment) => Ok(Checked { experiment, warnings: findings.sorted().warnings }),
            None => Err(Problems::new(file_name, text.to_owned(), findings)),
        }
    }
}

/// The digest of a document: `sha256:` and the hexadecimal SHA-256 of its bytes.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::spec::{
        AbortTrigger, Across, Amount, Band, Estimand, Iterations, Measure, Reduce, Source,
    };
    use crate::unit::{Span, Unit};

    fn documents(folder: &str) -> Vec<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/spec").join(folder);
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end != "problems"))
            .collect();
        paths.sort();
        paths
    }

    /// The findings as the file beside a document holds them: problems, then warnings.
    fn findings(name: &str, bytes: &[u8]) -> String {
        let mut lines = String::new();
        let warnings = match Experiment::check(name, bytes) {
            Ok(checked) => checked.warnings,
            Err(problems) => {
                writeln!(lines, "{problems}").unwrap();
                problems.warnings().to_vec()
            }
        };
        for warning in warnings {
            writeln!(lines, "warning: {}", warning.in_file(name)).unwrap();
        }
        lines
    }

    /// Compares with the file beside each document; `UNFAZED_UPDATE_CASES=1` writes the files anew, for review.
    fn hold(folder: &str) -> usize {
        let mut differing = Vec::new();
        let paths = documents(folder);
        for path in &paths {
            let name = path.file_name().unwrap().to_str().unwrap();
            let found = findings(name, &std::fs::read(path).unwrap());
            let beside = path.with_extension("problems");
            if std::env::var_os("UNFAZED_UPDATE_CASES").is_some() {
                if found.is_empty() {
                    let _ = std::fs::remove_file(&beside);
                } else {
                    std::fs::write(&beside, &found).unwrap();
                }
            }
            let expected = std::fs::read_to_string(&beside).unwrap_or_default();
            if found != expected {
                differing.push(format!("{name}: expected\n{expected}found\n{found}"));
            }
        }
        assert!(differing.is_empty(), "{}", differing.join("\n"));
        paths.len()
    }

    #[test]
    fn good_documents_are_accepted_with_the_warnings_beside_them() {
        for path in documents("good") {
            let name = path.display().to_string();
            let read = Experiment::parse(&name, &std::fs::read(&path).unwrap());
            assert!(read.is_ok(), "{}", read.unwrap_err());
        }
        hold("good");
    }

    #[test]
    fn bad_documents_are_refused_with_exactly_the_problems_beside_them() {
        for path in documents("bad") {
            let bytes = std::fs::read(&path).unwrap();
            assert!(Experiment::parse("", &bytes).is_err(), "{} is accepted", path.display());
        }
        hold("bad");
    }

    /// A document with these metrics, as one line each.
    fn with_metrics(metrics: &[&str], rest: &str) -> Experiment {
        let metrics: String =
            metrics.iter().map(|metric| format!("    - {{{metric}}}\n")).collect();
        let text = format!(
            "apiVersion: unfazed/v1\nkind: Experiment\nmetadata: {{name: a, owner: o}}\nspec:\n  hypothesis: h\n  \
             environment: e\n  windows: {{baseline: 5m, experiment: 5m}}\n{rest}  metrics:\n{metrics}"
        );
        Experiment::parse("test", text.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"))
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let experiment =
            with_metrics(&["name: a, gauge: x", "name: b, ratio: {bad: y, total: z}"], "");
        assert_eq!(experiment.confidence.to_bits(), f64::to_bits(0.95));
        assert_eq!(experiment.iterations, Iterations { fault: None, control: 0 });
        assert_eq!(
            (experiment.windows.cooldown, experiment.windows.jitter),
            (Span::ZERO, Span::ZERO)
        );
        assert_eq!(experiment.source, Source::Recording(None));
        assert_eq!((experiment.recovery, experiment.fault), (None, None));
        assert!(matches!(
            experiment.metrics[0].measure,
            Measure::Gauge { reduce: Reduce::Mean, across: Across::Sum, .. }
        ));
        assert!(matches!(experiment.metrics[1].measure, Measure::Ratio { min_requests: 1, .. }));
        assert_eq!(experiment.metrics[1].unit, Unit::Ratio);
        assert!(experiment.digest.starts_with("sha256:") && experiment.digest.len() == 71);
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table")]
    fn bounds_are_in_the_unit_of_the_metric() {
        let histogram = "name: m, histogram: d_seconds, quantile: 0.9";
        for (metric, value, unit, text) in [
            (
                format!("{histogram}, expect: {{at_most: 200ms}}"),
                0.2,
                Unit::Seconds,
                "at most 200 ms",
            ),
            (format!("{histogram}, expect: {{at_most: 0.2}}"), 0.2, Unit::Seconds, "at most 0.2 s"),
            (
                format!("{histogram}, expect: {{at_most: 1m30s}}"),
                90.0,
                Unit::Seconds,
                "at most 1m30s",
            ),
            (
                "name: m, samples: d, quantile: 0.9, unit: ms, expect: {at_most: 0.3s}".to_owned(),
                300.0,
                Unit::Named("ms".to_owned()),
                "at most 0.3 s",
            ),
            (
                "name: m, gauge: d_milliseconds, expect: {at_most: '300'}".to_owned(),
                300.0,
                Unit::Named("ms".to_owned()),
                "at most 300 ms",
            ),
            (
                "name: m, gauge: d, expect: {at_most: 2m}".to_owned(),
                120.0,
                Unit::Seconds,
                "at most 2 m",
            ),
            (
                "name: m, gauge: d, expect: {at_most: 1KiB}".to_owned(),
                1024.0,
                Unit::Bytes,
                "at most 1 KiB",
            ),
            (
                "name: m, gauge: d, expect: {at_least: 99%}".to_owned(),
                0.99,
                Unit::Ratio,
                "at least 99 %",
            ),
            (
                "name: m, gauge: d, expect: {at_most: 5, strict: true}".to_owned(),
                5.0,
                Unit::None,
                "below 5",
            ),
            (
                "name: m, ratio: {bad: a, total: b}, expect: {at_most: 0.1%}".to_owned(),
                0.001,
                Unit::Ratio,
                "at most 0.1 %",
            ),
            (
                "name: m, gauge: cpu, unit: '%', expect: {at_most: 60%}".to_owned(),
                60.0,
                Unit::Named("%".to_owned()),
                "at most 60 %",
            ),
        ] {
            let experiment = with_metrics(&[&metric], "");
            let metric = &experiment.metrics[0];
            let claim = metric.claim.as_ref().unwrap();
            assert_eq!(metric.unit, unit, "{text}");
            assert_eq!(claim.amount, Amount::Absolute(value), "{text}");
            assert_eq!(claim.text, text);
        }
    }

    #[test]
    fn allowances_are_relative_with_percent_and_absolute_without() {
        for (metric, amount, or_by, text) in [
            (
                "gauge: d, expect: {increase_at_most: 40%, or_by: 20}",
                Amount::Relative(0.4),
                Some(20.0),
                "increases by at most 40 % or by 20",
            ),
            (
                "ratio: {good: a, total: b}, expect: {decrease_at_most: 2pp}",
                Amount::Absolute(0.02),
                None,
                "decreases by at most 2 pp",
            ),
            (
                "ratio: {good: a, total: b}, expect: {decrease_at_most: 2%}",
                Amount::Relative(0.02),
                None,
                "decreases by at most 2 %",
            ),
            (
                "histogram: d_seconds, quantile: 0.5, expect: {increase_at_most: 50ms}",
                Amount::Absolute(0.05),
                None,
                "increases by at most 50 ms",
            ),
            (
                "gauge: d, expect: {increase_at_most: 40%, or_by: 20ms}",
                Amount::Relative(0.4),
                Some(0.02),
                "increases by at most 40 % or by 20 ms",
            ),
        ] {
            let experiment = with_metrics(&[&format!("name: m, {metric}")], "");
            let claim = experiment.metrics[0].claim.as_ref().unwrap();
            assert_eq!((claim.amount, claim.or_by, claim.text.as_str()), (amount, or_by, text));
            assert_eq!(claim.estimand, Estimand::TypicalKill);
        }
    }

    #[test]
    fn the_sense_of_a_claim_follows_form_and_measure_unless_written() {
        let ratio = "ratio: {bad: a, total: b}";
        for (metric, estimand, share) in [
            (format!("{ratio}, expect: {{at_most: 1%}}"), Estimand::AllRequests, 0.8),
            (format!("{ratio}, worst: 1m, expect: {{at_most: 1%}}"), Estimand::MostKills, 0.8),
            (format!("{ratio}, expect: {{increase_at_most: 1pp}}"), Estimand::TypicalKill, 0.8),
            (
                format!("{ratio}, expect: {{increase_at_most: 1pp, for: all_requests}}"),
                Estimand::AllRequests,
                0.8,
            ),
            ("gauge: a, expect: {at_most: 1}".to_owned(), Estimand::MostKills, 0.8),
            ("gauge: a, expect: {at_most: 1, share: 90%}".to_owned(), Estimand::MostKills, 0.9),
            (
                "gauge: a, expect: {at_most: 1, for: every_kill}".to_owned(),
                Estimand::EveryKill,
                0.95,
            ),
            (
                "balance: {in: a, out: b}, expect: {at_most: 0, for: this_run}".to_owned(),
                Estimand::ThisRun,
                0.8,
            ),
            (
                "histogram: a, quantile: 0.9, expect: {at_most: 1, for: all_requests}".to_owned(),
                Estimand::AllRequests,
                0.8,
            ),
        ] {
            let experiment = with_metrics(&[&format!("name: m, {metric}")], "");
            let claim = experiment.metrics[0].claim.as_ref().unwrap();
            assert_eq!(
                (claim.estimand, claim.share.to_bits()),
                (estimand, f64::to_bits(share)),
                "{metric}"
            );
        }
    }

    #[test]
    fn a_metric_without_a_claim_gets_its_unit_from_whatever_it_is_compared_with() {
        let rest = "  recovery: {signal: a, healthy: {at_most: 100ms}, stable_for: 30s}\n  safety: {abort: [{metric: b, \
                    above: 1KiB}]}\n";
        let experiment = with_metrics(&["name: a, gauge: x", "name: b, gauge: y"], rest);
        assert_eq!(experiment.metrics[0].unit, Unit::Seconds);
        assert_eq!(experiment.metrics[1].unit, Unit::Bytes);
        assert_eq!(experiment.recovery.unwrap().healthy, Band::AtMost(0.1));
        assert_eq!(experiment.safety.abort[0].trigger, AbortTrigger::Above(1024.0));
    }

    #[test]
    fn the_deadline_may_fill_the_experiment_window_to_the_last_step() {
        let rest = |within: &str| {
            format!(
                "  source: {{prometheus: {{url: 'http://a', step: 5s}}}}\n  recovery: {{signal: a, healthy: {{at_most: 5}}, \
                 stable_for: 1m, within: {within}}}\n"
            )
        };
        let experiment = with_metrics(&["name: a, gauge: x"], &rest("3m50s"));
        assert_eq!(experiment.recovery.unwrap().within, Some(Span::from_seconds(230)));
    }

    #[test]
    fn a_document_cut_anywhere_is_read_or_refused_with_a_reason() {
        let hold = |bytes: &[u8]| {
            if let Err(problems) = Experiment::check("cut", bytes) {
                assert_ne!(problems.problems(), []);
                assert!(
                    problems
                        .problems()
                        .iter()
                        .all(|problem| problem.line >= 1 && problem.column >= 1)
                );
            }
        };
        for path in documents("good").into_iter().chain(documents("bad")) {
            let bytes = std::fs::read(path).unwrap();
            if bytes.len() > 4000 {
                continue;
            }
            for end in (0..bytes.len()).step_by(13) {
                hold(&bytes[..end]);
            }
            let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
            for without in 0..lines.len() {
                hold(&[lines[..without].concat(), lines[without + 1..].concat()].concat());
            }
        }
    }

    #[test]
    fn thousands_of_metrics_and_of_rules_that_name_none_of_them_stay_small() {
        let mut text = "spec:\n  metrics:\n".to_owned();
        for index in 0..8000 {
            writeln!(text, "    - {{name: metric-number-{index}, gauge: x}}").unwrap();
        }
        text.push_str("  safety:\n    abort:\n");
        for index in 0..8000 {
            writeln!(text, "      - {{metric: matric{index}, above: 5}}").unwrap();
        }
        let problems = Experiment::check("many", text.as_bytes()).unwrap_err();
        assert!(problems.to_string().len() < 1_000_000);
        assert_eq!(problems.problems().len(), 1001);
    }
}
