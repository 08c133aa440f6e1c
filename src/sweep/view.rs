//! A measurement becomes what people asked to see: a report, charts, and a verdict.

use super::{
    Measurement, chart,
    condition::{Condition, ConditionError},
    row::{self, Row},
    screen,
};
use crate::report::{Report, number, plot::Chart};

/// Rows in which columns are looked up by name.
pub(super) trait Columns {
    /// Returns the names of all columns that a table can show.
    fn names() -> Vec<&'static str>;

    /// Returns the value of a column that holds numbers, if there is one.
    fn number(&self, name: &str) -> Option<f64>;

    /// Returns the value of a column that holds a text, if there is one.
    fn text(&self, name: &str) -> Option<&str>;

    /// Returns what the row is of, in a few words.
    fn label(&self) -> String;
}

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
    #[error("unknown column '{name}', expected one of {all}")]
    Column {
        /// The name.
        name: String,
        /// The names that there are.
        all: String,
    },
}

/// Checks the name of a column.
fn known<R: Columns>(name: &str) -> Result<(), ViewError> {
    let names = R::names();
    if names.contains(&name) {
        return Ok(());
    }
    Err(ViewError::Column { name: name.to_owned(), all: names.join(" ") })
}

impl View {
    /// Returns the columns to show.
    pub(super) fn shown<R: Columns>(&self, usual: &[&str]) -> Result<Vec<String>, ViewError> {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        match self.columns.as_slice() {
            [] => Ok(owned(usual)),
            [all] if all == "all" => Ok(owned(&R::names())),
            names => {
                names.iter().try_for_each(|name| known::<R>(name))?;
                Ok(names.to_vec())
            }
        }
    }

    /// Sorts rows by a column: numbers from the worst to the best, which is from the largest to the
    /// smallest unless they are a quality, names by the alphabet.
    pub(super) fn sort<R: Columns>(&self, rows: &mut [R]) -> Result<(), ViewError> {
        let Some(name) = &self.sort else { return Ok(()) };
        known::<R>(name)?;
        rows.sort_by(|a, b| match (a.number(name), b.number(name)) {
            (Some(a), Some(b)) if QUALITIES.contains(&name.as_str()) => a.total_cmp(&b),
            (Some(a), Some(b)) => b.total_cmp(&a),
            (a, b) if a.is_some() != b.is_some() => b.is_some().cmp(&a.is_some()),
            _ => a.text(name).cmp(&b.text(name)),
        });
        Ok(())
    }

    /// Returns which rows fail which limits.
    pub(super) fn failures<R: Columns>(&self, rows: &[R]) -> Result<Vec<String>, ViewError> {
        let failure = |row: &R, limit: &Condition| {
            let found =
                row.number(limit.column).map_or_else(|| "none".to_owned(), number::shortest);
            format!("{}: {} is {found}, not {limit}", row.label(), limit.column)
        };
        self.limits.iter().try_for_each(|limit| known::<R>(limit.column))?;
        let pairs = rows.iter().flat_map(|row| self.limits.iter().map(move |limit| (row, limit)));
        let failed = pairs.filter(|(row, limit)| !limit.holds(*row));
        Ok(failed.map(|(row, limit)| failure(row, limit)).collect())
    }
}

/// The columns of which more is better.
const QUALITIES: [&str; 2] = [row::SQNR, super::against::COSINE];

/// Returns a measurement as a report with charts, and the limits that it fails.
///
/// # Errors
///
/// [`ViewError`], for a column that does not exist.
pub fn present(measurement: &Measurement, view: &View) -> Result<Answer, ViewError> {
    let mut rows = measurement.rows.clone();
    view.sort(&mut rows)?;
    let shown = view.shown::<Row>(&screen::usual(&rows))?;
    let mut report = Report::new("error-sweep", row::table(&rows));
    report.view = Some(row::select(&report.rows, &shown));
    report.options.clone_from(&measurement.options);
    report.blocks = screen::blocks(measurement, &rows, view);
    let failures = view.failures(&rows)?;
    let source = rows.first().map_or("", |row| row.key.source.as_str());
    let charts = if screen::is_sweep(&rows) {
        chart::sweep(source, &measurement.rows).into()
    } else {
        chart::histograms(source, &measurement.rows)
    };
    Ok(Answer { report, charts, failures })
}
