//! The course of a signal after a fault: when it left its band, and when it came back for good.
//!
//! Owns departures, excursions, lasting returns and relapses of one iteration. A stretch outside the band runs from its
//! first unhealthy sample to the next healthy one; shorter than half of `stable_for` it is an excursion: counted, but
//! neither a departure nor a break of a return. Samples that say nothing, and gaps of more than 2.5 steps, break a
//! return but are no departure by themselves; what lies between an unhealthy sample and the next healthy one counts
//! as outside, because nothing shows the contrary. The last sample of a run holds one step.

use crate::frame::rule;
use crate::summary::meter::{SignalPoint, SignalReading};
use crate::summary::value::HealthyBand;
use crate::unit::Span;

/// How a signal is watched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Watch {
    /// Where it is healthy.
    pub(crate) band: HealthyBand,
    /// How long a return has to last.
    pub(crate) stable_for: Span,
    /// Step of the signal.
    pub(crate) step: Span,
}

/// What a signal did between the fault and the end of the experiment window. Times in milliseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Course {
    /// How it ended.
    pub(crate) ending: Ending,
    /// First departure.
    pub(crate) onset: Option<i64>,
    /// Departures after a lasting return.
    pub(crate) relapses: u32,
    /// Short stretches outside the band.
    pub(crate) excursions: u32,
    /// Last sample outside the band that is not part of an excursion.
    pub(crate) last_unhealthy: Option<i64>,
}

/// How the course ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It never left the band.
    NeverDeparted,
    /// It came back and stayed: first sample of the return, and last sample outside before it.
    Returned {
        /// Last sample outside the band.
        after: i64,
        /// First sample of the lasting return.
        at: i64,
    },
    /// No lasting return until the last sample.
    NotReturned {
        /// The last sample that says anything.
        last: i64,
    },
    /// No sample says anything.
    Unseen,
}

/// What one sample shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Healthy,
    Unhealthy,
    Unknown,
}

/// A stretch outside the band, by positions of samples.
#[derive(Debug, Clone, Copy)]
struct Departure {
    first: usize,
    last: usize,
    /// First sample that is not part of it.
    past: usize,
}

/// The course of samples in the order of time, all between the fault and the end of the window.
///
/// Cost: O(n).
pub(crate) fn course(points: &[SignalPoint], watch: Watch) -> Course {
    let states: Vec<State> = points.iter().map(|point| watch.state(point.reading)).collect();
    let seen = Seen { points, states: &states, watch };
    let (departures, excursions) = seen.departures();
    let mut course = Course {
        ending: Ending::NeverDeparted,
        onset: departures.first().map(|departure| points[departure.first].at),
        relapses: 0,
        excursions,
        last_unhealthy: departures.last().map(|departure| points[departure.last].at),
    };
    let Some(last_known) = states.iter().rposition(|state| *state != State::Unknown) else {
        return Course { ending: Ending::Unseen, ..course };
    };
    for pair in departures.windows(2) {
        if seen.lasting_return(pair[0].past, pair[1].first).is_some() {
            course.relapses += 1;
        }
    }
    if let Some(departure) = departures.last() {
        course.ending = match seen.lasting_return(departure.past, points.len()) {
            Some(first) => {
                Ending::Returned { after: points[departure.last].at, at: points[first].at }
            }
            None => Ending::NotReturned { last: points[last_known].at },
        };
    }
    course
}

/// The last moment up to which samples followed each other without a loss, from `start` on.
pub(crate) fn observed_until(points: &[SignalPoint], start: i64, step: Span) -> i64 {
    let hold = rule::hold(step).milliseconds();
    let mut reached = start;
    for point in points {
        if point.reading == SignalReading::Unknown || point.at - reached > hold {
            break;
        }
        reached = point.at;
    }
    reached
}

impl Watch {
    fn state(self, reading: SignalReading) -> State {
        match reading {
            SignalReading::Value(value) if self.band.holds(value) => State::Healthy,
            SignalReading::Value(_) | SignalReading::NoTraffic => State::Unhealthy,
            SignalReading::Unknown => State::Unknown,
        }
    }
}

/// Samples with what they show.
struct Seen<'points> {
    points: &'points [SignalPoint],
    states: &'points [State],
    watch: Watch,
}

impl Seen<'_> {
    /// The departures, and how many stretches were too short to be one.
    fn departures(&self) -> (Vec<Departure>, u32) {
        let mut departures = Vec::new();
        let mut excursions = 0;
        let mut at = 0;
        while at < self.points.len() {
            if self.states[at] != State::Unhealthy {
                at += 1;
                continue;
            }
            let rest = &self.states[at..];
            let past = rest
                .iter()
                .position(|state| *state == State::Healthy)
                .map_or(self.points.len(), |offset| at + offset);
            let last = (at..past)
                .rev()
                .find(|position| self.states[*position] == State::Unhealthy)
                .unwrap_or(at);
            if self.length(at, past) * 2 < self.watch.stable_for.milliseconds() {
                excursions += 1;
            } else {
                departures.push(Departure { first: at, last, past });
            }
            at = past;
        }
        (departures, excursions)
    }

    /// Length of a stretch: to the sample past it, or to one step after the last of all.
    fn length(&self, first: usize, past: usize) -> i64 {
        let end = match self.points.get(past) {
            Some(point) => point.at,
            None => self.points[self.points.len() - 1].at + self.watch.step.milliseconds(),
        };
        end - self.points[first].at
    }

    /// Position of the first sample, among `from..past`, of a run that lasts for `stable_for`. Excursions do not
    /// break a run, losses do.
    fn lasting_return(&self, from: usize, past: usize) -> Option<usize> {
        let step = self.watch.step.milliseconds();
        let hold = rule::hold(self.watch.step).milliseconds();
        let lasts = |first: usize, end: i64| {
            end - self.points[first].at >= self.watch.stable_for.milliseconds()
        };
        let mut run: Option<usize> = None;
        for at in from..past {
            let now = self.points[at].at;
            let next = self.points.get(at + 1).map(|point| point.at);
            match self.states[at] {
                State::Unknown => run = None,
                State::Healthy => {
                    run.get_or_insert(at);
                }
                State::Unhealthy => {}
            }
            let Some(first) = run else { continue };
            // Up to the next sample if it follows in time and says something, else for one step.
            let followed =
                next.filter(|next| next - now <= hold && self.states[at + 1] != State::Unknown);
            let end = match (followed, next) {
                (Some(next), _) => next,
                (None, Some(next)) => next.min(now + step),
                (None, None) => now + step,
            };
            if lasts(first, end) {
                return Some(first);
            }
            if followed.is_none() {
                run = None;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples every 5 s: `.` healthy, `x` outside, `?` unknown, `-` none.
    fn watch(text: &str) -> Course {
        let points: Vec<SignalPoint> = (0_i64..)
            .zip(text.chars())
            .filter_map(|(position, mark)| {
                let reading = match mark {
                    '.' => SignalReading::Value(1.0),
                    'x' => SignalReading::Value(9.0),
                    '?' => SignalReading::Unknown,
                    _ => return None,
                };
                Some(SignalPoint { at: position * 5, reading })
            })
            .collect();
        let watch = Watch {
            band: HealthyBand { lower: None, upper: Some(5.0) },
            stable_for: Span::from_milliseconds(30),
            step: Span::from_milliseconds(5),
        };
        course(&points, watch)
    }

    fn returned(text: &str) -> Option<i64> {
        match watch(text).ending {
            Ending::Returned { at, .. } => Some(at),
            Ending::NeverDeparted | Ending::NotReturned { .. } | Ending::Unseen => None,
        }
    }

    #[test]
    fn a_return_counts_from_its_first_sample_and_lies_after_the_last_one_outside() {
        let course = watch("..xxxx.......");
        assert_eq!(course.onset, Some(10));
        assert_eq!(course.ending, Ending::Returned { after: 25, at: 30 });
        assert_eq!(course.last_unhealthy, Some(25));
    }

    #[test]
    fn half_of_stable_for_is_a_departure_and_less_is_an_excursion() {
        let short = watch("..xx.......");
        assert_eq!((short.excursions, short.onset), (1, None));
        assert_eq!(short.ending, Ending::NeverDeparted);
        let long = watch("..xxx.......");
        assert_eq!((long.excursions, long.onset), (0, Some(10)));
    }

    #[test]
    fn an_excursion_does_not_break_a_return() {
        let course = watch("xxx..x......");
        assert_eq!(course.ending, Ending::Returned { after: 10, at: 15 });
        assert_eq!((course.excursions, course.relapses), (1, 0));
    }

    #[test]
    fn a_later_departure_is_a_relapse_and_the_last_return_decides() {
        let course = watch("xxx......xxx......");
        assert_eq!(course.ending, Ending::Returned { after: 55, at: 60 });
        assert_eq!((course.relapses, course.onset), (1, Some(0)));
        let unfinished = watch("xxx.....xxx......");
        assert_eq!(unfinished.relapses, 0, "25 ms inside the band are no lasting return");
    }

    #[test]
    fn the_last_sample_holds_one_step() {
        assert_eq!(returned("xxx......"), Some(15), "six samples hold for six steps");
        assert_eq!(watch("xxx.....").ending, Ending::NotReturned { last: 35 });
    }

    #[test]
    fn a_sample_that_says_nothing_breaks_a_return_and_is_no_departure() {
        assert_eq!(returned("xxx....?......"), Some(40));
        assert_eq!(returned("xxx......?...."), Some(15), "it had lasted already");
        assert_eq!(watch("....??......").ending, Ending::NeverDeparted);
    }

    #[test]
    fn a_gap_of_two_and_a_half_steps_does_not_break_a_return_and_a_longer_one_does() {
        assert_eq!(returned("xxx...-..."), Some(15), "two steps");
        assert_eq!(returned("xxx...--......"), Some(40), "three steps");
    }

    #[test]
    fn between_an_unhealthy_sample_and_the_next_healthy_one_nothing_shows_health() {
        assert_eq!(watch("..x??......").onset, Some(10));
    }

    #[test]
    fn without_a_sample_nothing_was_seen() {
        assert_eq!(watch("").ending, Ending::Unseen);
        assert_eq!(watch("??").ending, Ending::Unseen);
    }
}
