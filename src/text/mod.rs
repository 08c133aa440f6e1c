//! Text becomes numbers and numbers become text, exactly.
//!
//! [`literal`] reads what people type: decimals of any length, hex floats, fractions, powers, names
//! and bit patterns. A number comes out as an [`Unpacked`](crate::codec::Unpacked) that stands for
//! the exact value, never for a binary64 near it. [`render`] writes the exact decimal, the shortest
//! one that reads back, the hex float and the bit fields.

mod decimal;
pub mod literal;
mod pattern;
mod reader;
pub mod render;
