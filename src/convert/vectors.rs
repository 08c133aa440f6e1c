//! `exhaustive:F` and `edges:F` become the codes of a format: inputs of a datapath's test.

use std::collections::BTreeSet;

use crate::{
    codec::{Kind, Projection, RDN, Unpacked, decode, neighbor, project},
    format::Format,
};

/// A set of test inputs: codes of a source format.
#[derive(Clone, Debug)]
pub enum Vectors {
    /// Every code.
    Exhaustive(Format),
    /// The codes around each value, midpoint and edge of a target.
    Edges(Format),
}

/// The widest format whose codes are all listed.
const MAX_EXHAUSTIVE_WIDTH: u32 = 40;
/// The widest target around whose values the edges are listed.
const MAX_EDGES_WIDTH: u32 = 24;

/// Why a set of inputs cannot be listed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VectorsError {
    /// Too many codes.
    #[error(
        "exhaustive:{0} would be 2^{1} codes; formats of at most {MAX_EXHAUSTIVE_WIDTH} bits are listed"
    )]
    TooMany(String, u32),
    /// Too many values of the target.
    #[error(
        "edges of {0} would be more than 2^{1} values; targets of at most {MAX_EDGES_WIDTH} bits are listed"
    )]
    TooManyEdges(String, u32),
    /// No target, or several.
    #[error("edges:F lists the edges of one target: give one --to")]
    OneTarget,
}

impl Vectors {
    /// Returns the source format.
    pub fn format(&self) -> &Format {
        match self {
            Self::Exhaustive(format) | Self::Edges(format) => format,
        }
    }

    /// Calls `visit` with each code until it fails.
    ///
    /// # Errors
    ///
    /// [`VectorsError`], if there are too many; otherwise what `visit` returns.
    pub fn for_each<E: From<VectorsError>>(
        &self,
        targets: &[Format],
        mut visit: impl FnMut(u128) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Exhaustive(format) => {
                if format.width() > MAX_EXHAUSTIVE_WIDTH {
                    let name = format.name().to_owned();
                    return Err(VectorsError::TooMany(name, format.width()).into());
                }
                (0..=format.code_mask()).try_for_each(visit)
            }
            Self::Edges(format) => {
                let [target] = targets else { return Err(VectorsError::OneTarget.into()) };
                if target.width() > MAX_EDGES_WIDTH {
                    let name = target.name().to_owned();
                    return Err(VectorsError::TooManyEdges(name, target.width()).into());
                }
                edges(format, target).into_iter().try_for_each(&mut visit)
            }
        }
    }
}

/// Returns the codes of `source` at and beside every value, midpoint and edge of `target`, and the
/// special codes of `source`, in order.
fn edges(source: &Format, target: &Format) -> BTreeSet<u128> {
    let mut codes = special_codes(source);
    for code in 0..=target.code_mask() {
        let x = decode(target, code);
        if !x.is_finite() {
            continue;
        }
        around(source, &x, &mut codes);
        if let Some(interval) = neighbor::interval(target, &Projection::default(), code) {
            around(source, &interval.low.at, &mut codes);
            around(source, &interval.high.at, &mut codes);
        }
    }
    codes
}

/// Zeros, infinities, NaNs and the ends of the ranges of a format.
fn special_codes(format: &Format) -> BTreeSet<u128> {
    let largest = format.largest_finite();
    let least_normal = format.least_normal().unwrap_or(0);
    let near = |m: u128| [m.saturating_sub(1), m, m + 1];
    [near(0), near(least_normal), near(largest), near(largest + 1)]
        .into_iter()
        .flatten()
        .chain([format.code_mask() & !format.sign_mask()])
        .flat_map(|magnitude| [magnitude, magnitude | format.sign_mask()])
        .map(|code| code & format.code_mask())
        .collect()
}

/// Adds the codes just below, at and just above a number.
fn around(source: &Format, x: &Unpacked, codes: &mut BTreeSet<u128>) {
    if x.kind == Kind::Infinity {
        return;
    }
    let below = project(source, &Projection::with_mode(&RDN), x).code;
    let mut code = neighbor::next_down(source, below);
    for _ in 0..4 {
        let Some(this) = code else { break };
        codes.insert(this);
        code = neighbor::next_up(source, this);
    }
    codes.insert(below);
}
