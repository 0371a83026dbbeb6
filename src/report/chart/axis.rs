//! From numbers to places: nice ticks and the scale between them.

use crate::report::ReportError;
use crate::report::chart::canvas::{Anchor, Canvas, Ink, at};
use crate::report::number::{self, NBSP};
use crate::unit::{Dimension, Unit};

/// How numbers are spread over a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spread {
    /// Evenly.
    Linear,
    /// By their logarithm.
    Logarithmic,
}

/// A scale from numbers to places on the sheet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    spread: Spread,
    ticks: Vec<Tick>,
}

/// A marked number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    /// The number.
    pub(crate) value: f64,
    /// How it reads.
    pub(crate) label: String,
}

/// What ticks are labelled as.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TickStyle {
    /// Numbers in a unit.
    Quantity(Unit),
    /// Signed numbers in a unit.
    Difference(Unit),
    /// Ratios as changes in per cent.
    Change,
}

/// Smallest and greatest of the numbers; none without a finite one.
pub(crate) fn range(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let mut values = values.into_iter().filter(|value| value.is_finite());
    let first = values.next()?;
    Some(values.fold((first, first), |(low, high), value| {
        (if value < low { value } else { low }, if value > high { value } else { high })
    }))
}

impl Axis {
    /// An axis over `low..=high`, widened to nice numbers, on the places `from..to`.
    pub(crate) fn linear(
        low: f64,
        high: f64,
        from: f64,
        to: f64,
        count: u32,
        style: &TickStyle,
    ) -> Self {
        let (factor, offset) = display(low, high, style);
        let (shown_low, shown_high) = ((low - offset) * factor, (high - offset) * factor);
        let width = shown_high - shown_low;
        let width = if width > 0.0 && width.is_finite() {
            width
        } else if shown_high == 0.0 {
            1.0
        } else {
            shown_high.abs() * 0.2
        };
        let step = nice_step(width / f64::from(count), is_minutes(low, high, style));
        let mut first = (shown_low / step).floor();
        let last = (shown_high / step).ceil();
        let mut ticks = Vec::new();
        let (begin, end) =
            (first * step, if last > first { last * step } else { (first + 1.0) * step });
        while first * step <= end + step * 1e-6 && ticks.len() < 30 {
            let shown = first * step;
            ticks.push(Tick {
                value: shown / factor + offset,
                label: label(shown, step, low, high, style),
            });
            first += 1.0;
        }
        Self {
            low: begin / factor + offset,
            high: end / factor + offset,
            from,
            to,
            spread: Spread::Linear,
            ticks,
        }
    }

    /// An axis by logarithm over positive numbers, ticks at 1, 2 or 5 of each decade.
    fn logarithmic(low: f64, high: f64, from: f64, to: f64, style: &TickStyle) -> Self {
        let mut ticks = Vec::new();
        let mut decade = low.log10().floor();
        let decades = high.log10().ceil() - decade;
        let parts: &[f64] = if decades <= 2.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        while 10_f64.powf(decade) <= high && ticks.len() < 30 {
            for part in parts {
                let value = part * 10_f64.powf(decade);
                if value >= low * 0.999 && value <= high * 1.001 {
                    ticks.push(Tick { value, label: quantity_label(value, style) });
                }
            }
            decade += 1.0;
        }
        Self { low, high, from, to, spread: Spread::Logarithmic, ticks }
    }

    /// An axis that shows the spread best: by logarithm where all numbers are above zero and span over fiftyfold.
    pub(crate) fn best(low: f64, high: f64, from: f64, to: f64, style: &TickStyle) -> Self {
        if low > 0.0 && high / low > 50.0 {
            return Self::logarithmic(low * 0.8, high * 1.25, from, to, style);
        }
        // Zero belongs on an axis of amounts unless it would flatten what is to be seen.
        let low = if low > 0.0 && low < 0.6 * high { 0.0 } else { low };
        Self::linear(low, high, from, to, 4, style)
    }

    /// The place of a number; numbers beyond the ends are put at the ends.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let (low, high, value) = match self.spread {
            Spread::Linear => (self.low, self.high, value),
            Spread::Logarithmic => {
                let floor = if value > self.low { value } else { self.low };
                (self.low.ln(), self.high.ln(), floor.ln())
            }
        };
        let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
        self.from + share * (self.to - self.from)
    }

    /// Whether a number lies on the axis.
    pub(crate) fn holds(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// The ticks between two numbers.
    pub(crate) fn ticks_within(&self, low: f64, high: f64) -> impl Iterator<Item = &Tick> {
        self.ticks.iter().filter(move |tick| low <= tick.value && tick.value <= high)
    }

    /// A remark on the scale for the chart's description.
    pub(crate) fn remark(&self) -> &'static str {
        match self.spread {
            Spread::Linear => "",
            Spread::Logarithmic => " The vertical axis is logarithmic.",
        }
    }

    /// Draws the grid and the labels of a vertical axis over `left..right`.
    pub(crate) fn draw_vertical(
        &self,
        canvas: &Canvas<'_>,
        left: f64,
        right: f64,
    ) -> Result<(), ReportError> {
        for tick in &self.ticks {
            let y = self.place(tick.value);
            canvas.line(&[at(left, y), at(right, y)], Ink::Grid, 0.5)?;
            canvas.text(&tick.label, at(left - 6.0, y), Anchor::End, Ink::Text)?;
        }
        Ok(())
    }

    /// Draws the ticks and the labels of a horizontal axis at height `y`, its grid up to `top`.
    pub(crate) fn draw_horizontal(
        &self,
        canvas: &Canvas<'_>,
        y: f64,
        top: f64,
    ) -> Result<(), ReportError> {
        canvas.line(&[at(self.from, y), at(self.to, y)], Ink::Axis, 0.5)?;
        for tick in &self.ticks {
            let x = self.place(tick.value);
            canvas.line(&[at(x, top), at(x, y + 3.0)], Ink::Grid, 0.5)?;
            canvas.text(&tick.label, at(x, y + 13.0), Anchor::Middle, Ink::Text)?;
        }
        Ok(())
    }
}

/// Whether a time axis is best told in minutes.
fn is_minutes(low: f64, high: f64, style: &TickStyle) -> bool {
    match style {
        TickStyle::Quantity(unit) | TickStyle::Difference(unit) => {
            unit.dimension() == Dimension::Time
                && (high - low).abs() * unit.in_base_units() >= 150.0
        }
        TickStyle::Change => false,
    }
}

/// Factor and offset from a number to the number that a tick shows.
fn display(low: f64, high: f64, style: &TickStyle) -> (f64, f64) {
    let size = if low.abs() > high.abs() { low.abs() } else { high.abs() };
    match style {
        TickStyle::Change => (100.0, 1.0),
        TickStyle::Quantity(unit) | TickStyle::Difference(unit) => {
            let base = unit.in_base_units();
            let factor = match unit.dimension() {
                Dimension::Percent | Dimension::PercentagePoints => 100.0,
                Dimension::Time => time_unit(size * base, is_minutes(low, high, style)).0,
                Dimension::Data => data_unit(size * base).0,
                Dimension::Plain => 1.0 / base,
            };
            (base * factor, 0.0)
        }
    }
}

/// Factor from seconds and word of the unit that suits times up to `size` seconds.
fn time_unit(size: f64, minutes: bool) -> (f64, &'static str) {
    if minutes {
        (1.0 / 60.0, "min")
    } else if size >= 1.0 {
        (1.0, "s")
    } else if size >= 1e-3 {
        (1e3, "ms")
    } else {
        (1e6, "µs")
    }
}

/// Factor from bytes and word of the unit that suits amounts up to `size` bytes.
fn data_unit(size: f64) -> (f64, &'static str) {
    const UNITS: [(f64, &str); 4] = [
        (1_099_511_627_776.0, "TiB"),
        (1_073_741_824.0, "GiB"),
        (1_048_576.0, "MiB"),
        (1024.0, "KiB"),
    ];
    UNITS
        .iter()
        .find(|(bytes, _)| size >= *bytes)
        .map_or((1.0, "B"), |(bytes, word)| (1.0 / bytes, word))
}

/// The next step of 1, 2, 2.5 or 5 times a power of ten; minutes also go by halves and fifteens.
fn nice_step(raw: f64, minutes: bool) -> f64 {
    let raw = if raw > 0.0 && raw.is_finite() { raw } else { 1.0 };
    if minutes && raw <= 60.0 {
        const MINUTES: [f64; 9] = [0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0];
        if let Some(step) = MINUTES.iter().find(|step| **step >= raw) {
            return *step;
        }
    }
    let power = 10_f64.powf(raw.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .iter()
        .map(|part| part * power)
        .find(|step| *step >= raw * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

/// A tick's text with as many decimals as its step has.
fn label(shown: f64, step: f64, low: f64, high: f64, style: &TickStyle) -> String {
    let mut decimals = 0;
    let mut scaled = step;
    while (scaled - scaled.round()).abs() > 1e-6 * scaled && decimals < 9 {
        scaled *= 10.0;
        decimals += 1;
    }
    let number = if shown.abs() >= 1e15 {
        number::significant(shown, 2)
    } else {
        number::decimal(shown, decimals)
    };
    let size = if low.abs() > high.abs() { low.abs() } else { high.abs() };
    let sign = |number: String| if shown > step * 1e-6 { format!("+{number}") } else { number };
    match style {
        TickStyle::Change => format!("{}{NBSP}%", sign(number)),
        TickStyle::Quantity(unit) => {
            unit_label(&number, unit, size, is_minutes(low, high, style), "%")
        }
        TickStyle::Difference(unit) => {
            unit_label(&sign(number), unit, size, is_minutes(low, high, style), "pp")
        }
    }
}

/// The number with the word of its unit.
fn unit_label(number: &str, unit: &Unit, size: f64, minutes: bool, share: &str) -> String {
    let size = size * unit.in_base_units();
    match unit.dimension() {
        Dimension::Percent | Dimension::PercentagePoints => format!("{number}{NBSP}{share}"),
        Dimension::Time => format!("{number}{NBSP}{}", time_unit(size, minutes).1),
        Dimension::Data => format!("{number}{NBSP}{}", data_unit(size).1),
        Dimension::Plain => number.to_owned(),
    }
}

/// A number of a logarithmic axis.
fn quantity_label(value: f64, style: &TickStyle) -> String {
    match style {
        TickStyle::Quantity(unit) if unit.dimension() != Dimension::Plain => {
            number::quantity(value, unit)
        }
        TickStyle::Difference(unit) => number::difference(value, unit),
        TickStyle::Change => number::change(value),
        TickStyle::Quantity(_) => number::quantity(value, &Unit::None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, style: &TickStyle) -> Vec<String> {
        Axis::linear(low, high, 0.0, 100.0, 4, style)
            .ticks
            .into_iter()
            .map(|tick| number::plain_spaces(&tick.label))
            .collect()
    }

    #[test]
    fn ticks_are_nice_numbers_in_the_unit_that_suits() {
        let seconds = TickStyle::Quantity(Unit::Seconds);
        assert_eq!(labels(0.0, 0.21, &seconds), ["0 ms", "100 ms", "200 ms", "300 ms"]);
        assert_eq!(labels(-300.0, 300.0, &seconds), ["−5 min", "0 min", "5 min"]);
        assert_eq!(
            labels(0.0, 0.0011, &TickStyle::Quantity(Unit::Ratio)),
            ["0 %", "0.05 %", "0.1 %", "0.15 %"]
        );
        assert_eq!(labels(0.95, 1.4, &TickStyle::Change), ["−20 %", "0 %", "+20 %", "+40 %"]);
    }

    #[test]
    fn an_axis_of_one_number_still_has_a_width() {
        for value in [0.0, 5.0, -3.0, 1e-9, 1e12] {
            let axis = Axis::linear(value, value, 0.0, 100.0, 4, &TickStyle::Quantity(Unit::None));
            assert!(axis.place(value).is_finite(), "{value}");
            assert!(axis.ticks.len() >= 2, "{value}");
        }
    }

    #[test]
    fn a_wide_span_is_told_by_logarithm() {
        let axis = Axis::best(1.0, 1000.0, 100.0, 0.0, &TickStyle::Quantity(Unit::None));
        assert!(!axis.remark().is_empty());
        assert!(axis.place(1000.0) < axis.place(100.0));
    }
}
