//! `exhaustive:F` and `edges:F` become the codes of a format: inputs of a datapath's test.

use std::collections::BTreeSet;

use crate::{
    block::spec::Spec,
    codec::{Kind, Projection, RDN, Unpacked, decode, neighbor, project},
    format::Format,
    text::render,
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
const MAX_EDGES_WIDTH: u32 = 20;

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

    /// Returns the codes, in order.
    ///
    /// # Errors
    ///
    /// [`VectorsError`], if there are too many, or not one target to find the edges of.
    pub fn codes(&self, targets: &[Spec]) -> Result<Box<dyn Iterator<Item = u128>>, VectorsError> {
        match (self, targets) {
            (Self::Exhaustive(format), _) if format.width() > MAX_EXHAUSTIVE_WIDTH => {
                Err(VectorsError::TooMany(format.name().to_owned(), format.width()))
            }
            (Self::Exhaustive(format), _) => Ok(Box::new(0..=format.code_mask())),
            (Self::Edges(_), [target]) if target.format.width() > MAX_EDGES_WIDTH => {
                let target = &target.format;
                Err(VectorsError::TooManyEdges(target.name().to_owned(), target.width()))
            }
            (Self::Edges(format), [target]) => {
                Ok(Box::new(edges(format, &target.format).into_iter()))
            }
            (Self::Edges(_), _) => Err(VectorsError::OneTarget),
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
    if let Some(edge) = overflow_edge(target) {
        around(source, &edge, &mut codes);
        around(source, &Unpacked { negative: true, ..edge }, &mut codes);
    }
    codes
}

/// The tie between the largest finite number and what would come next, were exponents unbounded.
fn overflow_edge(target: &Format) -> Option<Unpacked> {
    let largest = decode(target, target.largest_finite());
    let quantum = neighbor::quantum_exponent(target, &largest)?;
    let (integer, exponent) = render::odd_integer(&largest)?;
    let doubled = integer << (exponent - quantum + 1);
    Some(Unpacked::scaled(false, doubled + 1, quantum - 1))
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
