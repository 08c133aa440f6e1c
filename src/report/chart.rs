//! Charts become Unicode text for a terminal.
//!
//! Each series has its own mark, so that the picture is whole without colour.
//!
//! ```
//! use fpx::report::{chart, plot::{Chart, Draw, Series}};
//! let series = Series { name: "inputs".into(), points: vec![(0.0, 1.0), (1.0, 2.0)] };
//! let bars = Chart { draw: Draw::Bars, series: vec![series], ..Chart::default() };
//! assert!(chart::lines(&bars, 40).iter().any(|line| fpx::report::line_of(line).contains('█')));
//! ```

use super::{
    cell::{Role, Span},
    number,
    plot::{Chart, Draw, Scale, Series},
};

/// Rows of a line chart.
const HEIGHT: usize = 16;

/// Marks and roles of the series; after the last the first comes again.
const MARKS: [(char, Role); 8] = [
    ('●', Role::Significand),
    ('▲', Role::Exponent),
    ('■', Role::Good),
    ('◆', Role::Sign),
    ('○', Role::Plain),
    ('△', Role::Significand),
    ('□', Role::Exponent),
    ('◇', Role::Good),
];

/// Returns a chart as lines of at most `width` characters.
pub fn lines(chart: &Chart, width: usize) -> Vec<Vec<Span>> {
    let mut out = vec![vec![Span::new(chart.title.clone(), Role::Heading)]];
    match chart.draw {
        Draw::Line => out.extend(curves(chart, width)),
        Draw::Bars => {
            for series in &chart.series {
                out.extend(histogram(chart, series, width));
            }
        }
    }
    out
}

/// The place of a share on so many cells.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of a screen"
)]
fn cell_at(share: f64, cells: usize) -> usize {
    ((share * (cells - 1) as f64).round().max(0.0) as usize).min(cells - 1)
}

fn curves(chart: &Chart, width: usize) -> Vec<Vec<Span>> {
    let (x, y) = chart.ranges();
    let y_ticks: Vec<(usize, String)> = y
        .ticks(5)
        .into_iter()
        .map(|tick| (HEIGHT - 1 - cell_at(tick.at, HEIGHT), tick.label))
        .collect();
    let margin = y_ticks.iter().map(|(_, label)| label.chars().count()).max().unwrap_or(0);
    let cells = width.saturating_sub(margin + 2).max(10);
    let mut grid = vec![vec![None; cells]; HEIGHT];
    for (index, series) in chart.series.iter().enumerate() {
        for &(at, value) in &series.points {
            if let (Some(across), Some(up)) = (x.share(at), y.share(value)) {
                grid[HEIGHT - 1 - cell_at(up, HEIGHT)][cell_at(across, cells)] = Some(index);
            }
        }
    }
    let mut out = vec![vec![Span::new(chart.y.label.clone(), Role::Dim)]];
    for (row, marks) in grid.iter().enumerate() {
        let label = y_ticks.iter().find(|(at, _)| *at == row).map_or("", |(_, label)| label);
        let mut spans = vec![Span::new(format!("{label:>margin$} │"), Role::Dim)];
        spans.extend(marks.iter().map(|mark| match mark {
            None => Span::plain(" "),
            Some(index) => {
                let (mark, role) = MARKS[index % MARKS.len()];
                Span::new(mark, role)
            }
        }));
        out.push(joined(spans));
    }
    out.push(vec![Span::new(format!("{:margin$} └{}", "", "─".repeat(cells)), Role::Dim)]);
    out.push(vec![Span::new(tick_line(chart, margin + 2, cells), Role::Dim)]);
    out.extend(legend(chart, width));
    out
}

/// Joins neighbours of one role.
fn joined(spans: Vec<Span>) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::new();
    for span in spans {
        match out.last_mut() {
            Some(last) if last.role == span.role => last.text += &span.text,
            _ => out.push(span),
        }
    }
    out
}

/// The labels below a chart, each under its place, with the axis' label at the end.
fn tick_line(chart: &Chart, margin: usize, cells: usize) -> String {
    let (x, _) = chart.ranges();
    let mut line = String::new();
    let mut used = 0;
    for tick in x.ticks(6) {
        let length = tick.label.chars().count();
        let from = (margin + cell_at(tick.at, cells)).saturating_sub(length / 2);
        if (used > 0 && from <= used) || from + length > margin + cells {
            continue;
        }
        line += &" ".repeat(from - used);
        line += &tick.label;
        used = from + length;
    }
    format!("{line}  {}", chart.x.label)
}

/// The marks and names of the series, in as many lines as they need.
fn legend(chart: &Chart, width: usize) -> Vec<Vec<Span>> {
    let mut out = vec![];
    let (mut line, mut used) = (vec![], 0);
    for (index, series) in chart.series.iter().enumerate() {
        let (mark, role) = MARKS[index % MARKS.len()];
        let length = series.name.chars().count() + 4;
        if used + length > width && used > 0 {
            out.push(std::mem::take(&mut line));
            used = 0;
        }
        line.push(Span::new(mark, role));
        line.push(Span::plain(format!(" {}  ", series.name)));
        used += length;
    }
    out.push(line);
    out
}

fn histogram(chart: &Chart, series: &Series, width: usize) -> Vec<Vec<Span>> {
    // Bars of all series are to be compared.
    let all = chart.series.iter().flat_map(|series| &series.points);
    let top = all.map(|(_, y)| *y).fold(0.0, f64::max);
    let label = |x: f64| match chart.x.scale {
        Scale::PowerOfTwo => format!("2^{x:.0}"),
        Scale::Linear | Scale::Log => number::shortest(x),
    };
    let value = |y: f64| match y.fract() {
        0.0 => number::shortest(y),
        _ => number::significant(y, 3),
    };
    let rows: Vec<(String, String, f64)> = series
        .points
        .iter()
        .map(|&(x, y)| (label(x), value(y), if top > 0.0 { y / top } else { 0.0 }))
        .collect();
    let margin = rows.iter().map(|row| row.0.chars().count()).max().unwrap_or(0);
    let values = rows.iter().map(|row| row.1.chars().count()).max().unwrap_or(0);
    let cells = width.saturating_sub(margin + values + 4).max(8);
    let heading = format!("{:>margin$}  {} ({})", chart.x.label, series.name, chart.y.label);
    let mut out = vec![vec![Span::new(heading, Role::Dim)]];
    out.extend(rows.into_iter().map(|(label, value, share)| {
        vec![
            Span::plain(format!("{label:>margin$}  {value:>values$}  ")),
            Span::new(bar(share, cells), Role::Significand),
        ]
    }));
    out
}

/// A bar in eighths of a cell; what is not zero is at least one eighth long.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of a screen"
)]
fn bar(share: f64, cells: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share * cells as f64 * 8.0).round() as usize;
    let eighths = if share > 0.0 { eighths.max(1) } else { 0 };
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::super::{line_of, plot::Axis};
    use super::*;

    fn text(chart: &Chart, width: usize) -> String {
        lines(chart, width).iter().map(|line| line_of(line) + "\n").collect()
    }

    #[test]
    fn each_series_has_its_own_mark_and_all_lines_fit() {
        let slope = |from: f64| (0..20).map(|i| (f64::from(i), from + f64::from(i))).collect();
        let chart = Chart {
            title: "t".into(),
            x: Axis::new("x", Scale::Linear),
            y: Axis::new("y", Scale::Linear),
            draw: Draw::Line,
            series: vec![
                Series { name: "a".into(), points: slope(0.0) },
                Series { name: "b".into(), points: slope(5.0) },
            ],
        };
        let text = text(&chart, 60);
        assert_eq!((text.matches('●').count(), text.matches('▲').count()), (21, 21));
        assert!(text.lines().all(|line| line.chars().count() <= 66), "{text}");
        assert!(text.contains("● a  ▲ b"));
    }

    #[test]
    fn the_smallest_count_still_shows() {
        assert_eq!([bar(0.0, 8), bar(1e-9, 8), bar(0.5, 8), bar(1.0, 2)], ["", "▏", "████", "██"]);
    }

    #[test]
    fn histograms_have_a_row_a_bin() {
        let points = vec![(-2.0, 10.0), (-1.0, 20.0)];
        let chart = Chart {
            x: Axis::new("|x|", Scale::PowerOfTwo),
            draw: Draw::Bars,
            series: vec![Series { name: "inputs".into(), points }],
            ..Chart::default()
        };
        let text = text(&chart, 30);
        assert!(text.contains("2^-2  10  ██████████") && text.contains("2^-1  20  ████"), "{text}");
    }
}
