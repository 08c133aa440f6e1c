//! Files: what is read, what is written, and what happens when something goes wrong.
#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking, and its numbers are small"
)]

mod block_layouts;
mod blocks;
mod convert;
mod folder;
mod inspect;
mod malformed;
mod numpy;
mod others;
mod outputs;
mod safetensors;
mod scales;
mod units;
mod util;
