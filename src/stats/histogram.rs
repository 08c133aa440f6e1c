//! Numbers become counts by the exponent of their leading bit, and codes become counts of each.

use std::collections::BTreeMap;

use serde_json::Value;

use super::StateError;

/// How many numbers have which exponent: bin e holds `2^e ≤ |x| < 2^(e+1)`.
///
/// Zeros, infinities and NaNs are in no bin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    bins: BTreeMap<i32, u64>,
}

impl Histogram {
    /// Counts a number.
    pub fn add(&mut self, x: f64) {
        if x != 0.0 && x.is_finite() {
            self.count(libm::ilogb(x), 1);
        }
    }

    /// Counts what falls into a bin.
    pub fn count(&mut self, bin: i32, elements: u64) {
        *self.bins.entry(bin).or_default() += elements;
    }

    /// Returns the bins that hold anything, from the lowest to the highest.
    pub fn filled(&self) -> impl Iterator<Item = (i32, u64)> {
        self.bins.iter().map(|(bin, count)| (*bin, *count))
    }

    /// Adds the counts of another histogram.
    pub fn merge(&mut self, other: &Self) {
        for (exponent, count) in &other.bins {
            self.count(*exponent, *count);
        }
    }

    /// Returns exponents and counts from the lowest bin to the highest, empty ones in between.
    pub fn bins(&self) -> impl Iterator<Item = (i32, u64)> {
        let range = match (self.bins.first_key_value(), self.bins.last_key_value()) {
            (Some((low, _)), Some((high, _))) => *low..*high + 1,
            _ => 0..0,
        };
        range.map(|e| (e, self.bins.get(&e).copied().unwrap_or(0)))
    }

    pub(super) fn state(&self) -> Value {
        self.filled().map(|(e, count)| Value::from(vec![Value::from(e), count.into()])).collect()
    }

    pub(super) fn from_state(state: &Value) -> Result<Self, StateError> {
        let bin = |bin: &Value| {
            let exponent = bin[0].as_i64().and_then(|e| i32::try_from(e).ok()).ok_or(StateError)?;
            Ok((exponent, bin[1].as_u64().ok_or(StateError)?))
        };
        let bins = state.as_array().ok_or(StateError)?.iter().map(bin).collect::<Result<_, _>>()?;
        Ok(Self { bins })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_binades() {
        let mut histogram = Histogram::default();
        for x in [1.0, -1.999, 0.5, 4.0, 0.0, f64::INFINITY, f64::NAN, 5e-324] {
            histogram.add(x);
        }
        let shown: Vec<_> = histogram.bins().filter(|(e, _)| *e > -5).collect();
        assert_eq!(shown[3..], [(-1, 1), (0, 2), (1, 0), (2, 1)]);
        assert_eq!(histogram.bins().next(), Some((-1074, 1)));
        assert_eq!(Histogram::from_state(&histogram.state()), Ok(histogram));
        assert_eq!(Histogram::default().bins().count(), 0);
    }
}
