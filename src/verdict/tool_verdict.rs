//! The verdict of the tool that injected, set beside ours.
//!
//! Owns which words of which tool mean that its run passed or failed, and the one sentence for a reader who sees two
//! verdicts. Refuses to let the tool's verdict decide anything. Called once both verdicts are there.

use crate::run::{Campaign, Origin};
use crate::verdict::result::{Verdict, Warning};
use crate::verdict::warning::warning;

/// Code of the warning that holds the sentence.
pub const TOOL_VERDICT_DIFFERS: &str = "tool_verdict_differs";

/// What a tool thinks of its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolVerdict {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// Several runs, judged differently.
    Mixed,
    /// The tool does not judge, or did not come to a verdict.
    NotJudged,
}

impl ToolVerdict {
    /// What the words of an imported record mean.
    ///
    /// `completed` is a verdict of the Chaos Toolkit only if the steady state was met after the method; AWS FIS,
    /// Chaos Mesh and `ChaosBlade` never judge, whatever their states are called.
    pub fn of(origin: &Origin) -> Self {
        let word = origin.verdict.as_deref().unwrap_or("").to_lowercase();
        let reason = origin.reason.as_deref().unwrap_or("");
        if word.starts_with("mixed:") {
            return Self::Mixed;
        }
        // Reasons of several runs stand one after another; one that was not checked spoils the verdict.
        let is_met = reason.contains("steady state met") && !reason.contains("steady state not");
        match (origin.tool.as_str(), word.as_str()) {
            ("chaostoolkit", "completed") if is_met => Self::Passed,
            ("litmus" | "krkn" | "events", "pass" | "passed") => Self::Passed,
            ("chaostoolkit", "deviated" | "failed")
            | ("litmus" | "krkn" | "events", "fail" | "failed") => Self::Failed,
            _ => Self::NotJudged,
        }
    }
}

/// One sentence for two verdicts that differ, or none if they agree or there is only one.
///
/// `ours_because` is the sentence that explains our verdict.
///
/// ```
/// use unfazed::run::Origin;
/// use unfazed::verdict::result::Verdict;
/// use unfazed::verdict::tool_verdict::difference;
/// let origin = Origin {
///     tool: "litmus".to_owned(),
///     file: None,
///     verdict: Some("Pass".to_owned()),
///     reason: Some("probe success 100 %".to_owned()),
/// };
/// let sentence = difference(&origin, Verdict::Fail, "errors rose to 2 %").unwrap();
/// assert!(sentence.starts_with("litmus says Pass (probe success 100 %), this analysis says fail:"));
/// assert!(difference(&origin, Verdict::Pass, "").is_none());
/// ```
pub fn difference(origin: &Origin, ours: Verdict, ours_because: &str) -> Option<String> {
    let why = match (ToolVerdict::of(origin), ours) {
        (ToolVerdict::NotJudged, _)
        | (ToolVerdict::Passed, Verdict::Pass)
        | (ToolVerdict::Failed, Verdict::Fail) => return None,
        (ToolVerdict::Passed, Verdict::Fail) => {
            "its checks look at single moments, the claims here at whole windows"
        }
        (ToolVerdict::Failed, Verdict::Pass) => {
            "it fails on one missed check, the claims here allow what the hypothesis allows"
        }
        (ToolVerdict::Passed | ToolVerdict::Failed | ToolVerdict::Mixed, Verdict::Inconclusive) => {
            "it judges each run for itself, the claims here need evidence over repeated runs"
        }
        (ToolVerdict::Mixed, Verdict::Pass | Verdict::Fail) => {
            "it judges each run for itself, the claims here speak of all of them together"
        }
    };
    let theirs = origin.verdict.as_deref().unwrap_or("nothing");
    let their_reason =
        origin.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let because = ours_because.trim().trim_end_matches('.');
    let because = if because.is_empty() { String::new() } else { format!(" ({because})") };
    Some(format!(
        "{} says {theirs}{their_reason}, this analysis says {}: {why}{because}.",
        origin.tool,
        ours.word(),
    ))
}

/// One warning per session whose tool came to another verdict than ours; which run is named where there are several.
pub(crate) fn differences(campaign: &Campaign, ours: Verdict, ours_because: &str) -> Vec<Warning> {
    let several = campaign.sessions.len() > 1;
    campaign
        .sessions
        .iter()
        .filter_map(|session| {
            let sentence = difference(session.run.origin.as_ref()?, ours, ours_because)?;
            Some(warning(
                TOOL_VERDICT_DIFFERS,
                if several { format!("run {}: {sentence}", session.run.run_id) } else { sentence },
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(tool: &str, verdict: &str, reason: &str) -> Origin {
        Origin {
            tool: tool.to_owned(),
            file: None,
            verdict: Some(verdict.to_owned()),
            reason: Some(reason.to_owned()),
        }
    }

    #[test]
    fn a_state_is_no_verdict() {
        for (tool, word) in [
            ("aws-fis", "completed"),
            ("chaosblade", "Success"),
            ("litmus", "Awaited"),
            ("krkn", "score 80"),
            ("chaostoolkit", "interrupted"),
            ("unfazed", "pass"),
        ] {
            assert_eq!(ToolVerdict::of(&origin(tool, word, "")), ToolVerdict::NotJudged, "{tool}");
        }
        let unchecked =
            origin("chaostoolkit", "completed", "steady state not checked after the method");
        assert_eq!(ToolVerdict::of(&unchecked), ToolVerdict::NotJudged);
        let met = origin("chaostoolkit", "completed", "steady state met after the method");
        assert_eq!(ToolVerdict::of(&met), ToolVerdict::Passed);
    }

    #[test]
    fn every_direction_has_its_sentence() {
        for (tool, theirs, ours, expected) in [
            ("litmus", "Pass", Verdict::Fail, "single moments"),
            ("litmus", "Fail", Verdict::Pass, "one missed check"),
            ("krkn", "passed", Verdict::Inconclusive, "repeated runs"),
            ("krkn", "failed", Verdict::Inconclusive, "repeated runs"),
            ("events", "mixed: pass ×1, fail ×1", Verdict::Fail, "all of them together"),
            ("events", "mixed: pass ×1, fail ×1", Verdict::Inconclusive, "repeated runs"),
        ] {
            let sentence = difference(&origin(tool, theirs, "x"), ours, "because of y.").unwrap();
            assert!(sentence.starts_with(&format!("{tool} says {theirs} (x), ")), "{sentence}");
            assert!(
                sentence.contains(&format!("this analysis says {}", ours.word())),
                "{sentence}"
            );
            assert!(sentence.contains(expected), "{sentence}");
            assert!(sentence.ends_with(" (because of y)."), "{sentence}");
        }
    }

    #[test]
    fn verdicts_that_agree_need_no_sentence() {
        let deviated = origin("chaostoolkit", "deviated", "");
        assert_eq!(difference(&deviated, Verdict::Fail, ""), None);
        assert!(difference(&deviated, Verdict::Pass, "").is_some());
        assert!(difference(&deviated, Verdict::Inconclusive, "too few kills").is_some());
        let mixed = origin("krkn", "mixed: passed ×1, failed ×1", "");
        assert!(difference(&mixed, Verdict::Pass, "").is_some());
    }
}
