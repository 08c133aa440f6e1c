//! What a chart shows, and the round numbers on its axes; [`svg`](super::svg) and
//! [`chart`](super::chart) draw it.

use super::number;

/// How an axis maps numbers to places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Equal steps for equal differences.
    #[default]
    Linear,
    /// Equal steps for equal ratios; what is not positive has no place.
    Log,
    /// The numbers are exponents: linear, labelled as powers of two.
    PowerOfTwo,
}

/// An axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// What it measures, with the unit.
    pub label: String,
    /// How numbers are placed.
    pub scale: Scale,
}

impl Axis {
    /// Returns an axis.
    pub fn new(label: impl Into<String>, scale: Scale) -> Self {
        Self { label: label.into(), scale }
    }
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Draw {
    /// Points joined by lines; a point that has no place breaks the line.
    #[default]
    Line,
    /// A bar a point, as wide as the distance to the next one: a histogram.
    Bars,
}

/// One line or histogram.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// What the legend calls it.
    pub name: String,
    /// Where it goes, by increasing x.
    pub points: Vec<(f64, f64)>,
}

/// A chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chart {
    /// The heading.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// How all series are drawn.
    pub draw: Draw,
    /// What is drawn.
    pub series: Vec<Series>,
}

/// The part of the number line that an axis shows, in its own scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    scale: Scale,
    low: f64,
    high: f64,
}

/// A labelled place on an axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    /// The share of the axis below it.
    pub at: f64,
    /// The number there.
    pub label: String,
}

impl Scale {
    /// Where a number is on the axis, if anywhere.
    fn place(self, x: f64) -> Option<f64> {
        match self {
            Self::Linear | Self::PowerOfTwo => x.is_finite().then_some(x),
            Self::Log => (x > 0.0 && x.is_finite()).then(|| libm::log10(x)),
        }
    }
}

impl Range {
    /// Returns the range of some numbers, widened to whole ticks; with nothing to show, 0 to 1.
    pub(super) fn of(scale: Scale, numbers: impl Iterator<Item = f64>) -> Self {
        let places = numbers.filter_map(|x| scale.place(x));
        let (low, high) = places
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        if low > high {
            return Self { scale, low: 0.0, high: 1.0 };
        }
        let (low, high) = if low < high { (low, high) } else { (low - 0.5, high + 0.5) };
        match scale {
            Scale::PowerOfTwo => Self { scale, low, high },
            Scale::Linear => {
                let step = round_step((high - low) / 5.0);
                Self { scale, low: (low / step).floor() * step, high: (high / step).ceil() * step }
            }
            Scale::Log => Self { scale, low: low.floor(), high: high.ceil() },
        }
    }

    /// Returns the share of the axis below a number, if the number has a place on the axis.
    pub(super) fn share(&self, x: f64) -> Option<f64> {
        let place = self.scale.place(x)?;
        Some((place - self.low) / (self.high - self.low))
    }

    /// Returns about `count` round places, in increasing order.
    pub(super) fn ticks(&self, count: u32) -> Vec<Tick> {
        let width = self.high - self.low;
        let step = match self.scale {
            Scale::Linear => round_step(width / f64::from(count)),
            Scale::Log => (width / f64::from(count)).ceil().max(1.0),
            Scale::PowerOfTwo => round_step((width / f64::from(count)).max(1.0)),
        };
        let first = (self.low / step - 1e-9).ceil();
        let places = (0..=2 * count + 2).map(|i| (first + f64::from(i)) * step);
        places
            .take_while(|place| *place <= self.high + step * 1e-9)
            .map(|place| Tick { at: (place - self.low) / width, label: self.label(place, step) })
            .collect()
    }

    fn label(&self, place: f64, step: f64) -> String {
        match self.scale {
            Scale::Linear => {
                let decimals = (0..9).find(|&d| is_whole(step * 10f64.powi(d))).unwrap_or(9);
                match place.abs() {
                    1e4.. => number::scientific(place, 3),
                    _ => format!("{place:.*}", decimals.unsigned_abs() as usize),
                }
            }
            Scale::Log => power(10, place),
            Scale::PowerOfTwo => power(2, place),
        }
    }
}

/// The least of 1, 2, 5 times a power of ten that is not below `step`.
fn round_step(step: f64) -> f64 {
    let decade = 10f64.powi(floor(libm::log10(step)));
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * decade)
        .find(|s| *s >= step * 0.999)
        .unwrap_or(step)
}

#[expect(clippy::cast_possible_truncation, reason = "the exponent of a binary64 number")]
fn floor(x: f64) -> i32 {
    x.floor() as i32
}

fn is_whole(x: f64) -> bool {
    (x - x.round()).abs() < 1e-9 * x.abs().max(1.0)
}

/// Writes a power with a raised exponent.
fn power(base: u32, exponent: f64) -> String {
    let raised = |c| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => char::from_u32(u32::from(digit) - u32::from('0') + 0x2070).unwrap_or(digit),
    };
    format!("{base}{}", format!("{exponent:.0}").chars().map(raised).collect::<String>())
}

impl Chart {
    /// Returns the ranges of both axes over all series; bars begin at 0.
    pub(super) fn ranges(&self) -> (Range, Range) {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let shown = || {
            points().filter(|(x, y)| {
                self.x.scale.place(*x).is_some() && self.y.scale.place(*y).is_some()
            })
        };
        let bar = (self.draw == Draw::Bars && self.y.scale == Scale::Linear).then_some(0.0);
        let last = match self.draw {
            Draw::Bars => points().map(|(x, _)| x + 1.0).reduce(f64::max),
            Draw::Line => None,
        };
        (
            Range::of(self.x.scale, shown().map(|(x, _)| *x).chain(last)),
            Range::of(self.y.scale, shown().map(|(_, y)| *y).chain(bar)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(range: Range, count: u32) -> Vec<String> {
        range.ticks(count).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn linear_ticks_are_round_and_cover_the_range() {
        let range = Range::of(Scale::Linear, [3.0, 73.6].into_iter());
        assert_eq!(labels(range, 5), ["0", "20", "40", "60", "80"]);
        let range = Range::of(Scale::Linear, [0.0, 0.31].into_iter());
        assert_eq!(labels(range, 5), ["0.0", "0.1", "0.2", "0.3", "0.4"]);
    }

    #[test]
    fn logarithmic_ticks_are_decades_and_skip_what_has_no_place() {
        let range = Range::of(Scale::Log, [0.0, -1.0, 2e-3, 0.9].into_iter());
        assert_eq!(labels(range, 5), ["10⁻³", "10⁻²", "10⁻¹", "10⁰"]);
        assert_eq!(
            (range.share(0.0), range.share(1.0), range.share(1e-3)),
            (None, Some(1.0), Some(0.0))
        );
    }

    #[test]
    fn exponents_are_labelled_as_powers() {
        let range = Range::of(Scale::PowerOfTwo, [-40.0, 40.0].into_iter());
        assert_eq!(labels(range, 5), ["2⁻⁴⁰", "2⁻²⁰", "2⁰", "2²⁰", "2⁴⁰"]);
    }

    #[test]
    fn one_number_or_none_still_has_a_range() {
        assert!(labels(Range::of(Scale::Linear, [7.0].into_iter()), 5).len() > 2);
        assert_eq!(Range::of(Scale::Linear, std::iter::empty()).share(1.0), Some(1.0));
        assert!(labels(Range::of(Scale::Linear, [1e300, -1e300].into_iter()), 5).len() > 2);
    }
}
