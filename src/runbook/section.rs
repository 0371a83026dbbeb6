//! Which section of a runbook a step belongs into, by the words of its heading.

use crate::runbook::document::{Heading, Outline};
use crate::runbook::suggestion::Place;

/// Words of headings, the best first, and the heading for a section that has to be made.
struct Words {
    /// Words or phrases, in lower case.
    wanted: &'static [&'static str],
    /// The heading of a new section.
    made: &'static str,
}

const fn words(place: Place) -> Words {
    match place {
        Place::Prepare => Words {
            wanted: &[
                "pre-check",
                "pre-checks",
                "prechecks",
                "before you start",
                "before",
                "prerequisites",
                "preconditions",
                "preparation",
                "prepare",
            ],
            made: "Before you start",
        },
        Place::Detect => Words {
            wanted: &[
                "detection",
                "detect",
                "symptoms",
                "symptom",
                "alerts",
                "alert",
                "looks like",
                "meaning",
                "trigger",
                "overview",
                "impact",
            ],
            made: "Detection",
        },
        Place::Diagnose => Words {
            wanted: &[
                "diagnosis",
                "diagnose",
                "diagnostics",
                "triage",
                "investigation",
                "investigate",
                "debugging",
                "troubleshooting",
            ],
            made: "Diagnosis",
        },
        Place::Repair => Words {
            wanted: &[
                "repair",
                "mitigation",
                "mitigate",
                "remediation",
                "remediate",
                "resolution",
                "resolve",
                "recovery",
                "recover",
                "fix",
                "solution",
                "action",
                "actions",
            ],
            made: "Repair",
        },
        Place::Verify => Words {
            wanted: &["verify", "verification", "validation", "validate"],
            made: "Verification",
        },
    }
}

/// The heading of a section that has to be made for a place.
pub(crate) const fn made(place: Place) -> &'static str {
    words(place).made
}

/// Places whose section comes right after a section that has to be made.
pub(crate) const fn follows(place: Place) -> &'static [Place] {
    match place {
        Place::Prepare => &[Place::Diagnose, Place::Repair],
        Place::Detect => &[Place::Diagnose, Place::Repair],
        Place::Diagnose => &[Place::Repair],
        Place::Repair => &[Place::Verify],
        Place::Verify => &[],
    }
}

/// The section for a place: the heading with the best word, outside our own blocks. The title of the document is none.
pub(crate) fn find(outline: &Outline, place: Place) -> Option<&Heading> {
    let title = title_level(outline);
    words(place).wanted.iter().find_map(|wanted| {
        outline
            .own()
            .filter(|heading| Some(heading.level) != title)
            .find(|heading| says(&heading.text, wanted))
    })
}

/// The level of sections in this document.
pub(crate) fn section_level(outline: &Outline) -> usize {
    match title_level(outline) {
        Some(level) => level + 1,
        None => outline.own().map(|heading| heading.level).min().unwrap_or(2),
    }
}

/// The level of the title: that of the first heading if no other heading has it.
fn title_level(outline: &Outline) -> Option<usize> {
    let first = outline.own().next()?.level;
    let alone = outline.own().filter(|heading| heading.level <= first).count() == 1;
    (alone && first < 6 && outline.own().count() > 1).then_some(first).or_else(|| {
        // A document of one heading has a title and no section yet.
        (alone && first == 1).then_some(first)
    })
}

/// Whether a heading says a word or phrase, as whole words.
fn says(heading: &str, wanted: &str) -> bool {
    let spaced: String = heading
        .to_lowercase()
        .chars()
        .map(|c| if c.is_alphanumeric() || c == '-' { c } else { ' ' })
        .collect();
    let joined = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    format!(" {joined} ").contains(&format!(" {wanted} "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, place: Place) -> Option<String> {
        find(&Outline::of(text), place).map(|heading| heading.text.clone())
    }

    #[test]
    fn the_best_word_wins_over_the_first_heading_and_the_title_is_no_section() {
        let text = "# Repair guide\n\n## Actions\n\n## How to repair it\n\n## Impact\n";
        assert_eq!(found(text, Place::Repair).as_deref(), Some("How to repair it"));
        assert_eq!(found(text, Place::Detect).as_deref(), Some("Impact"));
        assert_eq!(found(text, Place::Prepare), None);
    }

    #[test]
    fn words_are_whole() {
        assert_eq!(found("# a\n\n## Prefix\n\n## Refixed\n", Place::Repair), None);
        assert_eq!(
            found("# a\n\n## 3. Fix (manual)\n", Place::Repair).as_deref(),
            Some("3. Fix (manual)")
        );
    }
}
