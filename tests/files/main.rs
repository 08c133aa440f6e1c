//! Files: what is read, what is written, and what happens when something goes wrong.
#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a test fails by panicking, and its numbers are small"
)]

mod convert;
mod faults;
mod folder;
mod malformed;
mod numpy;
mod others;
mod safetensors;
mod scales;
mod util;
