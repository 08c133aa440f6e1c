//! Bytes of files become numbers, in chunks, with the scales that belong to them.
//!
//! [`chunks::Chunks`] hands stretches of a tensor out to several workers, each with a
//! [`buffer::Workspace`]; [`load::Load`] turns what landed there into binary32 or binary64 numbers.

pub(crate) mod buffer;
pub(crate) mod chunks;
pub(crate) mod load;
pub(crate) mod pick;
pub(crate) mod scales;
pub(crate) mod weights;
