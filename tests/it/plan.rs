//! `unfazed plan` on the recorded campaigns: the numbers, the words and the JSON.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up should stop")]

use std::path::{Path, PathBuf};

use unfazed::app;
use unfazed::report::{Style, plan_json, plan_text};
use unfazed::verdict::plan::CampaignPlan;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn planned(pilot: Option<&str>) -> CampaignPlan {
    let document = root().join("datasets/payment-worker-kill");
    let pilot = pilot.map(|name| root().join("datasets").join(name));
    app::plan::run(&document, pilot.as_deref()).unwrap()
}

/// Compares with a file that is read as documentation; `UNFAZED_BLESS=1` writes it anew.
fn same_as(golden: &str, text: &str) {
    let path = root().join("tests/plan").join(golden);
    if std::env::var_os("UNFAZED_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, wanted, "{} differs; UNFAZED_BLESS=1 renews it", path.display());
}

#[test]
fn a_plan_with_a_pilot_reads_like_this() {
    let text = plan_text(&planned(Some("payment-worker-three-kills")), Style::Plain);
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
    same_as("with-a-pilot.txt", &text);
}

#[test]
fn a_plan_from_the_hypothesis_alone_reads_like_this() {
    same_as("without-a-pilot.txt", &plan_text(&planned(None), Style::Plain));
}

#[test]
fn a_plan_survives_being_written_and_read() {
    let plan = planned(Some("payment-worker-three-kills"));
    let text = plan_json(&plan);
    assert_eq!(serde_json::from_str::<CampaignPlan>(&text).unwrap(), plan);
    assert!(text.contains("\"schema\": \"unfazed.campaign_plan/v1\""));
}

#[test]
fn the_success_runs_are_the_published_ones() {
    let plan = planned(None);
    for (share, kills) in
        [(0.8, [14, 22, 30]), (0.85, [19, 30, 40]), (0.9, [29, 46, 61]), (0.95, [59, 93, 124])]
    {
        let row = plan.success_run.iter().find(|row| (row.share - share).abs() < 1e-9).unwrap();
        assert_eq!(row.kills, kills.map(Some), "{share}");
    }
    // 22 of 22: 0.05^(1/22).
    assert!((plan.planned_proves.unwrap() - 0.872_68).abs() < 1e-4);
}

#[test]
fn the_chances_by_distance_are_those_of_the_paired_t_test() {
    // One-sided 5 %, noncentral t; two decimals as tabled. Three kills can never pass.
    let plan = planned(None);
    for (distance, wanted) in [
        (0.0, [0.0, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05]),
        (0.25, [0.0, 0.12, 0.16, 0.18, 0.23, 0.29, 0.38, 0.54]),
        (0.5, [0.0, 0.24, 0.36, 0.43, 0.58, 0.70, 0.85, 0.97]),
        (1.0, [0.0, 0.58, 0.82, 0.90, 0.98, 1.0, 1.0, 1.0]),
        (1.5, [0.0, 0.86, 0.98, 1.0, 1.0, 1.0, 1.0, 1.0]),
        (2.0, [0.0, 0.97, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]),
    ] {
        let row = plan
            .by_distance
            .iter()
            .find(|row| (row.standard_deviations - distance).abs() < 1e-9)
            .unwrap();
        for (chance, wanted) in row.chances.iter().zip(wanted) {
            assert!((chance.power - wanted).abs() < 0.0051, "{distance}: {chance:?}, {wanted}");
        }
    }
}

#[test]
fn five_claims_at_four_in_five_pass_together_one_time_in_three() {
    let together = planned(None).together;
    assert_eq!(together.claims, 5);
    assert!((together.at_80_each - 0.8_f64.powi(5)).abs() < 1e-12);
    // Without a pilot two claims have no spread, so that nothing is said of all of them.
    assert_eq!(together.power_at_planned, None);
}

#[test]
fn control_iterations_take_time_too() {
    let plan = planned(Some("payment-worker-three-kills"));
    // 20 s + 40 s + 10 s and half of 5 s; 22 kills and 5 controls.
    assert!((plan.duration.iteration_s - 72.5).abs() < 1e-9);
    assert!((plan.duration.planned_s.unwrap() - 27.0 * 72.5).abs() < 1e-6);
    assert_eq!(
        plan.duration.needed_80_s.map(|seconds| seconds / 72.5 - 5.0),
        plan.together.needed_80.map(f64::from)
    );
}

#[test]
fn a_claim_that_no_number_of_kills_can_decide_is_warned_about() {
    // The slow restart breaks its promises: planned with itself as the pilot, no number will do.
    let directory = root().join("datasets/payment-worker-slow-restart");
    let plan = app::plan::run(&directory, Some(Path::new(&directory))).unwrap();
    assert!(plan.warnings.iter().any(|warning| warning.code == "will_not_resolve"), "{plan:#?}");
    assert_eq!(plan.together.needed_80, None);
}

#[test]
fn three_planned_kills_are_warned_about() {
    let plan = app::plan::run(&root().join("datasets/payment-worker-three-kills"), None).unwrap();
    let warned: Vec<&str> = plan
        .warnings
        .iter()
        .filter(|warning| warning.code == "too_few_iterations")
        .map(|warning| warning.message.as_str())
        .collect();
    assert_eq!(warned.len(), 5, "{warned:?}");
}
