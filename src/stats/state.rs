//! Statistics become a JSON value that later runs add to, and back. Nothing is rounded.

use serde_json::{Value, json};

use super::{ExactSum, Histogram, Histograms, Maximum, Statistics, UsedCodes};
use crate::kernel::Counts;

/// A state is not one that this version writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its 'state' is not one that this version of fpx writes")]
pub struct StateError;

/// The counts in the order in which a state lists them.
macro_rules! counts {
    ($($field:ident),*) => {
        fn counts_state(counts: &Counts) -> Value {
            json!([$(counts.$field),*])
        }

        fn counts_from_state(state: &Value) -> Result<Counts, StateError> {
            let mut numbers = state.as_array().ok_or(StateError)?.iter().map(count);
            let counts = Counts { $($field: numbers.next().unwrap_or(Err(StateError))?),* };
            if numbers.next().is_some() { Err(StateError) } else { Ok(counts) }
        }
    };
}

counts! { elements, inexact, overflow, flushed, subnormal, nan_in, inf_in, lost, refused }

fn count(value: &Value) -> Result<u64, StateError> {
    value.as_u64().ok_or(StateError)
}

/// Returns a binary64 number as the hex digits of its code: JSON's decimals may be read inexactly.
fn bits(x: f64) -> String {
    format!("{:016x}", x.to_bits())
}

/// Reads what [`bits`] wrote.
fn from_bits(value: &Value) -> Result<f64, StateError> {
    let text = value.as_str().filter(|text| text.len() == 16).ok_or(StateError)?;
    Ok(f64::from_bits(u64::from_str_radix(text, 16).map_err(|_| StateError)?))
}

impl Maximum {
    fn state(&self) -> Value {
        json!([bits(self.value), bits(self.input), self.index])
    }

    fn from_state(state: &Value) -> Result<Self, StateError> {
        let (value, input) = (from_bits(&state[0])?, from_bits(&state[1])?);
        Ok(Self { value, input, index: count(&state[2])? })
    }
}

/// Reads an array of exactly N entries.
fn array<const N: usize, T>(
    state: &Value,
    read: impl Fn(&Value) -> Result<T, StateError>,
) -> Result<[T; N], StateError> {
    let items: Vec<T> =
        state.as_array().ok_or(StateError)?.iter().map(read).collect::<Result<_, _>>()?;
    items.try_into().map_err(|_| StateError)
}

/// Reads what may be absent.
fn optional<T>(
    state: &Value,
    read: impl Fn(&Value) -> Result<T, StateError>,
) -> Result<Option<T>, StateError> {
    if state.is_null() { Ok(None) } else { read(state).map(Some) }
}

impl Statistics {
    /// Returns everything that [`from_state`](Self::from_state) needs.
    pub fn state(&self) -> Value {
        let histograms = self.histograms.as_ref();
        json!({
            "counts": counts_state(&self.counts),
            "max_input": bits(self.max_input),
            "summed": [self.summed, self.nonzero, self.exact],
            "totals": self.totals.iter().map(ExactSum::state).collect::<Vec<_>>(),
            "largest": self.largest.iter().map(Maximum::state).collect::<Vec<_>>(),
            "used": self.used.as_ref().map(UsedCodes::state),
            "histograms": histograms.map(|h| json!([h.inputs.state(), h.errors.state()])),
            "scales": self.scales.as_ref().map(Histogram::state),
        })
    }

    /// Reads a state back.
    ///
    /// # Errors
    ///
    /// [`StateError`] if it is not what [`state`](Self::state) returns.
    pub fn from_state(state: &Value) -> Result<Self, StateError> {
        let [summed, nonzero, exact] = array(&state["summed"], count)?;
        Ok(Self {
            counts: counts_from_state(&state["counts"])?,
            max_input: from_bits(&state["max_input"])?,
            summed,
            nonzero,
            exact,
            totals: array(&state["totals"], |total| ExactSum::try_from(total))?,
            largest: array(&state["largest"], Maximum::from_state)?,
            used: optional(&state["used"], UsedCodes::from_state)?,
            histograms: optional(&state["histograms"], |state| {
                let [inputs, errors] = array(state, Histogram::from_state)?;
                Ok(Histograms { inputs, errors })
            })?,
            scales: optional(&state["scales"], Histogram::from_state)?,
        })
    }

    /// Whether the two have sets of codes and histograms of the same kind, so that they may be
    /// merged.
    pub fn is_like(&self, other: &Self) -> bool {
        let used = match (&self.used, &other.used) {
            (Some(used), Some(other)) => used.is_like(other),
            (used, other) => used.is_none() && other.is_none(),
        };
        let scales = self.scales.is_some() == other.scales.is_some();
        used && scales && self.histograms.is_some() == other.histograms.is_some()
    }
}
