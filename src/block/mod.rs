//! Scaled and block formats: elements that share a scale.
//!
//! [`spec`] reads `NAME[/WORD]...`, how every subcommand names a target: a plain format, a format
//! with float32 scales a tensor, a channel or a tile, or one of the block formats of [`rows`].

pub mod grouping;
pub mod rows;
pub mod spec;
