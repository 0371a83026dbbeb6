//! `JUnit` XML for CI: one suite per experiment, one case per claim, recovery with a deadline among them.
//!
//! A fail is a `<failure>`: the claim was refuted. An inconclusive claim is an `<error type="inconclusive">`: the
//! check could not be decided. It is not `<skipped>`, which CI systems count as fine, and what was not shown is
//! never a pass; and not `<failure>`, so that dashboards count the two apart. Without any claim the suite holds one
//! errored case, because an empty suite reads as green.

use std::fmt::Write as _;

use crate::report::ReportError;
use crate::report::number::plain_spaces;
use crate::report::view::{DecisionView, Mark, Note, Page};
use crate::unit::Timestamp;
use crate::verdict::result::AnalysisResult;

/// One claim as CI sees it.
struct Case {
    name: String,
    mark: Mark,
    message: String,
    detail: String,
}

/// The XML document with a final newline.
///
/// # Errors
/// [`ReportError::Result`] if the result cannot be copied, which would be a bug.
pub fn junit(result: &AnalysisResult) -> Result<String, ReportError> {
    let page = Page::new(result)?;
    let mut cases = cases(&page);
    if cases.is_empty() {
        cases.push(Case {
            name: "claims".to_owned(),
            mark: page.headline.mark,
            message: page.headline.sentence.clone(),
            detail: String::new(),
        });
    }
    let with = |code: &str| cases.iter().filter(|case| case.mark.code == code).count();
    let (failures, errors) = (with("fail"), with("inconclusive"));
    let seconds = elapsed(result.started_at, result.ended_at);
    let counts = format!("tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\"", cases.len());
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing into a String cannot fail; the results of `write!` are dropped for that reason.
    let _ = writeln!(out, "<testsuites name=\"unfazed\" {counts} time=\"{seconds}\">");
    let timestamp = result.started_at.map_or_else(String::new, |started| {
        format!(" timestamp=\"{}\"", started.to_utc().format("%Y-%m-%dT%H:%M:%S"))
    });
    let name = escaped(&page.headline.experiment);
    let _ = writeln!(
        out,
        "  <testsuite name=\"{name}\" {counts} skipped=\"0\" time=\"{seconds}\"{timestamp}>"
    );
    properties(&mut out, result, &page);
    for case in &cases {
        write_case(&mut out, &name, case);
    }
    let _ = writeln!(out, "    <system-out>{}</system-out>", escaped(&page.headline.sentence));
    out.push_str("  </testsuite>\n</testsuites>\n");
    Ok(plain_spaces(&out))
}

/// Every claim.
fn cases(page: &Page) -> Vec<Case> {
    let mut cases: Vec<Case> = page
        .claims
        .iter()
        .map(|claim| Case {
            name: format!("{}: {}", claim.name, claim.claim),
            mark: claim.mark,
            message: message(&claim.line, &claim.reasons),
            detail: detail(&claim.line, claim.decision.as_ref(), &claim.reasons),
        })
        .collect();
    if let Some(recovery) = page.recovery.as_ref().filter(|recovery| recovery.mark.code != "none") {
        cases.push(Case {
            name: format!("recovery: {}", recovery.claim),
            mark: recovery.mark,
            message: message(&recovery.line, &recovery.reasons),
            detail: detail(&recovery.line, recovery.decision.as_ref(), &recovery.reasons),
        });
    }
    cases
}

/// The first reason, else the k-of-N line.
fn message(line: &str, reasons: &[Note]) -> String {
    reasons.first().map_or_else(|| line.to_owned(), |reason| reason.message.clone())
}

/// The k-of-N line, the limits and all reasons.
fn detail(line: &str, decision: Option<&DecisionView>, reasons: &[Note]) -> String {
    let mut text = line.to_owned();
    if let Some(decision) = decision {
        let _ = write!(
            text,
            "\n{}: {} … {}, needed {} ({})",
            decision.quantity,
            decision.lower.text,
            decision.upper.text,
            decision.bound_words,
            decision.method
        );
    }
    for reason in reasons {
        let _ = write!(text, "\n{}: {}", reason.code, reason.sentence());
    }
    text
}

/// What identifies the result.
fn properties(out: &mut String, result: &AnalysisResult, page: &Page) {
    out.push_str("    <properties>\n");
    let mut property = |name: &str, value: &str| {
        let _ = writeln!(out, "      <property name=\"{name}\" value=\"{}\"/>", escaped(value));
    };
    property("verdict", result.verdict.word());
    property("seed", &result.seed.to_string());
    property("confidence", &result.confidence.to_string());
    for fact in &page.method.facts {
        if let "Run" | "Experiment digest" | "Samples digest" = fact.term {
            property(&fact.term.to_lowercase().replace(' ', "_"), &fact.text);
        }
    }
    out.push_str("    </properties>\n");
}

/// One case.
fn write_case(out: &mut String, suite: &str, case: &Case) {
    let head = format!("    <testcase classname=\"{suite}\" name=\"{}\"", escaped(&case.name));
    let element = match case.mark.code {
        "fail" => "failure",
        "inconclusive" => "error",
        _ => {
            let _ = writeln!(out, "{head}>");
            let _ = writeln!(out, "      <system-out>{}</system-out>", escaped(&case.detail));
            out.push_str("    </testcase>\n");
            return;
        }
    };
    let _ = writeln!(out, "{head}>");
    let _ = writeln!(
        out,
        "      <{element} type=\"{}\" message=\"{}\">{}</{element}>",
        case.mark.code,
        escaped(&case.message),
        escaped(&case.detail)
    );
    out.push_str("    </testcase>\n");
}

/// Seconds of the campaign with milliseconds.
fn elapsed(from: Option<Timestamp>, to: Option<Timestamp>) -> String {
    let milliseconds =
        from.zip(to).map_or(0, |(from, to)| to.since(from).milliseconds()).clamp(0, i64::MAX);
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

/// Text in XML, in an element or in double quotes; what XML 1.0 forbids was made visible before.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{0}'..='\u{8}'
            | '\u{b}'
            | '\u{c}'
            | '\u{e}'..='\u{1f}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                out.push('\u{fffd}');
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use quick_xml::Reader;
    use quick_xml::events::Event;

    use super::*;
    use crate::report::sample::{Story, sample};

    /// Elements by name, and the attributes of the suite.
    fn parsed(xml: &str) -> (BTreeMap<String, usize>, BTreeMap<String, String>) {
        let mut reader = Reader::from_str(xml);
        reader.config_mut().check_end_names = true;
        let (mut elements, mut suite) = (BTreeMap::new(), BTreeMap::new());
        loop {
            match reader.read_event().unwrap() {
                Event::Eof => return (elements, suite),
                Event::Start(element) | Event::Empty(element) => {
                    let name = String::from_utf8(element.name().as_ref().to_vec()).unwrap();
                    for attribute in element.attributes() {
                        let attribute = attribute.unwrap();
                        let key = String::from_utf8(attribute.key.as_ref().to_vec()).unwrap();
                        let value = attribute.unescape_value().unwrap().into_owned();
                        if name == "testsuite" {
                            suite.insert(key, value);
                        }
                    }
                    *elements.entry(name).or_default() += 1;
                }
                Event::Text(text) => drop(text.xml_content().unwrap()),
                _ => {}
            }
        }
    }

    #[test]
    fn a_strict_parser_finds_as_many_cases_as_the_suite_counts() {
        for story in [Story::Pass, Story::Fail, Story::Inconclusive, Story::Hostile] {
            let (elements, suite) = parsed(&junit(&sample(story)).unwrap());
            let count = |name: &str| elements.get(name).copied().unwrap_or_default().to_string();
            assert_eq!(suite["tests"], count("testcase"));
            assert_eq!(suite["failures"], count("failure"));
            assert_eq!(suite["errors"], count("error"));
            assert_eq!(count("script"), "0");
        }
    }
}
