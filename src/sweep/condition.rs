//! What people require of a measurement: `max_ulp<=1,sqnr_db>=30` becomes conditions on rows.

use super::{against, view::Columns};
use crate::stats::METRICS;

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    /// `<=`
    AtMost,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `>`
    Above,
    /// `=` or `==`
    Equal,
}

/// Longer spellings before those they begin with.
const COMPARISONS: [(&str, Comparison); 6] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("==", Comparison::Equal),
    ("<", Comparison::Below),
    (">", Comparison::Above),
    ("=", Comparison::Equal),
];

/// A condition on one column.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The metric's name.
    pub column: &'static str,
    comparison: Comparison,
    /// The bound.
    pub bound: f64,
    text: String,
}

/// Why a text is not a list of conditions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// There is no comparison, or no number behind it.
    #[error("condition '{0}': expected COLUMN<=NUMBER or COLUMN>=NUMBER, such as max_ulp<=1")]
    Malformed(String),
    /// No metric has this name.
    #[error("unknown column '{0}', expected one of {names}", names = metric_names())]
    Unknown(String),
}

fn metric_names() -> String {
    metrics().collect::<Vec<_>>().join(" ")
}

/// The names of everything that is measured, of one input or between two.
fn metrics() -> impl Iterator<Item = &'static str> {
    METRICS.iter().map(|metric| metric.name).chain(against::METRICS)
}

impl std::str::FromStr for Condition {
    type Err = ConditionError;

    fn from_str(text: &str) -> Result<Self, ConditionError> {
        let malformed = || ConditionError::Malformed(text.to_owned());
        let start = text.find(['<', '>', '=']).ok_or_else(malformed)?;
        let (name, rest) = text.split_at(start);
        let found = COMPARISONS.iter().find_map(|(sign, comparison)| {
            rest.strip_prefix(sign).map(|bound| (bound, *comparison))
        });
        let (bound, comparison) = found.ok_or_else(malformed)?;
        let name = match name.trim() {
            "bits" => "bits_per_weight",
            name => name,
        };
        let column = metrics().find(|metric| *metric == name);
        let column = column.ok_or_else(|| ConditionError::Unknown(name.to_owned()))?;
        let bound: f64 = bound.trim().parse().map_err(|_| malformed())?;
        if bound.is_nan() {
            return Err(malformed());
        }
        Ok(Self { column, comparison, bound, text: text.trim().to_owned() })
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Condition {
    /// Reads conditions separated by commas.
    ///
    /// # Errors
    ///
    /// [`ConditionError`] for the first that is none.
    ///
    /// ```
    /// let conditions = fpx::sweep::Condition::list("max_ulp<=1,sqnr_db>=30").unwrap();
    /// assert_eq!(conditions[1].column, "sqnr_db");
    /// ```
    pub fn list(text: &str) -> Result<Vec<Self>, ConditionError> {
        text.split(',').map(str::parse).collect()
    }

    /// Whether a row meets it; what has no value meets nothing.
    pub(super) fn holds(&self, row: &impl Columns) -> bool {
        row.number(self.column).is_some_and(|x| self.admits(x))
    }

    #[expect(clippy::float_cmp, reason = "what the user asks for")]
    fn admits(&self, x: f64) -> bool {
        match self.comparison {
            Comparison::AtMost => x <= self.bound,
            Comparison::AtLeast => x >= self.bound,
            Comparison::Below => x < self.bound,
            Comparison::Above => x > self.bound,
            Comparison::Equal => x == self.bound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_are_read() {
        let admits = |text: &str, x| text.parse::<Condition>().unwrap().admits(x);
        assert!(admits("max_ulp<=1", 1.0) && !admits("max_ulp<1", 1.0));
        assert!(admits("sqnr_db >= 30", f64::INFINITY) && !admits("sqnr_db>30", 30.0));
        assert!(admits("overflow=0", 0.0) && !admits("overflow==0", 1.0));
        assert_eq!("bits<=4.5".parse::<Condition>().unwrap().column, "bits_per_weight");
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for text in ["", "max_ulp", "max_ulp<=", "max_ulp<=x", "max_ulp=<1", "sqnr_db>=nan"] {
            let error = Condition::list(text).unwrap_err();
            assert_eq!(error, ConditionError::Malformed(text.to_owned()));
        }
        let error = Condition::list("max_ulps<=1").unwrap_err().to_string();
        assert!(error.starts_with("unknown column 'max_ulps', expected one of n nan"), "{error}");
    }
}
