//! How long the windows around an imported fault are.
//!
//! Owns `--windows`, the laying of a baseline before and an experiment window after every fault, and what happens
//! where two faults stand too close. Refuses to know tools. Windows of different iterations never overlap, and a
//! baseline never reaches into the fault before it.
//!
//! Where the default windows do not fit, they are shortened for the two neighbours and a warning says so: the
//! import must not fail because a tool works fast. Windows that were asked for are never changed: the error names
//! the longest that fit.

use crate::source::chaos::import_error::ImportError;
use crate::unit::{Span, Timestamp, Window};
use crate::verdict::result::Warning;

/// Shortest window that is laid. Faults closer than this are one iteration.
pub const SHORTEST: Span = Span::from_seconds(1);

/// Lengths of the windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowPlan {
    /// Before the fault.
    pub baseline: Span,
    /// From the fault on.
    pub experiment: Span,
    /// Whether somebody asked for these lengths.
    pub source: PlanSource,
}

/// Where the lengths come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanSource {
    /// Nobody asked: they may be shortened.
    Default,
    /// Asked for: they stay.
    Asked,
}

/// When a fault began and ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultSpan {
    /// Its start.
    pub at: Timestamp,
    /// Its end, if it lasts.
    pub until: Option<Timestamp>,
}

/// The windows of one iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaidWindows {
    /// Before the fault.
    pub baseline: Window,
    /// From the fault on.
    pub experiment: Window,
}

/// All windows, and what had to be shortened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// One entry per fault, in the order given.
    pub windows: Vec<LaidWindows>,
    /// What a reader must know.
    pub warnings: Vec<Warning>,
}

impl Default for WindowPlan {
    /// Five minutes before, five minutes from the fault on.
    fn default() -> Self {
        let five_minutes = Span::from_seconds(300);
        Self { baseline: five_minutes, experiment: five_minutes, source: PlanSource::Default }
    }
}

impl WindowPlan {
    /// Reads `baseline=5m,experiment=10m`; a part left out keeps its default.
    ///
    /// ```
    /// # use unfazed::source::chaos::WindowPlan;
    /// let plan = WindowPlan::parse("baseline=2m, experiment=90s").unwrap();
    /// assert_eq!(plan.experiment.to_string(), "1m30s");
    /// assert!(WindowPlan::parse("baseline=0s").is_err());
    /// ```
    ///
    /// # Errors
    /// [`ImportError::Windows`] says which part cannot be read.
    pub fn parse(text: &str) -> Result<Self, ImportError> {
        let wrong = |problem: String| ImportError::Windows { given: text.to_owned(), problem };
        let mut plan = Self { source: PlanSource::Asked, ..Self::default() };
        let mut seen: Vec<&str> = Vec::new();
        for part in text.split(',') {
            let Some((name, length)) = part.split_once('=') else {
                return Err(wrong(format!("'{}' has no '='", part.trim())));
            };
            let name = name.trim();
            let span = Span::parse(length).map_err(|error| wrong(error.to_string()))?;
            if span < SHORTEST {
                return Err(wrong(format!("{name} is {span}; windows last at least {SHORTEST}")));
            }
            if seen.contains(&name) {
                return Err(wrong(format!("{name} is given twice")));
            }
            seen.push(name);
            match name {
                "baseline" => plan.baseline = span,
                "experiment" => plan.experiment = span,
                other => {
                    return Err(wrong(format!(
                        "unknown window '{other}'; known are baseline and experiment"
                    )));
                }
            }
        }
        Ok(plan)
    }

    /// Lays the windows around faults that are sorted by time and at least [`SHORTEST`] apart.
    ///
    /// # Errors
    /// [`ImportError::WindowsOverlap`] when the windows were asked for and do not fit.
    pub fn lay(&self, faults: &[FaultSpan]) -> Result<Layout, ImportError> {
        if self.source == PlanSource::Asked {
            self.check_fit(faults)?;
        }
        let mut layout = Layout { windows: Vec::with_capacity(faults.len()), warnings: Vec::new() };
        let (mut shortened, mut outlasting) = (Vec::new(), Vec::new());
        for (position, fault) in faults.iter().enumerate() {
            let before = position.checked_sub(1).and_then(|before| faults.get(before));
            let earliest = before.map(|before| self.boundary(*before, *fault));
            let latest = faults.get(position + 1).map(|next| self.boundary(*fault, *next));
            let wanted_start = fault.at.minus(self.baseline);
            let wanted_end = fault.at.plus(self.experiment);
            let start = earliest.map_or(wanted_start, |earliest| wanted_start.max(earliest));
            let end = latest.map_or(wanted_end, |latest| wanted_end.min(latest));
            let number = position + 1;
            if start != wanted_start {
                shortened.push(format!("baseline of {number} to {}", fault.at.since(start)));
            }
            if end != wanted_end {
                shortened.push(format!("experiment of {number} to {}", end.since(fault.at)));
            }
            if let Some(until) = fault.until
                && until > end
            {
                outlasting.push(format!("{number} ({})", until.since(fault.at)));
            }
            if let Some(previous) = before.and_then(|before| before.until)
                && previous > start
            {
                layout.warn(
                    "fault_in_baseline",
                    format!(
                        "iteration {number}: its baseline starts before the fault of iteration {position} has ended; give --windows \"baseline={}\" or shorter",
                        fault.at.since(previous)
                    ),
                );
            }
            layout.windows.push(LaidWindows {
                baseline: Window { start, end: fault.at },
                experiment: Window { start: fault.at, end },
            });
        }
        if !shortened.is_empty() {
            layout.warn(
                "windows_shortened",
                format!(
                    "faults are closer than the windows of {} + {}, so that some were shortened: {}; ask for --windows that fit to have them all alike",
                    self.baseline, self.experiment, first_of(&shortened)
                ),
            );
        }
        if !outlasting.is_empty() {
            layout.warn(
                "fault_outlasts_window",
                format!(
                    "the fault lasts longer than the experiment window in iteration {}; what follows its end is not seen. Give --windows \"experiment=…\" if it matters",
                    first_of(&outlasting)
                ),
            );
        }
        Ok(layout)
    }

    /// The moment that parts two neighbours: their windows share the time between them in proportion to the
    /// lengths wanted, and no baseline starts inside the earlier fault while windows may be shortened.
    fn boundary(&self, earlier: FaultSpan, later: FaultSpan) -> Timestamp {
        if self.source == PlanSource::Asked {
            return later.at.minus(self.baseline);
        }
        let gap = later.at.since(earlier.at);
        let until = earlier.until.unwrap_or(earlier.at);
        let fitting = Span::from_milliseconds(
            gap.milliseconds().saturating_mul(self.experiment.milliseconds())
                / self.baseline.plus(self.experiment).milliseconds(),
        );
        let shared = earlier.at.plus(fitting.min(self.experiment.max(until.since(earlier.at))));
        let latest = later.at.minus(SHORTEST);
        shared.max(until).min(latest)
    }

    /// Refuses windows that were asked for and overlap.
    fn check_fit(&self, faults: &[FaultSpan]) -> Result<(), ImportError> {
        let closest =
            faults.windows(2).min_by_key(|pair| (pair[1].at.since(pair[0].at), pair[0].at));
        let Some([first, second]) = closest else { return Ok(()) };
        let gap = second.at.since(first.at);
        let wanted = self.baseline.plus(self.experiment);
        if gap >= wanted {
            return Ok(());
        }
        let part = |length: Span| {
            let fitting =
                gap.milliseconds().saturating_mul(length.milliseconds()) / wanted.milliseconds();
            let seconds = fitting / 1000 * 1000;
            Span::from_milliseconds(if seconds > 0 { seconds } else { fitting }).to_string()
        };
        Err(ImportError::WindowsOverlap {
            first: first.at.to_string(),
            second: second.at.to_string(),
            gap: gap.to_string(),
            baseline: part(self.baseline),
            experiment: part(self.experiment),
        })
    }
}

/// The first few of a list, and how many more there are.
fn first_of(items: &[String]) -> String {
    const SHOWN: usize = 6;
    let shown = items.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match items.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{shown} and {more} more"),
        Some(_) | None => shown,
    }
}

impl Layout {
    fn warn(&mut self, code: &str, message: String) {
        self.warnings.push(Warning { code: code.to_owned(), message });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(at: i64, until: Option<i64>) -> FaultSpan {
        let moment = |seconds: i64| Timestamp::from_milliseconds(seconds * 1000);
        FaultSpan { at: moment(at), until: until.map(moment) }
    }

    fn codes(layout: &Layout) -> Vec<&str> {
        layout.warnings.iter().map(|warning| warning.code.as_str()).collect()
    }

    #[test]
    fn far_apart_faults_keep_their_windows() {
        let layout = WindowPlan::default().lay(&[fault(1000, None), fault(1600, None)]).unwrap();
        assert!(layout.warnings.is_empty(), "{:?}", layout.warnings);
        for laid in &layout.windows {
            assert_eq!(laid.baseline.length(), Span::from_seconds(300));
            assert_eq!(laid.experiment.length(), Span::from_seconds(300));
        }
    }

    #[test]
    fn default_windows_share_a_narrow_gap_and_say_so() {
        let layout = WindowPlan::default().lay(&[fault(1000, None), fault(1599, None)]).unwrap();
        assert_eq!(codes(&layout), ["windows_shortened"]);
        assert!(layout.warnings[0].message.contains("experiment of 1 to 4m59s500ms"));
        assert_eq!(layout.windows[0].experiment.end, layout.windows[1].baseline.start);
    }

    #[test]
    fn a_baseline_never_starts_inside_the_fault_before_it() {
        let faults = [fault(1000, Some(1345)), fault(1405, None)];
        let layout = WindowPlan::default().lay(&faults).unwrap();
        assert_eq!(layout.windows[0].experiment.length(), Span::from_seconds(300));
        assert_eq!(layout.windows[1].baseline.length(), Span::from_seconds(60));
        assert_eq!(codes(&layout), ["windows_shortened", "fault_outlasts_window"]);
    }

    #[test]
    fn windows_that_were_asked_for_are_refused_with_those_that_fit() {
        let plan = WindowPlan::parse("baseline=5m,experiment=10m").unwrap();
        let error = plan.lay(&[fault(1000, None), fault(1300, None)]).unwrap_err().to_string();
        assert!(error.contains("baseline=1m40s,experiment=3m20s"), "{error}");
        assert!(plan.lay(&[fault(1000, None), fault(1900, None)]).is_ok());
    }

    #[test]
    fn windows_that_cannot_be_read_say_which_part() {
        for (text, expected) in [
            ("", "no '='"),
            ("baseline", "no '='"),
            ("baseline=5", "not a duration"),
            ("cooldown=5m", "unknown window"),
            ("baseline=1m,baseline=2m", "twice"),
            ("baseline=-5m", "negative"),
            ("experiment=0s", "at least"),
        ] {
            let error = WindowPlan::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
