//! What is wrong with a document, where, and what would be right.
//!
//! Owns the places (line, column, path) of problems, their order and their one-line form, and the search for the
//! nearest known word. Refuses to know the grammar: readers say what they found and what they accept. The terminal
//! renders [`Problems`] further; this file only keeps what it needs for that.

use std::fmt::Write as _;

/// More problems than this are counted, not listed: nobody reads them, and a hostile document must not fill memory.
const LISTED_PROBLEMS: usize = 1000;

/// Longest piece of a document that a message repeats, in characters.
const QUOTED_CHARACTERS: usize = 80;

/// Longest word for which the nearest known one is looked up: no key is longer, and the search is quadratic.
const LONGEST_WORD: usize = 64;

/// More accepted words than this are not listed: a document may name thousands of metrics.
const LISTED_WORDS: usize = 30;

/// Most words among which the nearest one is searched.
const SEARCHED_WORDS: usize = 200;

/// Fewest letters that count as the beginning of a longer word.
const SHORTEST_BEGINNING: usize = 4;

/// One problem, or one warning, at one place of a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// Path of the value, e.g. `spec.metrics[2].expect.at_most`; empty for the document as a whole.
    pub path: String,
    /// What was found, what is accepted, and the nearest word if there is one.
    pub message: String,
}

impl Problem {
    /// The problem as one line that editors can jump to: `file:line:column: path: message`.
    ///
    /// ```
    /// # use unfazed::spec::Problem;
    /// let problem = Problem { line: 3, column: 5, path: "spec".into(), message: "found nothing".into() };
    /// assert_eq!(problem.in_file("a.yaml"), "a.yaml:3:5: spec: found nothing");
    /// ```
    pub fn in_file(&self, file_name: &str) -> String {
        let Self { line, column, path, message } = self;
        if path.is_empty() {
            format!("{file_name}:{line}:{column}: {message}")
        } else {
            format!("{file_name}:{line}:{column}: {path}: {message}")
        }
    }
}

/// All problems of one document, sorted by place.
///
/// `Display` writes every problem on a line of its own. The warnings found on the way and the document's text come
/// along, so that an edge can show the offending lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.lines())]
pub struct Problems {
    file_name: String,
    text: String,
    list: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Problems {
    /// The findings of one document.
    pub(crate) fn new(file_name: &str, text: String, findings: Findings) -> Self {
        let Findings { problems, warnings } = findings.sorted();
        Self { file_name: file_name.to_owned(), text, list: problems, warnings }
    }

    /// The name of the file as it was given.
    pub fn file_name(&self) -> &str {
        &self.file_name
    }

    /// The document's text; empty when the document was refused before it was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Every problem, sorted by line and column.
    pub fn problems(&self) -> &[Problem] {
        &self.list
    }

    /// Warnings found beside the problems, sorted by line and column.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    fn lines(&self) -> String {
        let lines: Vec<String> =
            self.list.iter().map(|problem| problem.in_file(&self.file_name)).collect();
        lines.join("\n")
    }
}

/// What a walk through a document has found so far.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
}

impl Findings {
    /// Notes something that refuses the document.
    pub(crate) fn refuse(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Notes something that a reader should know but that refuses nothing.
    pub(crate) fn warn(&mut self, warning: Problem) {
        self.warnings.push(warning);
    }

    /// The findings by place; of very many problems the first ones and their number.
    pub(crate) fn sorted(mut self) -> Self {
        for list in [&mut self.problems, &mut self.warnings] {
            list.sort();
            list.dedup();
            let more = list.len().saturating_sub(LISTED_PROBLEMS);
            if more > 0 {
                list.truncate(LISTED_PROBLEMS);
                let last = list[LISTED_PROBLEMS - 1].clone();
                let message = format!("and {more} more problems that are not listed");
                list.push(Problem { path: String::new(), message, ..last });
            }
        }
        self
    }
}

/// The known word that was probably meant, if one is near enough.
///
/// Near means: at most a third of the letters differ (insertions, deletions, replacements, swaps; Damerau 1964), and
/// at most three; or four letters and more are the beginning of the known word. Case, `-` and `_` do not count. Of equally
/// near words the first one wins.
pub(crate) fn nearest<'known>(
    word: &str,
    known: impl IntoIterator<Item = &'known str>,
) -> Option<&'known str> {
    let length = word.chars().count();
    if length == 0 || length > LONGEST_WORD {
        return None;
    }
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let limit = (length / 3).clamp(1, 3);
    let word = plain(word);
    known
        .into_iter()
        .take(SEARCHED_WORDS)
        .filter_map(|candidate| {
            let known = plain(candidate);
            if length >= SHORTEST_BEGINNING && known.starts_with(&word) {
                return Some((strsim::damerau_levenshtein(&word, &known).min(limit), candidate));
            }
            // The distance is at least the difference in length, which is much cheaper to know.
            if known.chars().count().abs_diff(length) > limit {
                return None;
            }
            let distance = strsim::damerau_levenshtein(&word, &known);
            (distance <= limit).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `accepted are a, b and c`, with the nearest of them if there is one.
pub(crate) fn accepted_words(found: &str, known: &[&str]) -> String {
    accepted_words_or(found, known, "")
}

/// Like [`accepted_words`], with something that is accepted beside the words.
pub(crate) fn accepted_words_or(found: &str, known: &[&str], also: &str) -> String {
    let mut text = match known {
        [first @ .., _] if first.len() > LISTED_WORDS => {
            let more = known.len() - LISTED_WORDS;
            format!("accepted are {} and {more} more", known[..LISTED_WORDS].join(", "))
        }
        [] => "nothing is accepted here".to_owned(),
        [only] => format!("accepted is {only}"),
        [first @ .., last] => format!("accepted are {} and {last}", first.join(", ")),
    };
    text.push_str(also);
    if let Some(word) = nearest(found, known.iter().copied()) {
        // Writing to a string cannot fail.
        let _ = write!(text, "; did you mean '{word}'?");
    }
    text
}

/// A piece of a document, short enough and without control characters, fit for a message.
pub(crate) fn quoted(text: &str) -> String {
    let mut characters = text.chars();
    let mut shown: String = characters
        .by_ref()
        .take(QUOTED_CHARACTERS)
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near() {
        let known = ["at_most", "at_least", "increase_at_most"];
        assert_eq!(nearest("atmost", known), Some("at_most"));
        assert_eq!(nearest("at-most", known), Some("at_most"));
        assert_eq!(nearest("AT_LEST", known), Some("at_least"));
        assert_eq!(nearest("increase", known), Some("increase_at_most"));
        assert_eq!(nearest("maximum", known), None);
        assert_eq!(nearest(&"a".repeat(100_000), known), None);
    }

    #[test]
    fn very_many_problems_are_counted() {
        let mut findings = Findings::default();
        for line in 0..1500 {
            let (path, message) = ("x".to_owned(), "y".to_owned());
            findings.refuse(Problem { line, column: 1, path, message });
        }
        let problems = Problems::new("f", String::new(), findings);
        assert_eq!(problems.problems().len(), 1001);
        assert!(problems.to_string().ends_with("and 500 more problems that are not listed"));
    }
}
