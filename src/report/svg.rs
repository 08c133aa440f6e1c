//! Charts become SVG: one document, a panel a chart, the same text for the same numbers.
//!
//! Colours sit in classes, so that one style sheet serves light and dark surroundings
//! (`prefers-color-scheme`); a series also has its own marker, for those who see no colour. The
//! colours are Okabe and Ito's, darkened or lightened for their background.
//!
//! ```
//! use fpx::report::{plot::{Axis, Chart, Scale, Series}, svg};
//! let chart = Chart {
//!     title: "SQNR".into(),
//!     x: Axis::new("scale", Scale::PowerOfTwo),
//!     y: Axis::new("dB", Scale::Linear),
//!     series: vec![Series { name: "bf16".into(), points: vec![(-1.0, 55.4), (1.0, 55.6)] }],
//!     ..Chart::default()
//! };
//! let text = svg::document(&[chart]);
//! assert!(text.starts_with("<svg xmlns=") && text.ends_with("</svg>\n"));
//! ```

use std::fmt::Write as _;

use super::{
    plot::{Chart, Draw, Range, Series},
    text::escape,
};

const WIDTH: f64 = 860.0;
const PANEL_HEIGHT: f64 = 340.0;
const LEFT: f64 = 78.0;
const RIGHT: f64 = 170.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 52.0;

/// Series colours on a light and on a dark background; after the last the first comes again.
const COLORS: [(&str, &str); 8] = [
    ("#0072b2", "#56b4e9"),
    ("#d55e00", "#ff8a3d"),
    ("#00805f", "#2fd6a5"),
    ("#aa4499", "#ee99cc"),
    ("#8a6d00", "#f0d442"),
    ("#4d4d4d", "#c8c8c8"),
    ("#5e3c99", "#b2a0e0"),
    ("#882222", "#ff9a9a"),
];

/// Markers of radius 3.5 around the origin, in the order of the series.
const MARKERS: [&str; 8] = [
    "M-3.2,0a3.2,3.2 0 1,0 6.4,0a3.2,3.2 0 1,0 -6.4,0z",
    "M-3,-3h6v6h-6z",
    "M0,-4L4,3H-4z",
    "M0,-4.2L4.2,0L0,4.2L-4.2,0z",
    "M0,4L4,-3H-4z",
    "M-3.5,-1h2.5v-2.5h2v2.5h2.5v2h-2.5v2.5h-2v-2.5h-2.5z",
    "M-4,-1.5h8v3h-8z",
    "M-1.5,-4h3v8h-3z",
];

/// Returns charts one below the other as an SVG document.
pub fn document(charts: &[Chart]) -> String {
    let height = charts.iter().map(|_| PANEL_HEIGHT).sum::<f64>();
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n<style>\n{}</style>\n\
         <rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n",
        style_sheet()
    );
    let mut top = 0.0;
    for chart in charts {
        panel(&mut out, chart, top);
        top += PANEL_HEIGHT;
    }
    out + "</svg>\n"
}

fn style_sheet() -> String {
    let mut light = "text{font:12px system-ui,sans-serif;fill:#222}\n.title{font-size:15px;\
                     font-weight:600}\n.ground{fill:#fff}\n.grid{stroke:#ddd}\n\
                     .axis{stroke:#888;fill:none}\n.line{fill:none;stroke-width:1.8;\
                     stroke-linejoin:round}\n.bar{stroke:none;fill-opacity:.45}\n"
        .to_owned();
    let mut dark =
        "text{fill:#ddd}.ground{fill:#16181c}.grid{stroke:#34383f}.axis{stroke:#888}\n".to_owned();
    for (i, (on_light, on_dark)) in COLORS.iter().enumerate() {
        let _ = writeln!(light, ".l{i}{{stroke:{on_light}}}.f{i}{{fill:{on_light}}}");
        let _ = writeln!(dark, ".l{i}{{stroke:{on_dark}}}.f{i}{{fill:{on_dark}}}");
    }
    format!("{light}@media(prefers-color-scheme:dark){{\n{dark}}}\n")
}

/// Text that is safe inside an element.
fn content(text: &str) -> String {
    escape(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A number of pixels with one decimal.
fn px(x: f64) -> String {
    let text = format!("{x:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// The area in which a chart's points lie.
struct Area {
    x: Range,
    y: Range,
    top: f64,
}

impl Area {
    const WIDTH: f64 = WIDTH - LEFT - RIGHT;
    const HEIGHT: f64 = PANEL_HEIGHT - TOP - BOTTOM;

    fn across(share: f64) -> f64 {
        LEFT + share * Self::WIDTH
    }

    fn down(&self, share: f64) -> f64 {
        self.top + TOP + (1.0 - share) * Self::HEIGHT
    }

    fn point(&self, (x, y): (f64, f64)) -> Option<(f64, f64)> {
        Some((Self::across(self.x.share(x)?), self.down(self.y.share(y)?)))
    }
}

fn panel(out: &mut String, chart: &Chart, top: f64) {
    let (x, y) = chart.ranges();
    let area = Area { x, y, top };
    let title = content(&chart.title);
    let _ =
        writeln!(out, "<text class=\"title\" x=\"{LEFT}\" y=\"{}\">{title}</text>", px(top + 26.0));
    axes(out, chart, &area);
    for (index, series) in chart.series.iter().enumerate() {
        match chart.draw {
            Draw::Line => line(out, series, &area, index),
            Draw::Bars => bars(out, series, &area, index),
        }
        legend(out, series, index, top + TOP + 6.0, chart.draw);
    }
}

fn axes(out: &mut String, chart: &Chart, area: &Area) {
    let (left, right) = (Area::across(0.0), Area::across(1.0));
    let (floor, ceiling) = (area.down(0.0), area.down(1.0));
    for tick in area.y.ticks(6) {
        let at = px(area.down(tick.at));
        let _ = writeln!(
            out,
            "<path class=\"grid\" d=\"M{left},{at}H{right}\"/>\
             <text x=\"{}\" y=\"{at}\" dy=\".35em\" text-anchor=\"end\">{}</text>",
            left - 8.0,
            tick.label
        );
    }
    for tick in area.x.ticks(8) {
        let at = px(Area::across(tick.at));
        let _ = writeln!(
            out,
            "<path class=\"grid\" d=\"M{at},{}V{}\"/>\
             <text x=\"{at}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            px(floor),
            px(ceiling),
            px(floor + 18.0),
            tick.label
        );
    }
    let middle = f64::midpoint(floor, ceiling);
    let _ = writeln!(
        out,
        "<path class=\"axis\" d=\"M{left},{}V{}H{right}\"/>\n\
         <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n\
         <text transform=\"translate(20,{})rotate(-90)\" text-anchor=\"middle\">{}</text>",
        px(ceiling),
        px(floor),
        px(f64::midpoint(left, right)),
        px(floor + 40.0),
        content(&chart.x.label),
        px(middle),
        content(&chart.y.label)
    );
}

fn line(out: &mut String, series: &Series, area: &Area, index: usize) {
    let color = index % COLORS.len();
    let mut path = String::new();
    let mut pen = 'M';
    let mut marks = String::new();
    // Markers at most every 12 pixels, or a dense series would be all markers.
    let mut marked = f64::NEG_INFINITY;
    for point in &series.points {
        let Some((x, y)) = area.point(*point) else {
            pen = 'M';
            continue;
        };
        let _ = write!(path, "{pen}{},{}", px(x), px(y));
        pen = 'L';
        if x - marked >= 12.0 {
            marked = x;
            let _ = writeln!(marks, "{}", marker(index, x, y));
        }
    }
    let _ = writeln!(out, "<path class=\"line l{color}\" d=\"{path}\"/>\n{}", marks.trim_end());
}

fn marker(index: usize, x: f64, y: f64) -> String {
    let (color, shape) = (index % COLORS.len(), MARKERS[index % MARKERS.len()]);
    format!("<path class=\"f{color}\" transform=\"translate({},{})\" d=\"{shape}\"/>", px(x), px(y))
}

fn bars(out: &mut String, series: &Series, area: &Area, index: usize) {
    let color = index % COLORS.len();
    let floor = px(area.down(0.0));
    let mut path = String::new();
    for &(x, y) in &series.points {
        let ends = (area.point((x, y)), area.x.share(x + 1.0));
        if let (Some((left, height)), Some(right)) = ends {
            let right = px(Area::across(right));
            let _ = write!(path, "M{},{floor}V{}H{right}V{floor}z", px(left), px(height));
        }
    }
    let _ = writeln!(out, "<path class=\"bar f{color}\" d=\"{path}\"/>");
}

fn legend(out: &mut String, series: &Series, index: usize, top: f64, draw: Draw) {
    let (x, y) = (WIDTH - RIGHT + 18.0, top + 20.0 * f64::from(u16::try_from(index).unwrap_or(0)));
    let (name, color) = (content(&series.name), index % COLORS.len());
    let key = match draw {
        Draw::Line => format!(
            "<path class=\"line l{color}\" d=\"M{x},{y}h24\"/>{}",
            marker(index, x + 12.0, y)
        ),
        Draw::Bars => format!("<path class=\"bar f{color}\" d=\"M{x},{}h24v10h-24z\"/>", y - 5.0),
    };
    let _ = writeln!(out, "{key}<text x=\"{}\" y=\"{y}\" dy=\".35em\">{name}</text>", x + 32.0);
}

#[cfg(test)]
mod tests {
    use super::super::plot::{Axis, Scale};
    use super::*;

    fn chart() -> Chart {
        let gap = vec![(0.0, 1.0), (1.0, f64::INFINITY), (2.0, 3.0)];
        Chart {
            title: "a < b".into(),
            x: Axis::new("x", Scale::Linear),
            y: Axis::new("y & z", Scale::Linear),
            draw: Draw::Line,
            series: vec![Series { name: "\u{1b}<s>".into(), points: gap }],
        }
    }

    #[test]
    fn text_cannot_become_markup() {
        let text = document(&[chart()]);
        assert!(text.contains("a &lt; b") && text.contains("y &amp; z"));
        assert!(text.contains("\\u{1b}&lt;s&gt;") && !text.contains('\u{1b}'));
    }

    #[test]
    fn a_point_without_a_place_breaks_the_line() {
        let text = document(&[chart()]);
        let path = text.lines().find(|line| line.contains("line l0") && !line.contains("h24"));
        assert_eq!(path.unwrap().matches('M').count(), 2);
    }

    #[test]
    fn the_same_chart_gives_the_same_text() {
        assert_eq!(document(&[chart(), chart()]), document(&[chart(), chart()]));
        assert_eq!(document(&[chart(), chart()]).matches("class=\"axis\"").count(), 2);
    }

    #[test]
    fn bars_stand_on_the_axis() {
        let bars = Chart { draw: Draw::Bars, ..chart() };
        let text = document(&[bars]);
        let path = text.lines().find(|line| line.contains("class=\"bar f0\"")).unwrap();
        assert_eq!(path.matches("V288z").count(), 2, "{path}");
    }
}
