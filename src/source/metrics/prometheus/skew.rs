//! The server's clock beside ours.
//!
//! Every answer carries the server's time in whole seconds, and was written between our sending and our receiving. So
//! each one bounds the difference of the clocks from both sides, and the bounds of many answers are laid over each other.

/// Differences under this many milliseconds are not worth a word: scrapes are further apart.
const WORTH_TELLING: i64 = 2000;

/// Between which bounds the server's clock is ahead of ours, in milliseconds; negative when it is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockSkew {
    /// At least this much.
    pub least: i64,
    /// At most this much.
    pub most: i64,
}

impl ClockSkew {
    /// From one answer: the whole second that the server wrote, and our clock before and after, all in milliseconds.
    pub(super) const fn of_answer(server: i64, sent: i64, received: i64) -> Self {
        Self { least: server - received, most: server + 999 - sent }
    }

    /// What both answers allow. Bounds that contradict each other mean that a clock was set, and the later one counts.
    pub(super) fn and(self, later: Self) -> Self {
        let both = Self { least: self.least.max(later.least), most: self.most.min(later.most) };
        if both.least <= both.most { both } else { later }
    }

    /// The smallest difference that the answers allow, if it is worth telling: positive when the server is ahead.
    pub fn worth_telling(self) -> Option<i64> {
        let certain = if self.least > 0 {
            self.least
        } else if self.most < 0 {
            self.most
        } else {
            0
        };
        (certain.abs() >= WORTH_TELLING).then_some(certain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_seconds_and_slow_answers_are_no_difference() {
        assert_eq!(ClockSkew::of_answer(10_000, 10_999, 11_500).worth_telling(), None);
        assert_eq!(ClockSkew::of_answer(10_000, 5_000, 60_000).worth_telling(), None);
    }

    #[test]
    fn a_server_ahead_or_behind_is_told_by_what_is_certain() {
        assert_eq!(ClockSkew::of_answer(100_000, 10_000, 10_200).worth_telling(), Some(89_800));
        assert_eq!(ClockSkew::of_answer(10_000, 100_000, 100_200).worth_telling(), Some(-89_001));
    }

    #[test]
    fn many_answers_narrow_the_difference() {
        let slow = ClockSkew::of_answer(13_000, 10_000, 12_500);
        let quick = ClockSkew::of_answer(15_000, 12_600, 12_700);
        assert_eq!(slow.and(quick), ClockSkew { least: 2300, most: 3399 });
        let set = ClockSkew::of_answer(1_000_000, 12_600, 12_700);
        assert_eq!(slow.and(set), set);
    }
}
