//! Which events belong on the timeline of a run, and to which iteration.
//!
//! A log covers days and exemplars come by the thousand; a reader of a report looks for what happened near a kill. Of each
//! kind and iteration those nearest to the fault stay, within its windows; how many were left out is told.

use crate::run::{Event, Iteration, RunRecord};
use crate::verdict::result::Warning;

/// Most events of one kind in one iteration.
pub const MOST_OF_A_KIND: usize = 50;

/// Adds events to a run record, unless they are there already.
pub fn join(record: &mut RunRecord, events: Vec<Event>) -> Vec<Warning> {
    let found = events.len();
    let mut lies_in_a_window = false;
    let mut nearest: Vec<(u32, i64, Event)> = Vec::new();
    for mut event in events {
        let Some(iteration) = record.iterations.iter().find(|it| holds(it, &event)) else {
            continue;
        };
        lies_in_a_window = true;
        event.iteration = Some(iteration.index);
        if !record.events.contains(&event) {
            nearest.push((iteration.index, distance(iteration, &event), event));
        }
    }
    nearest.sort_by(|left, right| {
        (left.0, &left.2.kind, left.1, left.2.at, &left.2.message).cmp(&(
            right.0,
            &right.2.kind,
            right.1,
            right.2.at,
            &right.2.message,
        ))
    });
    nearest.dedup_by(|left, right| left.2 == right.2);
    let inside = nearest.len();
    let mut kept = Vec::new();
    for same in nearest.chunk_by(|left, right| left.0 == right.0 && left.2.kind == right.2.kind) {
        kept.extend(same.iter().take(MOST_OF_A_KIND).map(|(_, _, event)| event.clone()));
    }
    kept.sort_by(|left, right| (left.at, &left.message).cmp(&(right.at, &right.message)));
    let crowded = inside - kept.len();
    record.events.extend(kept);
    let mut warnings = Vec::new();
    if !lies_in_a_window && found > 0 {
        warnings.push(outside("the recording", found));
    }
    if crowded > 0 {
        warnings.push(Warning {
            code: "events_left_out".to_owned(),
            message: format!(
                "of the events in the windows {crowded} are not on the timeline: it holds the {MOST_OF_A_KIND} nearest to the fault of each kind and iteration"
            ),
        });
    }
    warnings
}

/// What is to be said of events of which none lies in a window.
pub fn outside(of: &str, count: usize) -> Warning {
    Warning {
        code: "events_outside".to_owned(),
        message: format!(
            "none of the {count} events of {of} lies in a window of an iteration; look at their times and zone"
        ),
    }
}

fn holds(iteration: &Iteration, event: &Event) -> bool {
    iteration.baseline.start <= event.at && event.at < iteration.experiment.end
}

/// Milliseconds to the fault. What happened after it matters more than what was before: half the distance.
fn distance(iteration: &Iteration, event: &Event) -> i64 {
    let fault = iteration.fault.as_ref().map_or(iteration.experiment.start, |fault| fault.at);
    let after = event.at.since(fault).milliseconds();
    if after >= 0 { after } else { after.saturating_mul(-2) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Timestamp;

    fn record() -> RunRecord {
        RunRecord::parse(
            r#"{"schema":"unfazed.run/v1","run_id":"r","experiment":"e","started_at":"2026-11-23T10:00:00Z","iterations":[
            {"index":1,"arm":"fault","baseline":{"start":"2026-11-23T10:00:00Z","end":"2026-11-23T10:01:00Z"},
             "fault":{"at":"2026-11-23T10:01:00Z","outcome":"killed"},
             "experiment":{"start":"2026-11-23T10:01:00Z","end":"2026-11-23T10:02:00Z"}}]}"#,
        )
        .unwrap()
    }

    fn event(time: &str, message: &str) -> Event {
        Event {
            at: Timestamp::parse(time).unwrap(),
            kind: "log".to_owned(),
            message: message.to_owned(),
            correlation_id: None,
            iteration: None,
        }
    }

    #[test]
    fn events_inside_the_windows_belong_to_their_iteration_and_others_are_left_out() {
        let mut record = record();
        let inside = event("2026-11-23T10:01:05Z", "worker lost");
        let outside = event("2026-11-23T10:02:00Z", "tea");
        assert!(join(&mut record, vec![outside, inside.clone(), inside.clone()]).is_empty());
        assert_eq!(record.events.len(), 1);
        assert_eq!(record.events[0].iteration, Some(1));
        assert!(join(&mut record, vec![inside]).is_empty(), "what is there is not added again");
        assert_eq!(record.events.len(), 1);
        let warnings = join(&mut record, vec![event("2026-11-24T10:00:00Z", "tomorrow")]);
        assert_eq!(warnings[0].code, "events_outside");
    }

    #[test]
    fn a_flood_keeps_what_is_nearest_to_the_fault() {
        let mut record = record();
        let flood: Vec<Event> = (0..60)
            .map(|second| event(&format!("2026-11-23T10:01:{second:02}Z"), "x"))
            .chain([event("2026-11-23T10:00:00Z", "long before")])
            .collect();
        let warnings = join(&mut record, flood);
        assert_eq!(record.events.len(), MOST_OF_A_KIND);
        assert_eq!(warnings[0].code, "events_left_out");
        assert_eq!(record.events[0].at, Timestamp::parse("2026-11-23T10:01:00Z").unwrap());
    }
}
