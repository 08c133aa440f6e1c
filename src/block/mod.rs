//! Scaled and block formats: elements that share a scale.
//!
//! [`spec`] reads `NAME[/WORD]...`, how every subcommand names a target: a plain format, a format
//! with float32 scales a tensor, a channel or a tile, or one of the block formats of [`rows`].
//! [`grouping`] says which elements of a tensor share a scale, and a [`quantizer::Quantizer`] turns
//! numbers into scales and codes, and back.

pub mod exact;
pub mod grouping;
pub mod quantizer;
pub mod rows;
mod scale;
pub mod segment;
pub mod spec;
mod tensor;

pub use crate::kernel::division;
pub use grouping::Grouping;
pub use quantizer::{BlockError, Counts, Quantizer};
pub use segment::{Piece, Stretch};
pub use spec::{Scaling, Spec};
pub use tensor::Quantized;
