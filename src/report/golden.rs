//! Facts about whole outputs, and goldens that are reviewed as documentation (`tests/report/`).
//!
//! `UPDATE_GOLDENS=1 cargo test --lib report::golden` writes them anew; a mismatch leaves `NAME.got` beside the golden.
//! `UNFAZED_PAGES=DIR` makes the pages test leave its HTML files there, for `tests/browser/check.mjs`.

use std::path::{Path, PathBuf};

use crate::report::sample::{HOSTILE, Story, sample};
use crate::report::view::Page;
use crate::report::{
    EventLink, ReportError, Style, Templates, from_json, junit, markdown, merge_postmortem,
    postmortem, render_html, render_html_linked, text, to_json,
};
use crate::spec::Estimand;
use crate::verdict::result::{AnalysisResult, DecidedQuantity};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report")
}

fn same(name: &str, found: &str) {
    let path = folder().join(name);
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        std::fs::write(&path, found).unwrap();
        return;
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    if wanted != found {
        std::fs::write(folder().join(format!("{name}.got")), found).unwrap();
        panic!("{name} differs: compare it with {name}.got; UPDATE_GOLDENS=1 accepts the new one");
    }
}

fn html(story: Story) -> String {
    render_html(&sample(story), &Templates::embedded().unwrap()).unwrap()
}

#[test]
fn the_terminal_summary_reads_as_reviewed() {
    for story in Story::ALL {
        let summary = text(&sample(story), Style::Plain).unwrap();
        same(&format!("{}.txt", story.name()), &summary);
        assert!(summary.lines().count() <= 24, "{summary}");
        assert!(summary.lines().all(|line| line.chars().count() <= 100), "{summary}");
        assert!(!summary.contains('\u{1b}'));
    }
    assert!(text(&sample(Story::Fail), Style::Ansi).unwrap().starts_with("\u{1b}[1;31mFAIL"));
}

#[test]
fn the_pull_request_summary_reads_as_reviewed() {
    for story in Story::ALL {
        same(&format!("{}.md", story.name()), &markdown(&sample(story)).unwrap());
    }
}

#[test]
fn the_junit_document_reads_as_reviewed() {
    for story in Story::ALL {
        same(&format!("{}.junit.xml", story.name()), &junit(&sample(story)).unwrap());
    }
}

#[test]
fn the_postmortem_reads_as_reviewed() {
    for story in [Story::Fail, Story::Hostile] {
        same(&format!("{}.postmortem.md", story.name()), &filed(story));
    }
}

fn filed(story: Story) -> String {
    let templates = Templates::embedded().unwrap();
    postmortem(&sample(story), &templates, &EventLink::default()).unwrap()
}

#[test]
fn a_postmortem_brought_together_with_itself_stays_byte_for_byte() {
    for story in Story::ALL {
        let text = filed(story);
        assert_eq!(text, filed(story));
        let merged = merge_postmortem(&text, &text);
        assert_eq!((merged.text.as_str(), merged.notes.len()), (text.as_str(), 0));
    }
}

#[test]
fn what_people_write_into_a_postmortem_stays_and_the_numbers_follow() {
    let first = filed(Story::Inconclusive);
    let written = first
        .replace(
            "_To complete: what the numbers do not say._",
            "We   looked at it.\u{a0}\r\nTwice.",
        )
        .replace(
            "- [ ] _To complete: action, owner, ticket_",
            "- [x] Ada raised the limit (CHG-1)\n- [ ] Bob",
        );
    let merged = merge_postmortem(&written, &filed(Story::Fail));
    assert_eq!(merged.notes, Vec::<String>::new());
    assert!(merged.text.contains("We   looked at it.\u{a0}\r\nTwice."));
    assert!(merged.text.contains("- [x] Ada raised the limit (CHG-1)"));
    assert!(merged.text.contains("Actions open: 1 of 2"), "{}", merged.text);
    assert!(merged.text.contains("Parts to complete: 5"), "{}", merged.text);
    assert!(merged.text.contains("| payment-p95 | Fail |"));
    let again = merge_postmortem(&merged.text, &filed(Story::Fail));
    assert_eq!((again.text, again.notes), (merged.text, Vec::<String>::new()));
}

#[test]
fn an_edited_part_of_a_postmortem_is_kept_and_told_and_an_emptied_one_is_written_anew() {
    let first = filed(Story::Inconclusive);
    let edited = first.replace("- What surprised us?", "- What surprised Ada?");
    let merged = merge_postmortem(&edited, &filed(Story::Fail));
    assert_eq!(merged.notes.len(), 1);
    assert!(merged.notes[0].contains("'questions' was edited by hand"), "{:?}", merged.notes);
    assert!(merged.text.contains("- What surprised Ada?"));
    let begin = first.find("<!-- unfazed:begin questions").unwrap();
    let begin = begin + first[begin..].find('\n').unwrap() + 1;
    let end = first.find("<!-- unfazed:end questions").unwrap();
    let emptied = format!("{}{}", &first[..begin], &first[end..]);
    assert_eq!(merge_postmortem(&emptied, &first).text, first);
}

#[test]
fn a_postmortem_with_carriage_returns_keeps_them_and_one_of_another_experiment_is_left_alone() {
    let first = filed(Story::Inconclusive).replace('\n', "\r\n");
    let merged = merge_postmortem(&first, &filed(Story::Fail));
    assert_eq!(merged.text.matches('\n').count(), merged.text.matches("\r\n").count());
    let again = merge_postmortem(&merged.text, &filed(Story::Fail));
    assert_eq!(again.text, merged.text);
    let other = filed(Story::Fail)
        .replace("unfazed:postmortem payment-worker-kill", "unfazed:postmortem other");
    for theirs in [other.as_str(), "# Our own postmortem\n"] {
        let merged = merge_postmortem(theirs, &filed(Story::Fail));
        assert_eq!(merged.text, theirs);
        assert!(merged.notes[0].contains("stays as it is"), "{:?}", merged.notes);
    }
}

#[test]
fn events_link_to_their_traces_only_when_asked() {
    let templates = Templates::embedded().unwrap();
    let link = EventLink::parse("https://traces.example/{correlation_id}").unwrap();
    let page = render_html_linked(&sample(Story::Fail), &templates, &link).unwrap();
    assert!(page.contains("<a href=\"https://traces.example/c-"), "no link");
    let text = postmortem(&sample(Story::Hostile), &templates, &link).unwrap();
    assert!(text.contains("](<https://traces.example/c-"), "no link");
}

#[test]
fn the_views_read_as_reviewed() {
    for story in [Story::Fail, Story::Inconclusive] {
        let page = Page::new(&sample(story)).unwrap();
        let mut json = serde_json::to_string_pretty(&page).unwrap();
        json.push('\n');
        same(&format!("{}.view.json", story.name()), &json);
    }
}

#[test]
fn one_chart_of_each_kind_reads_as_reviewed() {
    let page = html(Story::Inconclusive);
    let charts: Vec<&str> = page
        .split("<svg class=\"chart\"")
        .skip(1)
        .filter_map(|rest| rest.split("</svg>").next())
        .filter(|chart| ["metric-2-", "recovery-"].iter().any(|id| chart.contains(id)))
        .collect();
    assert_eq!(charts.len(), 5);
    same("inconclusive.charts.svg.txt", &charts.join("\n\n"));
}

#[test]
fn the_same_result_gives_the_same_bytes() {
    for story in Story::ALL {
        assert_eq!(html(story), html(story));
        let result = sample(story);
        let again = from_json(&to_json(&result)).unwrap();
        assert_eq!(again, result);
        let templates = Templates::embedded().unwrap();
        assert_eq!(
            render_html(&again, &templates).unwrap(),
            html(story),
            "rendered from JSON alone"
        );
    }
}

#[test]
fn a_page_asks_for_nothing_and_runs_nothing() {
    for story in Story::ALL {
        let page = html(story);
        let name = story.name();
        for forbidden in
            ["<script", "http://", "https:", "<link", "<img", " style=", "@import", "url("]
        {
            let found = page.to_ascii_lowercase().find(forbidden);
            let around = found.and_then(|at| page.get(at.saturating_sub(80)..at + 80));
            // Hostile text holds an address; as text it does not load anything.
            let is_text = story == Story::Hostile && forbidden == "https:";
            assert!(found.is_none() || is_text, "{name}: {forbidden}: {around:?}");
        }
        assert!(page.contains("default-src 'none'; style-src 'sha256-"), "{name}");
        assert!(page.len() < 500_000, "{name}: {} bytes", page.len());
        assert!(!page.contains("NaN") && !page.contains("p 0.000"), "{name}");
    }
}

#[test]
fn hostile_text_stays_text_in_every_output() {
    let result = sample(Story::Hostile);
    let page = html(Story::Hostile);
    let md = markdown(&result).unwrap();
    let xml = junit(&result).unwrap();
    let filed = filed(Story::Hostile);
    let summary = text(&result, Style::Plain).unwrap();
    for raw in &HOSTILE[..6] {
        // A table row of Markdown has no meaning in HTML and XML.
        let is_markup = raw.contains(['<', '>', '&', '\u{202e}']);
        for (what, output) in [("html", &page), ("junit", &xml)] {
            assert!(!(is_markup && output.contains(raw)), "{what} holds {raw:?}");
        }
        assert!(!md.contains(raw), "markdown holds {raw:?}");
        assert!(!filed.contains(raw), "postmortem holds {raw:?}");
    }
    for acting in ['\u{202e}', '\u{2028}', '\u{1b}', '\u{7}', '\u{0}'] {
        for output in [&page, &md, &xml, &summary, &filed] {
            assert!(!output.contains(acting), "{acting:?}");
        }
    }
    assert!(page.contains("{{ 7 * 7 }}"), "a template in the data stays as it is");
    assert!(page.contains("👩\u{200d}🚒"), "emoji stay whole");
    assert!(!md.contains("@everyone") && !md.contains("https://") && !md.contains("<b>"));
}

#[test]
fn twenty_kills_by_ten_metrics_stay_under_half_a_megabyte() {
    let mut result = sample(Story::Pass);
    let metrics = result.metrics.clone();
    let series = result.timeline.metrics.clone();
    for (mut metric, mut series) in metrics.into_iter().zip(series) {
        metric.name.push_str("-again");
        series.name.push_str("-again");
        result.metrics.push(metric);
        result.timeline.metrics.push(series);
    }
    let page = render_html(&result, &Templates::embedded().unwrap()).unwrap();
    assert!(page.len() < 500_000, "{} bytes", page.len());
    let summary = text(&result, Style::Plain).unwrap();
    assert!(summary.lines().count() <= 24, "{summary}");
}

#[test]
fn a_result_with_nothing_in_it_still_renders() {
    let mut result: AnalysisResult = sample(Story::Inconclusive);
    result.metrics.clear();
    result.recovery = None;
    result.timeline.metrics.clear();
    result.timeline.windows.clear();
    result.timeline.events.clear();
    result.reasons.clear();
    let page = render_html(&result, &Templates::embedded().unwrap()).unwrap();
    assert!(page.contains("Inconclusive"));
    assert!(junit(&result).unwrap().contains("errors=\"1\""), "an empty suite would read as green");
    markdown(&result).unwrap();
    text(&result, Style::Plain).unwrap();
}

#[test]
fn missing_numbers_render_everywhere() {
    let mut result = sample(Story::Fail);
    for metric in &mut result.metrics {
        metric.effect = None;
        if let Some(decision) = &mut metric.decision {
            decision.lower = None;
            decision.upper = None;
            decision.p_pass = None;
        }
        for iteration in &mut metric.iterations {
            iteration.experiment = None;
            iteration.inside = None;
        }
    }
    if let Some(recovery) = &mut result.recovery {
        recovery.detect = None;
        recovery.recover.times.clear();
    }
    let page = render_html(&result, &Templates::embedded().unwrap()).unwrap();
    assert!(page.contains("no upper limit"));
}

#[test]
fn a_claim_on_this_run_shows_its_worst_kill_and_no_interval() {
    let mut result = sample(Story::Fail);
    let metric = &mut result.metrics[1];
    metric.estimand = Some(Estimand::ThisRun);
    if let Some(decision) = &mut metric.decision {
        decision.lower = None;
        decision.upper = None;
        decision.quantity = DecidedQuantity::Experiment;
    }
    let page = Page::new(&result).unwrap();
    assert!(page.headline.claims[1].seen.starts_with("worst 1.0"), "{:?}", page.headline.claims[1]);
    assert!(page.claims[1].question.contains("this run"));
    let html = render_html(&result, &Templates::embedded().unwrap()).unwrap();
    assert!(!html.contains("metric-2-interval") && html.contains("metric-2-paired"));
}

#[test]
fn an_estimate_on_another_scale_than_its_limits_is_not_drawn_between_them() {
    let mut result = sample(Story::Pass);
    if let Some(decision) = &mut result.metrics[2].decision {
        decision.lower = Some(-12.0);
        decision.upper = Some(-3.0);
        decision.bound = 0.0;
    }
    let page = Page::new(&result).unwrap();
    let decision = page.claims[2].decision.as_ref().unwrap();
    assert_eq!(decision.estimate.value, None);
}

#[test]
fn a_deadline_between_two_samples_is_shown_as_undecided() {
    let mut result = sample(Story::Pass);
    let times = &mut result.recovery.as_mut().unwrap().recover.times;
    times[0].after_s = Some(118.0);
    times[0].seconds = Some(123.0);
    let page = Page::new(&result).unwrap();
    let recovery = page.recovery.as_ref().unwrap();
    assert!(recovery.rows[0].recover.undecided);
    assert!(recovery.rows.iter().skip(1).all(|row| !row.recover.undecided));
}

#[test]
fn another_schema_is_refused_by_name() {
    let json = to_json(&sample(Story::Pass)).replace("unfazed.result/v1", "unfazed.result/v9");
    assert!(
        matches!(from_json(&json), Err(ReportError::Schema { found }) if found == "unfazed.result/v9")
    );
    assert!(matches!(from_json("{}"), Err(ReportError::NoSchema)));
    assert!(matches!(from_json("nonsense"), Err(ReportError::Result(_))));
}

#[test]
fn pages_are_left_for_the_browser_when_asked() {
    let Some(folder) = std::env::var_os("UNFAZED_PAGES").map(PathBuf::from) else { return };
    std::fs::create_dir_all(&folder).unwrap();
    for story in Story::ALL {
        std::fs::write(folder.join(format!("{}.html", story.name())), html(story)).unwrap();
    }
}
