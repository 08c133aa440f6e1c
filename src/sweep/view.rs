//! A measurement becomes what people asked to see: a report, charts, and a verdict.

use super::{
    Measurement, chart,
    condition::{Condition, ConditionError},
    row::{self, Row},
    screen,
};
use crate::report::{Report, plot::Chart};

/// What is wanted by `--recommend`.
#[derive(Clone, Debug, PartialEq)]
pub struct Recommendation {
    /// What a target must meet.
    pub conditions: Vec<Condition>,
}

impl std::str::FromStr for Recommendation {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        Condition::list(text).map(|conditions| Self { conditions })
    }
}

impl Recommendation {
    /// What is wanted unless something else is: 30 dB, as 8-bit weights with a good scale have.
    pub const USUAL: &str = "sqnr_db>=30";
}

/// How a measurement is shown. Nothing here changes a number.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The columns of the table; the usual ones if there is none, every one for `all`.
    pub columns: Vec<String>,
    /// The column by which rows are sorted.
    pub sort: Option<String>,
    /// Whether no row is left out.
    pub all: bool,
    /// What every row must meet.
    pub limits: Vec<Condition>,
    /// What a recommended target must meet.
    pub recommend: Option<Recommendation>,
    /// Whether histograms are drawn.
    pub histograms: bool,
}

/// A report and what goes with it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The report.
    pub report: Report,
    /// What `--plot` draws.
    pub charts: Vec<Chart>,
    /// Which rows fail which limits, in words.
    pub failures: Vec<String>,
}

/// Why something cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// No column has this name.
    #[error("unknown column '{name}', expected one of {all}", all = row::names().collect::<Vec<_>>().join(" "))]
    Column {
        /// The name.
        name: String,
    },
}

impl View {
    /// Returns the columns to show.
    pub(super) fn shown(
        &self,
        usual: impl Iterator<Item = &'static str>,
    ) -> Result<Vec<String>, ViewError> {
        let known = |name: &String| {
            let known = row::names().any(|known| known == name);
            if known { Ok(name.clone()) } else { Err(ViewError::Column { name: name.clone() }) }
        };
        match self.columns.as_slice() {
            [] => Ok(usual.map(str::to_owned).collect()),
            [all] if all == "all" => Ok(row::names().map(str::to_owned).collect()),
            names => names.iter().map(known).collect(),
        }
    }

    /// Sorts rows by a column: numbers from the worst to the best, which is from the largest to the
    /// smallest unless they are a quality, names by the alphabet.
    pub(super) fn sort(&self, rows: &mut [Row]) -> Result<(), ViewError> {
        let Some(name) = &self.sort else { return Ok(()) };
        if !row::names().any(|known| known == name) {
            return Err(ViewError::Column { name: name.clone() });
        }
        rows.sort_by(|a, b| match (a.number(name), b.number(name)) {
            (Some(a), Some(b)) if name == row::SQNR => a.total_cmp(&b),
            (Some(a), Some(b)) => b.total_cmp(&a),
            (a, b) if a.is_some() != b.is_some() => b.is_some().cmp(&a.is_some()),
            _ => a.text(name).cmp(&b.text(name)),
        });
        Ok(())
    }
}

/// Returns a measurement as a report with charts, and the limits that it fails.
///
/// # Errors
///
/// [`ViewError`], for a column that does not exist.
pub fn present(measurement: &Measurement, view: &View) -> Result<Answer, ViewError> {
    let mut rows = measurement.rows.clone();
    view.sort(&mut rows)?;
    let shown = view.shown(screen::usual(&rows).into_iter())?;
    let mut report = Report::new("error-sweep", row::table(&rows));
    report.view = Some(row::select(&report.rows, &shown));
    report.options.clone_from(&measurement.options);
    report.blocks = screen::blocks(measurement, &rows, view);
    let failures = failures(&rows, &view.limits);
    let source = rows.first().map_or("", |row| row.key.source.as_str());
    let charts = if screen::is_sweep(&rows) {
        chart::sweep(source, &measurement.rows).into()
    } else {
        chart::histograms(source, &measurement.rows)
    };
    Ok(Answer { report, charts, failures })
}

/// Which rows fail which limits.
fn failures(rows: &[Row], limits: &[Condition]) -> Vec<String> {
    let failure = |row: &Row, limit: &Condition| {
        let found = row
            .number(limit.column)
            .map_or_else(|| "none".to_owned(), crate::report::number::shortest);
        format!("{}: {} is {found}, not {limit}", row.label(), limit.column)
    };
    let pairs = rows.iter().flat_map(|row| limits.iter().map(move |limit| (row, limit)));
    pairs.filter(|(row, limit)| !limit.holds(row)).map(|(row, limit)| failure(row, limit)).collect()
}
