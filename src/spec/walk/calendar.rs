//! `windows` and `blackouts` of a policy: when something may happen, and when nothing may.

use crate::spec::grammar::{Key, Kind, Shape, TextRule};
use crate::spec::policy::{Blackout, OpenHours};
use crate::spec::problem::{Findings, nearest, quoted};
use crate::spec::walk::fields::Fields;
use crate::unit::zone::minute_of_day;
use crate::unit::{LocalTime, Weekday, Zone};

const ENVIRONMENTS: Key = Key::optional(
    "environments",
    Kind::List { of: &Kind::Text(TextRule::Line), least: 1 },
    "the only environments that it is said of (default all)",
);

const ZONE: Key = Key::required(
    "zone",
    Kind::Text(TextRule::Line),
    "the zone of the times, as the IANA database names it, e.g. Europe/Berlin",
);

pub(crate) const OPEN_HOURS: Shape = Shape {
    name: "open_hours",
    doc: "Hours in which something may happen.",
    keys: &[
        ZONE,
        Key::optional(
            "days",
            Kind::List {
                of: &Kind::Word(&["mon", "tue", "wed", "thu", "fri", "sat", "sun"]),
                least: 1,
            },
            "the days on which the hours begin (default all)",
        ),
        Key::required("from", Kind::Text(TextRule::TimeOfDay), "when they begin, e.g. '09:30'"),
        Key::required(
            "to",
            Kind::Text(TextRule::TimeOfDay),
            "when they end, e.g. '16:00'; at or before `from` it is on the next day",
        ),
        ENVIRONMENTS,
    ],
    choices: &[],
};

pub(crate) const BLACKOUT: Shape = Shape {
    name: "blackout",
    doc: "A time in which nothing may happen.",
    keys: &[
        Key::required("name", Kind::Text(TextRule::Line), "why"),
        ZONE,
        Key::required(
            "from",
            Kind::Text(TextRule::LocalTime),
            "its begin: a day from its first minute, or a time",
        ),
        Key::required(
            "to",
            Kind::Text(TextRule::LocalTime),
            "its end: a day to its last minute, or a time",
        ),
        ENVIRONMENTS,
    ],
    choices: &[],
};

/// Reads one item of `windows`.
pub(crate) fn open_hours(
    fields: &Fields<'_>,
    known: &[String],
    findings: &mut Findings,
) -> Option<OpenHours> {
    let zone = zone(fields, findings);
    let days = if fields.has("days") {
        fields.words("days", findings)
    } else {
        Some(Weekday::ALL.map(Weekday::word).to_vec())
    };
    let from = fields.text("from", findings);
    let to = fields.text("to", findings);
    let environments = environments(fields, known, findings);
    let (from, to) = (minute_of_day(&from?)?, minute_of_day(&to?)?);
    let days = days?;
    if from == 24 * 60 {
        fields.at("from")?.mismatch("a begin before 24:00, the end of the day", findings);
        return None;
    }
    Some(OpenHours {
        zone: zone?,
        days: Weekday::ALL.into_iter().filter(|day| days.contains(&day.word())).collect(),
        from,
        to,
        environments,
    })
}

/// Reads one item of `blackouts`.
pub(crate) fn blackout(
    fields: &Fields<'_>,
    known: &[String],
    findings: &mut Findings,
) -> Option<Blackout> {
    let name = fields.text("name", findings);
    let zone = zone(fields, findings);
    let from = local_time(fields, "from", findings);
    let to = local_time(fields, "to", findings);
    let environments = environments(fields, known, findings);
    let (from, to) = (from?, to?);
    // A date without a time is the whole day.
    let whole_day = fields.at("to")?.scalar().is_some_and(|scalar| !scalar.text.contains('T'));
    let until = if whole_day { to.date().plus_days(1).at(0) } else { to };
    if until <= from {
        fields.at("to")?.refuse(
            format!("found {to}, which is not after its begin {from}; accepted is a later time"),
            findings,
        );
        return None;
    }
    Some(Blackout { name: name?, zone: zone?, from, until, environments })
}

fn zone(fields: &Fields<'_>, findings: &mut Findings) -> Option<Zone> {
    let name = fields.text("zone", findings)?;
    let zone = Zone::named(&name);
    if zone.is_none() {
        // Of some six hundred names only those that begin alike are worth the search.
        let letter = |text: &str| text.chars().next().map(|letter| letter.to_ascii_lowercase());
        let alike = Zone::names().filter(|known| letter(known) == letter(&name));
        let hint = nearest(&name, alike)
            .map_or_else(String::new, |known| format!("; did you mean '{known}'?"));
        fields.at("zone")?.refuse(
            format!(
                "found '{}', which the IANA time zone database does not have; accepted is e.g. UTC or Europe/Berlin{hint}",
                quoted(&name)
            ),
            findings,
        );
    }
    zone
}

fn local_time(fields: &Fields<'_>, key: &str, findings: &mut Findings) -> Option<LocalTime> {
    let text = fields.text(key, findings)?;
    let time = LocalTime::parse(&text);
    if time.is_none() {
        fields.at(key)?.mismatch("a day that the calendar has", findings);
    }
    time
}

/// The environments that an item is said of; each has to be one of the policy's.
fn environments(fields: &Fields<'_>, known: &[String], findings: &mut Findings) -> Vec<String> {
    let Some(items) = fields.items("environments", findings) else {
        return Vec::new();
    };
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    let mut read = Vec::new();
    for item in items {
        let Some(name) = item.text(TextRule::Line, findings) else { continue };
        if names.contains(&name.as_str()) {
            read.push(name);
        } else {
            item.refuse(
                format!(
                    "found '{}', which is no environment of this policy; {}",
                    quoted(&name),
                    crate::spec::problem::accepted_words(&name, &names)
                ),
                findings,
            );
        }
    }
    read
}
