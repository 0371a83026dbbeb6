//! The plan of a campaign for the terminal.
//!
//! What is planned, what each claim needs, all of them together, the tables behind it, warnings last, where the eye
//! stays. Nothing is computed here.

use std::fmt::Write as _;

use crate::report::text::Style;
use crate::unit::show;
use crate::verdict::plan::outlook::{CampaignPlan, ClaimPlan, Together};

/// Columns at which sentences are broken.
const COLUMNS: usize = 100;

/// The plan as text, each line ended.
pub fn plan_text(plan: &CampaignPlan, style: Style) -> String {
    let mut out = String::new();
    head(&mut out, plan, style);
    claims(&mut out, plan, style);
    success_run(&mut out, plan, style);
    chances(&mut out, plan, style);
    for warning in &plan.warnings {
        let _ = writeln!(out, "\n{}", bold("warning", style));
        wrapped(&mut out, &warning.message);
    }
    out
}

/// What is planned, and from what.
fn head(out: &mut String, plan: &CampaignPlan, style: Style) {
    let kills = plan
        .planned
        .fault
        .map_or_else(|| "no number of kills planned".to_owned(), |kills| counted(kills, "kill"));
    let controls = match plan.planned.control {
        0 => String::new(),
        count => format!(" and {}", counted(count, "control iteration")),
    };
    let _ = writeln!(
        out,
        "{}  {}: {kills}{controls}{}",
        bold("PLAN", style),
        plan.experiment,
        plan.duration.planned_s.map_or_else(String::new, |seconds| format!(", {}", long(seconds))),
    );
    let pilot = plan.pilot.as_ref().map_or_else(
        || "without a pilot; --recording DIR takes spread and rates from one".to_owned(),
        |pilot| format!("pilot {} with {}", pilot.run_id, counted(pilot.kills, "kill")),
    );
    let _ = writeln!(
        out,
        "  {pilot}; an iteration takes {}; limits one-sided at {}",
        long(plan.duration.iteration_s),
        show::level(plan.confidence)
    );
}

/// One line per claim, its assumption below it, and all claims together.
fn claims(out: &mut String, plan: &CampaignPlan, style: Style) {
    let name = |claim: &ClaimPlan| {
        let of = claim.estimand.map_or("most_kills", |estimand| estimand.word());
        (claim.name.clone(), of.to_owned())
    };
    let names: Vec<(String, String)> = plan.claims.iter().map(name).collect();
    let width = |least: usize, cells: &mut dyn Iterator<Item = usize>| {
        cells.fold(least, |widest, cell| if cell > widest { cell } else { widest })
    };
    let first = width(12, &mut names.iter().map(|(name, _)| name.chars().count()));
    let second = width(12, &mut names.iter().map(|(_, of)| of.len()));
    let at =
        plan.planned.fault.map_or_else(|| "planned".to_owned(), |kills| format!("{kills} kills"));
    let title = format!(
        "{:first$}  {:second$}  {:>6}  {:>6}  {:>6}  {at:>10}",
        "claim", "for", "least", "80 %", "90 %"
    );
    let _ = writeln!(out, "\n{}", bold(&title, style));
    for (claim, (name, of)) in plan.claims.iter().zip(&names) {
        let _ = writeln!(
            out,
            "{name:first$}  {of:second$}  {:>6}  {:>6}  {:>6}  {:>10}",
            number(claim.least),
            number(claim.needed_80),
            number(claim.needed_90),
            chance(claim.power_at_planned)
        );
        wrapped(out, &claim.claim);
        wrapped(out, &format!("assumed: {}", claim.assumed));
        if let Some(detectable) = &claim.detectable {
            wrapped(out, &format!("80 % chance at: {detectable}"));
        }
    }
    together(out, plan, (first, second), style);
}

/// All claims together.
fn together(out: &mut String, plan: &CampaignPlan, widths: (usize, usize), style: Style) {
    let Together { claims, needed_80, needed_90, power_at_planned, at_80_each, at_95_each } =
        plan.together;
    let (first, second) = widths;
    let line = format!(
        "{:first$}  {:second$}  {:>6}  {:>6}  {:>6}  {:>10}",
        "all together",
        "",
        "",
        number(needed_80),
        number(needed_90),
        chance(power_at_planned)
    );
    let _ = writeln!(out, "{}", bold(&line, style));
    if claims > 1 {
        let _ = writeln!(
            out,
            "    {} at 80 % each pass together {} of the time, at 95 % {}",
            counted(claims, "inferred claim"),
            chance(Some(at_80_each)),
            chance(Some(at_95_each))
        );
    }
    if let (Some(kills), Some(seconds)) = (needed_80, plan.duration.needed_80_s) {
        let _ = write!(out, "    {} take {}", counted(kills, "kill"), long(seconds));
        if let (Some(kills), Some(seconds)) = (needed_90, plan.duration.needed_90_s) {
            let _ = write!(out, ", {} take {}", counted(kills, "kill"), long(seconds));
        }
        out.push('\n');
    }
}

/// What clean kills prove.
fn success_run(out: &mut String, plan: &CampaignPlan, style: Style) {
    let title = format!("{:22}{:>8}{:>8}{:>8}", "kills that prove", "0 miss", "1 miss", "2 miss");
    let _ = writeln!(out, "\n{}", bold(&title, style));
    for row in &plan.success_run {
        let _ = write!(out, "  {:20}", format!("{} of kills good", show::percent(row.share)));
        for kills in &row.kills {
            let _ = write!(out, "{:>8}", number(*kills));
        }
        out.push('\n');
    }
    if let (Some(kills), Some(share)) = (plan.planned.fault, plan.planned_proves) {
        let _ = writeln!(
            out,
            "  {kills} of {kills} clean kills prove {}",
            show::percent((share * 1000.0).floor() / 1000.0)
        );
    }
}

/// The chance to pass by the truth.
fn chances(out: &mut String, plan: &CampaignPlan, style: Style) {
    let mut required: Vec<f64> = plan.by_share.iter().map(|chance| chance.required).collect();
    required.dedup();
    for share in required {
        let rows: Vec<_> = plan
            .by_share
            .iter()
            .filter(|chance| chance.required.total_cmp(&share).is_eq())
            .collect();
        let kills = rows.first().map_or(0, |row| row.kills);
        let title = format!(
            "chance to pass \"{} of kills\" with {} when truly good are",
            show::percent(share),
            counted(kills, "kill")
        );
        let _ = writeln!(out, "\n{}", bold(&title, style));
        let cells: Vec<String> = rows
            .iter()
            .map(|row| format!("{}: {}", show::percent(row.truth), chance(Some(row.power))))
            .collect();
        let _ = writeln!(out, "  {}", cells.join("   "));
    }
    let typical =
        plan.claims.iter().any(|claim| claim.estimand == Some(crate::spec::Estimand::TypicalKill));
    if !typical {
        return;
    }
    let kills: Vec<String> = plan.by_distance.first().map_or_else(Vec::new, |row| {
        row.chances.iter().map(|chance| format!("{:>8}", chance.kills)).collect()
    });
    let title = format!("{:24}{}", "typical kill, N =", kills.concat());
    let _ = writeln!(out, "\n{}", bold(&title, style));
    for row in &plan.by_distance {
        let cells: Vec<String> =
            row.chances.iter().map(|cell| format!("{:>8}", chance(Some(cell.power)))).collect();
        let _ = writeln!(
            out,
            "  {:22}{}",
            format!("{} SD inside", show::significant(row.standard_deviations, 3)),
            cells.concat()
        );
    }
    let _ = writeln!(out, "  (paired t; the rank test that decides may need 16 % more kills)");
}

/// A sentence below a claim, broken between words.
fn wrapped(out: &mut String, sentence: &str) {
    let mut column = COLUMNS;
    for word in sentence.split(' ') {
        let length = word.chars().count();
        if column + 1 + length > COLUMNS {
            let indent = if column == COLUMNS { "    " } else { "\n      " };
            let _ = write!(out, "{indent}{word}");
            column = indent.trim_start_matches('\n').len() + length;
        } else {
            let _ = write!(out, " {word}");
            column += 1 + length;
        }
    }
    out.push('\n');
}

/// A number of kills, or a dash.
fn number(kills: Option<u32>) -> String {
    kills.map_or_else(|| "–".to_owned(), |kills| kills.to_string())
}

/// A chance in whole percent; "> 99 %" rather than a promise.
fn chance(power: Option<f64>) -> String {
    match power {
        None => "–".to_owned(),
        Some(power) if power > 0.995 => "> 99 %".to_owned(),
        Some(power) if power > 0.0 && power < 0.005 => "< 1 %".to_owned(),
        Some(power) => format!("{:.0} %", power * 100.0),
    }
}

/// "1 kill", "22 kills".
fn counted(count: u32, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// A time as long as a campaign: "33 min", "5 h 10 min".
fn long(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round();
    if minutes < 120.0 {
        return show::seconds(seconds);
    }
    let hours = (minutes / 60.0).floor();
    match minutes - hours * 60.0 {
        rest if rest > 0.0 => format!("{hours} h {rest} min"),
        _ => format!("{hours} h"),
    }
}

/// Bold where colour is wished.
fn bold(text: &str, style: Style) -> String {
    match style {
        Style::Ansi => format!("\u{1b}[1m{text}\u{1b}[0m"),
        Style::Plain => text.to_owned(),
    }
}
