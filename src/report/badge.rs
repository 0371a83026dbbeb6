//! The verdict as a badge: a small SVG for a README or a dashboard.
//!
//! The word and a shape tell the verdict, colour only repeats it. One self-contained file without fonts, scripts or
//! links; the same result gives the same bytes.

use crate::report::shown::shown_name;
use crate::report::view::Mark;
use crate::verdict::result::{AnalysisResult, Verdict};

/// Longest name of an experiment on a badge, in characters.
const NAME: usize = 40;
/// Height of a badge.
const HEIGHT: u32 = 20;
/// Space around a text.
const PADDING: u32 = 6;
/// Width of the shape beside the word, with its space.
const SHAPE: u32 = 16;

/// The badge of a result.
pub fn badge(result: &AnalysisResult) -> String {
    let name = clipped(&shown_name(&result.experiment.name));
    let mark = Mark::of(Some(result.verdict));
    let word = mark.word.to_lowercase();
    let (left, right) = (width(&name), width(&word));
    let label = left + 2 * PADDING;
    let value = right + 2 * PADDING + SHAPE;
    let total = label + value;
    // White on these is above 4.5 to 1, and they differ in lightness for those who do not see the hue.
    let (colour, shape) = match result.verdict {
        Verdict::Pass => ("#00694e", "M2 6.5l3 3 6-7"),
        Verdict::Fail => ("#a2300a", "M2 2l8 8M10 2l-8 8"),
        Verdict::Inconclusive => {
            ("#725000", "M3 3.5a3 2.6 0 1 1 4.2 2.3c-1 .5-1.2 1-1.2 1.7M6 10.2v.3")
        }
    };
    let (name, word) = (escaped(&name), escaped(&word));
    let (shape_x, word_x) = (label + PADDING, label + PADDING + SHAPE);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{total}\" height=\"{HEIGHT}\" viewBox=\"0 0 {total} {HEIGHT}\" role=\"img\" aria-label=\"{name}: {word}\">\n\
         <title>{name}: {word}</title>\n\
         <rect width=\"{label}\" height=\"{HEIGHT}\" fill=\"#3a424c\"/>\n\
         <rect x=\"{label}\" width=\"{value}\" height=\"{HEIGHT}\" fill=\"{colour}\"/>\n\
         <path transform=\"translate({shape_x} 4)\" d=\"{shape}\" fill=\"none\" stroke=\"#fff\" stroke-width=\"2\" stroke-linecap=\"round\" stroke-linejoin=\"round\"/>\n\
         <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">\n\
         <text x=\"{PADDING}\" y=\"14\" textLength=\"{left}\" lengthAdjust=\"spacingAndGlyphs\">{name}</text>\n\
         <text x=\"{word_x}\" y=\"14\" textLength=\"{right}\" lengthAdjust=\"spacingAndGlyphs\">{word}</text>\n\
         </g>\n</svg>\n"
    )
}

/// At most [`NAME`] characters.
fn clipped(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    name.chars().take(NAME - 1).chain(['…']).collect()
}

/// The width of a text in pixels of 11 pixel Verdana, about; the text is then set to it.
fn width(text: &str) -> u32 {
    text.chars()
        .map(|character| match character {
            'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 4,
            'f' | 'r' | 't' | ' ' | '-' | '(' | ')' | '[' | ']' => 5,
            'm' | 'w' | 'M' | 'W' | '@' | '%' => 10,
            'A'..='Z' => 8,
            _ if character.is_ascii() => 7,
            _ => 11,
        })
        .sum()
}

/// Text in XML; what XML forbids was made visible before.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{Story, sample};

    #[test]
    fn a_badge_tells_the_verdict_in_a_word() {
        for (story, word) in
            [(Story::Pass, "pass"), (Story::Fail, "fail"), (Story::Inconclusive, "inconclusive")]
        {
            let svg = badge(&sample(story));
            assert!(svg.contains(&format!(": {word}</title>")), "{svg}");
            assert!(!svg.contains("href") && !svg.contains("<script"), "{svg}");
        }
    }

    #[test]
    fn a_hostile_name_stays_text() {
        let mut result = sample(Story::Pass);
        result.experiment.name = "<script>\"&'\u{202e}".repeat(1000);
        let svg = badge(&result);
        assert!(!svg.contains("<script>") && !svg.contains('\u{202e}'), "{svg}");
        assert!(svg.len() < 3000, "{}", svg.len());
    }
}
