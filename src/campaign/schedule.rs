//! Which iteration is of which arm, and how much random rest stands before it.
//!
//! Owns the draw. Its seed and the run's name determine it, so that the order can be recomputed from the record.

use crate::run::Arm;
use crate::spec::Iterations;
use crate::stats::random::Stream;
use crate::unit::{Seed, Span};

/// The iterations of a campaign in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    slots: Vec<Slot>,
}

/// One iteration to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Number within the run, from 1.
    pub index: u32,
    /// With or without the fault.
    pub arm: Arm,
    /// Random rest on top of the cooldown before it; none before the first.
    pub jitter: Span,
}

impl Schedule {
    /// Draws an order: every order of the arms is as likely as any other, every jitter up to the greatest too.
    ///
    /// ```
    /// use unfazed::campaign::Schedule;
    /// use unfazed::spec::Iterations;
    /// use unfazed::unit::{Seed, Span};
    /// let planned = Iterations { fault: Some(3), control: 1 };
    /// let schedule = Schedule::draw(Seed(0), "run-1", planned, Span::from_seconds(60));
    /// assert_eq!(schedule.slots().len(), 4);
    /// ```
    pub fn draw(seed: Seed, run_id: &str, planned: Iterations, jitter: Span) -> Self {
        let faults = std::iter::repeat_n(Arm::Fault, count(planned.fault.unwrap_or(1)));
        let controls = std::iter::repeat_n(Arm::Control, count(planned.control));
        let mut arms: Vec<Arm> = faults.chain(controls).collect();
        Stream::new(seed, run_id, "order").shuffle(&mut arms);
        let mut rests = Stream::new(seed, run_id, "jitter");
        let bound = usize::try_from(jitter.milliseconds().max(0)).unwrap_or(0) + 1;
        let slots = (1..)
            .zip(arms)
            .map(|(index, arm)| {
                let drawn = i64::try_from(rests.index(bound)).unwrap_or(0);
                let jitter = if index == 1 { Span::ZERO } else { Span::from_milliseconds(drawn) };
                Slot { index, arm, jitter }
            })
            .collect();
        Self { slots }
    }

    /// The iterations in their order.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_and_the_run_determine_the_order() {
        let planned = Iterations { fault: Some(14), control: 3 };
        let draw = |seed, run| Schedule::draw(Seed(seed), run, planned, Span::from_seconds(5));
        assert_eq!(draw(1, "a"), draw(1, "a"));
        assert_ne!(draw(1, "a"), draw(2, "a"));
        assert_ne!(draw(1, "a"), draw(1, "b"));
        let controls = draw(1, "a").slots().iter().filter(|slot| slot.arm == Arm::Control).count();
        assert_eq!(controls, 3);
        let all = draw(1, "a");
        assert_eq!(all.slots()[0].jitter, Span::ZERO, "there is no cooldown before the first");
        assert!(all.slots().iter().all(|slot| slot.jitter <= Span::from_seconds(5)));
    }

    #[test]
    fn without_a_number_one_kill_is_planned() {
        let planned = Iterations { fault: None, control: 0 };
        assert_eq!(Schedule::draw(Seed(0), "r", planned, Span::ZERO).slots().len(), 1);
    }
}
