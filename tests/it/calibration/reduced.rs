//! The reduced calibration: fewer campaigns, with assertions.

use unfazed::run::Arm;
use unfazed::stats::random::Stream;

use super::clustered_limits::Method;
use super::draw;
use super::gauge::{Effect, Gauge};
use super::kills::MostKills;
use super::measure::{SEED, measure};
use super::ratio::{Counted, Ratio, Variation};
use super::rows::rows;
use super::table::{self, Effort, Line, verdicts};
use super::world::{ArmWindows, Drawn, Place, World, summary, window};

const REDUCED: Effort = Effort { kills: &[5, 14, 20], low: 200, middle: 60, high: 5, inside: 0 };

#[test]
fn verdicts_at_the_bound_are_wrong_at_most_as_often_as_promised() {
    let lines: Vec<Line> = rows().into_iter().map(|row| Line::measure(row, &REDUCED)).collect();
    let broken: Vec<Line> = lines.into_iter().filter(|line| !line.keeps_its_promise()).collect();
    assert!(broken.is_empty(), "wrong more often than promised:\n{}", verdicts(&broken));
}

#[test]
fn three_iterations_never_pass_a_claim_over_kills() {
    for row in rows() {
        let campaigns = Effort { low: 20, middle: 10, high: 1, ..REDUCED }.campaigns(row.cost);
        let measured = measure(&row.name, row.world.as_ref(), Place::Inside, 3, campaigns);
        assert_eq!(measured.product.pass, 0, "{}", row.name);
    }
}

/// A gauge under an absolute bound that every kill keeps.
struct Clean;

impl World for Clean {
    fn document(&self) -> String {
        MostKills::Gauge.document()
    }

    fn truth(&self, _place: Place) -> Option<f64> {
        None
    }

    fn draw(&self, _place: Place, kills: usize, _stream: &mut Stream) -> Drawn {
        let windows =
            || ArmWindows { arm: Arm::Fault, baseline: window(1.0), experiment: window(1.0) };
        let summary = summary(std::iter::repeat_with(windows).take(kills));
        Drawn { summary, recovery: None, usual: None }
    }
}

#[test]
fn five_of_five_never_prove_four_in_five_and_fourteen_of_fourteen_do() {
    let clean = Clean;
    assert_eq!(measure("clean", &clean, Place::Inside, 5, 5).product.pass, 0);
    assert_eq!(measure("clean", &clean, Place::Inside, 13, 5).product.pass, 0);
    assert_eq!(measure("clean", &clean, Place::Inside, 14, 5).product.pass, 5);
}

#[test]
fn pooling_scrapes_is_wrong_where_the_product_is_right() {
    // Ten kills that are all alike, scrapes that follow each other: nothing but autocorrelation.
    let gauge = Gauge::new(0.9, Effect::Same);
    let measured = measure("pooling", &gauge, Place::AtTheBound, 10, 200);
    let usual = measured.usual.expect("gauges are judged the usual way too");
    assert!(usual.passes().share() + usual.fails().share() > 0.4, "{usual:?}");
    assert!(measured.product.passes().is_at_most(0.05), "{measured:?}");
    assert!(measured.product.fails().is_at_most(0.05), "{measured:?}");
}

#[test]
fn the_page_has_one_line_for_each_world_and_limit() {
    let few = Effort { kills: &[5, 14], low: 8, middle: 4, high: 1, inside: 100 };
    let of = |claim: &str| {
        rows().into_iter().find(|row| row.claim == claim).expect("every claim has a row")
    };
    let lines: Vec<Line> = ["typical_kill", "most_kills", "all_requests"]
        .into_iter()
        .map(|claim| Line::measure(of(claim), &few))
        .collect();
    let page = table::page(&lines, &table::limits(4), &Effort::FULL);
    for line in &lines {
        assert!(page.contains(&format!("| {} |", line.row.name)), "{page}");
    }
    assert!(Method::ALL.iter().all(|method| page.contains(method.words())), "{page}");
    // Both places at every size that a row has, and a head.
    assert_eq!(table::csv(&lines).lines().count(), 1 + 2 * (1 + 2 + 1));
}

#[test]
fn a_campaign_does_not_depend_on_how_many_are_drawn() {
    let gauge = Gauge::new(0.6, Effect::Symmetric);
    let count = |campaigns| measure("repeat", &gauge, Place::AtTheBound, 8, campaigns).product;
    assert_eq!(count(40), count(40));
    assert!(count(20).pass <= count(40).pass);
}

#[test]
fn the_limits_of_others_pass_too_often_under_variation() {
    let world = Ratio { variation: Variation::Gamma(1.0), counted: Counted::Errors, events: 20.0 };
    let wrong = |method: Method| {
        (0..200)
            .filter(|index| {
                let mut stream = Stream::new(SEED, "limits", &index.to_string());
                let clusters = world.clusters(Place::AtTheBound, 10, &mut stream);
                method.passes(&clusters, world.bound(), &mut stream)
            })
            .count()
    };
    assert!(wrong(Method::Independent) > 40, "{}", wrong(Method::Independent));
    assert!(wrong(Method::KornGraubardHalf) < wrong(Method::Linearised));
}

#[test]
fn the_samplers_have_their_moments() {
    let moments = |draw: fn(&mut Stream) -> f64| {
        let mut stream = Stream::new(SEED, "moments", "test");
        let values: Vec<f64> = (0..20_000).map(|_| draw(&mut stream)).collect();
        let mean = draw::mean(&values);
        let squares: Vec<f64> = values.iter().map(|value| (value - mean).powi(2)).collect();
        (mean, draw::mean(&squares))
    };
    let near = |(mean, variance): (f64, f64), wanted: (f64, f64)| {
        assert!((mean - wanted.0).abs() < 0.05 * wanted.0, "mean {mean}, wanted {}", wanted.0);
        assert!(
            (variance / wanted.1 - 1.0).abs() < 0.1,
            "variance {variance}, wanted {}",
            wanted.1
        );
    };
    near(moments(draw::exponential), (1.0, 1.0));
    near(moments(|stream| draw::gamma(0.5, stream)), (0.5, 0.5));
    near(moments(|stream| draw::gamma(4.0, stream)), (4.0, 4.0));
    near(moments(|stream| draw::poisson(3.0, stream)), (3.0, 3.0));
    near(moments(|stream| draw::poisson(120.0, stream)), (120.0, 120.0));
}

#[test]
fn the_published_table_stands_in_the_readme_word_for_word() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(root.join(name));
    // A packaged copy may come without the page.
    let Ok(readme) = read("README.md") else {
        return;
    };
    let (_, rest) = readme
        .split_once("<!-- calibration:begin -->\n")
        .expect("README.md marks where the calibration table begins");
    let (block, _) = rest.split_once("<!-- calibration:end -->").expect("… and where it ends");
    assert!(
        block == read("src/verdict/calibration.md").expect("the table is part of the source"),
        "README.md and src/verdict/calibration.md differ: run cargo run --release --example calibrate -- --readme README.md"
    );
}
